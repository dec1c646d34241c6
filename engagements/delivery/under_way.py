"""Only an engagement that is active takes new work; whoever changes its plan holds its row until they are done."""

from typing import Any, Final, TypeVar

from sqlmodel import Session, col

from engagements.core.errors import Conflict, NotFound
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor
from engagements.core.service import claim, scoped
from engagements.db.columns import Record

Row = TypeVar("Row", bound=Record)

_REMEDIES: Final = {
    EngagementState.PROPOSED: "its proposal has to be accepted first",
    EngagementState.ON_HOLD: "make the engagement active again first",
    EngagementState.CLOSING: "make the engagement active again first",
    EngagementState.CLOSED: "open a new engagement",
    EngagementState.TERMINATED: "open a new engagement",
}


class NotUnderWay(Conflict):
    """The engagement is proposed, on hold, closing, or has ended."""

    code = "engagement_not_active"


def claim_active(session: Session, actor: Actor, engagement_id: str) -> Engagement:
    """Locked until the transaction ends, so that two who change one plan do so one after the other.

    Raises `NotFound` and `NotUnderWay`.
    """
    engagement = claim(session, actor, Engagement, engagement_id)
    if engagement.state is not EngagementState.ACTIVE:
        message = f"this engagement is {engagement.state.replace('_', ' ')} and takes no new work"
        raise NotUnderWay(message, remedy=_REMEDIES[engagement.state])
    return engagement


def claim_in_active(session: Session, actor: Actor, kind: type[Row], row_id: str, version: int | None = None) -> Row:
    """A row of an engagement that is active, both locked, the engagement first.

    Raises `NotFound`, `NotUnderWay` and `VersionMismatch`.
    """
    columns: Any = kind
    # The column alone: a row read before it is locked could be older than the lock.
    chosen = scoped(kind, actor).where(col(kind.id) == row_id).with_only_columns(columns.engagement_id)
    engagement_id = session.execute(chosen).scalar_one_or_none()
    if engagement_id is None:
        raise NotFound
    claim_active(session, actor, engagement_id)
    return claim(session, actor, kind, row_id, version)
