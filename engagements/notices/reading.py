"""One's own notices: list, mark as read, and whether letters come too."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from engagements.core.errors import NotFound
from engagements.core.roles import Actor
from engagements.core.schemas import Page
from engagements.notices.models import Notice, NoticeChoice
from engagements.notices.schemas import NoticeOut
from engagements.web.paging import cursor_after, last_id


def notices_of(
    session: Session, actor: Actor, *, limit: int, cursor: str | None = None, unread: bool = False
) -> Page[NoticeOut]:
    """Newest first. Raises `QueryInvalid` for a cursor of somebody else's."""
    chosen = select(Notice).where(Notice.person_id == actor.id, Notice.organisation_id == actor.organisation_id)
    if unread:
        chosen = chosen.where(col(Notice.read_at).is_(None))
    if cursor is not None:
        chosen = chosen.where(col(Notice.id) < last_id(cursor))
    rows = session.exec(chosen.order_by(col(Notice.id).desc()).limit(limit + 1)).all()
    more = cursor_after(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[NoticeOut.of(row) for row in rows[:limit]], next=more)


def mark_read(session: Session, actor: Actor, notice_id: str, *, at: datetime) -> Notice:
    """Once read it stays read. Raises `NotFound`, for somebody else's too."""
    chosen = select(Notice).where(
        Notice.id == notice_id, Notice.person_id == actor.id, Notice.organisation_id == actor.organisation_id
    )
    row = session.exec(chosen.with_for_update()).first()
    if row is None:
        raise NotFound
    row.read_at = row.read_at or at
    return row


def mark_all_read(session: Session, actor: Actor, *, at: datetime) -> int:
    """How many were unread."""
    mine = update(Notice).where(col(Notice.person_id) == actor.id, col(Notice.read_at).is_(None))
    return session.exec(mine.values(read_at=at)).rowcount


def wants_letters(session: Session, person_id: str) -> bool:
    choice = session.get(NoticeChoice, person_id)
    return choice is None or choice.by_email


def choose_letters(session: Session, actor: Actor, *, by_email: bool, at: datetime) -> bool:
    """Takes effect with the next notice."""
    chosen = NoticeChoice(
        person_id=actor.id, organisation_id=actor.organisation_id, by_email=by_email, changed_at=at
    )  # fmt: skip
    session.merge(chosen)
    return by_email
