"""What a change is assessed from: what was agreed, and one option of an estimate with its plan and its budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from engagements.proposals.baseline import plans_of
from engagements.proposals.thawed import thaw
from engagements.proposals.writing.price import compute_of
from engagements.proposals.writing.proposal import criteria_of
from estimator.brief import Brief
from estimator.budget import Budget, budgets_of
from estimator.estimating import Estimate
from estimator.money import Money
from estimator.phases import Phase
from estimator.plain import Plain, plain
from estimator.prices import PriceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedPlan:
    """What a change starts from: the last baseline, which phases are done, what was paid, which day it is."""

    plan: Mapping[str, Any]
    budget: Budget
    ended: frozenset[Phase]
    now: Phase
    reached: frozenset[str]
    today: date

    @property
    def net(self) -> Money:
        return agreed_money(self.plan, "net")

    @property
    def gross(self) -> Money:
        return agreed_money(self.plan, "gross")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """One option of an estimate, priced, with its plan and its budget."""

    brief: Brief
    plan: Mapping[str, Any]
    budget: Budget
    criteria: Sequence[Mapping[str, Any]]
    compute_cap: Money
    margin: Decimal

    @classmethod
    def of(cls, estimate: Estimate, option: str, prices: PriceBook) -> "Quoted":
        """An assertion error for an estimate without a quote, or without that option."""
        quote, route = estimate.quote, estimate.chosen
        assert quote is not None, "what is delivered was quoted"
        assert route is not None, "what is delivered stands on a route"
        plan = plans_of(estimate)[option]
        assert isinstance(plan, dict)
        return cls(
            brief=estimate.brief,
            plan=plan,
            budget=budgets_of(estimate, prices)[option],
            criteria=[plain_record(each) for each in criteria_of(estimate)],
            compute_cap=compute_of(estimate, quote, route).cap,
            margin=quote.margin.require(),
        )


def agreed_money(plan: Mapping[str, Any], kind: str) -> Money:
    """`net` or `gross` of the whole engagement, as the plan of a baseline has it."""
    return Money.of(Decimal(plan["agreed"][kind]), plan["agreed"]["currency"])


def plain_record(value: object) -> dict[str, Plain]:
    """A frozen dataclass as plain data."""
    data = plain(value)
    assert isinstance(data, dict)
    return data


def budget_of(kept: Mapping[str, Any]) -> Budget:
    """The budget that a baseline holds as plain data."""
    return thaw(Budget, kept)
