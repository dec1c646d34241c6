"""Which rows belong together: links between them, and the families that links make.

Links are columns of numbers, one entry a link; rows are numbered from 0. A family is named by its first row, so that
rows that are added at the end rename nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Strengths = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """`first[k]` and `second[k]` are alike by `strength[k]`, from 0 to 1; `first` is the earlier row."""

    first: Rows
    second: Rows
    strength: Strengths

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def none(cls) -> Self:
        return cls(first=np.empty(0, np.int64), second=np.empty(0, np.int64), strength=np.empty(0, np.float32))

    @classmethod
    def of(cls, first: Rows, second: Rows, strength: Strengths | None = None) -> Self:
        """Whichever row of each is first; strength 1 where none is given."""
        sure = np.ones(len(first), np.float32) if strength is None else strength.astype(np.float32)
        return cls(first=np.minimum(first, second), second=np.maximum(first, second), strength=sure)

    def where(self, kept: NDArray[np.bool_]) -> "Links":
        return Links(first=self.first[kept], second=self.second[kept], strength=self.strength[kept])

    def and_those(self, others: "Links") -> "Links":
        return Links(
            first=np.concatenate((self.first, others.first)), second=np.concatenate((self.second, others.second)),
            strength=np.concatenate((self.strength, others.strength)),
        )  # fmt: skip


def same_key(keys: Sequence[object]) -> Links:
    """A link from every row to the first one with its key; None links to nothing."""
    seen: dict[object, int] = {}
    pairs = [
        (first, row) for row, key in enumerate(keys) if key is not None and (first := seen.setdefault(key, row)) != row
    ]
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    return Links.of(columns[:, 0], columns[:, 1])


def families(rows: int, links: Links) -> Rows:
    """For each row the first row of its family: itself, if nothing earlier is linked to it by any chain of links.

    Every round hangs the root of each link's higher end below that of its lower one, then shortens all paths; the
    number of rounds grows with the logarithm of the longest chain.
    """
    root = np.arange(rows, dtype=np.int64)
    while True:
        low, high = np.minimum(root[links.first], root[links.second]), np.maximum(root[links.first], root[links.second])
        apart = low != high
        if not apart.any():
            return root
        np.minimum.at(root, high[apart], low[apart])
        while not np.array_equal(root, above := root[root]):
            root = above


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """`root`: the first row of each row's family. `step`: which of the rule's steps a row is held to, from 0."""

    root: Rows
    step: NDArray[np.int8]


def bounded_families(
    rows: int, links: Links, *, always: Links, steps: Sequence[float], weights: Rows, limit: int
) -> Bounded:
    """Families of links that are at least `steps[0]` strong, and stricter where a family outgrows `limit`.

    Templated texts chain: each is like the next, and the first is nothing like the last. A family that weighs more
    than the limit is a template; its rows are held to the next step, and a link counts if it is strong enough for both
    of its ends. `always` links hold whatever they make. At the last step a family may be of any size.
    """
    alone = families(rows, always)
    limit = max(limit, int(np.bincount(alone, weights, minlength=1).max(initial=0)))
    step = np.zeros(rows, np.int8)
    least = np.array(steps, np.float32)
    while True:
        strong = links.strength >= least[np.maximum(step[links.first], step[links.second])]
        root = families(rows, always.and_those(links.where(strong)))
        too_large = (np.bincount(root, weights, minlength=rows) > limit)[root] & (step < len(steps) - 1)
        if not too_large.any():
            return Bounded(root=root, step=step)
        step[too_large] += 1


def holds(links: Links, step: NDArray[np.int8], steps: Sequence[float]) -> NDArray[np.bool_]:
    """Which links are as strong as the rule asks of their ends."""
    least = np.array(steps, np.float32)
    held: NDArray[np.bool_] = links.strength >= least[np.maximum(step[links.first], step[links.second])]
    return held
