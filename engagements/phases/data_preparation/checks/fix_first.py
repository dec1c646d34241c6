"""What to mend first: what stops a training run, then what would raise the scores most."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engagements.phases.data_preparation.checks.findings import CheckGroup, rule_of
from estimator.errors import Severity

_POINTS_SAID_MIN: Final = 0.1
"""What is less is said as this much at most: a gain of 0.0 would be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One thing to mend. `points` is how much the mean score of the set would rise, at most."""

    code: str
    group: CheckGroup
    severity: Severity
    examples: int
    points: float
    effect: str
    remedy: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """Examples and lost points of one code, and how many of them are errors."""

    examples: int = 0
    points: int = 0
    errors: int = 0


def fixes_of(tallies: Mapping[str, Tally], records: int) -> tuple[Fix, ...]:
    """Errors before warnings, then by the points that the whole set would win; what costs nothing is left out."""
    ranked = sorted(
        _fixes(tallies, records), key=lambda fix: (fix.severity is not Severity.ERROR, -fix.points, fix.code)
    )
    return tuple(ranked)


def _fixes(tallies: Mapping[str, Tally], records: int) -> Iterable[Fix]:
    for code, tally in tallies.items():
        if not tally.points:
            continue
        rule, points = rule_of(code), tally.points / records
        effect = f"mean score up to {max(points, _POINTS_SAID_MIN):.1f} points higher"
        if tally.errors:
            effect = f"{tally.errors:,} more to train on, {effect}"
        yield Fix(
            code=code, group=rule.group, severity=Severity.ERROR if tally.errors else Severity.WARNING,
            examples=tally.examples, points=round(points, 2), effect=effect, remedy=rule.remedy,
        )  # fmt: skip
