"""A run that its backend works on: what somebody wished is asked for, what it tells is kept, and its end is seen."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from backends.errors import NotOffered
from backends.events import Failure, Poll, RunState
from backends.protocol import Backend, Handle, Pausable
from engagements.phases.training.judging.verdicts import SPOILT
from engagements.phases.training.models import Experiment, RunCheckpoint, TrainingRun, TrainingState, Wish
from engagements.phases.training.plans.shrinking import OUT_OF_MEMORY, planned_smaller
from engagements.phases.training.supervising import lanes
from engagements.phases.training.supervising.capping import reached
from engagements.phases.training.supervising.finishing import close
from engagements.phases.training.supervising.hearing import Heard, hear
from engagements.phases.training.supervising.holding import Held, Hold
from engagements.phases.training.supervising.moving import end, incident, move
from engagements.phases.training.supervising.parts import Parts

FINALIZED_WITHIN: Final = timedelta(minutes=10)
"""From the moment it is said to be done until its model has to answer: as long as a submitted job is looked for
(reliability reference, 2.4)."""
_PAUSED_POLLED_EVERY: Final = timedelta(minutes=1)
_BACKOFF_MAX_S: Final = 300.0


def follow(parts: Parts, hold: Hold) -> None:
    """Raises what `dispatch` makes rows of."""
    with hold.write() as held:
        run, cursor, at = held.run, held.progress.cursor, parts.clock.now()
        if run.state is TrainingState.PAUSED and not run.reference:
            _wait_again(held, parts, at=at)
            return
        if closed := lanes.closed_until(held.session, run.backend, at=at):
            held.again(closed, said=f"{run.backend} does not answer; it is asked again at {closed:%H:%M:%S} UTC")
            return
        backend, handle, wish = parts.trainers.named(run.backend), handle_of(run), run.wish
    _ask(backend, handle, wish, hold, parts)
    told = backend.poll(handle, cursor=cursor)
    with hold.write() as held:
        at = parts.clock.now()
        if told.state is RunState.UNKNOWN:
            silent(held, f"{held.run.backend} does not say where it stands", parts, at=at)
            return
        lanes.answered(held.session, held.run.backend)
        _settle(held, told, hear(held, told, at=at), parts, at=at)


def handle_of(run: TrainingRun) -> Handle:
    return Handle(backend=run.backend, reference=run.reference)


def silent(held: Held, said: str, parts: Parts, *, at: datetime, retry_in_s: float = 0.0) -> None:
    """No answer: nothing has changed, and it is asked again, twice as late each time."""
    held.progress.trouble += 1
    every_s = parts.trainers.polled_every_s(held.run.backend)
    wait_s = max(retry_in_s, min(_BACKOFF_MAX_S, every_s * 2 ** min(held.progress.trouble, 10)))
    lanes.failed(held.session, held.run.backend, said, retry_in_s=retry_in_s, at=at)
    held.again(at + timedelta(seconds=wait_s), said=said)


def _wait_again(held: Held, parts: Parts, *, at: datetime) -> None:
    """Set aside before it was begun."""
    match held.run.wish:
        case Wish.CANCEL:
            end(held, TrainingState.CANCELLED, at=at)
            close(held, parts, at=at)
        case Wish.RESUME:
            held.run.state, held.run.wish = TrainingState.WAITING, Wish.NONE
            move(held, "training_run.waiting", at=at)
            held.again(at, said="")
        case _:
            held.again(None)


def _ask(backend: Backend, handle: Handle, wish: Wish, hold: Hold, parts: Parts) -> None:
    """What was wished, of the other side. A cancellation stays wished until it is seen; asking twice is no error."""
    try:
        match wish:
            case Wish.NONE:
                return
            case Wish.CANCEL:
                backend.cancel(handle)
                return
            case Wish.PAUSE | Wish.RESUME:
                pausable = _pausable(backend)
                (pausable.pause if wish is Wish.PAUSE else pausable.resume)(handle)
    except NotOffered as refused:
        with hold.write() as held:
            incident(held, refused.code, str(refused), at=parts.clock.now())
    with hold.write() as held:
        if held.run.wish is wish:
            held.run.wish = Wish.NONE
            move(held, f"training_run.{wish.value}_sent", at=parts.clock.now())


def _pausable(backend: Backend) -> Pausable:
    """Raises `NotOffered`."""
    if not isinstance(backend, Pausable):
        raise NotOffered(f"{backend.name} cannot pause a run")
    return backend


def _settle(held: Held, told: Poll, heard: Heard, parts: Parts, *, at: datetime) -> None:
    """What follows from what was told."""
    match told.state:
        case RunState.FAILED:
            failure = told.failure or Failure(code="provider_error", message="it failed, and nobody said why")
            end(held, TrainingState.FAILED, at=at, failure=_advised(held.run, failure))
            close(held, parts, at=at)
        case RunState.CANCELLED:
            ours = held.run.wish is Wish.CANCEL
            end(
                held, TrainingState.CANCELLED, at=at, because="" if ours else f"cancelled at {held.run.backend}",
                by="" if ours else held.run.backend,
            )  # fmt: skip
            close(held, parts, at=at)
        case RunState.SUCCEEDED | RunState.FINALIZING:
            _finalize(held, told, parts, at=at)
        case RunState.PAUSED:
            held.again(at + _PAUSED_POLLED_EVERY, said="")
        case _:
            _stop_what_is_lost(held, heard, parts, at=at)
            held.again(at + timedelta(seconds=parts.trainers.polled_every_s(held.run.backend)), said="")


def _advised(run: TrainingRun, failure: Failure) -> Failure:
    """Of memory that was short, with the largest setting that is predicted to fit."""
    found = planned_smaller(run.prediction) if failure.code == OUT_OF_MEMORY else None
    return replace(failure, remedy=found.said) if found else failure


def _finalize(held: Held, told: Poll, parts: Parts, *, at: datetime) -> None:
    """Done there; here when its model has answered."""
    progress = held.progress
    progress.wait_until = progress.wait_until or at + FINALIZED_WITHIN
    if told.model and told.state is RunState.SUCCEEDED:
        progress.result = told.model
        _keep_the_last(held, told.model)
        held.again(at, said="")
    elif at >= progress.wait_until:
        message = "it succeeded, and its model never appeared"
        end(held, TrainingState.FAILED, at=at, failure=Failure(code="artifact_missing", message=message))
        close(held, parts, at=at)
    else:
        every = timedelta(seconds=parts.trainers.polled_every_s(held.run.backend))
        held.again(min(at + every, progress.wait_until), said="waits for its model")


def _keep_the_last(held: Held, model: str) -> None:
    """What came out is a checkpoint too, where the backend did not tell it as one."""
    session, run_id = held.session, held.run.id
    same = select(RunCheckpoint).where(col(RunCheckpoint.run_id) == run_id, col(RunCheckpoint.model) == model)
    if session.exec(same).first() is None:
        session.add(RunCheckpoint(run_id=run_id, checkpoint_id="final", step=held.progress.step, model=model))


def _stop_what_is_lost(held: Held, heard: Heard, parts: Parts, *, at: datetime) -> None:
    """A curve that leads nowhere, and a cap that is reached, are not paid for any further."""
    if held.run.wish is Wish.CANCEL:
        return
    because = ""
    if heard.verdict is not None and heard.verdict.kind in SPOILT:
        because = f"{heard.verdict.kind.value}: {heard.verdict.said}"
    because = because or reached(held.session, held.session.get_one(Experiment, held.run.experiment_id), parts)
    if because:
        held.run.wish, held.run.stopped_because = Wish.CANCEL, because[:200]
        move(held, "training_run.stopped", at=at, reason=because)
