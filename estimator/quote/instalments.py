"""When the client pays how much: milestones of the delivery, then one instalment a month of management."""

from collections.abc import Sequence
from decimal import Decimal

from estimator.brief import Commercial
from estimator.money import Money, sum_of
from estimator.phases import Phase
from estimator.quote.model import Due, Instalment, Offer, PriceLine


def instalments_of(
    offer: Offer, commercial: Commercial, lines: Sequence[PriceLine], net: Money, gross: Money
) -> tuple[Instalment, ...]:
    """Milestones of the delivery phases in scope, then one instalment a month of management; they sum exactly."""
    months = offer.scope.management_months
    managed = next((line.amount for line in lines if line.phase is Phase.MANAGEMENT), Money(0, net.currency))
    delivered = sum_of((line.amount for line in lines), net.currency) - managed
    last_gate = max(phase.number for phase in offer.scope.phases)
    milestones = [milestone for milestone in commercial.milestones if milestone.gate <= last_gate]
    if not milestones:
        return ()
    nets, grosses = (
        _split(amount, delivered, managed, [milestone.percent for milestone in milestones], months)
        for amount in (net, gross)
    )
    due = [Due(name=milestone.name, gate=milestone.gate) for milestone in milestones]
    due += [Due(name=f"Management, month {month}", month=month) for month in range(1, months + 1)]
    return tuple(Instalment(due=d, net=n, gross=g) for d, n, g in zip(due, nets, grosses, strict=True))


def _split(amount: Money, delivered: Money, managed: Money, percents: Sequence[Decimal], months: int) -> list[Money]:
    delivery, management = amount.allocate([Decimal(delivered.minor), Decimal(managed.minor)])
    return delivery.allocate(percents) + (management.allocate([Decimal(1)] * months) if months else [])
