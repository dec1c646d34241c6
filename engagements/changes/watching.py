"""The thread that looks after engagements under way: thresholds that are passed, assumptions that have turned false.

What happened to an engagement is looked at within a minute, so that a draft of a change is there when its cause is; all
of them every six hours, for a gate grows late without anybody doing anything.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

from sqlmodel import Session, col, select

from engagements.actuals.alerts import check_alerts
from engagements.actuals.when import When
from engagements.changes.checking import check_triggers
from engagements.core.clock import Clock
from engagements.core.models import Engagement, EngagementActivity, EngagementState, Organisation
from engagements.core.roles import system_actor
from engagements.core.service import claim
from engagements.db.store import Store, StoreBusy, StoreFull
from engagements.delivery.standing import latest_baseline
from engagements.proposals.agency import agency_of
from engagements.settings import Agency

_EVERY_S: Final = 60.0
ALL_EVERY: Final = timedelta(hours=6)

log = logging.getLogger("sixfold.changes")


@dataclass(kw_only=True)
class Watcher:
    """In every process; whoever comes second to an engagement finds everything written down."""

    store: Store
    clock: Clock
    agency: Agency
    _looked_at: datetime | None = None
    _all_looked_at: datetime | None = None
    _stopping: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = Thread(target=self._watch_on, name="watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def watch(self) -> int:
        """One round: how many engagements were looked at, each in a transaction of its own.

        One that cannot be looked at is logged and looked at again when anything happens to it; the others have theirs.
        """
        now = self.clock.now()
        is_whole = self._all_looked_at is None or now - self._all_looked_at >= ALL_EVERY
        with self.store.read() as session:
            found = _under_way(session, since=None if is_whole else self._looked_at)
        looked = 0
        for engagement_id in found:
            if self._stopping.is_set():
                return looked
            looked += self._looked_after(engagement_id, at=now)
        self._looked_at = now
        if is_whole:
            self._all_looked_at = now
        return looked

    def _looked_after(self, engagement_id: str, *, at: datetime) -> bool:
        try:
            with self.store.write() as session:
                look_after(session, engagement_id, self.agency, at=at)
        except (StoreBusy, StoreFull):
            raise
        except Exception:
            log.exception("unhandled", extra={"engagement": engagement_id})
            return False
        return True

    def _watch_on(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                self.watch()
            except (StoreBusy, StoreFull) as error:
                log.warning("not watched", extra={"cause": type(error).__name__})


def look_after(session: Session, engagement_id: str, agency: Agency, *, at: datetime) -> None:
    """Alerts and drafts of changes of one engagement, as of now. One that has ended meanwhile is left in peace."""
    row = session.get_one(Engagement, engagement_id)
    ours = system_actor(row.organisation_id)
    engagement, baseline = claim(session, ours, Engagement, engagement_id), latest_baseline(session, engagement_id)
    if engagement.state is not EngagementState.ACTIVE or baseline is None:
        return
    own = agency_of(session.get_one(Organisation, engagement.organisation_id), agency)
    when = When(at=at, zone=own.time_zone)
    check_alerts(session, engagement, baseline, when=when)
    check_triggers(session, ours, engagement_id, today=when.today, at=at)


def _under_way(session: Session, *, since: datetime | None) -> Sequence[str]:
    """Ids of active engagements; with `since`, of those to which anything has happened from then on."""
    chosen = select(Engagement.id).where(Engagement.state == EngagementState.ACTIVE)
    if since is not None:
        chosen = chosen.join(EngagementActivity, col(EngagementActivity.engagement_id) == col(Engagement.id))
        chosen = chosen.where(col(EngagementActivity.at) >= since)
    return session.exec(chosen.order_by(col(Engagement.id))).all()
