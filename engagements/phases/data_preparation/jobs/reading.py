"""Jobs of an engagement, and one job followed until it has ended."""

from collections.abc import AsyncIterator

from litestar.response.sse import ServerSentEventMessage
from sqlmodel import Session, col, select

from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.schemas import Page
from engagements.core.service import find, scoped
from engagements.db.store import Store
from engagements.phases.data_preparation.jobs.queue import ENDED
from engagements.phases.data_preparation.jobs.schemas import JobOut, job_out
from engagements.phases.data_preparation.models import DataJob, DataJobProgress
from engagements.web.following import followed
from engagements.web.paging import cursor_after, last_id


def jobs_of(session: Session, actor: Actor, engagement_id: str, *, limit: int, cursor: str | None) -> Page[JobOut]:
    """Newest first. Raises `NotFound` and `QueryInvalid`."""
    find(session, actor, Engagement, engagement_id)
    chosen = scoped(DataJob, actor).where(col(DataJob.engagement_id) == engagement_id)
    if cursor is not None:
        chosen = chosen.where(col(DataJob.id) < last_id(cursor))
    rows = session.exec(chosen.order_by(col(DataJob.id).desc()).limit(limit + 1)).all()
    ids = [row.id for row in rows]
    far = {each.job_id: each for each in session.exec(
        select(DataJobProgress).where(col(DataJobProgress.job_id).in_(ids))
    )}  # fmt: skip
    more = len(rows) > limit
    items = [JobOut.told(row, far.get(row.id)) for row in rows[:limit]]
    return Page(items=items, next=cursor_after(rows[limit - 1].id) if more else None)


def job_of(session: Session, actor: Actor, job_id: str) -> JobOut:
    """Raises `NotFound`."""
    return job_out(session, find(session, actor, DataJob, job_id))


def events_of(store: Store, actor: Actor, job_id: str) -> AsyncIterator[ServerSentEventMessage]:
    """The job followed to its end."""

    def look() -> JobOut:
        with store.read() as session:
            return job_of(session, actor, job_id)

    return followed(look, lambda job: job.state in ENDED)
