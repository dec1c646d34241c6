"""How a run goes from state to state: with its audit event, its end told to whoever waits for it."""

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from backends.events import Failure
from engagements.core import audit
from engagements.core.models import Engagement
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor, Role, system_actor
from engagements.notices.telling import tell_people
from engagements.people.models import User
from engagements.phases.training.models import Experiment, TrainingRun, TrainingState, Wish
from engagements.phases.training.supervising import lanes
from engagements.phases.training.supervising.holding import Held

_INCIDENTS_KEPT: Final = 50


def trainer_actor(organisation_id: str, backend: str = "") -> Actor:
    """Work of our own; `backend`: where somebody acted on the other side."""
    return system_actor(organisation_id, backend or "Sixfold")


def move(held: Held, action: str, *, at: datetime, by: str = "", reason: str = "") -> None:
    """The audit event of what was changed of the run. `by`: the backend, where it did so without us."""
    audit.record(held.session, trainer_actor(held.run.organisation_id, by), action, held.run, at=at, reason=reason)


def incident(held: Held, code: str, said: str, *, at: datetime) -> None:
    """What should not have happened and changed nothing; the same again, one after the other, is noted once."""
    there = held.run.incidents
    if there and (there[-1]["code"], there[-1]["said"]) == (code, said[:500]):
        return
    noted = {"at": at.isoformat(), "code": code, "said": said[:500]}
    held.run.incidents = [*there, noted][-_INCIDENTS_KEPT:]
    move(held, "training_run.incident", at=at, reason=said[:500])


def end(
    held: Held, state: TrainingState, *, at: datetime, failure: Failure | None = None, because: str = "", by: str = ""
) -> None:
    """It has ended, or is lost to us; the next that waits for its backend is looked at. Its cost is posted apart."""
    run = held.run
    run.state, run.wish = state, Wish.NONE
    if failure is not None:
        run.failure = {
            "code": failure.code[:100], "message": failure.message[:2000], "param": failure.param[:200],
            "remedy": failure.remedy[:500],
        }  # fmt: skip
    run.stopped_because = run.stopped_because or because[:200]
    if state is not TrainingState.PROVIDER_LOST:
        run.ended_at = at
    move(held, f"training_run.{state.value}", at=at, by=by, reason=run.stopped_because)
    held.again(None, said="")
    held.session.flush()
    lanes.wake(held.session, run.backend, at=at)
    told = {"engagement": run.engagement_id, "experiment": run.experiment_id, "run": run.id, "state": state.value}
    tell(held.session, run.organisation_id, EventType.TRAINING_RUN_ENDED, told, at=at)
    if state in {TrainingState.FAILED, TrainingState.PROVIDER_LOST}:
        said = run.failure["message"] if run.failure else state.value.replace("_", " ")
        announce(held.session, run, f"Run {run.number} ({run.name}) needs a look: {said}", state.value, at=at)


def announce(session: Session, row: TrainingRun | Experiment, text: str, topic: str, *, at: datetime) -> None:
    """A notice for whoever planned the experiment and whoever owns the engagement, as far as they are of the agency."""
    experiment_id = row.experiment_id if isinstance(row, TrainingRun) else row.id
    kind = EventType.TRAINING_RUN_ENDED if isinstance(row, TrainingRun) else EventType.EXPERIMENT_ENDED
    engagement = session.get_one(Engagement, row.engagement_id)
    planned_by = session.get_one(Experiment, experiment_id).created_by
    tell_people(
        session, row.organisation_id, listeners(session, engagement, planned_by), topic=f"training:{row.id}:{topic}",
        kind=kind.value, text=f"{engagement.name[:150]}: {text}"[:400], address=f"/engagements/{engagement.id}",
        at=at, engagement_id=engagement.id,
    )  # fmt: skip


def listeners(session: Session, engagement: Engagement, *others: str) -> list[str]:
    """The engagement's owner and those who are named, where they still work here."""
    wanted = [each for each in (engagement.owner_id, *others) if each]
    chosen = select(User).where(
        col(User.organisation_id) == engagement.organisation_id, col(User.active), col(User.id).in_(wanted),
        col(User.role).in_([role for role in Role if not role.is_client]),
    )  # fmt: skip
    return [user.id for user in session.exec(chosen)]
