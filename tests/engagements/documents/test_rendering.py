from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from engagements.rendering import FILTERS, Formats, coordinate, environment
from estimator.money import Money

US, GERMAN, FRENCH = Formats("en_US"), Formats("de_DE"), Formats("fr_FR")
PRICE = Money(4_500_050, "EUR")
NARROW, FIXED = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


def test_money_is_written_as_the_reader_writes_it() -> None:
    assert [formats.money(PRICE) for formats in (US, GERMAN, FRENCH)] == [
        "€45,000.50",
        f"45.000,50{FIXED}€",
        f"45{NARROW}000,50{FIXED}€",
    ]
    assert US.iso_money(PRICE) == f"EUR{FIXED}45,000.50"
    assert (US.amount(PRICE), US.whole_amount(PRICE)) == ("45,000.50", "45,001")


def test_decimals_follow_the_currency_and_whole_money_has_none() -> None:
    assert US.money(Money(4500, "JPY")) == "¥4,500"
    assert US.amount(Money(4500, "KWD")) == "4.500"
    assert US.whole_money(Money(4_549, "USD")) == "$45"
    assert GERMAN.whole_money(Money(4_550, "EUR")) == f"46{FIXED}€"


def test_rounding_is_half_up_on_the_printed_line() -> None:
    assert (US.number(0.125, 2), US.number(Decimal("2.5")), US.number(-2.5)) == ("0.13", "3", "−3")
    assert (US.percent(0.945), US.percent(Decimal("0.945"), 1), GERMAN.percent(0.5)) == ("95%", "94.5%", f"50{FIXED}%")


def test_a_negative_amount_has_a_real_minus_sign() -> None:
    assert US.money(Money(-100, "USD")) == "−$1.00"


def test_days_are_written_for_prose_tables_and_axes() -> None:
    day = date(2026, 11, 22)
    assert (US.date(day), US.short_date(day), US.month(day)) == ("November 22, 2026", "Nov 22, 2026", "Nov 2026")
    assert US.date_range(day, date(2026, 12, 5)) == f"Nov 22{NARROW}–{NARROW}Dec 5, 2026"
    assert GERMAN.date(day) == "22. November 2026"


def test_durations_are_in_working_days_and_weeks_of_five() -> None:
    assert [US.working_days(days) for days in (1, 12, 2.5, 2.3)] == [
        "1 working day",
        "12 working days",
        "2.5 working days",
        "2.5 working days",
    ]
    assert [US.working_weeks(days) for days in (5, 12, 86)] == ["1 week", "2.4 weeks", "17.2 weeks"]
    assert (US.plural(1, "run", "runs"), US.plural(1200, "run", "runs")) == (f"1{FIXED}run", f"1,200{FIXED}runs")


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_writes_unknown_for_what_is_not_known(name: str) -> None:
    rest = {"date_range": ", none", "plural": ", 'run', 'runs'"}.get(name, "")
    assert environment().from_string(f"{{{{ none | {name}({rest.lstrip(', ')}) }}}}").render() == "unknown"


def test_an_unknown_printed_bare_is_unknown_too() -> None:
    assert environment().from_string("{{ cost }}").render(cost=None) == "unknown"


def test_a_name_that_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'fee' is undefined"):
        environment().from_string("{{ fee }}").render()


@pytest.mark.parametrize("value", [0.1 + 0.2, Decimal("1.5"), PRICE, date(2026, 11, 22)])
def test_a_raw_number_or_day_never_reaches_the_page(value: object) -> None:
    with pytest.raises(TypeError, match="printed without a filter"):
        environment().from_string("{{ value }}").render(value=value)


def test_text_is_escaped() -> None:
    assert environment().from_string("{{ name }}").render(name="<b>&'\"") == "&lt;b&gt;&amp;&#39;&#34;"


@given(st.integers(-(10**12), 10**12), st.sampled_from(["en_US", "de_DE", "fr_FR", "ja_JP", "de_CH", "en_IN", "pl_PL"]))
def test_an_amount_keeps_all_its_digits_in_every_locale(minor: int, locale: str) -> None:
    money = Money(minor, "EUR")
    written = Formats(locale).amount(money)
    assert "".join(letter for letter in written if letter.isdigit()) == f"{abs(minor):03d}"
    assert written.startswith("−") == (minor < 0)


@given(st.floats(-1000, 1000))
def test_a_coordinate_is_short_and_right_to_the_hundredth(value: float) -> None:
    assert abs(float(coordinate(value)) - value) <= 0.005 + 1e-9
    assert len(coordinate(value)) <= 8
