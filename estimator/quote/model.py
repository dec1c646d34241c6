"""What a quote is made of: options, their lines, taxes and instalments. Money in the client's currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from estimator.brief import PricingModel
from estimator.figures import Figure
from estimator.money import Money, sum_of
from estimator.phases import Phase
from estimator.plan import Scope
from estimator.simulation import Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One of the three options before it is priced."""

    id: str
    name: str
    promise: str
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """A line the client sees. `figure` explains it; `phase` is None for what belongs to no phase."""

    key: str
    label: str
    phase: Phase | None
    amount: Money
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    name: str
    percent: Decimal
    base: Money
    amount: Money
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What makes a payment due: a gate passed (0 is the acceptance), or a month of management done."""

    name: str
    gate: int | None = None
    month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    due: Due
    net: Money
    gross: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedOption:
    """An option with our cost (never shown to the client) and the client's price, line by line."""

    id: str
    name: str
    promise: str
    scope: Scope
    recommended: bool
    cost: Distribution
    cost_p50: Figure
    cost_p80: Figure
    cost_p90: Figure
    hours: Mapping[Phase, Mapping[str, float]]
    prices: Mapping[PricingModel, Figure]
    lines: tuple[PriceLine, ...]
    discount: Money
    net: Money
    net_figure: Figure
    taxes: tuple[TaxLine, ...]
    gross: Money
    gross_figure: Figure
    cap: Money | None
    cap_figure: Figure | None
    instalments: tuple[Instalment, ...]

    @property
    def subtotal(self) -> Money:
        return sum_of((line.amount for line in self.lines), self.net.currency)

    def line(self, phase: Phase) -> PriceLine | None:
        return next((line for line in self.lines if line.phase is phase), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalPrice:
    """Work outside the total that a client may add."""

    name: str
    why: str
    amount: Money
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """All prices in the client's currency. `stop_price` is what phases 1 and 2 of the recommended option cost."""

    currency: str
    pricing: PricingModel
    margin: Figure
    markup: Figure
    options: tuple[PricedOption, ...]
    optional: tuple[OptionalPrice, ...]
    stop_price: Money
    stop_figure: Figure
    rounds_rate: Figure

    @property
    def recommended(self) -> PricedOption:
        return next(option for option in self.options if option.recommended)
