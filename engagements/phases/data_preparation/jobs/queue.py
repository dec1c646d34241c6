"""Jobs as rows: asked for, claimed by one, cancelled, ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_
from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.errors import Conflict
from engagements.core.leases import LEASE
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor, system_actor
from engagements.core.service import claim
from engagements.db.columns import new_id
from engagements.phases.data_preparation.models import DataJob, DataJobProgress, JobKind, JobState

ENDED: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})
ATTEMPTS_MAX: Final = 5
"""So often a job is begun whose worker dies with it; then it has failed."""


class JobRunning(Conflict):
    """One at a time."""

    code = "job_running"


class JobTerminal(Conflict):
    """It has ended already."""

    code = "job_terminal"


def ask_for(
    session: Session,
    actor: Actor,
    engagement: Engagement,
    kind: JobKind,
    *,
    subject_id: str = "",
    options: Mapping[str, Any] | None = None,
    at: datetime,
) -> DataJob:
    """A job in the transaction of whatever makes it needed; the worker finds it there."""
    said = {"kind": actor.kind.value, "id": actor.id, "name": actor.name, "client_id": actor.client_id}
    row = DataJob(
        id=new_id(DataJob.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, kind=kind, subject_id=subject_id, options=dict(options or {}),
        actor={**said, "role": actor.role.value if actor.role else None}, created_at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "data_job.asked", row, at=at)
    session.add(DataJobProgress(job_id=row.id))
    return row


def cancel(session: Session, actor: Actor, job_id: str, *, at: datetime) -> DataJob:
    """It stops at its next step. One that waits is begun for that, so that its own work puts away what it was to do.

    Raises `JobTerminal`.
    """
    row = claim(session, actor, DataJob, job_id)
    if row.state in ENDED:
        raise JobTerminal(f"this job is {row.state.value}", remedy="nothing is left to cancel")
    if not row.cancel_asked:
        row.cancel_asked = True
        audit.record(session, actor, "data_job.cancel_asked", row, at=at)
    return row


def live_job(session: Session, kinds: Collection[JobKind], engagement_id: str, subject_id: str = "") -> DataJob | None:
    """A job of these kinds that waits or runs, for the engagement or for one subject in it."""
    chosen = select(DataJob).where(
        col(DataJob.engagement_id) == engagement_id, col(DataJob.kind).in_(kinds),
        col(DataJob.state).in_((JobState.QUEUED, JobState.RUNNING)),
    )  # fmt: skip
    if subject_id:
        chosen = chosen.where(col(DataJob.subject_id) == subject_id)
    return session.exec(chosen.limit(1)).first()


def refuse_second(session: Session, kinds: Collection[JobKind], engagement_id: str, subject_id: str = "") -> None:
    """Raises `JobRunning` where one of these is under way already."""
    running = live_job(session, kinds, engagement_id, subject_id)
    if running is not None:
        remedy = "wait until it has ended, or cancel it"
        raise JobRunning(f"a job ({running.kind.value}) is under way: {running.id}", remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """`job`: as it was when it was claimed, outside of any session."""

    job: DataJob
    fence: int


def claim_next(session: Session, *, at: datetime) -> Claimed | None:
    """The oldest job that waits, or whose worker has fallen silent; held for `LEASE`."""
    lapsed = (col(DataJob.state) == JobState.RUNNING) & (col(DataJobProgress.lease_until) < at)
    due = (
        select(DataJob, DataJobProgress)
        .join(DataJobProgress, col(DataJobProgress.job_id) == col(DataJob.id))
        .where(or_(col(DataJob.state) == JobState.QUEUED, lapsed))
        .order_by(col(DataJob.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = session.exec(due).first()
    if found is None:
        return None
    job, progress = found
    progress.fence, progress.lease_until = progress.fence + 1, at + LEASE
    session.add(progress)
    if progress.fence > ATTEMPTS_MAX:
        message = f"its worker died {ATTEMPTS_MAX} times"
        ours = system_actor(job.organisation_id)
        end(session, ours, job, JobState.FAILED, result={"code": "worker_died"}, error=message, at=at)
        return claim_next(session, at=at)
    if job.state is JobState.QUEUED:
        job.state = JobState.RUNNING
        audit.record(session, system_actor(job.organisation_id), "data_job.begun", job, at=at)
    session.flush()
    session.expunge(job)
    return Claimed(job=job, fence=progress.fence)


def end(
    session: Session,
    actor: Actor,
    row: DataJob,
    state: JobState,
    *,
    result: Mapping[str, Any],
    error: str,
    at: datetime,
) -> None:
    row.state, row.result, row.error, row.ended_at = state, dict(result), error[:2000], at
    audit.record(session, actor, f"data_job.{state.value}", row, at=at)
    told = {"engagement": row.engagement_id, "job": row.id, "kind": row.kind.value, "state": state.value}
    tell(session, row.organisation_id, EventType.DATA_JOB_ENDED, told, at=at)
