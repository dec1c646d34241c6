"""What may still be spent: never more than the cap, whatever answers say they used, and exact until the end."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engagements.phases.data_preparation.synthesis.budget import (
    Budget,
    Cap,
    CapUnpriced,
    Price,
    Purpose,
    Tokens,
    input_tokens_at_most,
    rounded,
)
from estimator.tokens.encodings import encoding_named

EUR = Price(input=Decimal(2), output=Decimal(8), currency="EUR", source="contract", as_of="2026-11-01")
PRICES = {Purpose.GENERATE: EUR, Purpose.JUDGE: EUR}
COUNTS = st.integers(0, 200_000)
TOKENS = st.builds(Tokens, input=COUNTS, output=COUNTS)


class Spending(RuleBasedStateMachine):
    """Requests held, answered with any usage at all, refused and lost, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(cap=Cap(currency="EUR", minor=100, tokens=600_000), prices=PRICES)
        self.sent = 0
        self.charged = Tokens()

    @rule(most=TOKENS, purpose=st.sampled_from(Purpose))
    def hold(self, most, purpose):
        before = self.budget.committed
        if not self.budget.hold(self.sent, purpose, most):
            assert self.budget.committed == before
        self.sent += 1

    @precondition(lambda self: self.budget.held)
    @rule(used=TOKENS, data=st.data())
    def settle(self, used, data):
        self.charged += self.budget.settle(self._one(data), used)

    @precondition(lambda self: self.budget.held)
    @rule(data=st.data())
    def release(self, data):
        self.budget.release(self._one(data))

    @precondition(lambda self: self.budget.held)
    @rule(data=st.data())
    def lose(self, data):
        self.budget.lose(self._one(data))

    @invariant()
    def the_cap_holds(self):
        committed = self.budget.committed
        assert committed.tokens <= 600_000
        assert committed.minor <= 100
        assert rounded(committed.minor) <= 100

    @invariant()
    def what_was_charged_is_what_was_spent(self):
        assert self.budget.used == self.charged

    def _one(self, data):
        return data.draw(st.sampled_from(sorted(self.budget.held)))


Spending.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestTheCap = Spending.TestCase


def test_a_million_tokens_each_way_cost_their_price():
    assert EUR.minor(Tokens(input=1_000_000, output=1_000_000), "EUR") == 1_000


def test_a_price_in_dollars_is_converted_exactly_and_rounded_once():
    dollars = Price(
        input=Decimal("0.15"), output=Decimal("0.60"), currency="USD", source="book", as_of="2026-11",
        rate=Decimal("1.08"), rate_source="ECB",
    )  # fmt: skip
    spent = dollars.minor(Tokens(input=333_333, output=77_777), "EUR")
    assert spent == (Fraction("0.15") * 333_333 + Fraction("0.6") * 77_777) / 1_000_000 / Fraction("1.08") * 100
    assert rounded(spent) == 9  # 8.95...


def test_half_a_cent_is_rounded_up():
    assert [rounded(Fraction(*each)) for each in ((1, 2), (49, 100), (3, 2))] == [1, 0, 2]


def test_a_price_survives_being_kept():
    assert Price.of(EUR.as_json()) == EUR


def test_a_cap_in_money_without_a_price_is_refused():
    with pytest.raises(CapUnpriced):
        Budget(cap=Cap(currency="EUR", minor=1), prices=None)


def test_without_a_price_the_cap_in_tokens_holds_and_money_is_unknown():
    budget = Budget(cap=Cap(currency="EUR", tokens=10), prices=None)
    assert budget.hold(1, Purpose.GENERATE, Tokens(input=6, output=4))
    assert not budget.hold(2, Purpose.GENERATE, Tokens(input=1))
    assert budget.settle(1, Tokens(input=6, output=1)) == Tokens(input=6, output=1)
    assert (budget.spent_minor, budget.used.total) == (None, 7)


def test_usage_that_cannot_be_is_charged_as_the_most_that_can():
    budget = Budget(cap=Cap(currency="EUR", tokens=100), prices=None)
    assert budget.hold(1, Purpose.GENERATE, Tokens(input=50, output=50))
    assert budget.settle(1, Tokens(input=50, output=10**9)) == Tokens(input=50, output=50)


@pytest.mark.parametrize("text", ["", "Grüße aus Bergen 🙂", "a" * 500, "\n\t \u200b漢字かな交じり文", "<|endoftext|>"])
def test_no_encoding_of_ours_makes_more_tokens_than_the_bound(text):
    for name in ("cl100k_base", "o200k_base"):
        assert encoding_named(name).count(text) <= input_tokens_at_most([text])
