"""How many notices wait, for the frame of every page."""

from dataclasses import dataclass

from engagements.core.roles import Actor, ActorKind
from engagements.db.store import Store, StoreBusy
from engagements.notices.telling import unread_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    store: Store

    def unread(self, actor: Actor) -> int:
        """0 where the database is busy: a page that is ready does not wait for a number in its corner."""
        if actor.kind is not ActorKind.USER:
            return 0
        try:
            with self.store.read() as session:
                return unread_of(session, actor.id)
        except StoreBusy:
            return 0
