"""Where the findings are: rows are labels (or sources), columns groups of checks, cells shares of examples."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from engagements.phases.data_preparation.checks.findings import CheckGroup

ROWS_MAX: Final = 24
OTHERS: Final = "(all others)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """Of the examples of one label or source: the share with a finding, in the order of `HeatMap.columns`."""

    name: str
    examples: int
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """`by` says whether rows are labels or sources. Only groups in which something was found are columns."""

    by: str
    columns: tuple[CheckGroup, ...]
    rows: tuple[HeatRow, ...]


class HeatCount:
    """Takes the label, the source and the groups of findings of each record; groups may come later, by number."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, int]] = {"label": {}, "source": {}}
        self._of = {"label": array("I"), "source": array("I")}
        self._groups = array("H")

    def add(self, label: str | None, source: str, groups: Iterable[CheckGroup]) -> None:
        for by, name in (("label", label or ""), ("source", source)):
            names = self._names[by]
            self._of[by].append(names.setdefault(name, len(names)))
        self._groups.append(sum(_BIT[group] for group in set(groups)))

    def heat_map(self, later: Iterable[tuple[int, CheckGroup]] = ()) -> HeatMap:
        """`later` are groups of findings that only the whole set showed, by the number of the record from 1."""
        groups = array("H", self._groups)
        for number, group in later:
            groups[number - 1] |= _BIT[group]
        by = "label" if len(self._names["label"]) > 1 else "source"
        cells = Counter(zip(self._of[by], groups, strict=True))
        sizes, found = Counter(self._of[by]), Counter[tuple[int, CheckGroup]]()
        for (name, bits), examples in cells.items():
            for group in CheckGroup:
                if bits & _BIT[group]:
                    found[name, group] += examples
        return _drawn(by, list(self._names[by]), sizes, found)


_BIT: Final = {group: 1 << place for place, group in enumerate(CheckGroup)}


def _drawn(by: str, names: list[str], sizes: Counter[int], found: Counter[tuple[int, CheckGroup]]) -> HeatMap:
    """The rows with most findings, and what is left of them in one."""
    columns = tuple(group for group in CheckGroup if any(each == group for _, each in found))
    weight: Counter[int] = Counter()
    for (name, _), examples in found.items():
        weight[name] += examples
    ranked = sorted(sizes, key=lambda name: (-weight[name] / sizes[name], names[name]))
    shown = ranked if len(ranked) <= ROWS_MAX else ranked[: ROWS_MAX - 1]
    rows = [_row(names[name] or "(none)", [name], columns, sizes, found) for name in shown]
    if rest := ranked[len(shown) :]:
        rows.append(_row(OTHERS, rest, columns, sizes, found))
    return HeatMap(by=by, columns=columns, rows=tuple(rows))


def _row(
    name: str, members: list[int], columns: tuple[CheckGroup, ...], sizes: Counter[int],
    found: Counter[tuple[int, CheckGroup]],
) -> HeatRow:  # fmt: skip
    examples = sum(sizes[member] for member in members)
    shares = tuple(sum(found[member, group] for member in members) / examples for group in columns)
    return HeatRow(name=name, examples=examples, shares=shares)
