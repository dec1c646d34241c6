from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import BriefInvalid, CurrencyMismatch
from estimator.money import MINOR_DIGITS, Money, minor_digits, round_half_up, sum_of

WEIGHTS = st.lists(st.decimals(0, 10_000, places=3), min_size=1, max_size=12).filter(lambda weights: sum(weights) > 0)


def test_half_a_cent_rounds_away_from_zero() -> None:
    assert round_half_up(Decimal("0.125"), 2) == Decimal("0.13")
    assert round_half_up(Decimal("-0.125"), 2) == Decimal("-0.13")
    assert Money.of(Decimal("2.675"), "USD") == Money(268, "USD")


def test_decimals_follow_the_currency() -> None:
    assert (minor_digits("JPY"), minor_digits("EUR"), minor_digits("KWD")) == (0, 2, 3)
    assert Money.of(Decimal("1250.5"), "JPY") == Money(1251, "JPY")
    assert Money.parse("1.234", "KWD") == Money(1234, "KWD")


def test_a_thousand_in_thirds_loses_no_cent() -> None:
    parts = Money(100_000, "USD").allocate([Decimal(1)] * 3)
    assert [str(part) for part in parts] == ["333.34 USD", "333.33 USD", "333.33 USD"]


@given(st.integers(-(10**12), 10**12), WEIGHTS)
def test_parts_always_sum_to_the_whole(minor: int, weights: list[Decimal]) -> None:
    whole = Money(minor, "EUR")
    assert sum_of(whole.allocate(weights), "EUR") == whole


@given(st.integers(0, 10**12), WEIGHTS)
def test_a_part_is_within_one_unit_of_its_share(minor: int, weights: list[Decimal]) -> None:
    for part, weight in zip(Money(minor, "EUR").allocate(weights), weights, strict=True):
        assert abs(part.minor - minor * weight / sum(weights)) < 1


@given(st.integers(1 - 10**13, 10**13 - 1), st.sampled_from(sorted(MINOR_DIGITS)))
def test_an_amount_survives_being_written_and_read(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(f"{money.amount:f}", currency) == money
    assert Money.of(money.amount, currency) == money


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NaN", "money.bad_format"),
        ("1e400", "money.bad_format"),
        ("1E+999999", "money.bad_format"),
        ("1_000", "money.bad_format"),
        ("１２", "money.bad_format"),
        ("٣", "money.bad_format"),
        (" 5 ", "money.bad_format"),
        ("5\n", "money.bad_format"),
        ("", "money.bad_format"),
        ("12.345", "money.too_many_decimals"),
    ],
)
def test_what_is_not_an_amount_is_refused(text: str, code: str) -> None:
    with pytest.raises(BriefInvalid) as refusal:
        Money.parse(text, "USD")
    assert [problem.code for problem in refusal.value.problems] == [code]


def test_an_unknown_currency_is_refused_by_name() -> None:
    with pytest.raises(BriefInvalid, match="'XXD' is not an active ISO 4217 currency"):
        Money.of(Decimal(1), "XXD")


def test_two_currencies_never_meet_in_one_sum() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "USD") + Money(1, "EUR")


def test_a_factor_is_applied_exactly_and_rounded_once() -> None:
    assert Money(10_000, "EUR").times(Decimal("0.19")) == Money(1_900, "EUR")
    assert Money(333, "EUR").times(Decimal("0.5")) == Money(167, "EUR")
