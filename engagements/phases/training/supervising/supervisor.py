"""The threads that look after runs: they claim what is due, take one step of it, and write down what came of it."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

from engagements.core.errors import EngagementError
from engagements.db.store import StoreBusy, StoreFull
from engagements.phases.training.models import Experiment
from engagements.phases.training.supervising import concluding
from engagements.phases.training.supervising.dispatching import dispatch
from engagements.phases.training.supervising.holding import claim_next
from engagements.phases.training.supervising.parts import Parts
from engagements.phases.training.supervising.retiring import tell_of_retiring_models
from engagements.phases.training.supervising.sweeping import sweep_files

_EVERY_S: Final = 0.5
_UPKEEP_EVERY: Final = timedelta(hours=1)

log = logging.getLogger("sixfold.training")


@dataclass(kw_only=True)
class Supervisor:
    """In every process; the database decides who takes a step. `workers`: threads, so that a backend that hangs keeps
    nobody else waiting; 0 where another process works."""

    parts: Parts
    workers: int = 4
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)
    _kept_up: datetime | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._threads = [
            Thread(target=self._work_on, args=(n,), name=f"training-{n}", daemon=True) for n in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """A step under way is left to its lease; runs go on without us, and are taken up again."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def do_due(self) -> int:
        """All steps that are due, one after the other, in this thread; how many they were."""
        done = self._take_steps()
        self.conclude()
        return done

    def conclude(self) -> int:
        """Ends experiments whose runs have all ended; how many."""
        with self.parts.store.read() as session:
            found = [
                (experiment_id, session.get_one(Experiment, experiment_id).organisation_id)
                for experiment_id in concluding.to_conclude(session)
            ]
        return sum(self._concluded(*each) for each in found)

    def keep_up(self) -> None:
        """At the start, then once an hour: files that no run reads, models whose end comes near."""
        now = self.parts.clock.now()
        if self._kept_up is not None and now - self._kept_up < _UPKEEP_EVERY:
            return
        self._kept_up = now
        for each in (sweep_files, tell_of_retiring_models):
            try:
                each(self.parts)
            except (StoreBusy, StoreFull):
                raise
            except Exception:
                log.exception("upkeep failed")

    def _concluded(self, experiment_id: str, organisation_id: str) -> bool:
        now = self.parts.clock.now()
        try:
            with self.parts.store.write() as session:
                return concluding.conclude(session, experiment_id, organisation_id, at=now)
        except EngagementError as refused:
            with self.parts.store.write() as session:
                concluding.note_refusal(session, experiment_id, refused, organisation_id, at=now)
            return False

    def _take_steps(self) -> int:
        done = 0
        while not self._stopping.is_set() and (hold := claim_next(self.parts.store, self.parts.clock)) is not None:
            dispatch(self.parts, hold)
            done += 1
        return done

    def _work_on(self, number: int) -> None:
        """The first thread also ends experiments and puts things in order; one that asks is enough."""
        while not self._stopping.wait(_EVERY_S):
            try:
                self._take_steps()
                if number == 0:
                    self.conclude()
                    self.keep_up()
            except (StoreBusy, StoreFull) as error:
                log.warning("no run looked at", extra={"cause": type(error).__name__})
            except Exception:
                log.exception("unhandled")
