"""The thread that writes down which offers have ended and which months of service are over.

In every process, for a locked row is left to whoever has it.
"""

import logging
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

from engagements.core.clock import Clock
from engagements.db.store import Store, StoreBusy, StoreFull
from engagements.delivery.milestones import engagements_with_months, reach_months
from engagements.proposals.sending import due_to_expire, expire_due

_EVERY_S: Final = 60.0

log = logging.getLogger("sixfold.proposals")


@dataclass(kw_only=True)
class Sweeper:
    """Between two rounds an offer that has ended reads as expired all the same (`states.state_at`)."""

    store: Store
    clock: Clock
    _stopping: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = Thread(target=self._sweep_on, name="proposals", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def sweep(self) -> int:
        """How many offers were found ended; writes only where there are any."""
        at = self.clock.now()
        with self.store.read() as session:
            if not due_to_expire(session, at=at):
                return 0
        with self.store.write() as session:
            return len(expire_due(session, at=at))

    def reach_months(self) -> int:
        """How many payments their month of ongoing management has earned, by the day it is in UTC."""
        at = self.clock.now()
        with self.store.read() as session:
            found = engagements_with_months(session, today=at.date())
        reached = 0
        for engagement_id in found:
            with self.store.write() as session:
                reached += len(reach_months(session, engagement_id, at=at, today=at.date()))
        return reached

    def _sweep_on(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                self.sweep()
                self.reach_months()
            except (StoreBusy, StoreFull) as error:
                log.warning("not swept", extra={"cause": type(error).__name__})
