"""An estimate as plain data: stable keys, exact numbers as text, every amount of the quote in the ledger."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from estimator import Brief, Estimate
from estimator.figures import given
from estimator.money import Money
from estimator.plain import Plain, estimate_as_plain, plain
from estimator.simulation import Distribution

BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
TOP = [
    "base_serving", "break_evens", "brief", "chosen", "compute", "draws", "effort", "figures", "findings", "fit", "on",
    "prices_digest", "quote", "roi", "routes", "schedule", "schema", "seed", "shares", "tornado", "volume",
]  # fmt: skip
QUOTE = ["currency", "margin", "markup", "optional", "options", "pricing", "rounds_rate", "stop_figure", "stop_price"]
OPTION = [
    "cap", "cap_figure", "cost", "cost_p50", "cost_p80", "cost_p90", "discount", "gross", "gross_figure", "hours", "id",
    "instalments", "lines", "name", "net", "net_figure", "prices", "promise", "recommended", "scope", "taxes",
]  # fmt: skip
ROUTE = [
    "caveats", "epochs", "findings", "hours", "key", "licence", "memory_gib", "name", "once", "programme", "route",
    "run", "run_high", "run_low", "serving", "shutdown", "standing", "tokens", "usable",
]  # fmt: skip
FIGURE = ["as_of", "formula", "inputs", "key", "kind", "label", "note", "source", "unit", "value"]
# What comes out of draws (hours, days, quantiles of a cost), and the brief's own numbers that are no money.
FLOATS = {"brief", "effort", "compute", "tornado", "hours", "cost"}


@pytest.fixture(scope="session")
def result(example_of: BriefOf, estimate_of: EstimateOf) -> Estimate:
    taxed = {"commercial.pricing": "time_and_materials", "commercial.discount_percent": 5}
    return estimate_of(example_of({"commercial.discount_reason": "pilot", **taxed}))


def walk(data: Plain, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Plain]]:
    yield path, data
    if isinstance(data, dict):
        for key, item in data.items():
            yield from walk(item, (*path, key))
    if isinstance(data, list):
        for item in data:
            yield from walk(item, path)


def test_the_keys_are_those_that_others_rely_on(result: Estimate) -> None:
    data = estimate_as_plain(result)
    assert sorted(data) == TOP
    assert data["schema"] == 1
    assert sorted(data["quote"]) == QUOTE
    assert all(sorted(option) == OPTION for option in data["quote"]["options"])
    assert all(sorted(route) == ROUTE for route in data["routes"])
    assert all(sorted(figure) == FIGURE for figure in data["figures"])


def test_the_keys_are_the_same_where_no_route_is_left(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    refused = estimate_of(brief_of({"training.routes": [{"provider": "openai", "model": "gpt-4o-mini"}]}))
    data = estimate_as_plain(refused)
    assert sorted(data) == TOP
    assert (data["chosen"], data["quote"], data["roi"], data["compute"]) == (None, None, None, None)


def test_json_gives_back_what_was_written(result: Estimate) -> None:
    data = estimate_as_plain(result)
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_brief_inside_is_the_brief(result: Estimate) -> None:
    assert Brief.model_validate_json(json.dumps(estimate_as_plain(result)["brief"])) == result.brief


def test_no_money_is_a_float(result: Estimate) -> None:
    for path, value in walk(estimate_as_plain(result)):
        if isinstance(value, float):
            assert FLOATS & set(path), path
        if path[-1:] in {("amount",), ("value",)}:
            assert value is None or isinstance(value, str | dict), path


def test_unknown_is_null_and_never_a_zero(result: Estimate) -> None:
    vertex = next(route for route in estimate_as_plain(result)["routes"] if route["key"].startswith("route.vertex"))
    assert (vertex["run"]["value"], vertex["programme"]["value"], vertex["serving"]) == (None, None, None)
    assert (vertex["standing"], vertex["usable"]) == ("unknown", False)


def test_every_amount_of_the_quote_is_a_figure_or_a_share_of_one(result: Estimate) -> None:
    """Instalments are shares of net and gross and sum to them; every other amount has a figure of its own."""
    data = estimate_as_plain(result)
    ledger = {(figure["unit"], Decimal(figure["value"])) for figure in data["figures"] if figure["value"] is not None}
    for path, value in walk(data["quote"]):
        if isinstance(value, dict) and set(value) == {"amount", "currency"} and "instalments" not in path:
            assert (value["currency"], Decimal(value["amount"])) in ledger, path
    for option in data["quote"]["options"]:
        for kind in ("net", "gross"):
            paid = sum(Decimal(instalment[kind]["amount"]) for instalment in option["instalments"])
            assert paid == Decimal(option[kind]["amount"])


def test_every_figure_of_the_quote_and_every_hour_of_work_is_explained(result: Estimate) -> None:
    data = estimate_as_plain(result)
    ledger = {figure["key"]: figure for figure in data["figures"]}
    for _, value in walk(data):
        if isinstance(value, dict) and set(value) == {"key", "value", "unit"}:
            assert ledger[value["key"]]["value"] == value["value"]
            assert ledger[value["key"]]["unit"] == value["unit"]
    for option in data["quote"]["options"]:
        assert set(option["hours"]) <= {key.split(".")[1] for key in ledger if key.startswith("effort.")}
        for percent in ("p50", "p80", "p90"):
            assert option["cost"][percent] == round(float(option[f"cost_{percent}"]["value"]), 2)


def test_every_input_of_a_figure_is_explained_too(result: Estimate) -> None:
    figures = estimate_as_plain(result)["figures"]
    keys = {figure["key"] for figure in figures}
    assert [figure["key"] for figure in figures] == sorted(keys)
    assert all(set(figure["inputs"]) <= keys for figure in figures)


def test_scalars_keep_their_meaning() -> None:
    assert plain(Decimal("1E+3")) == "1000"
    assert plain(date(2026, 11, 22)) == "2026-11-22"
    assert plain(Money(125_000, "EUR")) == {"amount": "1250.00", "currency": "EUR"}
    assert plain(given("a", None, "USD", source="s")) == {"key": "a", "value": None, "unit": "USD"}
    assert plain((None, True, 3, "x")) == [None, True, 3, "x"]


def test_a_distribution_shows_its_quantiles_to_the_cent() -> None:
    shown = plain(Distribution(quantiles=tuple(float(n) for n in range(201)), mean=100.004, sd=57.0))
    assert shown == {"p10": 20.0, "p50": 100.0, "p80": 160.0, "p90": 180.0, "mean": 100.0, "sd": 57.0}


def test_what_has_no_plain_form_is_refused() -> None:
    @dataclass
    class Holder:
        what: object

    with pytest.raises(TypeError, match="object has no plain form"):
        plain(Holder(what=object()))
