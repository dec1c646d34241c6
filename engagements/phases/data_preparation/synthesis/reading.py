"""Runs as they are shown: what has ended from its own row, what is under way from its requests so far."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, select

from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.phases.data_preparation.models import Example, ExampleState
from engagements.phases.data_preparation.records import Task, record_of
from engagements.phases.data_preparation.synthesis import calls, pricing, seeds
from engagements.phases.data_preparation.synthesis.budget import Budget, Cap, Purpose, rounded
from engagements.phases.data_preparation.synthesis.models import CallState, SynthesisRun, SynthesisState
from engagements.phases.data_preparation.synthesis.plan import Plan
from engagements.phases.data_preparation.synthesis.schemas import GapOut, PreviewOut, SynthesisOut
from engagements.phases.data_preparation.synthesis.worst_case import preview

_KEPT_SHOWN: Final = 20


def one_run(session: Session, actor: Actor, run_id: str) -> SynthesisOut:
    """Raises `NotFound`."""
    row = find(session, actor, SynthesisRun, run_id)
    return run_out(row, _so_far(session, row) if row.state is SynthesisState.RUNNING else {})


def run_out(row: SynthesisRun, so_far: Mapping[str, Any] | None = None) -> SynthesisOut:
    asks, gaps = row.plan.get("asks", []), row.plan.get("gaps", [])
    kept = {name: getattr(row, name) for name in SynthesisOut.model_fields if name in SynthesisRun.model_fields}
    return SynthesisOut(
        **(kept | dict(so_far or {})), judge_model=row.plan.get("judge_model", ""),
        task=Task(row.plan.get("task", Task.CLASSIFICATION)), gaps=[GapOut(**gap) for gap in gaps],
        requests=len(asks), examples_wanted=sum(ask["count"] for ask in asks),
    )  # fmt: skip


def preview_of(session: Session, actor: Actor, run_id: str) -> PreviewOut:
    """From seeds that may be shown now. Raises `NotFound`."""
    row = find(session, actor, SynthesisRun, run_id)
    plan = Plan.of(row.plan)
    first = [ask.seed for ask in plan.asks[:1] if ask.seed]
    seen = preview(plan, seeds.still_usable(session, row.engagement_id, first))
    if seen is None:
        return PreviewOut(system="", user="", input_tokens_at_most=0, output_tokens_at_most=0)
    return PreviewOut(
        system=seen.prompt.system, user=seen.prompt.user, input_tokens_at_most=seen.most.input,
        output_tokens_at_most=seen.most.output,
    )  # fmt: skip


def _so_far(session: Session, row: SynthesisRun) -> dict[str, Any]:
    """By name of `SynthesisOut`."""
    sent = calls.calls_of(session, row.id)
    budget = Budget(cap=Cap(currency=row.currency), prices=pricing.read_prices(row.price))
    calls.charge(budget, sent)
    written = [call for call in sent if call.purpose is Purpose.GENERATE]
    return {
        "asked": len({call.number for call in written}),
        "answered": sum(call.state is CallState.ANSWERED for call in written),
        "estimated": sum(call.is_estimated for call in sent),
        "input_tokens": budget.used.input, "output_tokens": budget.used.output,
        "spent_minor": rounded(budget.spent_minor),
        "lost_tokens": sum(tokens.total for tokens in budget.lost.values()), "lost_minor": rounded(budget.lost_minor),
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An example that was kept, as a page shows it. `score`: the judge's, None where nobody judged."""

    example_id: str
    label: str
    question: str
    answer: str
    persona: str
    score: int | None
    state: ExampleState


def kept_of(session: Session, actor: Actor, run_id: str) -> list[Kept]:
    """The first of those that were kept. Raises `NotFound`."""
    run = find(session, actor, SynthesisRun, run_id)
    if run.source_id is None:
        return []
    chosen = select(Example).where(col(Example.source_id) == run.source_id).order_by(col(Example.row_number))
    return [_kept(row) for row in session.exec(chosen.limit(_KEPT_SHOWN))]


def _kept(row: Example) -> Kept:
    record = record_of(json.loads(row.payload))
    return Kept(
        example_id=row.id, label=row.label or "", question=record.question, answer=record.answer,
        persona=str(record.meta.get("persona", "")), score=record.meta.get("judge", {}).get("score"), state=row.state,
    )  # fmt: skip
