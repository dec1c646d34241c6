"""The whole estimate explains itself: every number leads back to the brief, a dated source, a judgement or draws."""

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal

import pytest

from estimator import Brief, Estimate, PriceBook, estimate
from estimator.figures import Figure, Kind
from estimator.fit import Verdict
from estimator.money import round_half_up
from estimator.phases import Phase
from estimator.tokens import count_dataset

BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
EVERYWHERE = [
    {"provider": "openai", "model": "gpt-4o-mini"},
    {"provider": "azure", "model": "gpt-4o"},
    {"provider": "together", "model": "llama-3.1-8b"},
    {"provider": "together", "model": "llama-3.1-70b", "tuning": "full"},
    {"provider": "fireworks", "model": "qwen3-8b"},
    {"provider": "tinker", "model": "qwen3-8b"},
    {"provider": "ori", "model": "llama-3.1-8b"},
    {"provider": "mistral", "model": "ministral-8b"},
    {"provider": "bedrock", "model": "Llama 2 13B"},
    {"provider": "vertex", "model": "gemini-2.5-flash"},
    {"provider": "prime-intellect", "model": "Qwen3.5-9B"},
    {"provider": "own", "model": "llama-3.1-8b", "gpu": "L4"},
    {"provider": "own", "model": "llama-3.1-8b", "gpu": "L4", "gpus": 2},
    {"provider": "own", "model": "llama-3.1-8b", "gpu": "L4", "gpu_provider": "AWS"},
    {"provider": "own", "model": "llama-3.1-8b", "gpu": "RTX-6000Ada-48GB"},
    {"provider": "own", "model": "llama-3.1-8b", "gpu": "L4"},
]
FRANCS = {
    "commercial.exchange": {"usd_per_unit": "1.13", "as_of": "2026-11-20", "source": "reference rate"},
    "commercial.currency": "CHF",
    "commercial.cost_per_h": {},
}
WORTH = {"value.minutes_saved": 1, "value.labour_cost_per_hour": "48", "value.cost_per_error": "2"}
EXTRAS = {
    "commercial.optional": [{"name": name, "why": "w", "hours": {"ml_engineer": 10}} for name in ("A+", "A-", "追加")],
    "commercial.tax": [{"name": "VAT", "percent": 8.1}, {"name": "Levy", "percent": 1}],
}
LABELLING = {
    "data.labelling": {"examples": 2_000, "new": 100, "minutes_per_example": {"low": 1, "likely": 2, "high": 4}}
}
BRIEFS: Mapping[str, Mapping[str, object]] = {
    "plain": {},
    "everywhere": {"training.routes": EVERYWHERE},
    "francs": {**FRANCS, **WORTH, **EXTRAS, **LABELLING, "training.routes": EVERYWHERE},
    "value": {**WORTH, "commercial.pricing": "value", "commercial.budget": "150000"},
    "time and materials": {
        **EXTRAS, "commercial.pricing": "time_and_materials", "commercial.discount_reason": "pilot",
        "commercial.discount_percent": 5,
    },
    "retainer": {"commercial.pricing": "retainer", "commercial.retainer_discount_percent": 10},
    "preferences": {"training.objective": "dpo", "training.routes": EVERYWHERE},
    "reinforcement": {"training.objective": "rft", "training.rft_hours": 3, "training.routes": EVERYWHERE},
    "no averages": {"data.prompt_tokens": None, "training.routes": EVERYWHERE},
    "unknown base": {"traffic.base_model": "openai/gpt-99"},
    "refused": {"training.routes": EVERYWHERE[:1]},
    "auto epochs": {"training.epochs": "auto", "training.packing": False, "training.routes": EVERYWHERE},
}  # fmt: skip


@pytest.fixture(scope="session", params=[*BRIEFS, "example", "counted"])
def explained(
    request: pytest.FixtureRequest, brief_of: BriefOf, example_of: BriefOf, estimate_of: EstimateOf, book: PriceBook,
    tmp_path_factory: pytest.TempPathFactory,
) -> Estimate:  # fmt: skip
    if request.param == "example":
        return estimate_of(example_of())
    if request.param != "counted":
        return estimate_of(brief_of(BRIEFS[request.param]))
    file = tmp_path_factory.mktemp("counted") / "chat.jsonl"
    row = '{"messages": [{"role": "user", "content": "where is it"}, {"role": "assistant", "content": "on its way"}]}\n'
    file.write_text(row * 200, "utf-8")
    counted = count_dataset(file, model="gpt-4o-mini")
    return estimate(brief_of({"training.routes": EVERYWHERE}), book, on=date(2026, 11, 22), draws=500, dataset=counted)


def figures_in(value: object) -> Iterator[Figure]:
    """Every figure a structure holds, with everything each was computed from, repeats included."""
    match value:
        case Figure():
            yield value
            for source in value.inputs:
                yield from figures_in(source)
        case Mapping():
            for item in value.values():
                yield from figures_in(item)
        case list() | tuple():
            for item in value:
                yield from figures_in(item)
        case _ if is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                yield from figures_in(getattr(value, field.name))


FUNCTIONS = {
    "min": min,
    "max": max,
    "ceil": lambda value: Decimal(math.ceil(value)),
    "floor": lambda value: Decimal(math.floor(value)),
    "round": lambda value, decimals: round_half_up(value, int(decimals)),
}


