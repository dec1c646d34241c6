"""Log time, change it, take it back, adjust what was invoiced. Each answer warns of budgets near their end."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlmodel import Session, col, func, select

from engagements.actuals import rates
from engagements.actuals.following import followed
from engagements.actuals.models import EntryState, RateSnapshot, TimeEntry
from engagements.actuals.place import WORK, Place, locked_until, logger_of, place_of, require_own
from engagements.actuals.rules import Facts, Wanted, check, check_day, check_editable, check_week, spent_of
from engagements.actuals.schemas import AdjustIn, TimeIn, TimeLogged, TimeOut, TimePatch
from engagements.actuals.weeks import Week
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.errors import AlreadyExists, Conflict, Invalid
from engagements.core.roles import Actor, Permission
from engagements.core.service import claim, find, scoped
from engagements.db.columns import new_id
from engagements.people.models import User
from estimator.errors import Problem

_HIDDEN = ("cost_minor", "price_minor", "spent_minor")
_LOCKED = frozenset({EntryState.SUBMITTED, EntryState.APPROVED, EntryState.INVOICED})


def shown(entry: TimeEntry, actor: Actor) -> TimeOut:
    """Without rates for who may not see cost."""
    out = TimeOut.of(entry)
    return out if actor.may(Permission.VIEW_COST) else out.model_copy(update=dict.fromkeys(_HIDDEN))


def log_time(session: Session, actor: Actor, engagement_id: str, data: TimeIn, *, when: When) -> TimeLogged:
    """An open entry; with an `external_id` that is known, that entry again. Raises what `rules.check` does."""
    place = place_of(session, actor, engagement_id, when, takes=WORK)
    entry, is_new = enter(session, actor, place, data, source="manual", when=when)
    if not is_new:
        return TimeLogged(**shown(entry, actor).model_dump(), warnings=[])
    return _logged(session, actor, place, entry, when=when)


def enter(
    session: Session, actor: Actor, place: Place, data: TimeIn, *, source: str, when: When
) -> tuple[TimeEntry, bool]:
    """The entry, and whether it is new; totals and alerts are left to the caller."""
    person = logger_of(session, actor, data.person_id)
    if (known := _known(session, place, person, data, source)) is not None:
        return known, False
    laid = rates.ensure_rates(session, actor, place.baseline, begin=place.agreed_on, at=when.at)
    entry = TimeEntry(
        **data.model_dump(exclude={"person_id"}), id=new_id(TimeEntry.PREFIX), person_id=person.id, source=source,
        organisation_id=place.engagement.organisation_id, engagement_id=place.engagement.id,
        client_id=place.engagement.client_id, currency=rates.currency_of(place.baseline), created_by=actor.id,
        created_at=when.at,
    )  # fmt: skip
    check(_wanted(entry), _facts(session, actor, place, entry, laid, when.today))
    rates.price(entry, laid)
    session.add(entry)
    audit.record(session, actor, "time.logged", entry, at=when.at)
    return entry, True


def change_time(
    session: Session, actor: Actor, entry_id: str, data: TimePatch, *, version: int, when: When
) -> TimeLogged:
    """Of an open entry, by whoever logged it or a lead; its rate is the one that held on its day."""
    place, entry = _to_edit(session, actor, entry_id, version, when)
    before = Week.of(entry.day)
    entry.sqlmodel_update(data.model_dump(exclude_unset=True))
    laid = rates.ensure_rates(session, actor, place.baseline, begin=place.agreed_on, at=when.at)
    with session.no_autoflush:
        check(_wanted(entry), _facts(session, actor, place, entry, laid, when.today))
        check_week(before.first, _week_states(session, entry, before))
    rates.price(entry, laid)
    audit.record(session, actor, "time.changed", entry, at=when.at)
    return _logged(session, actor, place, entry, when=when)


def remove_time(session: Session, actor: Actor, entry_id: str, *, version: int, when: When) -> None:
    place, entry = _to_edit(session, actor, entry_id, version, when)
    check_week(entry.day, _week_states(session, entry, Week.of(entry.day)))
    session.delete(entry)
    audit.record(session, actor, "time.removed", entry, at=when.at)
    followed(session, place, when=when)


def adjust_time(session: Session, actor: Actor, entry_id: str, data: AdjustIn, *, when: When) -> TimeLogged:
    """A new open entry that adds minutes to an invoiced one or takes some back, at its rate.

    Raises `Conflict` for an entry that can still be edited, `Invalid` for more than was logged.
    """
    first = find(session, actor, TimeEntry, entry_id)
    place = place_of(session, actor, first.engagement_id, when, takes=WORK)
    logger_of(session, actor, first.person_id)
    if first.state is not EntryState.INVOICED or first.adjusts is not None:
        raise Conflict("only what was invoiced is adjusted", remedy="change the entry itself, or adjust the first one")
    _refuse_too_much(session, first, data.minutes)
    kept = {
        name: getattr(first, name)
        for name in (
            "organisation_id", "engagement_id", "client_id", "phase", "person_id", "role", "day", "billable",
            "cost_minor", "price_minor", "currency",
        )
    }  # fmt: skip
    entry = TimeEntry(
        **kept, id=new_id(TimeEntry.PREFIX), minutes=data.minutes, note=data.note, adjusts=first.id,
        spent_minor=spent_of(data.minutes, first.cost_minor), created_by=actor.id, created_at=when.at,
    )  # fmt: skip
    session.add(entry)
    audit.record(session, actor, "time.adjusted", entry, at=when.at, reason=data.note)
    return _logged(session, actor, place, entry, when=when)


def _refuse_too_much(session: Session, first: TimeEntry, minutes: int) -> None:
    together = select(func.coalesce(func.sum(TimeEntry.minutes), 0)).where(TimeEntry.adjusts == first.id)
    left = first.minutes + int(session.exec(together).one())
    whole_day = _day_minutes(session, first) + first.minutes
    problems = []
    if left + minutes < 0:
        message, remedy = f"{left} minutes of it are left", f"take back at most {left}"
        problems.append(Problem(code="number.negative", where="minutes", message=message, remedy=remedy))
    if whole_day + minutes > 1_440:
        message, remedy = f"{whole_day} minutes are logged on {first.day}", f"add at most {1_440 - whole_day}"
        problems.append(Problem(code="day_over_24_hours", where="minutes", message=message, remedy=remedy))
    if problems:
        raise Invalid.of(*problems)


def _to_edit(session: Session, actor: Actor, entry_id: str, version: int, when: When) -> tuple[Place, TimeEntry]:
    found = find(session, actor, TimeEntry, entry_id)
    place = place_of(session, actor, found.engagement_id, when, takes=WORK)
    session.exec(select(User.id).where(User.id == found.person_id).with_for_update()).first()
    entry = claim(session, actor, TimeEntry, entry_id, version)
    require_own(session, actor, entry.person_id)
    check_editable(entry.state, invoiced="make an adjusting entry to it")
    check_day(entry.day, locked_until(session, actor))
    return place, entry


def _known(session: Session, place: Place, person: User, data: TimeIn, source: str) -> TimeEntry | None:
    """The entry of this external id. Raises `AlreadyExists` where it says something else."""
    if data.external_id is None:
        return None
    chosen = select(TimeEntry).where(
        TimeEntry.engagement_id == place.engagement.id, TimeEntry.source == source,
        TimeEntry.external_id == data.external_id,
    )  # fmt: skip
    there = session.exec(chosen).first()
    if there is None:
        return None
    wanted = {**data.model_dump(), "person_id": person.id}
    if different := sorted(name for name, value in wanted.items() if getattr(there, name) != value):
        message = f"{data.external_id} was logged before with another {', '.join(different)}"
        raise AlreadyExists(message, remedy="take a new external_id, or change the entry that is there")
    return there


def _wanted(entry: TimeEntry) -> Wanted:
    return Wanted(phase=entry.phase, role=entry.role, day=entry.day, minutes=entry.minutes)


def _facts(
    session: Session, actor: Actor, place: Place, entry: TimeEntry, laid: Iterable[RateSnapshot], today: date
) -> Facts:
    return Facts(
        today=today,
        agreed_on=place.agreed_on,
        locked_until=locked_until(session, actor),
        phase_state=place.phases.get(entry.phase),
        day_minutes=_day_minutes(session, entry),
        week_states=_week_states(session, entry, Week.of(entry.day)),
        roles=frozenset(row.role for row in laid),
    )


def _day_minutes(session: Session, entry: TimeEntry) -> int:
    """Of the person on that day over all engagements, without this entry; the person is locked meanwhile."""
    whole = select(func.coalesce(func.sum(TimeEntry.minutes), 0)).where(
        TimeEntry.person_id == entry.person_id, TimeEntry.day == entry.day, TimeEntry.id != entry.id
    )
    return int(session.exec(whole).one())


def _week_states(session: Session, entry: TimeEntry, week: Week) -> frozenset[EntryState]:
    """What locks the person's week of this engagement; adjusting entries, made to what was locked, do not."""
    chosen = select(col(TimeEntry.state)).where(
        TimeEntry.person_id == entry.person_id, TimeEntry.engagement_id == entry.engagement_id,
        TimeEntry.id != entry.id, col(TimeEntry.adjusts).is_(None), TimeEntry.day >= week.first,
        TimeEntry.day <= week.last,
    )  # fmt: skip
    return frozenset(state for state in session.exec(chosen.distinct()) if state in _LOCKED)


def _logged(session: Session, actor: Actor, place: Place, entry: TimeEntry, *, when: When) -> TimeLogged:
    warnings = followed(session, place, when=when).warnings_for(actor, entry.phase)
    return TimeLogged(**shown(entry, actor).model_dump(), warnings=list(warnings))


def time_of_week(session: Session, actor: Actor, person_id: str, week: Week) -> Sequence[TimeEntry]:
    chosen: Any = scoped(TimeEntry, actor).where(
        TimeEntry.person_id == person_id, TimeEntry.day >= week.first, TimeEntry.day <= week.last
    )
    return list(session.exec(chosen.order_by(col(TimeEntry.day), col(TimeEntry.id))))
