"""What the database decides: which notices become letters, who sends the next one, what came of it.

A notice is looked at once; it makes a letter where its person wants letters and has not read it in the page meanwhile.
A claim is one conditional UPDATE that sets a lease and raises the fence, and whoever lost the lease settles nothing. A
process that dies in between leaves a lease that ends; the next claim sends the letter under the same Message-ID.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, update
from sqlmodel import Session, col, select

from engagements.db.columns import new_id
from engagements.notices.models import Letter, LetterState, Notice, NoticeChoice
from engagements.notices.smtp import Outcome, Outgoing
from engagements.people.models import User

LEASE: Final = timedelta(minutes=5)
"""More than all steps of one conversation may take, so that clocks that differ a little fit in."""
NEWS_FOR: Final = timedelta(days=1)
"""A notice older than this makes no letter: mail that was set up today does not bring last month's."""
PAUSES: Final = (
    timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6),
    timedelta(hours=12), timedelta(days=1),
)  # fmt: skip
"""Between one attempt and the next; RFC 5321, 4.5.4.1 asks for two attempts in the first hour and days of patience."""
SETTINGS_PATH: Final = "/notices/settings"
_SPREAD: Final = 0.2
_AT_ONCE: Final = 100
_SUBJECT_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A letter that is ours to send until the lease ends. `tries` counts this attempt."""

    fence: int
    tries: int
    letter: Outgoing


def write_letters(session: Session, *, at: datetime, base_url: str) -> int:
    """Look at up to a hundred notices, oldest first; returns how many that were."""
    waiting = select(Notice).where(col(Notice.posted).is_(False)).order_by(col(Notice.id)).limit(_AT_ONCE)
    notices = session.exec(waiting.with_for_update(skip_locked=True)).all()
    wanted = _who_wants_letters(session, {notice.person_id for notice in notices})
    for notice in notices:
        notice.posted = True
        person = wanted.get(notice.person_id)
        if person is not None and notice.read_at is None and notice.at > at - NEWS_FOR:
            session.add(letter_of(notice, person, at=at, base_url=base_url))
    return len(notices)


def _who_wants_letters(session: Session, people: set[str]) -> dict[str, User]:
    there = select(User).where(col(User.id).in_(people), col(User.active))
    silent = select(NoticeChoice.person_id).where(
        col(NoticeChoice.person_id).in_(people), col(NoticeChoice.by_email).is_(False)
    )
    quiet = set(session.exec(silent))
    return {person.id: person for person in session.exec(there) if person.id not in quiet}


def letter_of(notice: Notice, person: User, *, at: datetime, base_url: str) -> Letter:
    """Plain text with the way to the page, and to where letters are switched off."""
    lines = [notice.text, *([f"{base_url}{notice.address}"] if notice.address else [])]
    foot = f"You get this because you work on this engagement. Switch e-mail off: {base_url}{SETTINGS_PATH}"
    subject = notice.text if len(notice.text) <= _SUBJECT_MAX else f"{notice.text[: _SUBJECT_MAX - 1].rstrip()}…"
    return Letter(
        id=new_id(Letter.PREFIX), organisation_id=notice.organisation_id, topic=f"notice:{notice.id}",
        to_name=person.name, to_email=person.email, subject=subject, text="\n\n".join([*lines, f"-- \n{foot}\n"]),
        due_at=at, created_at=at,
    )  # fmt: skip


def claim_next(session: Session, *, at: datetime, base_url: str) -> Claimed | None:
    """The letter that has been due longest, or None."""
    oldest = select(Letter.id).where(_free(at)).order_by(col(Letter.due_at)).limit(1)
    # Compared with `=`: under `in` PostgreSQL may run the sub-select once for each row, and each run finds another one.
    mine = col(Letter.id) == oldest.with_for_update(skip_locked=True).scalar_subquery()
    taken = (
        update(Letter)
        .where(mine, _free(at))
        .values(lease_until=at + LEASE, fence=col(Letter.fence) + 1, tries=col(Letter.tries) + 1)
        .returning(col(Letter.id))
    )
    claimed = session.exec(taken).first()
    if claimed is None:
        return None
    row = session.get_one(Letter, claimed.id, populate_existing=True)
    letter = Outgoing(
        id=row.id, to_name=row.to_name, to_email=row.to_email, subject=row.subject, text=row.text,
        written_at=row.created_at, unsubscribe_url=base_url + SETTINGS_PATH,
    )  # fmt: skip
    return Claimed(fence=row.fence, tries=row.tries, letter=letter)


def settle(session: Session, claimed: Claimed, outcome: Outcome, *, at: datetime, chance: float) -> bool:
    """Write down what came of an attempt. False: the lease was lost meanwhile, and nothing was written.

    `chance` from 0 up to 1 spreads the next attempts of many letters.
    """
    again = not outcome.sent and not outcome.is_final and claimed.tries <= len(PAUSES)
    pause = PAUSES[claimed.tries - 1] * (1 + _SPREAD * chance) if again else timedelta()
    ended = LetterState.SENT if outcome.sent else LetterState.GIVEN_UP
    kept = (
        update(Letter)
        .where(col(Letter.id) == claimed.letter.id, col(Letter.fence) == claimed.fence)
        .values(
            state=LetterState.WAITING if again else ended,
            due_at=at + pause,
            lease_until=None,
            failure=outcome.failure[:200],
            settled_at=None if again else at,
        )
    )
    return session.exec(kept).rowcount == 1


def is_something_due(session: Session, *, at: datetime) -> bool:
    """Asked before every claim, so that a quiet server takes no lock."""
    notices = exists().where(col(Notice.posted).is_(False))
    return bool(session.exec(select(or_(notices, exists().where(_free(at))))).one())


def _free(at: datetime) -> ColumnElement[bool]:
    """Due, and held by nobody."""
    held = or_(col(Letter.lease_until).is_(None), col(Letter.lease_until) <= at)
    return and_(col(Letter.state) == LetterState.WAITING, col(Letter.due_at) <= at, held)
