"""What comes back about time, costs, budgets and invoices.

Money in minor units; None where nobody knows, nothing was agreed, or this key may not see cost.
"""

from datetime import date
from decimal import Decimal

from pydantic import AwareDatetime

from engagements.client.models import Answer, Content, Versioned


class TimeEntry(Versioned):
    """`cost_minor`, `price_minor`: of an hour. `spent_minor`: what it cost. All None for who may not see cost."""

    engagement_id: str
    phase: str
    person_id: str
    role: str
    day: date
    minutes: int
    note: str
    billable: bool
    state: str
    state_reason: str
    cost_minor: int | None
    price_minor: int | None
    spent_minor: int | None
    currency: str
    source: str
    external_id: str | None
    adjusts: str | None
    approved_by: str | None
    invoice_id: str | None
    created_by: str
    created_at: AwareDatetime


class BudgetWarning(Answer):
    """A budget that this entry brought near its end, or over it. `phase` None: the whole engagement."""

    kind: str
    phase: str | None
    threshold: int
    used_percent: int
    text: str


class LoggedTime(TimeEntry):
    warnings: list[BudgetWarning]


class TimeEntries(Answer):
    items: list[TimeEntry]


class Cost(Versioned):
    engagement_id: str
    phase: str
    kind: str
    day: date
    amount_minor: int | None
    currency: str
    quantity: str
    unit: str
    price: Content
    note: str
    billable: bool
    state: str
    state_reason: str
    source: str
    external_id: str | None
    approved_by: str | None
    invoice_id: str | None
    created_by: str
    created_at: AwareDatetime


class LoggedCost(Cost):
    warnings: list[BudgetWarning]


class CostEntries(Answer):
    items: list[Cost]


class Rate(Versioned):
    engagement_id: str
    role: str
    from_day: date
    cost_minor: int
    price_minor: int
    currency: str
    source: str
    created_at: AwareDatetime


class RateList(Answer):
    items: list[Rate]


class TimeLock(Answer):
    """`until`: nobody logs time on that day or before; None: all days are open."""

    version: int
    until: date | None
    reason: str
    changed_at: AwareDatetime | None

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class Imported(Answer):
    """`made`: rows that were logged, or would be; `known`: rows whose external_id was there with the same content."""

    dry_run: bool
    made: int
    known: int
    minutes: int
    amount_minor: int | None
    currency: str


class WeekEngagement(Answer):
    id: str
    name: str
    state: str
    submitted: bool
    phases: list[str]
    roles: list[str]


class Week(Answer):
    """One person's week over all engagements. `day_minutes`: Monday to Sunday."""

    person_id: str
    week: str
    first: date
    last: date
    locked_until: date | None
    day_minutes: list[int]
    minutes: int
    entries: list[TimeEntry]
    engagements: list[WeekEngagement]


class BurnLine(Answer):
    """A phase, or the whole (`phase` None). `unknown`: entries without a known cost; then `spent_minor` is a floor."""

    phase: str | None
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


class QuotedLine(Answer):
    """A line of the price beside what it has cost; the last row is what was never quoted."""

    label: str
    phase: str | None
    quoted_minor: int | None
    budget_minor: int | None
    spent_minor: int | None
    minutes: int | None


class Pace(Answer):
    """Spent a working day of late, and the day the budget is used up at that pace (None: not within ten years)."""

    daily_minor: int
    working_days: int
    used_up_on: date | None
    confidence: str


class Budget(Answer):
    baseline: int
    currency: str
    phases: list[BurnLine]
    whole: BurnLine
    quoted: list[QuotedLine] | None
    pace: Pace | None


class EarnedPoint(Answer):
    """As of a day. Money in minor units; indices as text, None where they are not defined."""

    day: date
    bac_minor: int
    pv_minor: int
    ev_minor: int
    ac_minor: int
    cv_minor: int
    sv_minor: int
    cpi: Decimal | None
    spi: Decimal | None
    eac_typical_minor: int | None
    eac_one_off_minor: int
    eac_both_minor: int | None
    etc_minor: int | None
    vac_minor: int | None
    tcpi: Decimal | None
    used_up: bool
    cost_tone: str | None
    schedule_tone: str | None
    earned_days: Decimal | None
    passed_days: int
    spi_t: Decimal | None


class GateLateness(Answer):
    phase: str
    agreed: date
    actual: date
    passed: bool
    days: int


class EarnedValue(Answer):
    """`at_gate`: as of the day the last gate passed, where no work is half done; judge by that one."""

    currency: str
    today: EarnedPoint | None
    at_gate: EarnedPoint | None
    gates: list[GateLateness]
    days_late: int | None
    unknown: int


class CostRange(Answer):
    p10_minor: int
    p50_minor: int
    p80_minor: int
    p90_minor: int


class DayRange(Answer):
    p10: date
    p50: date
    p80: date
    p90: date


class PhaseForecast(Answer):
    """Of a phase that is not done. `gate` None for ongoing management, which has none that ends it."""

    phase: str
    cost: CostRange | None
    gate: DayRange | None


class Forecast(Answer):
    """`is_floor`: a cost is not known yet, so the money is a floor. All None where no budget was agreed."""

    currency: str | None
    cost: CostRange | None
    budget_minor: int | None
    phases: list[PhaseForecast]
    end: DayRange | None
    is_floor: bool | None


class Alert(Versioned):
    engagement_id: str
    kind: str
    phase: str
    threshold: int
    text: str
    first_at: AwareDatetime
    told_at: AwareDatetime
    acknowledged_at: AwareDatetime | None
    acknowledged_by: str


class AlertList(Answer):
    items: list[Alert]


class InvoiceLine(Answer):
    kind: str
    text: str
    quantity: str
    unit: str
    unit_minor: int | None
    net_minor: int
    phase: str | None
    first_day: date | None
    last_day: date | None
    sources: list[str]


class Invoice(Versioned):
    """Frozen. `sha256`: of number, day, currency, lines and sum as canonical JSON. No payment is known here."""

    engagement_id: str
    client_id: str
    number: int
    day: date
    lines: list[InvoiceLine]
    net_minor: int
    currency: str
    sha256: str
    created_by: str
    created_at: AwareDatetime


class InvoiceList(Answer):
    """`next_lines`: what an invoice made now would hold; `unpriced`: entries that wait for a price."""

    items: list[Invoice]
    next_lines: list[InvoiceLine]
    next_net_minor: int
    currency: str
    unpriced: list[str]
