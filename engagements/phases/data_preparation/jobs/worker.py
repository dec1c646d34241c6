"""The threads that do long work on data: they claim a job, do it, and write down how it ended."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Final, Protocol

from pydantic import SecretStr

from engagements.core.clock import Clock
from engagements.core.errors import EngagementError
from engagements.core.leases import LeaseLost
from engagements.db.store import Store, StoreBusy, StoreFull
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.jobs.context import Cancelled, JobContext
from engagements.phases.data_preparation.models import DataJob, JobKind, JobState
from engagements.phases.data_preparation.storage import NO_ROOM, Storage, StorageFull
from estimator.errors import EstimatorError

Work = Callable[[JobContext], Mapping[str, Any]]


class Upkeep(Protocol):
    """What is put in order now and then, whoever does it."""

    def __call__(self, store: Store, storage: Storage, *, at: datetime) -> object: ...


_EVERY_S: Final = 1.0
_PROBLEMS_KEPT: Final = 100
_UPKEEP_EVERY: Final = timedelta(hours=1)

log = logging.getLogger("sixfold.data")


@dataclass(kw_only=True)
class Workshop:
    """`work`: what is done for each kind of job, `upkeep` hourly. `workers`: threads; 0 where another process works."""

    store: Store
    clock: Clock
    storage: Storage
    work: Mapping[JobKind, Work]
    upkeep: Sequence[Upkeep] = ()
    workers: int = 1
    places: Sequence[SecretStr] = ()
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)
    _kept_up: datetime | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._threads = [Thread(target=self._work_on, name=f"data-{n}", daemon=True) for n in range(self.workers)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """A job under way is left to its lease; the next process takes it up from its beginning."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def do_due(self) -> int:
        """Does all that waits, one after the other, in this thread; how many jobs it was."""
        done = 0
        while self._do_next():
            done += 1
        return done

    def keep_up(self) -> None:
        """At the start, then once an hour."""
        now = self.clock.now()
        if self._kept_up is None or now - self._kept_up >= _UPKEEP_EVERY:
            self._kept_up = now
            for each in self.upkeep:
                try:
                    each(self.store, self.storage, at=now)
                except Exception:
                    log.exception("upkeep failed")

    def _work_on(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                self.keep_up()
                self.do_due()
            except (StoreBusy, StoreFull) as error:
                log.warning("no job taken up", extra={"cause": type(error).__name__})

    def _do_next(self) -> bool:
        if self._stopping.is_set():
            return False
        with self.store.write() as session:
            claimed = queue.claim_next(session, at=self.clock.now())
        if claimed is None:
            return False
        job = claimed.job
        context = JobContext(
            store=self.store, clock=self.clock, storage=self.storage, job=job, fence=claimed.fence, places=self.places
        )
        try:
            result, state, error = self._worked(context), JobState.DONE, ""
        except LeaseLost:
            log.warning("lease lost", extra={"job": job.id})
            return True
        except Cancelled:
            result, state, error = {}, JobState.CANCELLED, ""
        except (EngagementError, EstimatorError) as refused:
            result, state, error = _refused(refused), JobState.FAILED, str(refused)
        except Exception:
            log.exception("unhandled", extra={"job": job.id})
            result, state, error = {"code": "internal_error"}, JobState.FAILED, "a fault of ours; the log has it"
        self._end(context, state, result, error)
        return True

    def _worked(self, context: JobContext) -> Mapping[str, Any]:
        """Room is wanted beside the storage too: for files that work sets aside."""
        try:
            return self.work[context.job.kind](context)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise StorageFull("the disk is full", remedy="make room, then ask again") from error

    def _end(self, context: JobContext, state: JobState, result: Mapping[str, Any], error: str) -> None:
        try:
            with context.write() as session:
                row = session.get_one(DataJob, context.job.id)
                queue.end(session, context.actor, row, state, result=result, error=error, at=self.clock.now())
        except LeaseLost:
            log.warning("lease lost", extra={"job": context.job.id})


def _refused(error: EngagementError | EstimatorError) -> dict[str, Any]:
    """What a job ends with that was refused: the code, and the first of its problems, each with its place."""
    listed = [{"code": each.code, "where": each.where, "message": each.message} for each in error.problems]
    return {"code": error.code, "problems": listed[:_PROBLEMS_KEPT]}
