"""A run that waits is let in when there is room, and given to its backend: one job at most, whatever is lost."""

from datetime import timedelta
from typing import Final

from sqlmodel import col, select

from backends.errors import BackendError, DataAltered, NotOffered, OutcomeUnknown, ProviderRefused, SpecRefused
from backends.events import Failure
from backends.spec import TrainingSpec
from engagements.core.errors import EngagementError
from engagements.phases.data_preparation.storage import BlobDamaged
from engagements.phases.training.models import Experiment, RunMemory, TrainingState, Wish
from engagements.phases.training.plans.exporting import ensure, placed
from engagements.phases.training.plans.starting import files_of
from engagements.phases.training.supervising import lanes
from engagements.phases.training.supervising.finishing import close
from engagements.phases.training.supervising.holding import Held, Hold, RowMemory
from engagements.phases.training.supervising.moving import end, move
from engagements.phases.training.supervising.parts import Parts

_ROOM_AGAIN: Final = timedelta(seconds=10)
"""Whoever leaves wakes the next; this is for what nobody tells, such as a setting that was changed."""
_REFUSED: Final = (SpecRefused, ProviderRefused, NotOffered, DataAltered, BlobDamaged)


def admit(parts: Parts, hold: Hold) -> None:
    """The intent to begin is written here, before anything is sent."""
    at = parts.clock.now()
    with hold.write() as held:
        run = held.run
        if run.wish is Wish.CANCEL:
            _never_begun(held, parts)
            return
        if run.wish is Wish.PAUSE:
            run.state, run.wish = TrainingState.PAUSED, Wish.NONE
            move(held, "training_run.paused", at=at)
            held.again(None, said="")
            return
        if closed := lanes.closed_until(held.session, run.backend, at=at):
            held.again(closed, said=f"{run.backend} does not answer; it is asked again at {closed:%H:%M:%S} UTC")
            return
        at_once, is_local = parts.trainers.at_once(run.backend), parts.trainers.is_local(run.backend)
        if not lanes.may_begin(held.session, run, at_once=at_once, is_local=is_local):
            held.again(at + _ROOM_AGAIN, said=f"waits until {run.backend} has room")
            return
        run.state, run.wish = TrainingState.SUBMITTING, Wish.NONE
        move(held, "training_run.submitting", at=at)
        held.again(at, said="")


def submit(parts: Parts, hold: Hold) -> None:
    """Begins it, or finds it begun. Raises what `dispatch` makes rows of."""
    with hold.write() as held:
        run, experiment = held.run, held.session.get_one(Experiment, held.run.experiment_id)
        sent = select(RunMemory.key).where(col(RunMemory.run_id) == run.id).limit(1)
        if run.wish is Wish.CANCEL and held.session.exec(sent).first() is None:
            _never_begun(held, parts)
            return
        backend, spec = parts.trainers.named(run.backend), TrainingSpec.model_validate(run.spec)
        files = files_of(held.session, experiment, run)
    try:
        with hold.kept():
            for file, source in files:
                ensure(parts.storage, file, source, parts.folder)
            handle = backend.start(placed(spec, parts.folder), RowMemory(hold=hold), now=parts.clock.now())
    except OutcomeUnknown as unknown:
        _wait_for_certainty(parts, hold, unknown)
        return
    except _REFUSED as refused:
        _fail(parts, hold, refused)
        return
    with hold.write() as held:
        at = parts.clock.now()
        lanes.answered(held.session, held.run.backend)
        held.run.state, held.run.reference = TrainingState.QUEUED, handle.reference
        held.run.started_at = at
        move(held, "training_run.submitted", at=at)
        held.again(at, said="")


def _wait_for_certainty(parts: Parts, hold: Hold, unknown: OutcomeUnknown) -> None:
    """Whether a job exists is not known: said as exactly that, and asked again with the same memory."""
    at = parts.clock.now()
    with hold.write() as held:
        if held.run.state is not TrainingState.SUBMIT_UNKNOWN:
            held.run.state = TrainingState.SUBMIT_UNKNOWN
            move(held, "training_run.submit_unknown", at=at)
        held.again(at + timedelta(seconds=unknown.retry_in_s), said=str(unknown))


def _fail(parts: Parts, hold: Hold, refused: BackendError | EngagementError) -> None:
    with hold.write() as held:
        at = parts.clock.now()
        end(held, TrainingState.FAILED, at=at, failure=failure_of(refused))
        close(held, parts, at=at)


def failure_of(refused: BackendError | EngagementError) -> Failure:
    """What a person reads of it, and acts on."""
    match refused:
        case ProviderRefused():
            code = refused.provider_code or refused.code
            return Failure(
                code=refused.code if refused.code != ProviderRefused.code else code, message=str(refused),
                param=refused.param, remedy=refused.remedy,
            )  # fmt: skip
        case EngagementError():
            return Failure(code=refused.code, message=refused.message, remedy=refused.remedy)
        case _:
            return Failure(code=refused.code, message=str(refused))


def _never_begun(held: Held, parts: Parts) -> None:
    at = parts.clock.now()
    end(held, TrainingState.CANCELLED, at=at)
    close(held, parts, at=at)
