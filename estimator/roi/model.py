"""What a return on investment is made of. Money in the client's currency."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from estimator.figures import Figure


class Case(StrEnum):
    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One source of benefit: at full volume by the month, and by the request. `missing` says what it lacks."""

    name: str
    per_request: Figure
    monthly: Figure
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case. `cumulative` by month from the start, the price paid at month 0; empty where a part is unknown."""

    case: Case
    benefits: tuple[Benefit, ...]
    monthly_benefit: Figure
    monthly_cost: Figure
    go_live_month: int
    cumulative: tuple[Decimal, ...]
    npv: Figure
    present_benefit: Figure
    present_cost: Figure
    payback_month: int | None
    roi: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Roi:
    """Three cases over one horizon (months from the start).

    `break_even_requests`: the volume per month at which the expected case is worth nothing, at the price quoted.
    """

    cases: tuple[CaseResult, ...]
    horizon_months: int
    horizon_reason: str
    monthly_rate: Figure
    break_even_requests: Figure

    def of(self, case: Case) -> CaseResult:
        return next(result for result in self.cases if result.case is case)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlay:
    """What the client pays: the price, then care and retraining by month, once the paid months are over.

    `price_at_most` is the cap of time and materials, and otherwise the price itself.
    """

    price: Figure
    price_at_most: Figure
    management_per_month: Figure
    management_paid_months: int
    retraining: Figure
    retrain_every_months: int
