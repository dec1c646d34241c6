"""How evenly the labels of a set are spread."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

EXAMPLES_OF_A_LABEL_MIN: Final = 10
"""Below it a class is hardly learnt, and an 80/10/10 split leaves validation or test without it."""
_EVEN_MIN: Final = 0.5
_LARGEST_SHARE_MAX: Final = 0.5
_RATIO_MAX: Final = 20
_LISTED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """How many examples have a label."""

    label: str
    examples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBalance:
    """`effective` is the number of equally large classes that would be as uneven: e to the entropy (Hill, 1973).

    `largest` and `smallest` list up to 20 each. `small` counts the labels with fewer than `EXAMPLES_OF_A_LABEL_MIN`.
    """

    labels: int
    examples: int
    effective: float
    largest: tuple[LabelCount, ...]
    smallest: tuple[LabelCount, ...]
    small: int
    spellings: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...]


def balance_of(counts: Mapping[str, int]) -> LabelBalance | None:
    """None for a set without labels. Labels that differ in case and blanks only are named in `spellings`."""
    if not counts:
        return None
    total = sum(counts.values())
    entropy = -sum(count / total * math.log(count / total) for count in counts.values())
    ranked = [LabelCount(label=label, examples=count) for label, count in sorted(counts.items(), key=_by_size)]
    small = sum(count < EXAMPLES_OF_A_LABEL_MIN for count in counts.values())
    spellings = _spellings(counts)
    return LabelBalance(
        labels=len(counts), examples=total, effective=round(math.exp(entropy), 2), largest=tuple(ranked[:_LISTED]),
        smallest=tuple(reversed(ranked[-_LISTED:])), small=small, spellings=spellings,
        warnings=tuple(_warnings(ranked, total, math.exp(entropy), small, len(spellings))),
    )  # fmt: skip


def _by_size(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _spellings(counts: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    alike: dict[str, list[str]] = {}
    for label in sorted(counts):
        alike.setdefault("".join(label.casefold().replace("_", " ").replace("-", " ").split()), []).append(label)
    return tuple(tuple(labels) for labels in alike.values() if len(labels) > 1)


def _warnings(ranked: list[LabelCount], total: int, effective: float, small: int, spellings: int) -> list[str]:
    found: list[str] = []
    if len(ranked) == 1:
        return [f"every example has the label {ranked[0].label!r}: there is nothing to tell apart"]
    if ranked[0].examples > _LARGEST_SHARE_MAX * total:
        share = 100 * ranked[0].examples / total
        found.append(f"{share:.0f}% of the examples are {ranked[0].label!r}: always saying so would be as often right")
    if small:
        found.append(f"{small} of {len(ranked)} labels have fewer than {EXAMPLES_OF_A_LABEL_MIN} examples")
    if ranked[0].examples > _RATIO_MAX * ranked[-1].examples:
        largest, smallest = ranked[0], ranked[-1]
        found.append(
            f"{largest.label!r} has {largest.examples:,} examples, {smallest.label!r} {smallest.examples:,}: "
            f"more than {_RATIO_MAX} to 1"
        )
    if effective < _EVEN_MIN * len(ranked):
        found.append(f"{len(ranked)} labels are as uneven as {effective:.1f} equal ones")
    if spellings:
        found.append(f"{spellings} labels are written in more than one way")
    return found
