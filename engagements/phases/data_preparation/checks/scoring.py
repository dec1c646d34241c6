"""The score of an example: 100 points, less the weight of each kind of finding, and never below 0.

A code counts once, with its heaviest finding, so that a long example is not punished for its length. One finding more
never raises a score. An error costs 75 points or more: an example with one has 25 at most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engagements.phases.data_preparation.checks.findings import Finding

FULL: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What took points from an example."""

    code: str
    message: str
    points: int

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "points": self.points}


def score_of(findings: Sequence[Finding]) -> int:
    """0 to 100; 100 where nothing was found."""
    if not findings:
        return FULL
    heaviest: dict[str, int] = {}
    for finding in findings:
        heaviest[finding.code] = max(finding.weight, heaviest.get(finding.code, 0))
    return max(0, FULL - sum(heaviest.values()))


def reasons_of(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    """What took points, the most first."""
    heaviest: dict[str, Finding] = {}
    for finding in findings:
        if finding.code not in heaviest or finding.weight > heaviest[finding.code].weight:
            heaviest[finding.code] = finding
    ranked = sorted(heaviest.values(), key=lambda finding: (-finding.weight, finding.code))
    return tuple(Reason(code=each.code, message=each.message, points=each.weight) for each in ranked if each.weight)
