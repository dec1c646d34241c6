"""Where examples are missing: declared categories against what the pool holds. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A category that has fewer examples than wanted. `have`: accepted and pending ones, generated ones too."""

    category: str
    have: int
    target: int
    wanted: int


def gaps_of(counts: Mapping[str, int], declared: Sequence[str], *, target: int, per_gap_max: int) -> tuple[Gap, ...]:
    """The largest gap first, and of equal ones in the order declared; nothing is declared: the categories found.

    `wanted` is what lacks to the target, at most `per_gap_max`.
    """
    names = _distinct(declared) or sorted(counts)
    short = [(name, counts.get(name, 0)) for name in names if counts.get(name, 0) < target]
    gaps = (
        Gap(category=name, have=have, target=target, wanted=min(target - have, per_gap_max)) for name, have in short
    )
    return tuple(sorted(gaps, key=lambda gap: gap.have - gap.target))


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
