"""The thread that brings letters while the server runs; in every process, for the database decides who sends what."""

import logging
import secrets
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

from engagements.core.clock import Clock
from engagements.db.store import Store, StoreBusy, StoreFull
from engagements.notices.post import Claimed, claim_next, is_something_due, settle, write_letters
from engagements.notices.smtp import MailServer, Outcome, send

_LOOK_EVERY_S: Final = 5.0
_REST_AFTER_FAULT_S: Final = 30.0
_STOP_WITHIN_S: Final = 20.0

log = logging.getLogger("sixfold.post")


@dataclass(kw_only=True)
class Postman:
    """`server` None: this installation sends no letters, and notices wait in the page alone."""

    store: Store
    clock: Clock
    server: MailServer | None
    base_url: str
    _stopping: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        if self.server is None:
            return
        self._stopping.clear()
        self._thread = Thread(target=self._walk, name="post", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)

    def deliver_due(self) -> int:
        """Send all that is due now, one after another; returns how many attempts that were."""
        tried = 0
        while self.server is not None and not self._stopping.is_set() and self._deliver_one(self.server):
            tried += 1
        return tried

    def _deliver_one(self, server: MailServer) -> bool:
        claimed = self._claim()
        if claimed is None:
            return False
        self._settle(claimed, send(claimed.letter, server))
        return True

    def _claim(self) -> Claimed | None:
        with self.store.read() as session:
            if not is_something_due(session, at=self.clock.now()):
                return None
        with self.store.write() as session:
            while write_letters(session, at=self.clock.now(), base_url=self.base_url):
                session.flush()
            return claim_next(session, at=self.clock.now(), base_url=self.base_url)

    def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        chance = secrets.randbelow(1000) / 1000
        with self.store.write() as session:
            kept = settle(session, claimed, outcome, at=self.clock.now(), chance=chance)
        said = {"letter": claimed.letter.id, "try": claimed.tries, "sent": outcome.sent, "kept": kept}
        log.info("attempt", extra={**said, "failure": outcome.failure})

    def _walk(self) -> None:
        pause_s = _LOOK_EVERY_S
        while not self._stopping.wait(pause_s):
            pause_s = _LOOK_EVERY_S
            try:
                self.deliver_due()
            except (StoreBusy, StoreFull) as error:
                log.warning("not delivered", extra={"cause": type(error).__name__})
            except Exception:
                log.exception("unhandled")
                pause_s = _REST_AFTER_FAULT_S
