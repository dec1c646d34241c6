"""What the pages show of actuals: words, money and bars, ready to be printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlmodel import Session, col, func, select

from engagements.actuals.alerts import alerts_seen_by
from engagements.actuals.budget_schemas import AlertOut
from engagements.actuals.burn import Burn, BurnLine, Pace, burn_of
from engagements.actuals.earned import Tone, tone
from engagements.actuals.earning import Earned, Standing, earned_of
from engagements.actuals.forecasting import Forecast, forecast_of
from engagements.actuals.invoices import invoices_of
from engagements.actuals.models import CostEntry, EntryState, TimeEntry
from engagements.actuals.place import engagement_of
from engagements.actuals.quoted import QuotedLine, quoted_lines
from engagements.actuals.reading import person_names
from engagements.actuals.showing import pace_now
from engagements.actuals.weeks import Week
from engagements.core.models import Client
from engagements.core.roles import Actor, Permission
from engagements.core.service import find, scoped
from engagements.delivery.standing import latest_baseline
from estimator.money import Money
from estimator.phases import Phase

TONES = {Tone.GREEN: "good", Tone.AMBER: "warn", Tone.RED: "bad"}
_COSTS_SHOWN = 20
_VERY_LATE = 5
# So that the mark of a forecast beyond the budget stands clear of the edge.
_ROOM = 1.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Used of a budget. `width` and `tick` (the forecast) from 0 to 100; the scale ends at what is greatest."""

    label: str
    used: Money | Decimal
    budget: Money | Decimal | None
    share: float | None
    width: float
    tick: float | None
    is_over: bool
    is_floor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    label: str
    value: Decimal | None
    tone: str
    word: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedRow:
    label: str
    quoted: Money | None
    budget: Money | None
    spent: Money | None
    hours: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    id: str
    version: int
    day: date
    phase: str
    kind: str
    amount: Money | None
    note: str
    state: EntryState
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The forecast of the whole, beside the mean agreed."""

    p10: Money
    p50: Money
    p80: Money
    p90: Money
    budget: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    id: str
    number: int
    day: date
    lines: int
    net: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualsPage:
    """Money parts are None for who may not see cost, and where nothing was agreed."""

    id: str
    name: str
    client: str
    client_id: str
    is_agreed: bool
    hours: Sequence[Bar]
    money: Sequence[Bar]
    earned: Earned | None
    indices: Sequence[Index]
    as_of: date | None
    forecast: Forecast | None
    ends: Ends | None
    pace: Pace | None
    daily: Money | None
    alerts: Sequence[AlertOut]
    quoted: Sequence[QuotedRow]
    costs: Sequence[CostRow]
    invoices: Sequence[InvoiceRow]
    waiting: int


def actuals_page(session: Session, actor: Actor, engagement_id: str, *, today: date) -> ActualsPage:
    """Raises `NotFound`."""
    engagement = engagement_of(session, actor, engagement_id)
    client, baseline = find(session, actor, Client, engagement.client_id), latest_baseline(session, engagement_id)
    may_see = actor.may(Permission.VIEW_COST)
    burn = burn_of(session, baseline, today=today) if baseline else None
    earned = earned_of(session, baseline, today=today) if baseline and may_see else None
    forecast = forecast_of(session, engagement_id, today=today)
    pace = pace_now(session, baseline, burn, today=today) if baseline and burn and may_see else None
    judged = (earned.at_gate or earned.now) if earned else None
    return ActualsPage(
        id=engagement.id,
        name=engagement.name,
        client=client.name,
        client_id=client.id,
        is_agreed=baseline is not None,
        hours=hour_bars(burn) if burn else (),
        money=money_bars(burn, forecast) if burn and may_see else (),
        earned=earned,
        indices=indices(judged, earned) if earned and judged else (),
        as_of=judged.day if judged else None,
        forecast=forecast,
        ends=_ends(forecast) if forecast and may_see else None,
        pace=pace,
        daily=Money(round(pace.daily_minor), burn.currency) if pace and burn else None,
        alerts=[AlertOut.of(row) for row in alerts_seen_by(session, actor, engagement_id)],
        quoted=[_quoted(line, burn.currency) for line in quoted_lines(baseline, burn)]
        if baseline and burn and may_see
        else (),
        costs=_costs(session, actor, engagement_id) if may_see else (),
        invoices=_invoices(session, actor, engagement_id) if may_see else (),
        waiting=_waiting(session, engagement_id),
    )


def _ends(forecast: Forecast) -> Ends:
    total = forecast.total
    p10, p50, p80, p90, budget = (
        Money(each, forecast.currency) for each in (total.p10, total.p50, total.p80, total.p90, forecast.budget_minor)
    )
    return Ends(p10=p10, p50=p50, p80=p80, p90=p90, budget=budget)


def hour_bars(burn: Burn) -> list[Bar]:
    return [
        _bar(
            line, Decimal(line.taken.minutes) / 60, _hours(line.budget_minutes), line.hours_share, None, is_floor=False
        )
        for line in (*burn.phases, burn.whole)
    ]


def money_bars(burn: Burn, forecast: Forecast | None) -> list[Bar]:
    found = []
    for line in (*burn.phases, burn.whole):
        expected = None
        if forecast is not None:
            own = forecast.phases.get(line.phase) if line.phase else forecast.total
            expected = own.p50 / line.budget_minor if own and line.budget_minor else None
        found.append(
            _bar(
                line, Money(line.taken.spent_minor, burn.currency),
                None if line.budget_minor is None else Money(line.budget_minor, burn.currency), line.cost_share,
                expected, is_floor=line.taken.unknown > 0,
            )
        )  # fmt: skip
    return found


def _bar(
    line: BurnLine, used: Money | Decimal, budget: Money | Decimal | None, share: float | None, expected: float | None,
    *, is_floor: bool,
) -> Bar:  # fmt: skip
    scale = max(1.0, share or 0.0, _ROOM * (expected or 0.0))
    return Bar(
        label=line.phase.label if line.phase else "In all", used=used, budget=budget, share=share,
        width=max(0.0, 100 * (share or 0.0) / scale),
        tick=None if expected is None else 100 * expected / scale, is_over=(share or 0.0) > 1,
        is_floor=is_floor,
    )  # fmt: skip


def _hours(minutes: int | None) -> Decimal | None:
    return None if minutes is None else Decimal(minutes) / 60


def indices(standing: Standing, earned: Earned) -> list[Index]:
    """Judged as of the last gate, where no work is half done; before the first there is nothing to judge."""
    value, judged = standing.value, earned.at_gate is not None
    late = earned.days_late
    return [
        _index("Cost index, CPI", value.cpi, "Earned for what was spent", judged=judged),
        _index("Schedule index, SPI", value.spi, "Earned of what was planned", judged=judged),
        _index("Earned schedule, SPI(t)", standing.schedule.spi_t, "In time, not in money", judged=judged),
        Index(
            label="Days late at the gate", value=None if late is None else Decimal(late),
            tone="quiet" if late is None else "good" if late <= 0 else "warn" if late < _VERY_LATE else "bad",
            word="Nothing due yet" if late is None else "On time" if late <= 0 else "Late",
            note="Against the day agreed",
        ),
        Index(
            label="To complete, TCPI", value=value.tcpi if judged else None, tone="quiet",
            word="" if judged and not value.is_used_up else "Budget used up" if value.is_used_up else "No gate yet",
            note="Needed from here",
        ),
    ]  # fmt: skip


def _index(label: str, value: Decimal | None, note: str, *, judged: bool) -> Index:
    if not judged:
        return Index(label=label, value=None, tone="quiet", word="No gate yet", note=note)
    found = tone(value)
    words = {Tone.GREEN: "On plan", Tone.AMBER: "Watch", Tone.RED: "Off plan"}
    return Index(
        label=label, value=value, tone=TONES[found] if found else "quiet",
        word=words[found] if found else "Not defined", note=note,
    )  # fmt: skip


def _quoted(line: QuotedLine, currency: str) -> QuotedRow:
    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    return QuotedRow(
        label=line.label, quoted=money(line.quoted_minor), budget=money(line.budget_minor),
        spent=money(line.spent_minor), hours=_hours(line.minutes),
    )  # fmt: skip


def _costs(session: Session, actor: Actor, engagement_id: str) -> list[CostRow]:
    chosen = scoped(CostEntry, actor).where(CostEntry.engagement_id == engagement_id)
    rows = session.exec(chosen.order_by(col(CostEntry.day).desc(), col(CostEntry.id).desc()).limit(_COSTS_SHOWN))
    return [
        CostRow(
            id=row.id, version=row.version, day=row.day, phase=row.phase.label,
            kind=row.kind.replace("_", " ").capitalize(), note=row.note, state=row.state, source=row.source,
            amount=None if row.amount_minor is None else Money(row.amount_minor, row.currency),
        )
        for row in rows
    ]  # fmt: skip


def _invoices(session: Session, actor: Actor, engagement_id: str) -> list[InvoiceRow]:
    return [
        InvoiceRow(
            id=row.id, number=row.number, day=row.day, lines=len(row.lines), net=Money(row.net_minor, row.currency)
        )
        for row in invoices_of(session, actor, engagement_id)
    ]


def _waiting(session: Session, engagement_id: str) -> int:
    """Entries that wait for an approval."""
    time, costs = (
        select(func.count()).select_from(kind).where(
            col(kind.engagement_id) == engagement_id, col(kind.state) == EntryState.SUBMITTED
        )
        for kind in (TimeEntry, CostEntry)
    )  # fmt: skip
    return session.exec(time).one() + session.exec(costs).one()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A person's week that waits for an approval."""

    person_id: str
    person: str
    week: str
    first: date
    last: date
    hours: Decimal
    entries: Sequence[Mapping[str, object]]
    is_own: bool


