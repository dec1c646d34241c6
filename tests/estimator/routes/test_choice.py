"""Which route a plan stands on, and names that nothing describes."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from estimator import Brief, Estimate
from estimator.errors import BriefInvalid
from estimator.figures import given
from estimator.routes import DEFAULT_ROUTES, RouteEstimate, choose_route, cost_of_ownership
from estimator.sunset import Finding, Standing

RouteOf = Callable[..., RouteEstimate]
BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
Priced = Callable[..., RouteEstimate]


@pytest.fixture
def priced(route_of: RouteOf) -> Priced:
    """A route that costs so much to train and, a month, to serve; None for what is unknown."""
    real = route_of(provider="fireworks", model="llama-3.1-8b")

    def build(
        key: str, programme: int | None, monthly: int | None, standings: Iterable[Standing] = ()
    ) -> RouteEstimate:
        served = replace(real.serving, monthly=given(f"{key}.monthly", monthly, "USD", source="test"))
        return replace(
            real,
            key=key,
            programme=given(f"{key}.programme", programme, "USD", source="test"),
            serving=served if monthly is not None else None,
            findings=[Finding(code="x", standing=each, message="m", remedy="r") for each in standings],
        )

    return build


def test_the_route_that_costs_least_to_train_and_serve_is_chosen(brief_of: BriefOf, priced: Priced) -> None:
    """Over 12 months: 10 + 12 x 100 against 1,000 + 12 x 10."""
    cheap_to_train, cheap_to_serve = priced("a", 10, 100), priced("b", 1_000, 10)
    brief = brief_of()
    assert cost_of_ownership(brief, cheap_to_train).value == 1_210
    assert cost_of_ownership(brief, cheap_to_serve).value == 1_120
    assert choose_route(brief, [cheap_to_train, cheap_to_serve]) is cheap_to_serve
    assert choose_route(brief_of({"project.serving_months": 6}), [cheap_to_train, cheap_to_serve]) is cheap_to_train


def test_an_open_route_comes_before_a_flagged_one_however_cheap(brief_of: BriefOf, priced: Priced) -> None:
    flagged, open_one = priced("a", 1, 1, [Standing.FLAGGED]), priced("b", 9_000, 9_000)
    assert choose_route(brief_of(), [flagged, open_one]) is open_one


def test_known_serving_comes_before_unknown(brief_of: BriefOf, priced: Priced) -> None:
    unknown, known = priced("a", 1, None), priced("b", 9_000, 9_000)
    assert choose_route(brief_of(), [unknown, known]) is known


def test_what_is_refused_or_unknown_is_never_chosen(brief_of: BriefOf, priced: Priced) -> None:
    refused, lacking = priced("a", 1, 1, [Standing.REFUSED]), priced("b", 1, 1, [Standing.UNKNOWN])
    costless = priced("c", None, 1)
    assert [route.usable for route in (refused, lacking, costless)] == [False, False, False]
    assert choose_route(brief_of(), [refused, lacking, costless]) is None


def test_the_first_of_two_equal_routes_is_chosen(brief_of: BriefOf, priced: Priced) -> None:
    first, second = priced("a", 10, 10), priced("b", 10, 10)
    assert choose_route(brief_of(), [first, second]) is first


def test_a_brief_without_routes_is_priced_on_the_usual_ones(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    estimate = estimate_of(brief_of({"training.routes": []}))
    assert [route.route for route in estimate.routes] == list(DEFAULT_ROUTES)
    assert all(route.usable for route in estimate.routes)
    assert estimate.chosen is not None


def test_a_route_named_twice_keeps_its_figures_apart(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    route = {"provider": "fireworks", "model": "llama-3.1-8b"}
    estimate = estimate_of(brief_of({"training.routes": [route, {**route, "model": "llama-3-1-8b"}]}))
    first, second = (priced.key for priced in estimate.routes)
    assert (first, second) == ("route.fireworks.llama-3-1-8b.lora", "route.fireworks.llama-3-1-8b.lora.2")


def test_every_name_nothing_describes_is_told_in_one_pass(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    routes = [
        {"provider": "togehter", "model": "llama-3.1-8b"},
        {"provider": "own", "model": "llama-9-8b", "gpu": "A1000"},
        {"provider": "fireworks", "model": "llama-3.1-8b"},
    ]
    brief = brief_of({"training.routes": routes, "client.country": "XX", "commercial.cost_per_h.wizard": "500"})
    with pytest.raises(BriefInvalid) as refusal:
        estimate_of(brief)
    assert [(problem.where, problem.code) for problem in refusal.value.problems] == [
        ("commercial", "unknown_role"),
        ("client.country", "unknown_country"),
        ("training.routes[1].provider", "unknown_provider"),
        ("training.routes[2].model", "unknown_model"),
        ("training.routes[2].gpu", "unknown_gpu"),
    ]
    assert "did you mean together" in refusal.value.problems[2].remedy
    assert all(problem.remedy for problem in refusal.value.problems)


@pytest.mark.parametrize("months", [1, 12, 60])
def test_owning_a_route_costs_its_training_and_every_month_of_service(
    brief_of: BriefOf, route_of: RouteOf, months: int
) -> None:
    route = route_of({"project.serving_months": months}, provider="fireworks", model="llama-3.1-8b")
    owned = cost_of_ownership(brief_of({"project.serving_months": months}), route)
    assert owned.value == Decimal("1.20") * 6 + 49 + months * 5_110
