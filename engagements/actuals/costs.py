"""Costs that are not time: log, change, take back. Machines name each of theirs, so that a lost answer counts once."""

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, select

from engagements.actuals.following import followed
from engagements.actuals.models import CostEntry
from engagements.actuals.place import COSTS, Place, place_of, require_own
from engagements.actuals.rates import currency_of
from engagements.actuals.rules import check_editable, day_faults
from engagements.actuals.schemas import CostIn, CostLogged, CostOut, CostPatch
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.errors import AlreadyExists, Invalid
from engagements.core.roles import Actor
from engagements.core.service import claim, find
from engagements.db.columns import new_id
from estimator.errors import Problem

MANUAL, IMPORT, MACHINE = "manual", "import", "machine"


def log_cost(session: Session, actor: Actor, engagement_id: str, data: CostIn, *, when: When) -> CostLogged:
    """An open entry; with an `external_id` that is known, that entry again. Raises `Invalid` and `AlreadyExists`."""
    place = place_of(session, actor, engagement_id, when, takes=COSTS)
    entry, is_new = enter_cost(session, actor, place, data, source=MACHINE if data.machine else MANUAL, when=when)
    if not is_new:
        return CostLogged(**CostOut.of(entry).model_dump(), warnings=[])
    return _logged(session, actor, place, entry, when=when)


def enter_cost(
    session: Session, actor: Actor, place: Place, data: CostIn, *, source: str, when: When
) -> tuple[CostEntry, bool]:
    """The entry, and whether it is new; totals and alerts are left to the caller."""
    if (known := _known(session, place, data, source)) is not None:
        return known, False
    entry = CostEntry(
        **_fields(data), id=new_id(CostEntry.PREFIX), source=source, created_by=actor.id, created_at=when.at,
        organisation_id=place.engagement.organisation_id, engagement_id=place.engagement.id,
        client_id=place.engagement.client_id,
    )  # fmt: skip
    _check(place, entry, when)
    session.add(entry)
    audit.record(session, actor, "cost.logged", entry, at=when.at)
    return entry, True


def change_cost(
    session: Session, actor: Actor, cost_id: str, data: CostPatch, *, version: int, when: When
) -> CostLogged:
    """Of an open entry, by whoever logged it or a lead."""
    place, entry = _to_edit(session, actor, cost_id, version, when)
    entry.sqlmodel_update(data.model_dump(exclude_unset=True))
    with session.no_autoflush:
        _check(place, entry, when)
    audit.record(session, actor, "cost.changed", entry, at=when.at)
    return _logged(session, actor, place, entry, when=when)


def remove_cost(session: Session, actor: Actor, cost_id: str, *, version: int, when: When) -> None:
    place, entry = _to_edit(session, actor, cost_id, version, when)
    session.delete(entry)
    audit.record(session, actor, "cost.removed", entry, at=when.at)
    followed(session, place, when=when)


def _to_edit(session: Session, actor: Actor, cost_id: str, version: int, when: When) -> tuple[Place, CostEntry]:
    found = find(session, actor, CostEntry, cost_id)
    place = place_of(session, actor, found.engagement_id, when, takes=COSTS)
    entry = claim(session, actor, CostEntry, cost_id, version)
    require_own(session, actor, entry.created_by)
    check_editable(entry.state, invoiced="log a credit for it, an amount below 0 with a note")
    return place, entry


def _check(place: Place, entry: CostEntry, when: When) -> None:
    if problems := list(_faults(place, entry, when)):
        raise Invalid.of(*problems)


def _faults(place: Place, entry: CostEntry, when: When) -> Iterator[Problem]:
    """A cost may come before its phase begins, as a licence does; not before the acceptance."""
    yield from day_faults(entry.day, when.today, place.agreed_on)
    if entry.phase not in place.phases:
        message = f"this engagement has no phase {entry.phase.label.lower()}"
        yield Problem(code="phase_unknown", where="phase", message=message, remedy="choose a phase of its plan")
    if entry.currency != (ours := currency_of(place.baseline)):
        message, remedy = f"its budget is in {ours}", "convert it with a dated rate, and name the rate in the note"
        yield Problem(code="money.mixed_currency", where="currency", message=message, remedy=remedy)
    if entry.amount_minor is not None and entry.amount_minor < 0 and not entry.note:
        message, remedy = "a credit is not explained", "say in the note what it takes back"
        yield Problem(code="money.negative", where="note", message=message, remedy=remedy)


def _known(session: Session, place: Place, data: CostIn, source: str) -> CostEntry | None:
    if data.external_id is None:
        return None
    chosen = select(CostEntry).where(
        CostEntry.engagement_id == place.engagement.id, CostEntry.source == source,
        CostEntry.external_id == data.external_id,
    )  # fmt: skip
    there = session.exec(chosen).first()
    if there is None:
        return None
    if different := sorted(name for name, value in _fields(data).items() if getattr(there, name) != value):
        message = f"{data.external_id} was posted before with another {', '.join(different)}"
        raise AlreadyExists(message, remedy="take a new external_id, or change the entry that is there")
    return there


def _fields(data: CostIn) -> dict[str, Any]:
    price = data.price.model_dump(mode="json") if data.price else {}
    return {**data.model_dump(exclude={"machine", "price"}), "price": price}


def _logged(session: Session, actor: Actor, place: Place, entry: CostEntry, *, when: When) -> CostLogged:
    warnings = followed(session, place, when=when).warnings_for(actor, entry.phase)
    return CostLogged(**CostOut.of(entry).model_dump(), warnings=list(warnings))
