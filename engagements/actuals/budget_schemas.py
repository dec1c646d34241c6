"""What goes out about budget, earned value, forecast, alerts and invoices.

Money in minor units; null where nobody knows, nothing was agreed, or who asks may not see cost.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

from engagements.actuals.models import AlertKind
from engagements.core.schemas import Out
from estimator.phases import Phase

Index = Annotated[Decimal | None, PlainSerializer(lambda value: None if value is None else f"{value:.4f}")]
"""As text with four decimals; null where it is not defined."""


class BurnLineOut(Out):
    """A phase, or the whole (`phase` null). `unknown`: entries without a known cost; then `spent_minor` is a floor."""

    phase: Phase | None
    budget_minutes: int | None
    minutes: int
    hours_percent: int | None
    budget_minor: int | None
    budget_late_minor: int | None
    spent_minor: int | None
    time_minor: int | None
    other_minor: int | None
    unknown: int | None
    remaining_minor: int | None
    cost_percent: int | None


class QuotedLineOut(Out):
    """A line of the price beside what it has cost; the last row is what was never quoted."""

    label: str
    phase: Phase | None
    quoted_minor: int | None
    budget_minor: int | None
    spent_minor: int | None
    minutes: int | None


class PaceOut(Out):
    """Spent a working day of late, and the day the budget is used up at that pace (null: not within ten years)."""

    daily_minor: int
    working_days: int
    used_up_on: date | None
    confidence: str


class BudgetOut(Out):
    baseline: int
    currency: str
    phases: list[BurnLineOut]
    whole: BurnLineOut
    quoted: list[QuotedLineOut] | None
    pace: PaceOut | None


class EarnedPointOut(Out):
    """As of a day. Money in minor units; indices as text, null where they are not defined."""

    day: date
    bac_minor: int
    pv_minor: int
    ev_minor: int
    ac_minor: int
    cv_minor: int
    sv_minor: int
    cpi: Index
    spi: Index
    eac_typical_minor: int | None
    eac_one_off_minor: int
    eac_both_minor: int | None
    etc_minor: int | None
    vac_minor: int | None
    tcpi: Index
    used_up: bool
    cost_tone: str | None
    schedule_tone: str | None
    earned_days: Index
    passed_days: int
    spi_t: Index


class GateLatenessOut(Out):
    phase: Phase
    agreed: date
    actual: date
    passed: bool
    days: int


class EarnedValueOut(Out):
    """`at_gate`: as of the day the last gate passed, where no work is half done; judge by that one."""

    currency: str
    today: EarnedPointOut | None
    at_gate: EarnedPointOut | None
    gates: list[GateLatenessOut]
    days_late: int | None
    unknown: int


class CostRangeOut(Out):
    p10_minor: int
    p50_minor: int
    p80_minor: int
    p90_minor: int


class DayRangeOut(Out):
    p10: date
    p50: date
    p80: date
    p90: date


class PhaseForecastOut(Out):
    """Of a phase that is not done. `gate` null for ongoing management, which has none that ends it."""

    phase: Phase
    cost: CostRangeOut | None
    gate: DayRangeOut | None


class ForecastOut(Out):
    """`is_floor`: a cost is not known yet, so the money is a floor. All null where no budget was agreed."""

    currency: str | None
    cost: CostRangeOut | None
    budget_minor: int | None
    phases: list[PhaseForecastOut]
    end: DayRangeOut | None
    is_floor: bool | None


class AlertOut(Out):
    id: str
    version: int
    engagement_id: str
    kind: AlertKind
    phase: str
    threshold: int
    text: str
    first_at: datetime
    told_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str


class AlertList(Out):
    items: list[AlertOut]


class InvoiceLineOut(Out):
    kind: str
    text: str
    quantity: str
    unit: str
    unit_minor: int | None
    net_minor: int
    phase: Phase | None
    first_day: date | None
    last_day: date | None
    sources: list[str]


class InvoiceOut(Out):
    """Frozen. `sha256`: of number, day, currency, lines and sum as canonical JSON. No payment is known here."""

    id: str
    version: int
    engagement_id: str
    client_id: str
    number: int
    day: date
    lines: list[InvoiceLineOut]
    net_minor: int
    currency: str
    sha256: str
    created_by: str
    created_at: datetime


class InvoicesOut(Out):
    """`next_lines`: what an invoice made now would hold; `unpriced`: entries that wait for a price."""

    items: list[InvoiceOut]
    next_lines: list[InvoiceLineOut]
    next_net_minor: int
    currency: str
    unpriced: list[str]
