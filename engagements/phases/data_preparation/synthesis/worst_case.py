"""What requests can cost at most, known before they are sent. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.synthesis.answers import BYTES_PER_TOKEN_MAX
from engagements.phases.data_preparation.synthesis.budget import NO_TOKENS, Purpose, Tokens, input_tokens_at_most
from engagements.phases.data_preparation.synthesis.controls import Control
from engagements.phases.data_preparation.synthesis.plan import Ask, Plan
from engagements.phases.data_preparation.synthesis.prompts import Prompt, Wish, judge_prompt, write_prompt

GRADE_TOKENS_MAX: Final = 400
_EMPTY: Final = {"input": "", "output": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first prompt of a plan, and what sending it can cost at most."""

    prompt: Prompt
    most: Tokens


def wish_of(plan: Plan, ask: Ask) -> Wish:
    return Wish(task=plan.task, category=ask.category, persona=ask.persona, count=ask.count, guidance=plan.guidance)


def wish_to_judge(plan: Plan, control: Control) -> Wish:
    """As for what was asked for: nothing tells the judge that a case is known."""
    return Wish(task=plan.task, category=control.category, persona="", count=1, guidance=plan.guidance)


def most_of_prompt(prompt: Prompt, output_max: int) -> Tokens:
    return Tokens(input=input_tokens_at_most(prompt.texts), output=output_max)


def most_of_writing(plan: Plan, ask: Ask, seed: Record | None) -> Tokens:
    return most_of_prompt(write_prompt(wish_of(plan, ask), seed), plan.output_tokens_max)


def most_of_judging(plan: Plan, ask: Ask) -> Tokens:
    """Of all examples of one answer together, whose texts are one answer long at most; none where nobody judges."""
    if not plan.judge_model:
        return NO_TOKENS
    frame = most_of_prompt(judge_prompt(wish_of(plan, ask), _EMPTY), GRADE_TOKENS_MAX)
    # Two more bytes per token than an answer may have: what is escaped when it is written anew.
    texts = plan.output_tokens_max * (BYTES_PER_TOKEN_MAX + 2)
    return Tokens(input=frame.input * ask.count + texts, output=frame.output * ask.count)


def most_of_control(plan: Plan, control: Control, records: Mapping[str, Record]) -> Tokens:
    """None where an example that it needs is not at hand: it is not sent then."""
    if not set(control.needs) <= set(records):
        return NO_TOKENS
    return most_of_prompt(judge_prompt(wish_to_judge(plan, control), control.candidate(records)), GRADE_TOKENS_MAX)


def worst_case(plan: Plan, seeds: Mapping[str, Record]) -> dict[Purpose, Tokens]:
    """Of the whole plan, each request sent once. `seeds`: those of its controls too."""
    most = {Purpose.GENERATE: _sum(most_of_writing(plan, ask, seeds.get(ask.seed)) for ask in plan.asks)}
    if plan.judge_model:
        controls = _sum(most_of_control(plan, each, seeds) for each in plan.controls)
        most[Purpose.JUDGE] = _sum(most_of_judging(plan, ask) for ask in plan.asks) + controls
    return most


def _sum(parts: Iterable[Tokens]) -> Tokens:
    return sum(parts, NO_TOKENS)


def preview(plan: Plan, seeds: Mapping[str, Record]) -> Preview | None:
    """None for a plan without a request."""
    if not plan.asks:
        return None
    ask = plan.asks[0]
    prompt = write_prompt(wish_of(plan, ask), seeds.get(ask.seed))
    return Preview(prompt=prompt, most=most_of_prompt(prompt, plan.output_tokens_max))
