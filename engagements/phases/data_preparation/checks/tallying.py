"""Findings counted over a set: examples by code with the first of them, lost points, scores."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engagements.phases.data_preparation.checks.findings import Finding, rule_of
from engagements.phases.data_preparation.checks.fix_first import Tally
from engagements.phases.data_preparation.checks.report import CodeCount, Place, Scores
from engagements.phases.data_preparation.checks.scoring import score_of
from engagements.phases.data_preparation.records import Record
from estimator.errors import Severity

_LISTED: Final = 10
_UNKNOWN_ROW: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFinding:
    """What only the whole set shows about one record, by its number from 1 in the order of adding."""

    number: int
    finding: Finding


class Findings:
    """Takes the findings of each record in their order; of a record its id, row and score are kept."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._first: dict[str, list[Place]] = {}
        self._scores, self._rows = array("B"), array("q")
        self._ids: list[str] = []
        self.with_error = 0

    def add(self, record: Record, findings: Sequence[Finding]) -> None:
        self._ids.append(record.id)
        self._rows.append(_UNKNOWN_ROW if record.origin.row is None else record.origin.row)
        self._scores.append(score_of(findings))
        if findings:
            self.with_error += any(finding.severity is Severity.ERROR for finding in findings)
            for finding in {finding.code: finding for finding in reversed(findings)}.values():
                _count(self._tallies, finding)
                self._list(self._first, len(self._ids), finding)

    def tallies(self, later: Iterable[SetFinding]) -> Mapping[str, Tally]:
        """By code, with what the whole set showed."""
        tallies = {code: replace(tally) for code, tally in self._tallies.items()}
        for each in later:
            _count(tallies, each.finding)
        return dict(sorted(tallies.items()))

    def by_code(self, tallies: Mapping[str, Tally], later: Iterable[SetFinding]) -> tuple[CodeCount, ...]:
        """Errors first, then what is found most; up to 10 places each."""
        first = {code: list(places) for code, places in self._first.items()}
        for each in later:
            self._list(first, each.number, each.finding)
        counts = [_code_count(code, tally, first.get(code, [])) for code, tally in tallies.items()]
        return tuple(sorted(counts, key=lambda each: (each.severity is not Severity.ERROR, -each.examples, each.code)))

    def scores(self, later: Iterable[SetFinding]) -> Scores:
        if not self._scores:
            return Scores(mean=None, p10=None, by_ten=(0,) * 11)
        scores = np.frombuffer(self._scores, np.uint8).astype(np.int64)
        for each in later:
            scores[each.number - 1] -= each.finding.weight
        scores = np.maximum(scores, 0)
        by_ten = np.bincount(scores // 10, minlength=11)
        p10 = int(np.quantile(scores, 0.1, method="lower"))
        return Scores(mean=round(float(scores.mean()), 2), p10=p10, by_ten=tuple(map(int, by_ten)))

    def _list(self, first: dict[str, list[Place]], number: int, finding: Finding) -> None:
        places = first.setdefault(finding.code, [])
        if len(places) < _LISTED:
            row = self._rows[number - 1]
            places.append(
                Place(
                    number=number, id=self._ids[number - 1], row=None if row == _UNKNOWN_ROW else row,
                    message=finding.message,
                )
            )  # fmt: skip


def _count(tallies: dict[str, Tally], finding: Finding) -> None:
    tally = tallies.setdefault(finding.code, Tally())
    tally.examples += 1
    tally.points += finding.weight
    tally.errors += finding.severity is Severity.ERROR


def _code_count(code: str, tally: Tally, first: Sequence[Place]) -> CodeCount:
    rule = rule_of(code)
    return CodeCount(
        code=code, group=rule.group, severity=Severity.ERROR if tally.errors else Severity.WARNING,
        examples=tally.examples, remedy=rule.remedy, first=tuple(first),
    )  # fmt: skip
