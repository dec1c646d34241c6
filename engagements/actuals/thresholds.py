"""Which thresholds an engagement has passed, decided purely: budgets, forecast, days late at a gate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engagements.actuals.burn import Burn, BurnLine
from engagements.actuals.earning import GateLateness
from engagements.actuals.forecasting import Forecast
from engagements.actuals.models import AlertKind
from estimator.phases import Phase

PERCENTS: Final = (80, 100, 120)
"""Of a budget: nearly used, used up, over by a fifth (agency practice, section 9: at 80 %, 100 % and over)."""
LATE_DAYS: Final = (1, 5, 10)
"""Calendar days that a gate is late."""
OF_COST: Final = frozenset({AlertKind.COST, AlertKind.FORECAST})
"""Told to those who may see cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One threshold that is passed now. `phase` None: the whole engagement. `reached`: per cent, or days."""

    kind: AlertKind
    phase: Phase | None
    threshold: int
    reached: int
    text: str

    @property
    def key(self) -> tuple[AlertKind, str, int]:
        return self.kind, self.phase or "", self.threshold


def passed(burn: Burn, forecast: Forecast | None, gates: Sequence[GateLateness]) -> Iterator[Passed]:
    """Every threshold that is passed, lower ones of the same budget too."""
    for line in (*burn.phases, burn.whole):
        yield from of_budget(line)
    if forecast is not None and forecast.total.p50 > forecast.budget_minor > 0:
        reached = _percent(forecast.total.p50, forecast.budget_minor)
        text = f"More likely than not it will cost {reached} % of the budget"
        yield Passed(kind=AlertKind.FORECAST, phase=None, threshold=100, reached=reached, text=text)
    for gate in gates:
        if gate.passed:
            continue
        for days in (each for each in LATE_DAYS if gate.days >= each):
            text = f"The gate of {gate.phase.label.lower()} is {gate.days} days late"
            yield Passed(kind=AlertKind.GATE_LATE, phase=gate.phase, threshold=days, reached=gate.days, text=text)


def of_budget(line: BurnLine) -> Iterator[Passed]:
    """Of one phase or the whole, in hours and in money."""
    amounts = (
        (AlertKind.HOURS, "hours", line.taken.minutes, line.budget_minutes),
        (AlertKind.COST, "cost", line.taken.spent_minor, line.budget_minor),
    )
    for kind, what, used, budget in amounts:
        if not budget or used <= 0:
            continue
        reached = _percent(used, budget)
        for threshold in PERCENTS:
            if 100 * used >= threshold * budget:
                where = line.phase.label if line.phase else "The engagement"
                text = f"{where} has used {reached} % of its {what} budget"
                yield Passed(kind=kind, phase=line.phase, threshold=threshold, reached=reached, text=text)


def _percent(used: int, budget: int) -> int:
    """Rounded down, so that 100 means all of it."""
    return 100 * used // budget
