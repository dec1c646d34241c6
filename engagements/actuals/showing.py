"""Budget, earned value and forecast as they are answered: money only for who may see cost."""

from datetime import date
from decimal import Decimal

from sqlmodel import Session

from engagements.actuals.budget_schemas import (
    BudgetOut,
    BurnLineOut,
    CostRangeOut,
    DayRangeOut,
    EarnedPointOut,
    EarnedValueOut,
    ForecastOut,
    GateLatenessOut,
    InvoiceLineOut,
    InvoiceOut,
    InvoicesOut,
    PaceOut,
    PhaseForecastOut,
    QuotedLineOut,
)
from engagements.actuals.burn import Burn, BurnLine, Pace, burn_of, pace_of, spent_by_day
from engagements.actuals.earned import tone
from engagements.actuals.earning import Standing, earned_of
from engagements.actuals.forecasting import CostRange, DayRange, forecast_of
from engagements.actuals.invoices import invoiceable, invoices_of
from engagements.actuals.place import engagement_of
from engagements.actuals.quoted import quoted_lines
from engagements.actuals.rates import agreed_baseline, currency_of
from engagements.core.roles import Actor, Permission
from engagements.delivery.days import calendar_of
from engagements.delivery.models import Baseline
from estimator.money import round_half_up

_NOTHING_EARNED = EarnedValueOut(currency="", today=None, at_gate=None, gates=[], days_late=None, unknown=0)


def budget_shown(session: Session, actor: Actor, engagement_id: str, *, today: date) -> BudgetOut:
    """Raises `NotFound` and `NothingAgreed`."""
    engagement_of(session, actor, engagement_id)
    baseline = agreed_baseline(session, engagement_id)
    burn, may_see = burn_of(session, baseline, today=today), actor.may(Permission.VIEW_COST)
    pace = pace_now(session, baseline, burn, today=today) if may_see else None
    return BudgetOut(
        baseline=baseline.number,
        currency=burn.currency,
        phases=[_line(line, may_see=may_see) for line in burn.phases],
        whole=_line(burn.whole, may_see=may_see),
        quoted=[QuotedLineOut.of(line) for line in quoted_lines(baseline, burn)] if may_see else None,
        pace=PaceOut(
            daily_minor=_whole(Decimal(str(pace.daily_minor))), working_days=pace.working_days,
            used_up_on=pace.used_up_on, confidence=pace.confidence.value,
        ) if pace else None,
    )  # fmt: skip


def pace_now(session: Session, baseline: Baseline, burn: Burn, *, today: date) -> Pace | None:
    return pace_of(
        spent_by_day(session, baseline.engagement_id), remaining_minor=burn.whole.remaining_minor,
        unknown=burn.whole.taken.unknown, calendar=calendar_of(baseline), today=today,
    )  # fmt: skip


def _line(line: BurnLine, *, may_see: bool) -> BurnLineOut:
    money = {
        "budget_minor": line.budget_minor,
        "budget_late_minor": line.budget_late_minor,
        "spent_minor": line.taken.spent_minor,
        "time_minor": line.taken.time_minor,
        "other_minor": line.taken.other_minor,
        "unknown": line.taken.unknown,
        "remaining_minor": line.remaining_minor,
        "cost_percent": _percent(line.cost_share),
    }
    return BurnLineOut(
        phase=line.phase, budget_minutes=line.budget_minutes, minutes=line.taken.minutes,
        hours_percent=_percent(line.hours_share), **(money if may_see else dict.fromkeys(money)),
    )  # fmt: skip


def _percent(share: float | None) -> int | None:
    """Rounded down, so that 100 means all of it."""
    return None if share is None else int(100 * share)


def earned_shown(session: Session, actor: Actor, engagement_id: str, *, today: date) -> EarnedValueOut:
    """Nothing but nulls where no budget or no dates were agreed. Raises `NotFound` and `NothingAgreed`."""
    engagement_of(session, actor, engagement_id)
    baseline = agreed_baseline(session, engagement_id)
    earned = earned_of(session, baseline, today=today)
    if earned is None:
        return _NOTHING_EARNED.model_copy(update={"currency": currency_of(baseline)})
    return EarnedValueOut(
        currency=earned.currency,
        today=_point(earned.now),
        at_gate=_point(earned.at_gate) if earned.at_gate else None,
        gates=[GateLatenessOut.of(gate) for gate in earned.gates],
        days_late=earned.days_late,
        unknown=earned.unknown,
    )


def _point(standing: Standing) -> EarnedPointOut:
    value, schedule = standing.value, standing.schedule
    cost, plan = tone(value.cpi), tone(value.spi)
    return EarnedPointOut(
        day=standing.day, bac_minor=_whole(value.bac), pv_minor=_whole(value.pv), ev_minor=_whole(value.ev),
        ac_minor=_whole(value.ac), cv_minor=_whole(value.cv), sv_minor=_whole(value.sv), cpi=value.cpi, spi=value.spi,
        eac_typical_minor=_known(value.eac_typical), eac_one_off_minor=_whole(value.eac_one_off),
        eac_both_minor=_known(value.eac_both), etc_minor=_known(value.etc), vac_minor=_known(value.vac),
        tcpi=value.tcpi, used_up=value.is_used_up, cost_tone=cost and cost.value, schedule_tone=plan and plan.value,
        earned_days=schedule.earned_days, passed_days=schedule.passed_days, spi_t=schedule.spi_t,
    )  # fmt: skip


def _whole(value: Decimal) -> int:
    return int(round_half_up(value, 0))


def _known(value: Decimal | None) -> int | None:
    return None if value is None else _whole(value)


def forecast_shown(session: Session, actor: Actor, engagement_id: str, *, today: date) -> ForecastOut:
    """Days for all staff, money for who may see cost. Raises `NotFound`."""
    engagement_of(session, actor, engagement_id)
    found, may_see = forecast_of(session, engagement_id, today=today), actor.may(Permission.VIEW_COST)
    if found is None:
        return ForecastOut(currency=None, cost=None, budget_minor=None, phases=[], end=None, is_floor=None)
    return ForecastOut(
        currency=found.currency,
        cost=_range(found.total) if may_see else None,
        budget_minor=found.budget_minor if may_see else None,
        phases=[
            PhaseForecastOut(phase=phase, cost=_range(cost) if may_see else None, gate=_days(found.gates.get(phase)))
            for phase, cost in found.phases.items()
        ],
        end=_days(found.end),
        is_floor=found.is_floor if may_see else None,
    )


def _range(cost: CostRange) -> CostRangeOut:
    return CostRangeOut(p10_minor=cost.p10, p50_minor=cost.p50, p80_minor=cost.p80, p90_minor=cost.p90)


def _days(days: DayRange | None) -> DayRangeOut | None:
    return DayRangeOut.of(days) if days else None


def invoices_shown(session: Session, actor: Actor, engagement_id: str) -> InvoicesOut:
    """What was handed over, and what would be next. Raises `NotFound` and `NothingAgreed`."""
    invoices = invoices_of(session, actor, engagement_id)
    baseline, found = agreed_baseline(session, engagement_id), invoiceable(session, actor, engagement_id)
    return InvoicesOut(
        items=[InvoiceOut.of(each) for each in invoices],
        next_lines=[InvoiceLineOut.of(line) for line in found.lines],
        next_net_minor=found.net_minor,
        currency=baseline.plan["currency"],
        unpriced=list(found.unpriced),
    )
