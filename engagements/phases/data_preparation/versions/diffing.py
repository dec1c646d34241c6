"""What is different between two datasets: added, removed, edited, moved between splits; how labels shifted. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LISTED: Final = 100
"""Of each kind of difference so many ids are named, in their order; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An example in a dataset: the digest of its content, its split, and its label if it has one."""

    sha256: str
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """`examples` by their ids; `labels`: how many of each label in each split."""

    name: str
    examples: Mapping[str, Standing]
    labels: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """How many there are, and the first of them."""

    count: int
    first: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """From a split into another: `leaks` where what was in the test split is now in another."""

    record_id: str
    before: str
    after: str

    @property
    def leaks(self) -> bool:
        return self.before == "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShift:
    """Examples of a label in a split, before and after, and their shares of that split from 0 to 1."""

    split: str
    label: str
    before: int
    after: int
    share_before: float | None
    share_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`before`, `after`: the names. `moved`: how many; `moves`: the first of them. Shifts: the largest first."""

    before: str
    after: str
    unchanged: int
    added: Ids
    removed: Ids
    edited: Ids
    moved: int
    moves: Sequence[Moved]
    left_test: int
    shifts: Sequence[LabelShift]

    @property
    def is_none(self) -> bool:
        return not (self.added.count or self.removed.count or self.edited.count or self.moved)


def difference(before: Side, after: Side) -> Difference:
    both = [name for name in after.examples if name in before.examples]
    moves = [
        Moved(record_id=name, before=before.examples[name].split, after=after.examples[name].split)
        for name in sorted(both)
        if before.examples[name].split != after.examples[name].split
    ]
    edited = [name for name in both if before.examples[name].sha256 != after.examples[name].sha256]
    touched = {move.record_id for move in moves}.union(edited)
    return Difference(
        before=before.name, after=after.name, unchanged=len(both) - len(touched),
        added=_ids(name for name in after.examples if name not in before.examples),
        removed=_ids(name for name in before.examples if name not in after.examples),
        edited=_ids(edited), moved=len(moves), moves=moves[:LISTED], left_test=sum(move.leaks for move in moves),
        shifts=_shifts(before, after),
    )  # fmt: skip


def _ids(names: Iterable[str]) -> Ids:
    listed = sorted(names)
    return Ids(count=len(listed), first=listed[:LISTED])


def _shifts(before: Side, after: Side) -> list[LabelShift]:
    """Of every label whose count changed in a split."""
    shifts = [
        _shift(split, label, before.labels.get(split, {}), after.labels.get(split, {}))
        for split in dict.fromkeys((*before.labels, *after.labels))
        for label in {**before.labels.get(split, {}), **after.labels.get(split, {})}
    ]
    changed = [shift for shift in shifts if shift.before != shift.after]
    return sorted(changed, key=lambda shift: (-abs(shift.after - shift.before), shift.split, shift.label))[:LISTED]


def _shift(split: str, label: str, before: Mapping[str, int], after: Mapping[str, int]) -> LabelShift:
    return LabelShift(
        split=split, label=label, before=before.get(label, 0), after=after.get(label, 0),
        share_before=_share(before, label), share_after=_share(after, label),
    )  # fmt: skip


def _share(counts: Mapping[str, int], label: str) -> float | None:
    """None of a split that has no labelled example at all."""
    total = sum(counts.values())
    return counts.get(label, 0) / total if total else None