def handed_in(session: Session, actor: Actor, engagement_id: str) -> list[HandedIn]:
    """Oldest first."""
    chosen = scoped(TimeEntry, actor).where(
        TimeEntry.engagement_id == engagement_id, TimeEntry.state == EntryState.SUBMITTED
    )
    names, weeks = person_names(session, actor), dict[tuple[Week, str], list[TimeEntry]]()
    for entry in session.exec(chosen.order_by(col(TimeEntry.day), col(TimeEntry.id))):
        weeks.setdefault((Week.of(entry.day), entry.person_id), []).append(entry)
    return [
        HandedIn(
            person_id=person_id, person=names.get(person_id, "Somebody who left"), week=str(week), first=week.first,
            last=week.last, hours=Decimal(sum(entry.minutes for entry in rows)) / 60,
            entries=[
                {"day": row.day, "phase": row.phase.label, "role": row.role.replace("_", " "), "note": row.note,
                 "hours": Decimal(row.minutes) / 60}
                for row in rows
            ],
            is_own=person_id == actor.id or any(row.created_by == actor.id for row in rows),
        )
        for (week, person_id), rows in sorted(weeks.items(), key=lambda item: item[0])
    ]  # fmt: skip


def phase_choices() -> list[tuple[str, str]]:
    return [(phase.value, phase.label) for phase in Phase]
