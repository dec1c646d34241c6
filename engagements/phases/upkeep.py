"""Between sittings: conditions are met, checklists marked."""

from datetime import datetime

from sqlmodel import Session

from engagements.core import audit
from engagements.core.errors import NotFound
from engagements.core.roles import Actor
from engagements.core.service import scoped
from engagements.db.columns import new_id
from engagements.delivery import standing
from engagements.delivery.gate_models import ChecklistMark, GateCondition
from engagements.delivery.opening import phases_of
from engagements.delivery.under_way import claim_active, claim_in_active
from engagements.phases.checklists import checklists
from engagements.phases.errors import GateConflict
from engagements.phases.schemas import MarkIn, MeetIn
from engagements.phases.views import ENDED
from estimator.phases import Phase


def meet_condition(session: Session, actor: Actor, condition_id: str, data: MeetIn, *, at: datetime) -> GateCondition:
    """Raises `NotFound`, `NotUnderWay`, and `GateConflict` where it is met already."""
    condition = claim_in_active(session, actor, GateCondition, condition_id)
    if condition.met_at is not None:
        raise GateConflict("this condition is met already", remedy="nothing more is to be done")
    condition.met_at, condition.met_by, condition.note = at, actor.id, data.note
    audit.record(session, actor, "condition.met", condition, at=at, client_sees=True)
    standing.refresh(session, condition.engagement_id, at=at)
    return condition


def mark_item(
    session: Session, actor: Actor, engagement_id: str, phase: Phase, item: str, data: MarkIn, *, at: datetime
) -> ChecklistMark:
    """Raises `NotFound` for an item that no checklist has, `NotUnderWay`, and `GateConflict` once the phase ended."""
    engagement = claim_active(session, actor, engagement_id)
    row = next((each for each in phases_of(session, engagement.id) if each.phase is phase), None)
    if row is None or all(each.key != item for each in checklists()[phase]):
        raise NotFound
    if row.state in ENDED:
        raise GateConflict(f"{phase.label} has ended", remedy="what was marked stays as it was")
    mine = ChecklistMark.engagement_id == engagement.id, ChecklistMark.phase == phase, ChecklistMark.item == item
    mark = session.exec(scoped(ChecklistMark, actor).where(*mine)).first()
    if mark is None:
        mark = ChecklistMark(
            id=new_id(ChecklistMark.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
            client_id=engagement.client_id, phase=phase, item=item, by=actor.id, by_name=actor.name, at=at,
        )  # fmt: skip
        session.add(mark)
    mark.done, mark.applies, mark.note = data.done, data.applies, data.note
    mark.by, mark.by_name, mark.at = actor.id, actor.name, at
    audit.record(session, actor, "checklist.marked", mark, at=at)
    return mark
