"""What more examples would buy: a learning curve asked for, and the newest one that was drawn."""

from datetime import datetime

from sqlmodel import Session, col

from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.models import DataJob, JobKind
from engagements.phases.data_preparation.synthesis.schemas import CurveOut, CurvePointOut


def ask_curve(session: Session, actor: Actor, engagement_id: str, *, at: datetime) -> CurveOut:
    """Raises `NotUnderWay`, and `JobRunning` while one is being drawn."""
    engagement = claim_active(session, actor, engagement_id)
    queue.refuse_second(session, [JobKind.SPLIT], engagement.id)
    return _out(queue.ask_for(session, actor, engagement, JobKind.SPLIT, at=at))


def newest_curve(session: Session, actor: Actor, engagement_id: str) -> CurveOut | None:
    """The one asked for last, drawn or not; None where nobody asked. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    chosen = scoped(DataJob, actor).where(
        col(DataJob.engagement_id) == engagement_id, col(DataJob.kind) == JobKind.SPLIT
    )
    row = session.exec(chosen.order_by(col(DataJob.id).desc()).limit(1)).first()
    return _out(row) if row else None


def _out(job: DataJob) -> CurveOut:
    told = job.result
    return CurveOut(
        job_id=job.id, state=job.state.value, drawn_at=job.ended_at, examples=told.get("examples"),
        validation=told.get("validation"), points=[CurvePointOut(**point) for point in told.get("points", [])],
        gain_of_doubling=told.get("gain_of_doubling"), gain_low=told.get("gain_low"), gain_high=told.get("gain_high"),
        said=told.get("said", job.error),
    )  # fmt: skip
