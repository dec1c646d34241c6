"""What the client pays: every pricing model, every currency, to the last minor unit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Brief, Estimate, PriceBook, estimate
from estimator.brief import PricingModel
from estimator.effort import EffortModel
from estimator.errors import BriefInvalid
from estimator.figures import Figure
from estimator.money import Money, sum_of
from estimator.phases import Phase
from estimator.quote import PricedOption, Quote
from estimator.simulation import Triangle

BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
QuoteOf = Callable[..., Quote]
YEN = {
    "commercial.exchange": {"usd_per_unit": "0.0066", "as_of": "2026-11-20", "source": "reference rate"},
    "commercial.currency": "JPY",
}
DINAR = {
    "commercial.exchange": {"usd_per_unit": "3.25", "as_of": "2026-11-20", "source": "reference rate"},
    "commercial.currency": "KWD",
}
TODAY = date(2026, 11, 22)
TAXES = [
    {"name": "VAT", "percent": 19},
    {"name": "City levy", "percent": 1.5},
    {"name": "Digital duty", "percent": 0.25},
]


@pytest.fixture(scope="session")
def quote_of(brief_of: BriefOf, estimate_of: EstimateOf) -> QuoteOf:
    return lambda changes=None: estimate_of(brief_of(changes)).quote


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def by_id(quote: Quote) -> dict[str, PricedOption]:
    return {option.id: option for option in quote.options}


def test_a_margin_of_forty_percent_is_a_markup_of_two_thirds(quote_of: QuoteOf) -> None:
    quote = quote_of()
    assert quote.margin.value == Decimal("0.4")
    assert cents(quote.markup.require() * 100) == Decimal("66.67")


def test_a_fixed_price_is_the_p80_cost_over_one_less_the_margin(quote_of: QuoteOf) -> None:
    for option in quote_of().options:
        assert option.net.amount == cents(option.cost_p80.require() / Decimal("0.6"))
        assert option.cap is None


def test_time_and_materials_costs_even_odds_with_a_cap_at_nine_in_ten(quote_of: QuoteOf) -> None:
    for option in quote_of({"commercial.pricing": "time_and_materials"}).options:
        assert option.net.amount == cents(option.cost_p50.require() / Decimal("0.6"))
        assert option.cap is not None
        assert option.cap.amount == cents(option.cost_p90.require() / Decimal("0.6"))


def test_a_discount_comes_off_the_cap_as_off_the_price(quote_of: QuoteOf) -> None:
    discount = {"commercial.discount_reason": "first engagement", "commercial.discount_percent": 10}
    option = quote_of({**discount, "commercial.pricing": "time_and_materials"}).recommended
    assert option.cap is not None
    assert option.cap.amount == cents(option.cost_p90.require() / Decimal("0.6") * Decimal("0.9"))


def test_a_retainer_takes_its_discount_off_the_months_of_management(quote_of: QuoteOf) -> None:
    fixed = quote_of().recommended
    retained = quote_of({"commercial.pricing": "retainer", "commercial.retainer_discount_percent": 15}).recommended
    listed, paid = fixed.line(Phase.MANAGEMENT), retained.line(Phase.MANAGEMENT)
    assert listed is not None
    assert paid is not None
    assert paid.amount.amount == cents(listed.amount.amount * Decimal("0.85"))
    assert fixed.net - retained.net == listed.amount - paid.amount
    assert [line.amount for line in retained.lines if line.phase is not Phase.MANAGEMENT] == [
        line.amount for line in fixed.lines if line.phase is not Phase.MANAGEMENT
    ]


VALUE = {
    "commercial.pricing": "value", "value.minutes_saved": 2, "value.labour_cost_per_hour": "60",
    "commercial.value_share_percent": 25, "traffic.requests_per_month": 100_000,
}  # fmt: skip


def test_a_value_based_price_is_a_share_of_the_benefit(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    estimate = estimate_of(brief_of(VALUE))
    created = estimate.explain("roi.value_created")
    assert created is not None
    assert estimate.quote.recommended.net.amount == cents(created.require() / 4)
    added = estimate.quote.recommended.lines[-1]
    assert (added.label, added.phase) == ("Share in the value created", None)


def test_a_value_based_price_never_falls_below_the_fixed_one(quote_of: QuoteOf) -> None:
    poor = quote_of({**VALUE, "traffic.requests_per_month": 10}).recommended
    assert poor.net.amount == poor.prices[PricingModel.FIXED].value
    unknown = quote_of({"commercial.pricing": "value", "traffic.base_model": "openai/gpt-99"}).recommended
    assert unknown.net.amount == unknown.prices[PricingModel.FIXED].value


def test_a_value_based_price_stays_within_the_budget(quote_of: QuoteOf) -> None:
    assert quote_of({**VALUE, "commercial.budget": "120000"}).recommended.net.amount == 120_000


def test_without_service_there_is_no_value_to_share(quote_of: QuoteOf) -> None:
    prove = by_id(quote_of(VALUE))["prove"]
    assert prove.net.amount == prove.prices[PricingModel.FIXED].value


@pytest.mark.parametrize("pricing", list(PricingModel))
def test_a_phase_costs_the_same_in_every_option(quote_of: QuoteOf, pricing: PricingModel) -> None:
    options = quote_of({**VALUE, "commercial.pricing": pricing}).options
    for phase in tuple(Phase)[:5]:
        amounts = {line.amount for option in options if (line := option.line(phase)) is not None}
        assert len(amounts) == 1, phase


def test_the_options_grow_from_proof_to_a_year_of_care(quote_of: QuoteOf) -> None:
    prove, deliver, run = quote_of().options
    assert (prove.scope.management_months, deliver.scope.management_months, run.scope.management_months) == (0, 3, 12)
    assert (deliver.scope.retrainings, run.scope.retrainings) == (0, 2)
    assert prove.net < deliver.net < run.net
    assert [option.recommended for option in (prove, deliver, run)] == [False, True, False]


def test_stopping_after_phase_two_costs_what_its_two_phases_cost(quote_of: QuoteOf) -> None:
    quote = quote_of()
    early = [quote.recommended.line(phase) for phase in (Phase.DATA_PREPARATION, Phase.BASELINE_EVALUATION)]
    assert quote.stop_price == sum_of((line.amount for line in early if line), "USD")


def test_a_further_round_costs_24_hours_of_an_engineer(quote_of: QuoteOf) -> None:
    assert quote_of().rounds_rate.value == 24 * 100 / Decimal("0.6")


def test_the_discount_comes_before_the_tax(quote_of: QuoteOf) -> None:
    changes = {"commercial.discount_reason": "pilot", "commercial.discount_percent": 12.5, "commercial.tax": TAXES[:1]}
    option = quote_of(changes).recommended
    assert option.discount.amount == cents(option.subtotal.amount * Decimal("0.125"))
    assert option.net == option.subtotal - option.discount
    assert option.taxes[0].base == option.net
    assert option.taxes[0].amount.amount == cents(option.net.amount * Decimal("0.19"))
    assert option.gross == option.net + option.taxes[0].amount


def test_three_taxes_stand_on_the_net_each_by_itself_and_rounded_once(quote_of: QuoteOf) -> None:
    option = quote_of({"commercial.tax": TAXES}).recommended
    assert [tax.amount.amount for tax in option.taxes] == [
        cents(option.net.amount * percent / 100) for percent in (Decimal(19), Decimal("1.5"), Decimal("0.25"))
    ]
    assert option.gross == sum_of([option.net, *(tax.amount for tax in option.taxes)], "USD")


@pytest.mark.parametrize(("currency", "decimals"), [(YEN, 0), (DINAR, 3)])
def test_every_amount_has_the_decimals_of_its_currency(
    quote_of: QuoteOf, currency: dict[str, object], decimals: int
) -> None:
    rates = {f"commercial.cost_per_h.{role}": "31" for role in ("ml_engineer", "delivery_lead", "data_engineer")}
    quote = quote_of({**currency, **rates, "commercial.tax": TAXES})
    assert quote.currency == currency["commercial.currency"]
    for option in quote.options:
        for figure in (option.net_figure, option.gross_figure, *(line.figure for line in option.lines)):
            assert figure.unit == quote.currency
            assert figure.require() == round(figure.require(), decimals)
        assert option.gross.amount == option.gross_figure.value


def test_what_a_client_may_add_stands_outside_the_totals(quote_of: QuoteOf) -> None:
    """P80 of (10, 20, 30) is 30 - sqrt(0.2 x 20 x 10) = 23.68 h at 100, and 10 certain ones at 90, over 0.6."""
    line = {
        "name": "C+",
        "why": "because",
        "hours": {"ml_engineer": {"low": 10, "likely": 20, "high": 30}, "delivery_lead": 10},
    }
    with_it, without = quote_of({"commercial.optional": [line, {**line, "name": "C-"}]}), quote_of()
    assert [optional.amount.amount for optional in with_it.optional] == [Decimal("5446.67")] * 2
    assert [optional.figure.key for optional in with_it.optional] == ["optional.1", "optional.2"]
    assert [option.net for option in with_it.options] == [option.net for option in without.options]


def exchange_of(figure: Figure) -> Figure | None:
    return next((each for each in figure.lineage() if each.key == "brief.commercial.exchange"), None)


def test_every_converted_number_carries_the_rate_and_its_day(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    """A brief in yen with our rates in dollars: hours, compute and serving are all converted."""
    brief = brief_of({**YEN, "commercial.cost_per_h": {}})
    estimate = estimate_of(brief)
    yen = [figure for figure in estimate.figures().values() if figure.unit.startswith("JPY")]
    converted = [figure for figure in yen if any(each.unit.startswith("USD") for each in figure.lineage())]
    assert {"option.deliver.net", "rate.ml_engineer", "roi.inference_saving"} <= {figure.key for figure in converted}
    for figure in converted:
        exchange = exchange_of(figure)
        assert exchange is not None, figure.key
        assert (exchange.value, exchange.as_of, exchange.source) == (Decimal("0.0066"), "2026-11-20", "reference rate")


def test_an_agency_s_rates_in_the_brief_s_currency_are_not_converted(
    brief_of: BriefOf, estimate_of: EstimateOf, tmp_path: Path
) -> None:
    file = tmp_path / "rates.toml"
    file.write_text(
        'checked = 2026-11-20\ncurrency = "EUR"\n[[rate]]\nrole = "ml_engineer"\nlabel = "ML engineer"\n'
        'cost_per_h = "70"\nas_of = "2026-11-20"\nsource = "our books"\n',
        "utf-8",
    )
    euro = {
        "commercial.exchange": {"usd_per_unit": "1.10", "as_of": "2026-11-20", "source": "reference rate"},
        "commercial.currency": "EUR",
        "commercial.cost_per_h": {},
    }
    rate = estimate_of(brief_of(euro), prices=PriceBook.load(file)).explain("rate.ml_engineer")
    assert (rate.value, rate.unit, rate.source) == (70, "EUR per h", "our books")
    with pytest.raises(BriefInvalid, match="ml_engineer is priced in EUR, this brief in JPY"):
        estimate_of(brief_of({**YEN, "commercial.cost_per_h": {}}), prices=PriceBook.load(file))


def _percents(weights: list[int]) -> list[float]:
    """Shares of exactly a hundred percent, in hundredths."""
    return [float(part.amount) for part in Money(10_000, "USD").allocate([Decimal(weight) for weight in weights])]


MILESTONES = st.lists(st.integers(0, 5), min_size=1, max_size=7).flatmap(
    lambda gates: st.lists(st.integers(1, 1_000), min_size=len(gates), max_size=len(gates)).map(
        lambda weights: [
            {"name": f"M{number}", "gate": gate, "percent": percent}
            for number, (gate, percent) in enumerate(zip(gates, _percents(weights), strict=True))
        ]
    )
)


@settings(max_examples=40, deadline=None)
@given(milestones=MILESTONES, pricing=st.sampled_from(list(PricingModel)), margin=st.integers(0, 90))
def test_instalments_sum_to_net_and_gross_for_every_option_and_any_milestones(
    quote_of: QuoteOf, milestones: list[dict[str, object]], pricing: PricingModel, margin: int
) -> None:
    changes = {
        "commercial.milestones": milestones,
        "commercial.pricing": pricing,
        "commercial.margin_percent": margin,
        "commercial.tax": TAXES,
    }
    for option in quote_of(changes).options:
        assert sum_of((instalment.net for instalment in option.instalments), "USD") == option.net
        assert sum_of((instalment.gross for instalment in option.instalments), "USD") == option.gross
        assert option.subtotal == sum_of((line.amount for line in option.lines), "USD") == option.net
        months = [instalment.due.month for instalment in option.instalments if instalment.due.month is not None]
        assert months == list(range(1, option.scope.management_months + 1))


def test_milestones_beyond_an_option_fall_away_and_the_last_gate_takes_what_has_none(quote_of: QuoteOf) -> None:
    at_the_end = quote_of({"commercial.milestones": [{"name": "All", "gate": 5, "percent": 100}]})
    (due,) = by_id(at_the_end)["prove"].instalments
    assert (due.due.name, due.due.gate, due.net) == ("Completion", 4, by_id(at_the_end)["prove"].net)
    nothing_said = quote_of({"commercial.milestones": []}).recommended.instalments
    assert [(each.due.gate, each.due.month) for each in nothing_said] == [(5, None), (None, 1), (None, 2), (None, 3)]


def test_the_default_milestones_split_the_delivery_and_each_month_pays_for_itself(quote_of: QuoteOf) -> None:
    option = quote_of().recommended
    managed = option.line(Phase.MANAGEMENT)
    assert managed is not None
    delivered = option.net - managed.amount
    shares = [instalment.net for instalment in option.instalments if instalment.due.gate is not None]
    assert shares == delivered.allocate([Decimal(percent) for percent in (15, 15, 10, 30, 30)])
    monthly = [instalment.net for instalment in option.instalments if instalment.due.month is not None]
    assert monthly == managed.amount.allocate([Decimal(1)] * 3)


def test_without_spread_a_fixed_price_holds_next_to_no_allowance(brief_of: BriefOf, book: PriceBook) -> None:
    """All that is left uncertain is a tenth of six training runs of 1.30 USD."""
    usual = EffortModel.default()
    certain = replace(
        usual,
        lines=tuple(replace(line, range=_certain(line.range)) for line in usual.lines),
        days={phase: _certain(days) for phase, days in usual.days.items()},
    )
    brief = brief_of({"commercial.review_days": 3})
    option = estimate(brief, book, on=TODAY, draws=1_000, effort_model=certain).quote.recommended
    (added,) = [line for line in option.lines if line.phase is None]
    assert added.label == "Risk allowance"
    assert abs(added.amount.amount) < Decimal("1.30")


def _certain(triangle: Triangle) -> Triangle:
    return Triangle(low=triangle.likely, likely=triangle.likely, high=triangle.likely)


def test_work_that_costs_nothing_is_a_price_of_next_to_nothing_and_no_crash(
    quote_of: QuoteOf, brief_of: BriefOf
) -> None:
    free = {f"commercial.cost_per_h.{role}": "0" for role in brief_of().commercial.cost_per_h}
    option = quote_of(
        {**free, "data.examples": 20, "commercial.discount_reason": "x", "commercial.discount_percent": 100}
    )
    for each in option.options:
        assert (each.net.minor, each.gross.minor) == (0, 0)
        assert sum_of((instalment.net for instalment in each.instalments), "USD").minor == 0


def test_stopping_early_is_discounted_as_everything_is(quote_of: QuoteOf) -> None:
    plain = quote_of()
    reduced = quote_of({"commercial.discount_reason": "first engagement", "commercial.discount_percent": 20})
    assert reduced.stop_price == plain.stop_price.times(Decimal("0.8"))


@pytest.mark.parametrize(("asked", "longer"), [(3, 12), (11, 12), (12, 24), (36, 48)])
def test_the_best_option_always_holds_more_care_than_the_better_one(quote_of: QuoteOf, asked: int, longer: int) -> None:
    options = by_id(quote_of({"commercial.management_months": asked}))
    assert [options[name].scope.management_months for name in ("deliver", "run")] == [asked, longer]
    assert options["deliver"].net < options["run"].net


def test_a_price_is_rounded_once_however_high_the_margin(quote_of: QuoteOf) -> None:
    """At a margin of 95 % a yen lost on the cost would be twenty on the price."""
    option = quote_of({**YEN, "commercial.margin_percent": 95}).recommended
    exact = Decimal(str(option.cost.p80)) / Decimal("0.05")
    assert abs(option.prices[PricingModel.FIXED].require() - exact) <= Decimal("0.501")


def test_a_value_price_without_a_value_is_the_fixed_one_and_its_lines_say_so(quote_of: QuoteOf) -> None:
    option = quote_of({"commercial.pricing": "value"}).recommended
    assert option.net == quote_of().recommended.net
    assert option.lines[-1].label == "Risk allowance"
