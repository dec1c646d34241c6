"""Private addresses of calendars: one for each device, told once, kept as a digest, taken back at will.

Whoever holds one reads what its owner may see at that moment; nothing can be done with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.errors import Conflict, LinkExpired, NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import claim, find, scoped
from engagements.db.columns import new_id
from engagements.notices.models import Feed
from engagements.notices.schemas import FeedIn
from engagements.people.identities import actor_of, actor_of_key, maker_of
from engagements.people.models import ApiKey, User
from engagements.people.secrets import digest, new_token

FEEDS_MAX: Final = 50
"""Of one person: more devices than anybody has, and few enough to look through."""
_CHOICES_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    feed: Feed
    token: str


def make_feed(session: Session, actor: Actor, data: FeedIn, *, at: datetime) -> Made:
    """Raises `NotFound` for an engagement that its maker may not see."""
    if data.engagement_id is not None:
        find(session, actor, Engagement, data.engagement_id)
    if len(feeds_of(session, actor)) >= FEEDS_MAX:
        raise Conflict(f"there are {FEEDS_MAX} calendars already", remedy="revoke those that nobody reads")
    token = new_token()
    feed = Feed(
        id=new_id(Feed.PREFIX), organisation_id=actor.organisation_id, person_id=actor.id, client_id=actor.client_id,
        engagement_id=data.engagement_id, name=data.name, digest=digest(token), created_at=at,
    )  # fmt: skip
    session.add(feed)
    audit.record(session, actor, "feed.made", feed, at=at)
    return Made(feed=feed, token=token)


def feeds_of(session: Session, actor: Actor) -> Sequence[Feed]:
    """One's own that still work, newest first."""
    mine = scoped(Feed, actor).where(col(Feed.person_id) == actor.id, col(Feed.revoked_at).is_(None))
    return session.exec(mine.order_by(col(Feed.id).desc())).all()


def choices_of(session: Session, actor: Actor) -> dict[str, str]:
    """Names by id of the engagements that a calendar can be made for, newest first."""
    named = scoped(Engagement, actor).with_only_columns(col(Engagement.id), col(Engagement.name))
    rows = session.execute(named.order_by(col(Engagement.id).desc()).limit(_CHOICES_MAX))
    return {row.id: row.name for row in rows}


def revoke_feed(session: Session, actor: Actor, feed_id: str, *, version: int, at: datetime) -> None:
    """Raises `NotFound`, for somebody else's and for one that was revoked too."""
    there = find(session, actor, Feed, feed_id)
    if there.person_id != actor.id or there.revoked_at is not None:
        raise NotFound
    feed = claim(session, actor, Feed, feed_id, version)
    feed.revoked_at = at
    audit.record(session, actor, "feed.revoked", feed, at=at)


def opened(session: Session, token: str, *, at: datetime) -> tuple[Feed, Actor]:
    """The feed of an address and who reads it, as they may read now.

    Raises `NotFound`, and `LinkExpired` where it was taken back or its owner may no longer come in.
    """
    feed = session.exec(select(Feed).where(Feed.digest == digest(token))).first()
    if feed is None:
        raise NotFound
    owner = _owner(session, feed, at)
    if feed.revoked_at is not None or owner is None:
        raise LinkExpired("this calendar was taken back", remedy="make a new one on the page of calendars")
    return feed, owner


def _owner(session: Session, feed: Feed, at: datetime) -> Actor | None:
    if feed.person_id.startswith(ApiKey.PREFIX):
        key = session.get(ApiKey, feed.person_id)
        over = key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at)
        return actor_of_key(key) if key is not None and not over and maker_of(session, key) is not None else None
    person = session.get(User, feed.person_id)
    return actor_of(person) if person is not None and person.active else None
