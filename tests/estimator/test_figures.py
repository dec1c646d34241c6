from decimal import Decimal

import pytest
from hypothesis import given as example_of
from hypothesis import strategies as st

from estimator.figures import (
    Figure,
    assumed,
    ceiling,
    fact,
    floor,
    given,
    greatest,
    least,
    product,
    rounded,
    total,
)

TOKENS = given("tokens", 4_500_000, "tokens", source="brief")
PRICE = fact("price", "0.48", "USD per 1M tokens", source="vendor page", as_of="2026-10-08")
UNKNOWN = fact("price.unknown", None, "USD per 1M tokens", source="nobody publishes it", as_of="2026-10-08")


def test_naming_a_term_keeps_its_formula_and_its_inputs() -> None:
    cost = (TOKENS / 1_000_000 * PRICE).named("cost", "USD")
    assert cost.value == Decimal("2.16")
    assert cost.formula == "tokens / 1000000 * price"
    assert cost.inputs == (TOKENS, PRICE)


def test_what_touches_an_unknown_is_unknown_and_never_zero() -> None:
    terms = [TOKENS * UNKNOWN, UNKNOWN + 1, 1 - UNKNOWN, total([PRICE, UNKNOWN]), least(1, UNKNOWN), ceiling(UNKNOWN)]
    assert [term.value for term in terms] == [None] * len(terms)


def test_a_quotient_by_zero_is_not_defined() -> None:
    assert (TOKENS / given("none", 0, "tokens", source="brief")).value is None


def test_brackets_stand_only_where_the_order_of_arithmetic_needs_them() -> None:
    a, b, c = (assumed(key, 2, "", source="test") for key in "abc")
    assert ((a + b) * c).formula == "(a + b) * c"
    assert (a + b * c).formula == "a + b * c"
    assert (a - (b - c)).formula == "a - (b - c)"
    assert (a / (b / c)).formula == "a / (b / c)"
    assert (a / b / c).formula == "a / b / c"
    assert (1 / (1 - a)).formula == "1 / (1 - a)"


def test_functions_show_in_the_formula() -> None:
    assert ceiling(PRICE * 3).value == 2
    assert floor(PRICE * 3).value == 1
    assert rounded(PRICE / 64, 4).formula == "round(price / 64, 4)"
    assert rounded(given("half", "0.125", "", source="test") + 0, 2).value == Decimal("0.13")
    assert least(PRICE, 1).formula == "min(price, 1)"
    assert greatest(PRICE, 1).value == 1


def test_the_sum_of_nothing_is_zero_and_its_product_one() -> None:
    assert (total([]).value, product([]).value) == (0, 1)
    assert product([PRICE, 2, TOKENS]).formula == "price * 2 * tokens"


def test_the_lineage_reaches_every_origin_once() -> None:
    run = (TOKENS / 1_000_000 * PRICE).named("run", "USD")
    runs = (run * 5 + run).named("runs", "USD")
    assert [figure.key for figure in runs.lineage()] == ["runs", "run", "tokens", "price"]


def test_a_float_means_the_decimal_it_is_written_as() -> None:
    assert given("share", 0.1, "", source="test").value == Decimal("0.1")


def test_a_key_is_lower_case_words_joined_by_dots() -> None:
    with pytest.raises(AssertionError, match="lower-case"):
        given("Not A Key", 1, "", source="test")


def evaluate(formula: str, figures: tuple[Figure, ...]) -> Decimal:
    """Compute a formula from its text alone, as an auditor would."""
    names = {figure.key: figure.require() for figure in figures}
    return Decimal(eval(formula, {"__builtins__": {}}, names))


@example_of(st.lists(st.sampled_from("+-*/"), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_text_of_a_formula_computes_its_value(signs: list[str], random: object) -> None:
    figures = [assumed(name, index + 2, "", source="test") for index, name in enumerate("abcdefgh")]
    terms = [figure + 0 for figure in figures[: len(signs) + 1]]
    for sign in signs:
        left, right = terms.pop(random.randrange(len(terms))), terms.pop(random.randrange(len(terms)))  # type: ignore[attr-defined]
        terms.append({"+": left + right, "-": left - right, "*": left * right, "/": left / right}[sign])
    if terms[0].value is not None:
        assert abs(evaluate(terms[0].formula, terms[0].inputs) - terms[0].value) < Decimal("1e-15")
