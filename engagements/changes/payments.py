"""What a client pays after a change: what was agreed stays, months come and go, and the rest falls due at one gate."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from estimator.money import Money, sum_of
from estimator.schedule import add_months


def money_of(plain: Mapping[str, Any]) -> Money:
    """From the form in which a plan holds it."""
    return Money.of(Decimal(plain["amount"]), plain["currency"])


def payments_after(
    payments: Sequence[Mapping[str, Any]],
    *,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    reached: frozenset[str],
    change: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """`payments` of the plan with `change` (name, gate, month, net, gross: the whole delta) among them, to the cent.

    Months of management that the quote `after` has no more fall away unless they were `reached` (codes), and those it
    has beyond `before` come in; the payment of the change is what is left of its delta.
    """
    coded = [{**payment, "code": payment.get("code") or f"P{place}"} for place, payment in enumerate(payments, start=1)]
    months_before, months_after = ({each["month"] for each in side if each["month"]} for side in (before, after))
    gone = months_before - months_after
    dropped = [each for each in coded if each["month"] in gone and each["code"] not in reached]
    added = [
        {**each, "code": f"{change['code']}M{each['month']}"}
        for each in after
        if each["month"] and each["month"] not in months_before
    ]
    kept = [each for each in coded if each not in dropped]
    rest = {kind: _rest(change, kind, dropped, added) for kind in ("net", "gross")}
    if not any(money.minor for money in rest.values()):
        return [*kept, *added]
    return [*kept, *added, {**change, **{kind: _plain(money) for kind, money in rest.items()}}]


def expected_again(payment: Mapping[str, Any], gates: Mapping[int, str], go_live: date) -> dict[str, Any]:
    """A payment with the day it is expected on after gates have moved; the acceptance stays where it was."""
    if payment["month"]:
        return {**payment, "expected": add_months(go_live, payment["month"]).isoformat()}
    return {**payment, "expected": gates.get(payment["gate"], payment["expected"])}


def _rest(
    change: Mapping[str, Any], kind: str, dropped: Sequence[Mapping[str, Any]], added: Sequence[Mapping[str, Any]]
) -> Money:
    whole = money_of(change[kind])
    lost, won = (sum_of((money_of(each[kind]) for each in side), whole.currency) for side in (dropped, added))
    return whole + lost - won


def _plain(money: Money) -> dict[str, str]:
    return {"amount": f"{money.amount:f}", "currency": money.currency}
