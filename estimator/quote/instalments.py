"""When the client pays how much: milestones of the delivery, then one instalment a month of management."""

from collections.abc import Sequence
from decimal import Decimal

from estimator.brief import Commercial, Milestone
from estimator.money import Money, sum_of
from estimator.phases import Phase
from estimator.quote.model import Due, Instalment, Offer, PriceLine


def instalments_of(
    offer: Offer, commercial: Commercial, lines: Sequence[PriceLine], net: Money, gross: Money
) -> tuple[Instalment, ...]:
    """Milestones of the delivery phases in scope, then one instalment a month of management; they sum exactly.

    Milestones beyond the scope fall away and the others share their part; without any, all is due at the last gate.
    """
    months = offer.scope.management_months
    managed = next((line.amount for line in lines if line.phase is Phase.MANAGEMENT), Money(0, net.currency))
    delivered = sum_of((line.amount for line in lines), net.currency) - managed
    last_gate = max(phase.number for phase in offer.scope.phases)
    milestones = [milestone for milestone in commercial.milestones if milestone.gate <= last_gate]
    if not milestones:
        milestones = [Milestone(name="Completion", gate=last_gate, percent=Decimal(100))]
    nets, grosses = (
        _split(amount, delivered, managed, [milestone.percent for milestone in milestones], months)
        for amount in (net, gross)
    )
    due = [Due(name=milestone.name, gate=milestone.gate) for milestone in milestones]
    due += [Due(name=f"Management, month {month}", month=month) for month in range(1, months + 1)]
    return tuple(Instalment(due=d, net=n, gross=g) for d, n, g in zip(due, nets, grosses, strict=True))


def _split(amount: Money, delivered: Money, managed: Money, percents: Sequence[Decimal], months: int) -> list[Money]:
    shares = [Decimal(max(0, delivered.minor)), Decimal(managed.minor)]
    # Work that costs nothing has no proportions: a price of nothing falls due at the gates.
    delivery, management = amount.allocate(shares if any(shares) else [Decimal(1), Decimal(0)])
    return delivery.allocate(percents) + (management.allocate([Decimal(1)] * months) if months else [])
