"""What was quoted beside what it has cost: by line of the price, with a row for what no line covers."""

from dataclasses import dataclass
from decimal import Decimal

from engagements.actuals.burn import Burn
from engagements.delivery.models import Baseline
from estimator.money import Money
from estimator.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedLine:
    """`quoted_minor`: the price, None on the row "Not quoted". `budget_minor`: our cost agreed. Minor units."""

    label: str
    phase: Phase | None
    quoted_minor: int | None
    budget_minor: int | None
    spent_minor: int | None
    minutes: int | None


def quoted_lines(baseline: Baseline, burn: Burn) -> list[QuotedLine]:
    """Every line of the price in order; then one row for phases that were worked on and never quoted."""
    rows, quoted = [], set()
    for line in baseline.plan["lines"]:
        phase = list(Phase)[line["phase"] - 1] if line["phase"] else None
        own = burn.of(phase) if phase else None
        quoted.add(phase)
        rows.append(
            QuotedLine(
                label=line["label"], phase=phase,
                quoted_minor=Money.of(Decimal(line["net"]["amount"]), line["net"]["currency"]).minor,
                budget_minor=own.budget_minor if own else None, spent_minor=own.taken.spent_minor if own else None,
                minutes=own.taken.minutes if own else None,
            )
        )  # fmt: skip
    beside = [each.taken for each in burn.phases if each.phase not in quoted]
    rows.append(
        QuotedLine(
            label="Not quoted", phase=None, quoted_minor=None, budget_minor=None,
            spent_minor=sum(each.spent_minor for each in beside), minutes=sum(each.minutes for each in beside),
        )
    )  # fmt: skip
    return rows