def recomputed(figure: Figure) -> Decimal:
    """The value of a formula's text, read as an auditor reads it. Raises for text that is no arithmetic."""
    inputs = {each.key: each.require() for each in figure.inputs}
    names: dict[str, Decimal] = {}

    def name(token: re.Match[str]) -> str:
        if token[0] in FUNCTIONS or token[0] in {"-", "."}:
            return token[0]
        names[f"n{len(names)}"] = inputs[token[0]] if token[0] in inputs else Decimal(token[0])
        return f"n{len(names) - 1}"

    text = re.sub(r"[a-z0-9_.\-]+", name, figure.formula)
    return Decimal(eval(compile(ast.parse(text, mode="eval"), figure.key, "eval"), {"__builtins__": FUNCTIONS}, names))


def test_every_input_of_a_figure_is_in_the_ledger(explained: Estimate) -> None:
    ledger = explained.figures()
    for figure in figures_in(explained):
        assert figure.key in ledger
        assert all(source.key in ledger for source in figure.inputs)


def test_one_key_never_names_two_numbers(explained: Estimate) -> None:
    seen: dict[str, Figure] = {}
    for figure in figures_in(explained):
        known = seen.setdefault(figure.key, figure)
        told = ("value", "unit", "kind", "formula", "source", "as_of")
        assert [getattr(figure, name) for name in told] == [getattr(known, name) for name in told], figure.key
        assert [source.key for source in figure.inputs] == [source.key for source in known.inputs], figure.key


def test_every_formula_computes_its_value(explained: Estimate) -> None:
    """No formula is made of words. What nothing covers has no value although its inputs do, and says so."""
    for figure in explained.figures().values():
        if figure.kind is not Kind.DERIVED:
            assert not figure.formula
        elif any(source.value is None for source in figure.inputs):
            assert figure.value is None, figure.key
        elif figure.value is None and figure.note != "no number of requests is enough":
            with pytest.raises(ArithmeticError):
                recomputed(figure)
        elif figure.value is not None:
            error = abs(recomputed(figure) - figure.value)
            assert error <= Decimal("1e-18") * max(1, abs(figure.value)), figure.key


def test_every_fact_has_a_source_and_a_date_or_is_unknown(explained: Estimate) -> None:
    for figure in explained.figures().values():
        if figure.kind is Kind.FACT:
            assert figure.source, figure.key
            assert figure.as_of or figure.value is None, figure.key
        elif figure.kind is not Kind.DERIVED:
            assert figure.source, figure.key


def test_every_price_carries_its_currency_and_day(explained: Estimate) -> None:
    for figure in explained.figures().values():
        if figure.kind is Kind.FACT and figure.known and figure.unit != "TFLOPs":
            assert re.match(r"(USD|CHF|EUR) per ", figure.unit) or figure.unit == "USD", (figure.key, figure.unit)
            assert re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", figure.as_of), figure.key


def test_draws_say_how_many_they_were_and_from_which_seed(explained: Estimate) -> None:
    for figure in explained.figures().values():
        if figure.kind is Kind.SIMULATED:
            assert figure.source.endswith(f"correlated draws, seed {explained.seed}")
            assert figure.inputs, figure.key


def test_a_price_leads_back_to_every_kind_of_origin(explained: Estimate) -> None:
    if explained.quote is not None:
        kinds = {figure.kind for figure in explained.quote.recommended.gross_figure.lineage()}
        assert kinds >= {Kind.GIVEN, Kind.ASSUMED, Kind.DERIVED, Kind.SIMULATED, Kind.FACT}


def test_a_number_is_explained_by_its_key(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    result = estimate_of(brief_of())
    margin = result.explain("quote.markup")
    assert margin is not None
    assert margin.formula == "quote.margin / (1 - quote.margin)"
    assert result.explain("no.such.number") is None


def test_the_same_arguments_give_the_same_estimate_and_another_seed_another_price(
    brief_of: BriefOf, estimate_of: EstimateOf
) -> None:
    first, again, other = (estimate_of(brief_of(BRIEFS["francs"]), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.figures() == again.figures()
    assert first.quote.recommended.net != other.quote.recommended.net
    assert [route.run for route in first.routes] == [route.run for route in other.routes]


def test_ten_thousand_draws_are_the_default(brief_of: BriefOf, book: PriceBook) -> None:
    result = estimate(brief_of(), book, on=date(2026, 11, 22))
    assert (result.draws, result.seed) == (10_000, 20_261_122)


def test_the_packaged_example_is_priced_on_more_than_four_routes(example_of: BriefOf, estimate_of: EstimateOf) -> None:
    result = estimate_of(example_of())
    assert len(result.routes) == 8
    assert len([route for route in result.routes if route.usable]) >= 4
    assert result.fit.verdict in {Verdict.FINE_TUNE, Verdict.PROVE_FIRST}
    assert result.quote is not None
    assert set(result.quote.recommended.hours) == set(Phase)


def test_the_chances_of_a_budget_are_read_off_the_cost(brief_of: BriefOf, estimate_of: EstimateOf) -> None:
    cost = estimate_of(brief_of()).quote.recommended.cost
    assert abs(cost.probability_within(cost.p80) - 0.8) < 1e-9
    assert (cost.probability_within(0), cost.probability_within(10**9)) == (0, 1)


def test_routes_refused_beside_a_usable_one_are_told_with_those_that_remain(
    brief_of: BriefOf, estimate_of: EstimateOf
) -> None:
    result = estimate_of(brief_of({"training.routes": EVERYWHERE}))
    told = [finding for finding in result.findings if finding.code == "route.refused"]
    assert {finding.message.partition(" is out")[0] for finding in told} == {
        "OpenAI, gpt-4o-mini", "Google Vertex AI, gemini-2.5-flash",
    }  # fmt: skip
    assert all("Tinker (Thinking Machines), qwen3-8b" in finding.remedy for finding in told)
