"""The job of a run: it asks, sifts, has judged, and keeps; killed at any point and begun again, it goes on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from engagements.core.errors import EngagementError
from engagements.core.service import find
from engagements.phases.data_preparation.jobs.context import Cancelled, JobContext
from engagements.phases.data_preparation.models import Example
from engagements.phases.data_preparation.records import Record, record_of
from engagements.phases.data_preparation.synthesis import calls, judging, keeping, pricing, seeds, sifting
from engagements.phases.data_preparation.synthesis.asking import Asker
from engagements.phases.data_preparation.synthesis.budget import Budget, Cap, Purpose
from engagements.phases.data_preparation.synthesis.calls import Answered, Place
from engagements.phases.data_preparation.synthesis.endpoints import Endpoints
from engagements.phases.data_preparation.synthesis.judging import Case
from engagements.phases.data_preparation.synthesis.keeping import Outcome
from engagements.phases.data_preparation.synthesis.models import ENDED, SynthesisRun, SynthesisState
from engagements.phases.data_preparation.synthesis.plan import Ask, Plan
from engagements.phases.data_preparation.synthesis.prompts import write_prompt
from engagements.phases.data_preparation.synthesis.questions import Question
from engagements.phases.data_preparation.synthesis.shapes import examples_shape
from engagements.phases.data_preparation.synthesis.sifting import Sifted
from engagements.phases.data_preparation.synthesis.traffic import Halted, Stop, Traffic
from engagements.phases.data_preparation.synthesis.worst_case import most_of_control, most_of_judging, wish_of
from engagements.settings import Agency


class SynthesisFailed(EngagementError):
    """The larger model could not be asked any further; what it had answered is kept."""

    code, status = "provider_error", 502


def run(context: JobContext, *, endpoints: Endpoints, agency: Agency, backoff_s: float) -> Mapping[str, Any]:
    """What came of it. `subject_id` of the job is the run.

    Raises `SynthesisFailed`, `Cancelled` and `LeaseLost`, the first two when all is kept and accounted for.
    """
    taken = _take_up(context)
    if isinstance(taken, dict):
        return taken
    end: Halted | Cancelled | EngagementError | None = None
    try:
        _ask(context, taken, endpoints, backoff_s)
    except (Halted, Cancelled, EngagementError) as error:
        end = error
    result = keeping.finish(context, taken.run_id, _outcome(context, taken, end), taken.budget, agency)
    match end:
        case None:
            return result
        case Halted() if end.stop is Stop.CAP:
            return result
        case Halted():
            raise SynthesisFailed(end.said, remedy="see the run, mend the cause, and plan another")
        case _:
            raise end


def _ask(context: JobContext, work: "_Work", endpoints: Endpoints, backoff_s: float) -> None:
    with Asker(endpoints.named(work.endpoint)) as asker:
        traffic = Traffic(
            context=context, run_id=work.run_id, asker=asker, budget=work.budget, attempts=work.attempts,
            answers=work.answers, backoff_s=backoff_s,
        )  # fmt: skip
        capped = _write(traffic, work)
        work.sifted = _sift(context, work)
        _judge(traffic, work)
        if capped is not None:
            raise capped


@dataclass(kw_only=True)
class _Work:
    """A run in the hands of one worker. `answers` grow as they come; `seeds` by example id."""

    run_id: str
    engagement_id: str
    endpoint: str
    model: str
    plan: Plan
    budget: Budget
    attempts: dict[Place, int]
    answers: dict[Place, Answered]
    seeds: dict[str, Record]
    sifted: Sifted | None = None


def _take_up(context: JobContext) -> _Work | dict[str, Any]:
    """The work that is left; the result, where the run has ended and only its job had not."""
    with context.write() as session:
        run = find(session, context.actor, SynthesisRun, context.job.subject_id)
        if run.state in ENDED:
            return keeping.result_of(run)
        plan, cap = Plan.of(run.plan), Cap(currency=run.currency, minor=run.cap_minor, tokens=run.cap_tokens)
        budget = Budget(cap=cap, prices=pricing.read_prices(run.price))
        before = calls.take_up(session, run.id, at=context.clock.now())
        calls.charge(budget, before)
        return _Work(
            run_id=run.id, engagement_id=run.engagement_id, endpoint=run.endpoint, model=run.model, plan=plan,
            budget=budget, attempts=calls.attempts_in(before), answers=calls.answers_in(before),
            seeds=seeds.still_usable(session, run.engagement_id, plan.examples_shown),
        )  # fmt: skip


def _write(traffic: Traffic, work: _Work) -> Halted | None:
    """Has the model write what was not answered yet, and only from seeds that may still be shown.

    What it is halted by where that is the cap: there is room left to judge what was written.
    """
    for control in work.plan.controls:
        if (place := judging.place_of_control(control)) not in work.answers:
            traffic.keep_room(place, most_of_control(work.plan, control, work.seeds))
    for ask in work.plan.asks:
        if _place(ask) in work.answers:
            traffic.keep_room(_place(ask), most_of_judging(work.plan, ask))

    def one(ask: Ask) -> None:
        prompt = write_prompt(wish_of(work.plan, ask), work.seeds.get(ask.seed))
        question = Question(
            model=work.model, prompt=prompt, most_output=work.plan.output_tokens_max,
            temperature=work.plan.temperature, chance=(work.plan.chance + ask.number) % 2**31,
            shape=examples_shape(work.plan.task, ask.category, ask.count),
        )  # fmt: skip
        traffic.send(_place(ask), question, room=most_of_judging(work.plan, ask))

    due = [
        ask for ask in work.plan.asks if _place(ask) not in work.answers and (not ask.seed or ask.seed in work.seeds)
    ]
    try:
        traffic.each(due, one, at_once=work.plan.concurrency, step="asking the model", total=len(due))
    except Halted as halted:
        if halted.stop is not Stop.CAP:
            raise
        return halted
    finally:
        traffic.free_rooms()
    return None


def _judge(traffic: Traffic, work: _Work) -> None:
    if not work.plan.judge_model or work.sifted is None or not work.sifted.drafts:
        return

    def one(case: Case) -> None:
        traffic.send(case.place, case.question)

    cases = judging.cases_of(work.plan, work.sifted.drafts, work.seeds)
    due = [each for each in cases if each.place not in work.answers]
    traffic.each(due, one, at_once=work.plan.concurrency, step="judging", total=len(due))


def _place(ask: Ask) -> Place:
    return Place(purpose=Purpose.GENERATE, number=ask.number)


def _sift(context: JobContext, work: _Work) -> Sifted:
    writing = {place: answer for place, answer in work.answers.items() if place.purpose is Purpose.GENERATE}
    read = sifting.read_all(work.plan, writing, work.seeds, run_id=work.run_id)
    if not read.drafts:
        return read
    with context.store.read() as session:
        pool = _pool(session, work.engagement_id)
        sealed = seeds.sealed_texts(session, work.engagement_id)
        labels = seeds.counts_of(session, work.engagement_id)
    sifted = sifting.sift(
        read.drafts, pool=pool, sealed=sealed, policy=sifting.policy_of(work.plan, filter(None, labels))
    )
    return Sifted(drafts=sifted.drafts, left=(*read.left, *sifted.left))


def _pool(session: Session, engagement_id: str) -> list[str]:
    """What all examples ask, rejected and excluded ones too: neither is wanted a second time."""
    chosen = select(Example.payload).where(col(Example.engagement_id) == engagement_id)
    return [record_of(json.loads(payload)).question for payload in session.exec(chosen.order_by(col(Example.id)))]


def _outcome(context: JobContext, work: _Work, end: Exception | None) -> Outcome:
    """What is kept of what was answered, however the run came to its end."""
    sifted = work.sifted or _sift(context, work)
    check = judging.judge_check(work.plan, work.answers)
    least = work.plan.score_min if check and check.is_relied_on else 0
    kept, low = judging.judged(sifted.drafts, work.answers, least=least)
    state, said = _ending(end, work)
    return Outcome(state=state, said=said, kept=kept, left=(*sifted.left, *low), plan=work.plan, judge_check=check)


def _ending(end: Exception | None, work: _Work) -> tuple[SynthesisState, str]:
    gone = sum(1 for ask in work.plan.asks if ask.seed and ask.seed not in work.seeds)
    unsent = f"{gone} requests were left out: their seed may not be shown any more." if gone else ""
    match end:
        case None:
            return SynthesisState.DONE, unsent
        case Cancelled():
            return SynthesisState.STOPPED, f"Stopped by hand. {unsent}".strip()
        case Halted() if end.stop is Stop.CAP:
            return SynthesisState.STOPPED, f"Stopped before its cap: {end.said}. {unsent}".strip()
        case _:
            return SynthesisState.FAILED, f"{_sentence(str(end))} {unsent}".strip()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
