"""Models whose last day comes near: whoever trained on one, or serves one, is told 60, 30 and 7 days before."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.core.models import Engagement, EngagementState
from engagements.core.outbox import EventType, tell
from engagements.notices.telling import tell_people
from engagements.phases.training.models import ModelVersion
from engagements.phases.training.supervising.moving import listeners
from engagements.phases.training.supervising.parts import Parts
from engagements.phases.training.trainers import Trainers
from estimator.prices import InferencePrice, PriceBook, TrainingPrice

ALARM_DAYS: Final = (60, 30, 7)
"""Before the last day (reliability reference, 2.1)."""
_OVER: Final = frozenset({EngagementState.CLOSED, EngagementState.TERMINATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retiring:
    """A version whose base model ends on a day; `days`: the alarm that is due, of `ALARM_DAYS`."""

    version: ModelVersion
    last_day: date
    days: int


def tell_of_retiring_models(parts: Parts) -> int:
    """How many alarms were new. Each is told once."""
    at = parts.clock.now()
    with parts.store.read() as session:
        found = [each.version.id for each in retiring(session, parts.book, parts.trainers, today=at.date())]
    if not found:
        return 0
    with parts.store.write() as session:
        return sum(
            _tell(session, each, at=at)
            for each in retiring(session, parts.book, parts.trainers, today=at.date()) if each.version.id in found
        )  # fmt: skip


def retiring(session: Session, book: PriceBook, trainers: Trainers, *, today: date) -> Iterator[Retiring]:
    """Of versions of engagements that are not over, those with an alarm due on this day."""
    chosen = (
        select(ModelVersion)
        .join(Engagement, col(Engagement.id) == col(ModelVersion.engagement_id))
        .where(col(Engagement.state).not_in(_OVER))
        .order_by(col(ModelVersion.id))
    )
    for version in session.exec(chosen).all():
        said = trainers.by_name.get(version.backend)
        last = last_day(book, said.provider, version.base_model) if said and said.provider else None
        days = alarm_due(last, today) if last else None
        if last is not None and days is not None:
            yield Retiring(version=version, last_day=last, days=days)


def last_day(book: PriceBook, provider: str, model: str) -> date | None:
    """From which on a base model of a provider, and all that was tuned of it, answers no more; None: not announced."""
    rows: list[TrainingPrice | InferencePrice] = [*book.table(TrainingPrice), *book.table(InferencePrice)]
    days = [
        row.shutdown for row in rows
        if row.provider == provider and row.shutdown is not None
        and model.lower() in {row.model.lower(), *(alias.lower() for alias in row.aliases)}
    ]  # fmt: skip
    return min(days, default=None)


def alarm_due(last: date, today: date) -> int | None:
    """The nearest alarm whose day has come: 60, 30 or 7; None before the first."""
    left = (last - today).days
    return min((days for days in ALARM_DAYS if left <= days), default=None)


def _tell(session: Session, found: Retiring, *, at: datetime) -> bool:
    version = found.version
    engagement = session.get_one(Engagement, version.engagement_id)
    left = (found.last_day - at.date()).days
    said = f"ends in {left} days, on {found.last_day}" if left > 0 else f"has ended on {found.last_day}"
    told = tell_people(
        session, version.organisation_id, listeners(session, engagement),
        topic=f"retiring:{version.id}:{found.days}", kind=EventType.MODEL_RETIRING.value,
        text=f"{engagement.name[:150]}: {version.base_model[:100]}, of which version {version.number} is made, {said}",
        address=f"/engagements/{engagement.id}", at=at, engagement_id=engagement.id,
    )  # fmt: skip
    if not told:
        return False
    data = {"engagement": engagement.id, "model_version": version.id, "days": found.days}
    tell(session, version.organisation_id, EventType.MODEL_RETIRING, data, at=at)
    return True
