"""What may still be spent on training: the cap of an experiment, and the compute cap that was agreed.

Held back before a run begins; when it has ended, what it did cost takes the place of that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlmodel import Session, col, select

from engagements.actuals.rates import agreed_baseline
from engagements.core.errors import Conflict
from engagements.delivery.gate_models import EvidenceKind, EvidenceRecord
from engagements.phases.training.models import ENDED, Experiment, ExperimentState, TrainingRun, TrainingState
from estimator.errors import Problem
from estimator.money import Money, minor_digits

SOURCE: Final = "Sixfold training"
"""Whose evidence it is that comes from runs of ours."""


class BudgetExceeded(Conflict):
    """What it may cost does not fit into what may be spent; `problems` says where."""

    code = "budget_exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one run may use at most. None: nobody can say. `is_local`: on hardware of ours, hours hold it."""

    run: str
    minor: int | None
    tokens: int | None
    hours: float | None
    is_local: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Of an experiment. `left_minor`: of the compute cap that was agreed; None where none was."""

    minor: int | None
    tokens: int | None
    hours: float | None
    accepts_unknown: bool
    left_minor: int | None
    currency: str


def overruns(caps: Caps, runs: Sequence[Asked]) -> Iterator[Problem]:
    """Everything that does not fit, each with its numbers. Pure."""
    known = sum(each.minor for each in runs if each.minor is not None)
    unknown = [each for each in runs if each.minor is None]
    if caps.minor is not None and known > caps.minor:
        yield _exceeded(
            "cap_minor", f"the runs may cost {_told(known, caps)}, and the cap is {_told(caps.minor, caps)}"
        )
    if caps.left_minor is not None and known > caps.left_minor:
        left = _told(max(0, caps.left_minor), caps)
        yield _exceeded("compute_cap", f"the runs may cost {_told(known, caps)}; {left} are left of the agreed cap")
    tokens = [each.tokens for each in runs]
    if caps.tokens is not None and sum(each or 0 for each in tokens) > caps.tokens:
        message = f"the runs train {sum(each or 0 for each in tokens):,} tokens, and the cap is {caps.tokens:,}"
        yield _exceeded("cap_tokens", message)
    hours = sum(each.hours or 0 for each in runs if each.is_local)
    if caps.hours is not None and hours > caps.hours:
        yield _exceeded("cap_hours", f"the runs take {hours:.2f} hours, and the cap is {caps.hours:g}")
    for each in unknown:
        yield from _unknown(caps, each)


def _unknown(caps: Caps, run: Asked) -> Iterator[Problem]:
    if not caps.accepts_unknown:
        message = f"nobody knows what {run.run} costs"
        remedy = "give its price, or accept_unknown_cost with a cap in tokens or hours"
        yield Problem(code="price_unknown", where="accept_unknown_cost", message=message, remedy=remedy)
    elif run.is_local and caps.hours is None:
        message = f"nothing holds {run.run}, whose cost is unknown"
        yield Problem(code="cap.missing", where="cap_hours", message=message, remedy="set cap_hours")
    elif not run.is_local and (caps.tokens is None or run.tokens is None):
        message = f"nothing holds {run.run}, whose cost is unknown"
        if run.tokens is None:
            message += ", and so are its tokens"
        yield Problem(code="cap.missing", where="cap_tokens", message=message, remedy="set cap_tokens")


def left_of_the_agreed(session: Session, engagement_id: str, *, currency: str, but: str = "") -> int | None:
    """Of the compute cap of the plan in force: less what runs cost or hold back, and what others recorded.

    None where no cap is agreed in this currency. `but`: an experiment whose own runs are not counted. Raises
    `NothingAgreed`.
    """
    cap = agreed_baseline(session, engagement_id).plan.get("compute_cap")
    if not cap or cap["currency"] != currency:
        return None
    whole = Money.of(Decimal(cap["amount"]), currency).minor
    ours = select(TrainingRun, Experiment.state).join(
        Experiment, col(Experiment.id) == col(TrainingRun.experiment_id)
    ).where(col(TrainingRun.engagement_id) == engagement_id, col(TrainingRun.experiment_id) != but)  # fmt: skip
    held = sum(taken(run) for run, state in session.exec(ours) if state is not ExperimentState.PLANNED)
    return whole - held - _recorded_by_others(session, engagement_id, currency)


def asked_again(run: TrainingRun, *, is_local: bool) -> Asked:
    """What a planned run may use, as it was predicted."""
    hours = run.prediction.get("hours")
    return Asked(
        run=run.name, minor=run.reserved_minor, tokens=run.prediction.get("tokens"),
        hours=hours["high"] if hours else None, is_local=is_local,
    )  # fmt: skip


def taken(run: TrainingRun) -> int:
    """What a run cost, or holds back while it has not ended. An unknown cost holds back nothing: it is in no sum."""
    if run.state in ENDED:
        return run.spent_minor or 0
    return 0 if run.state is TrainingState.PLANNED else run.reserved_minor or 0


def _recorded_by_others(session: Session, engagement_id: str, currency: str) -> int:
    rows = session.exec(select(EvidenceRecord).where(
        col(EvidenceRecord.engagement_id) == engagement_id, col(EvidenceRecord.kind) == EvidenceKind.TRAINING_RUN,
        col(EvidenceRecord.source) != SOURCE,
    )).all()  # fmt: skip
    replaced = {row.supersedes for row in rows}
    return sum(_minor(row.content.get("cost"), currency) for row in rows if row.id not in replaced)


def _minor(cost: Any, currency: str) -> int:
    return Money.of(Decimal(cost["amount"]), currency).minor if cost and cost["currency"] == currency else 0


def _exceeded(where: str, message: str) -> Problem:
    remedy = "train fewer or smaller runs, or agree a higher cap as a change first"
    return Problem(code="budget_exceeded", where=where, message=message, remedy=remedy)


def _told(minor: int, caps: Caps) -> str:
    digits = minor_digits(caps.currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f} {caps.currency}"
