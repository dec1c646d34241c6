"""Checks that flag, not straitjackets: do the shares of the work and the price look like other engagements?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from estimator.brief import Brief, PricingModel, Task
from estimator.figures import Figure
from estimator.money import sum_of
from estimator.phases import Phase
from estimator.prices import STALE_AFTER_DAYS, InferencePrice
from estimator.quote import PricedOption, Quote
from estimator.roi import Case, Roi
from estimator.staleness import stale_prices
from estimator.sunset import Finding, Standing

_TYPICAL_USD: Final = (Decimal(25_000), Decimal(100_000))
_BEFORE_STOP: Final = (0, 1, 2)
_MIDPOINTS_SUM: Final = 90
"""The method's three shares have midpoints 50 + 25 + 15 = 90 %: divided by 0.9 they describe the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCheck:
    """A group of phases, its share of all hours (percent) and the share the method expects."""

    name: str
    phases: tuple[Phase, ...]
    share: Decimal
    low: Decimal
    high: Decimal

    @property
    def usual(self) -> bool:
        return self.low <= self.share <= self.high


_GROUPS: Final = (
    ("data preparation", (Phase.DATA_PREPARATION,), 40, 60),
    ("training and evaluation", (Phase.BASELINE_EVALUATION, Phase.TRAINING, Phase.EVALUATION), 20, 30),
    ("deployment and monitoring", (Phase.DEPLOYMENT, Phase.MANAGEMENT), 10, 20),
)


def check_shares(hours: Mapping[Phase, Mapping[str, float]]) -> tuple[ShareCheck, ...]:
    """Each group's share of all hours against the method's, normalised to sum to the whole."""
    by_phase = {phase: sum(by_role.values()) for phase, by_role in hours.items()}
    whole = sum(by_phase.values())
    assert whole > 0, "an engagement without an hour of work has no shares"
    return tuple(
        ShareCheck(
            name=name,
            phases=phases,
            share=_percent(sum(by_phase.get(phase, 0.0) for phase in phases) / whole),
            low=_percent(low / _MIDPOINTS_SUM),
            high=_percent(high / _MIDPOINTS_SUM),
        )
        for name, phases, low, high in _GROUPS
    )


def check_plan(
    brief: Brief, on: date, quote: Quote, roi: Roi, shares: tuple[ShareCheck, ...], usd: Figure
) -> Iterator[Finding]:
    """What a person should look at before this goes out."""
    option = quote.recommended
    for check in shares:
        if not check.usual:
            message = f"{check.name} takes {check.share} % of the hours; {check.low}-{check.high} % is usual"
            yield _flag("shares.unusual", message, "see whether the drivers say what you mean")
    yield from _price(option, usd)
    if brief.project.start < on:
        yield _flag("date.in_past", f"work is to start on {brief.project.start}, before today", "move project.start")
    if brief.project.decision_by and brief.project.decision_by < on:
        yield _flag("date.in_past", f"the decision was due on {brief.project.decision_by}", "move project.decision_by")
    budget = brief.commercial.budget
    if budget is not None and option.net.amount > budget:
        message = f"the {option.name} option at {option.net} is above the budget of {budget} {option.net.currency}"
        yield _flag("budget.exceeded", message, "offer a smaller option, or say what would have to go")
    yield from _promises(brief.task)
    yield from _care(brief, quote)
    yield from _stop(quote)
    yield from _worth(quote, roi)


def check_prices(brief: Brief, on: date, rates: Mapping[str, Figure], base: InferencePrice | None) -> Iterator[Finding]:
    """Whether what our hours, the prompted base and the client's currency are worth was looked up lately."""
    if base is not None and base.is_stale(on):
        message = f"the price of {brief.traffic.base_model}, which serving is held against, is dated {base.as_of}"
        yield _flag("base.stale", message, "verify it before quoting a saving")
    if old := stale_prices(rates.values(), on):
        roles = ", ".join(f"{rate.label} ({rate.as_of})" for rate in old)
        message = f"hourly costs older than {STALE_AFTER_DAYS} days stand in for {roles}"
        yield _flag("rates.stale", message, "enter your own in commercial.cost_per_h")
    exchange = brief.commercial.exchange
    if exchange is not None and brief.commercial.currency == "USD":
        message = "the brief is in USD: the rate in commercial.exchange is not used"
        yield _flag("exchange.unused", message, "remove the section, or name the currency it belongs to")
    elif exchange is not None and not 0 <= (on - exchange.as_of).days <= STALE_AFTER_DAYS:
        message = f"the exchange rate is of {exchange.as_of}"
        yield _flag("exchange.stale", message, "enter the reference rate of the day in commercial.exchange")


def _price(option: PricedOption, usd: Figure) -> Iterator[Finding]:
    low, high = _TYPICAL_USD
    if not low <= usd.require() <= high:
        message = f"{usd.require():,.0f} USD for the {option.name} option is outside the typical {low:,}-{high:,} USD"
        yield _flag("price.unusual", message, "be ready to say why")


def _promises(task: Task) -> Iterator[Finding]:
    target, human, stop = task.target_percent, task.human_percent, task.stop_at_percent
    if human is not None and target > human:
        message = f"the target of {target} % lies above the {human} % that people reach"
        yield _flag("target.above_human", message, "promise no more than people agree on, or say why it can be done")
    if stop is not None and stop > target:
        message = f"a prompt would have to reach {stop} % to end the work, and {target} % is enough"
        yield _flag("stop.above_target", message, "lower task.stop_at_percent")


def _care(brief: Brief, quote: Quote) -> Iterator[Finding]:
    served = brief.project.serving_months
    for option in quote.options:
        if option.scope.management_months > served:
            message = f"{option.name} holds {option.scope.management_months} months of care for {served} of service"
            yield _flag("care.beyond_service", message, "shorten commercial.management_months, or serve for longer")


def _stop(quote: Quote) -> Iterator[Finding]:
    """Whoever stops after phase 2 pays phases 1 and 2: the gates before should not have taken more."""
    due = [each.net for each in quote.recommended.instalments if each.due.gate in _BEFORE_STOP]
    taken = sum_of(due, quote.currency)
    if taken.minor > quote.stop_price.minor:
        message = f"{taken} fall due by gate 2, and stopping there costs {quote.stop_price}"
        yield _flag("milestones.ahead", message, "move commercial.milestones back, or promise the difference back")


def _worth(quote: Quote, roi: Roi) -> Iterator[Finding]:
    expected = roi.of(Case.EXPECTED)
    if expected.npv.known and expected.payback_month is None:
        span = f"{roi.horizon_months} months, {roi.horizon_reason}"
        message = f"in the expected case the engagement is not paid back by its end ({span})"
        yield _flag("payback.never", message, "offer a smaller option, or find out what the result is worth")
    prices = quote.recommended.prices
    if quote.pricing is PricingModel.VALUE and prices[PricingModel.VALUE].value == prices[PricingModel.FIXED].value:
        message = "the share in the value created is unknown, or no more than the fixed price, which is what is quoted"
        yield _flag("value.floor", message, "complete [value], or quote a fixed price")


def _flag(code: str, message: str, remedy: str) -> Finding:
    return Finding(code=code, standing=Standing.FLAGGED, message=message, remedy=remedy)


def _percent(share: float) -> Decimal:
    return Decimal(str(round(100 * share, 1)))
