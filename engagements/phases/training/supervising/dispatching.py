"""One step of one run: what is done about it now, whatever happened before; and what becomes of a step that failed."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from backends.errors import AnswerInvalid, BackendError, RunLost, Unreachable
from backends.events import Failure
from engagements.core.errors import EngagementError
from engagements.core.leases import LeaseLost
from engagements.db.store import StoreBusy, StoreFull
from engagements.phases.training.models import TrainingState, Wish
from engagements.phases.training.supervising import halving
from engagements.phases.training.supervising.answering import measure, probe
from engagements.phases.training.supervising.finishing import close
from engagements.phases.training.supervising.following import follow, silent
from engagements.phases.training.supervising.holding import Held, Hold
from engagements.phases.training.supervising.moving import end, incident
from engagements.phases.training.supervising.parts import Parts
from engagements.phases.training.supervising.submitting import admit, submit

FAULTS_MAX: Final = 10
"""Faults of ours in a row, after which a person decides."""
_MENDED_AFTER: Final = timedelta(minutes=1)
_BACKOFF: Final = timedelta(seconds=5)

log = logging.getLogger("sixfold.training")

Step = Callable[[Parts, Hold], None]


def dispatch(parts: Parts, hold: Hold) -> None:
    """Every failure of a step is a row too, and the run is looked at again; only one lost its lease writes nothing."""
    try:
        with hold.write() as held:
            state, is_answered = held.run.state, bool(held.progress.result)
        _step_of(state, is_answered=is_answered)(parts, hold)
        halving.look(parts, hold.run_id)
    except LeaseLost:
        log.warning("lease lost", extra={"run": hold.run_id})
    except (StoreBusy, StoreFull):
        raise
    except (Unreachable, AnswerInvalid) as error:
        _unanswered(parts, hold, error)
    except RunLost as lost:
        _lost(parts, hold, lost)
    except (BackendError, EngagementError) as refused:
        _held_up(parts, hold, refused)
    except Exception:
        log.exception("unhandled", extra={"run": hold.run_id})
        _fault(parts, hold)


def _step_of(state: TrainingState, *, is_answered: bool) -> Step:
    match state:
        case TrainingState.WAITING:
            return admit
        case TrainingState.SUBMITTING | TrainingState.SUBMIT_UNKNOWN:
            return submit
        case TrainingState.FINALIZING if is_answered:
            return probe
        case TrainingState.SCORING:
            return measure
        case TrainingState.PROVIDER_LOST:
            return _given_up
        case _:
            return follow


def _given_up(parts: Parts, hold: Hold) -> None:
    """A person decided that what was lost is not looked for any more."""
    with hold.write() as held:
        at = parts.clock.now()
        end(held, TrainingState.CANCELLED, at=at, because="given up: its backend does not know it")
        close(held, parts, at=at)


def _unanswered(parts: Parts, hold: Hold, error: Unreachable | AnswerInvalid) -> None:
    """Nothing was changed, and it is asked again."""
    retry_in_s = error.retry_in_s if isinstance(error, Unreachable) else 0.0

    def write(held: Held) -> None:
        at = parts.clock.now()
        if isinstance(error, AnswerInvalid):
            incident(held, error.code, str(error), at=at)
        silent(held, str(error), parts, at=at, retry_in_s=retry_in_s)

    _written(hold, write)


def _lost(parts: Parts, hold: Hold, lost: RunLost) -> None:
    def write(held: Held) -> None:
        at = parts.clock.now()
        if held.run.wish is Wish.CANCEL:
            end(held, TrainingState.CANCELLED, at=at)
            close(held, parts, at=at)
            return
        failure = Failure(
            code=lost.code, message=str(lost) or "the backend does not know this job any more",
            remedy="look for it there; then resume to ask again, cancel to give it up, or retry",
        )  # fmt: skip
        end(held, TrainingState.PROVIDER_LOST, at=at, failure=failure)

    _written(hold, write)


def _held_up(parts: Parts, hold: Hold, refused: BackendError | EngagementError) -> None:
    """Somebody has to mend something, such as a key; what was begun goes on meanwhile, so nothing is ended."""

    def write(held: Held) -> None:
        at = parts.clock.now()
        incident(held, refused.code, str(refused), at=at)
        held.again(at + _MENDED_AFTER, said=str(refused))

    _written(hold, write)


def _fault(parts: Parts, hold: Hold) -> None:
    """A fault of ours; the log has it."""

    def write(held: Held) -> None:
        at = parts.clock.now()
        held.progress.trouble += 1
        if held.progress.trouble >= FAULTS_MAX:
            message = "a fault of ours, many times in a row; the log has it"
            end(held, TrainingState.PROVIDER_LOST, at=at, failure=Failure(code="internal_error", message=message))
            return
        incident(held, "internal_error", "a fault of ours; the log has it", at=at)
        held.again(at + _BACKOFF * 2**held.progress.trouble)

    _written(hold, write)


def _written(hold: Hold, write: Callable[[Held], None]) -> None:
    try:
        with hold.write() as held:
            write(held)
    except LeaseLost:
        log.warning("lease lost", extra={"run": hold.run_id})
