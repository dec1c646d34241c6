"""Rows that leave no event of their own, as one actor may reach them; those that do go through `core.service`."""

from typing import TypeVar

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.errors import NotFound
from engagements.core.roles import Actor
from engagements.phases.data_preparation.models import Example, Upload

Row = TypeVar("Row", Example, Upload)


def reachable(kind: type[Row], actor: Actor) -> SelectOfScalar[Row]:
    chosen = select(kind).where(col(kind.organisation_id) == actor.organisation_id)
    return chosen if actor.client_id is None else chosen.where(col(kind.client_id) == actor.client_id)


def find_row(session: Session, actor: Actor, kind: type[Row], row_id: str) -> Row:
    """Raises `NotFound`, for another tenant's id as for an invented one."""
    row = session.exec(reachable(kind, actor).where(col(kind.id) == row_id)).first()
    if row is None:
        raise NotFound
    return row


def claim_row(session: Session, actor: Actor, kind: type[Row], row_id: str) -> Row:
    """The same, locked until the transaction ends."""
    row = session.exec(reachable(kind, actor).where(col(kind.id) == row_id).with_for_update()).first()
    if row is None:
        raise NotFound
    return row
