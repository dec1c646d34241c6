"""Cases whose grade is known, put among what a judge grades: who cannot tell good from bad is not believed. Pure.

Good ones are accepted examples as they are. Bad ones are made of the same examples: an answer is left out, or is that
of another example, or a text of another category carries the asked one. As many bad as good, so that a judge who grades
all alike, or by chance, is right about half of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from typing import Any, Final

import numpy as np

from engagements.phases.data_preparation.records import Record, Task
from engagements.phases.data_preparation.synthesis.answers import Grade
from engagements.phases.data_preparation.synthesis.prompts import example_json
from estimator.evidence import wilson_interval


class ControlKind(StrEnum):
    """What is known of a control case."""

    GOOD = "good"
    EMPTY = "empty"
    SHUFFLED = "shuffled"
    WRONG_LABEL = "wrong_label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One case. `example`: the id of the one whose input is shown; `other`: whose output it is shown with, if any."""

    number: int
    kind: ControlKind
    category: str
    example: str
    other: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.example, self.other) if self.other else (self.example,)

    def candidate(self, records: Mapping[str, Record]) -> dict[str, Any]:
        """As the judge sees it."""
        shown = example_json(records[self.example])
        match self.kind:
            case ControlKind.GOOD:
                return shown
            case ControlKind.EMPTY:
                return shown | {"output": ""}
            case ControlKind.SHUFFLED:
                return shown | {"output": example_json(records[self.other])["output"]}
            case ControlKind.WRONG_LABEL:
                return shown | {"output": self.category}

    def is_right(self, grade: Grade | None, least: int) -> bool:
        """Whether a grade says what is known; none says nothing."""
        return grade is not None and (grade.score >= least) == (self.kind is ControlKind.GOOD)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCheck:
    """How a judge did on the cases it answered: `right` of `cases`, the 95% interval, and both by kind.

    `chance`: the share that grading all alike gets right. `low` and `high` None where no case was put to it.
    """

    cases: int
    right: int
    chance: float | None
    low: float | None
    high: float | None
    kinds: Mapping[str, Mapping[str, int]]

    @property
    def is_relied_on(self) -> bool:
        """Its whole interval lies above what grading all alike would get."""
        return self.low is not None and self.chance is not None and self.low > self.chance

    def as_json(self) -> dict[str, Any]:
        return {
            "cases": self.cases, "right": self.right, "chance": self.chance, "low": self.low, "high": self.high,
            "kinds": {kind: dict(counts) for kind, counts in self.kinds.items()}, "relied_on": self.is_relied_on,
        }  # fmt: skip


def controls_for(task: Task, records: Mapping[str, Record], *, pairs: int, chance: int) -> tuple[Control, ...]:
    """Up to `pairs` good cases and as many bad ones, from accepted examples by id, drawn by `chance`."""
    ids = sorted(records)
    drawing = np.random.default_rng(chance)
    chosen = [ids[place] for place in drawing.permutation(len(ids))[:pairs]]
    good = [
        Control(number=number, kind=ControlKind.GOOD, category=records[each].label or "", example=each)
        for number, each in enumerate(chosen, start=1)
    ]
    turns = cycle((_FALSE[task], ControlKind.EMPTY))
    bad = [
        _bad(next(turns), each, records, ids, number=number) for number, each in enumerate(chosen, start=len(good) + 1)
    ]
    return (*good, *bad)


def check_of(controls: Sequence[Control], grades: Mapping[int, Grade | None], *, least: int) -> JudgeCheck:
    """`grades`: by the number of the case, of those that were answered; None where that was no grade."""
    put = [each for each in controls if each.number in grades]
    hits = [each for each in put if each.is_right(grades[each.number], least)]
    kinds = {kind.value: {"cases": _count(put, kind), "right": _count(hits, kind)} for kind in ControlKind}
    told = {kind: counts for kind, counts in kinds.items() if counts["cases"]}
    if not put:
        return JudgeCheck(cases=0, right=0, chance=None, low=None, high=None, kinds=told)
    good, between = _count(put, ControlKind.GOOD), wilson_interval(len(hits) / len(put), len(put))
    return JudgeCheck(
        cases=len(put), right=len(hits), chance=max(good, len(put) - good) / len(put), low=between.low,
        high=between.high, kinds=told,
    )  # fmt: skip


_FALSE: Final[Mapping[Task, ControlKind]] = {
    task: ControlKind.WRONG_LABEL if task is Task.CLASSIFICATION else ControlKind.SHUFFLED for task in Task
}


def _bad(kind: ControlKind, example: str, records: Mapping[str, Record], ids: Sequence[str], *, number: int) -> Control:
    """Without an answer, where no other example could lend a false one."""
    shown = records[example]
    label = shown.label or ""
    other = next(_others(kind, example, records, ids), "")
    if kind is ControlKind.EMPTY or not other:
        return Control(number=number, kind=ControlKind.EMPTY, category=label, example=example)
    if kind is ControlKind.WRONG_LABEL:
        asked = records[other].label or ""
        return Control(number=number, kind=kind, category=asked, example=example)
    return Control(number=number, kind=kind, category=label, example=example, other=other)


def _others(kind: ControlKind, example: str, records: Mapping[str, Record], ids: Sequence[str]) -> Iterator[str]:
    """Those that differ in what counts, beginning after the example itself."""
    after = ids.index(example) + 1
    for each in (*ids[after:], *ids[:after]):
        mine, theirs = records[example], records[each]
        if kind is ControlKind.WRONG_LABEL:
            if theirs.label and theirs.label != mine.label:
                yield each
        elif example_json(theirs)["output"] != example_json(mine)["output"]:
            yield each


def _count(controls: Sequence[Control], kind: ControlKind) -> int:
    return sum(each.kind is kind for each in controls)
