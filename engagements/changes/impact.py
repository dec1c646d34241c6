"""What a change comes to, decided purely from two estimates of the same day: the brief as it stands, and as asked.

The price moves by the difference of the two quotes and by the lines that the change names itself, to the cent. Prices
that have moved since the signature do so in both quotes and cancel out; extras that were chosen with the proposal
stand in neither, and a discount of the brief applies to both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from engagements.changes.budgeting import Added, budget_after, cost_of
from engagements.changes.dates import moved_phases
from engagements.changes.patching import value_at
from engagements.changes.payments import money_of
from engagements.changes.quoted import AgreedPlan, Quoted, agreed_money, plain_record
from engagements.changes.replanning import criteria_after, plan_after, with_hours
from engagements.changes.schemas import (
    AskedOut,
    AsksIn,
    CostOut,
    CriterionChangeOut,
    DatesOut,
    ExtraLine,
    HoursOut,
    ImpactOut,
    PriceLineOut,
)
from engagements.delivery.standing import minor
from estimator.brief import Brief
from estimator.budget import Budget
from estimator.calendar import WorkCalendar
from estimator.money import Money, minor_digits, sum_of
from estimator.phases import Phase
from estimator.plain import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """`plan` and `budget` of the baseline that the change would make, and what the difference is."""

    impact: ImpactOut
    plan: dict[str, Any]
    budget: dict[str, Plain]
    net: Money
    gross: Money
    days: int


def assessed(asks: AsksIn, agreed: AgreedPlan, before: Quoted, after: Quoted, *, number: int, title: str) -> Assessment:
    """Raises nothing: what is asked was checked before. The same arguments give the same assessment."""
    added = [_added(each, agreed.budget) for each in asks.lines]
    lines = list(_lines(before, after, asks.lines, added, agreed.budget))
    net = sum_of((Money(line.net_minor, agreed.net.currency) for line in lines), agreed.net.currency)
    gross = _gross_of(agreed.net + net, after.brief) - agreed.gross
    moved = moved_phases(
        agreed.plan["phases"], _days_added(before, after, asks), ended=frozenset(each.number for each in agreed.ended),
        today=agreed.today, calendar=WorkCalendar(**agreed.plan["calendar"]),
    )  # fmt: skip
    budget = budget_after(agreed.budget, before.budget, after.budget, added, ended=agreed.ended, now=agreed.now)
    criteria = criteria_after(agreed.plan["criteria"], before.criteria, after.criteria)
    plan = plan_after(
        agreed, before, after, number=number, title=title, lines=lines, net=net, gross=gross,
        phases=with_hours(moved.phases, before, after, asks.lines, agreed), criteria=criteria,
    )  # fmt: skip
    return Assessment(
        impact=_impact(asks, agreed, before, after, plan, budget, lines),
        plan=plan, budget=plain_record(budget), net=net, gross=gross, days=moved.days,
    )  # fmt: skip


def _added(line: ExtraLine, budget: Budget) -> Added:
    scale = 10 ** minor_digits(budget.currency)
    return Added(phase=line.phase, hours=line.hours, cost=line.cost_minor / scale)


def _lines(
    before: Quoted, after: Quoted, extras: Sequence[ExtraLine], added: Sequence[Added], budget: Budget
) -> Iterator[PriceLineOut]:
    """What the price moves by, line by line as the quotes have them; lines that stay are left out."""
    old, new = (
        {line["label"]: (line["phase"], money_of(line["net"])) for line in quoted.plan["lines"]}
        for quoted in (before, after)
    )
    for label in dict.fromkeys([*old, *new]):
        phase = (new.get(label) or old[label])[0]
        moved = sum(side[label][1].minor * sign for side, sign in ((new, 1), (old, -1)) if label in side)
        if moved:
            yield PriceLineOut(label=label, phase=list(Phase)[phase - 1] if phase else None, net_minor=moved)
    discount = money_of(before.plan["discount"]).minor - money_of(after.plan["discount"]).minor
    if discount:
        yield PriceLineOut(label="Discount", phase=None, net_minor=discount)
    for extra, mine in zip(extras, added, strict=True):
        net = extra.net_minor if extra.net_minor is not None else _priced(mine, budget, after.margin).minor
        yield PriceLineOut(label=extra.label, phase=extra.phase, net_minor=net)


def _priced(added: Added, budget: Budget, margin: Decimal) -> Money:
    """Cost / (1 - margin), as the quote prices."""
    cost = Decimal(str(round(cost_of(added, budget.rates), 6)))
    return Money.of(cost / (1 - margin), budget.currency)


def _gross_of(net: Money, brief: Brief) -> Money:
    """Net and each tax on it, rounded by tax, as the quote has it."""
    return sum_of((net, *(net.times(tax.percent / 100) for tax in brief.commercial.tax)), net.currency)


def _days_added(before: Quoted, after: Quoted, asks: AsksIn) -> dict[int, int]:
    old, new = ({each["number"]: each["working_days"] or 0 for each in side.plan["phases"]} for side in (before, after))
    own = {phase.number: days for phase, days in asks.days.items()}
    return {number: new.get(number, 0) - old.get(number, 0) + own.get(number, 0) for number in {*old, *new}}


def _impact(
    asks: AsksIn, agreed: AgreedPlan, before: Quoted, after: Quoted, plan: Mapping[str, Any], budget: Budget,
    lines: list[PriceLineOut],
) -> ImpactOut:  # fmt: skip
    net, gross = (agreed_money(plan, kind) for kind in ("net", "gross"))
    return ImpactOut(
        day=agreed.today,
        currency=net.currency,
        asked=[
            AskedOut(path=path, before=value_at(before.brief, path), after=value_at(after.brief, path))
            for path in asks.brief
        ],
        lines=lines,
        net_before_minor=agreed.net.minor,
        net_after_minor=net.minor,
        gross_before_minor=agreed.gross.minor,
        gross_after_minor=gross.minor,
        dates=list(_dates(agreed.plan, plan)),
        late_before=_day(agreed.plan["go_live_late"]),
        late_after=_day(plan["go_live_late"]),
        criteria=list(_criteria_changes(agreed.plan["criteria"], plan["criteria"])),
        rounds_before=agreed.plan["included_rounds"],
        rounds_after=plan["included_rounds"],
        hours=list(_hours(agreed.plan, plan)),
        cost=CostOut(
            mean_before_minor=minor(agreed.budget.cost.mean, net.currency),
            mean_after_minor=minor(budget.cost.mean, net.currency),
            p80_before_minor=minor(agreed.budget.cost.quantile(0.8), net.currency),
            p80_after_minor=minor(budget.cost.quantile(0.8), net.currency),
        ),
    )


def _dates(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[DatesOut]:
    for old, new in zip(before["phases"], after["phases"], strict=True):
        if old["gate_date"] is not None:
            yield DatesOut(
                phase=list(Phase)[old["number"] - 1], begin_before=old["begin"], begin_after=new["begin"],
                gate_before=old["gate_date"], gate_after=new["gate_date"],
            )  # fmt: skip


def _hours(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[HoursOut]:
    for old, new in zip(before["phases"], after["phases"], strict=True):
        for role in dict.fromkeys([*old["hours"], *new["hours"]]):
            was, will = old["hours"].get(role, 0.0), new["hours"].get(role, 0.0)
            if was != will:
                yield HoursOut(phase=list(Phase)[old["number"] - 1], role=role, before=was, after=will)


def _criteria_changes(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[CriterionChangeOut]:
    old, new = ({each["id"]: _criterion_words(each) for each in side} for side in (before, after))
    for code in dict.fromkeys([*old, *new]):
        if old.get(code) != new.get(code):
            yield CriterionChangeOut(code=code, before=old.get(code), after=new.get(code))


def _criterion_words(each: Mapping[str, Any]) -> str:
    percent = (Decimal(each["threshold"]) * 100).normalize()
    return f"{each['tier']}: {each['metric']} {each['operator']} {percent:f} % over {each['items']} items"


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None
