"""Tell somebody something once: a notice in the page and, where they want it, a letter.

Written in the transaction of what is told, so nobody hears of what was undone. Letters are made of notices by `post`.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, func, select

from engagements.db.columns import new_id
from engagements.notices.models import Notice


def tell_people(
    session: Session,
    organisation_id: str,
    people: Iterable[str],
    *,
    topic: str,
    kind: str,
    text: str,
    address: str,
    at: datetime,
    engagement_id: str | None = None,
) -> int:
    """How many were told. Who was told of the `topic` (such as `gate:gat_…`) before is left in peace.

    `kind` is named as events are; `address` is a path of ours, such as `/engagements/eng_…`.
    """
    wanted = sorted(set(people))
    told = select(Notice.person_id).where(Notice.topic == topic, col(Notice.person_id).in_(wanted))
    known = set(session.exec(told))
    new = [person_id for person_id in wanted if person_id not in known]
    for person_id in new:
        session.add(
            Notice(
                id=new_id(Notice.PREFIX), organisation_id=organisation_id, person_id=person_id,
                engagement_id=engagement_id, topic=topic, kind=kind, text=text, address=address, at=at,
            )
        )  # fmt: skip
    return len(new)


def unread_of(session: Session, person_id: str) -> int:
    """How many notices a person has not read; one look into an index."""
    mine = select(func.count()).select_from(Notice).where(Notice.person_id == person_id, col(Notice.read_at).is_(None))
    return session.exec(mine).one()
