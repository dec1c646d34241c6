"""Which split each group of rows goes to: by the hash of its key, so that a set may grow and nobody moves.

A key and the seed make a number u, evenly spread over 0 to 1: below the share of test it is a test group, below that of
test and validation together validation, else training. Chance leaves single labels far from the shares, so in each
stratum the two cuts are moved along u, past as few groups as bring it within a band around the shares.

A label with fewer groups than splits cannot be in all of them. Such labels are one stratum together, so that ten
thousand of them still leave something to test; at least one group of each is trained on.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.splitting.policy import SPLITS, Split, SplitPolicy

Numbers = NDArray[np.int64]

BANDS: Final = (0.04, 0.02, 0.01, 0.0)
"""How far a stratum may be from a share; the first that brings the whole set close enough is taken."""
_WHOLE_WITHIN: Final = 0.02
_GROUPS_TO_BE_EVERYWHERE: Final = 3
_TEST_FIRST: Final = (Split.TEST, Split.VALIDATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Rows that must not be parted. `of`: the group of each row; the rest has an entry a group.

    `key`: what its hash is made of. `stratum`: the rarest label in it, empty where nothing has one. `fixed`: the split
    that it was in before.
    """

    of: Numbers
    key: Sequence[str]
    stratum: Sequence[str]
    fixed: Sequence[Split | None]

    @property
    def sizes(self) -> Numbers:
        return np.bincount(self.of, minlength=len(self.key))


def groups_of(
    root: Numbers, *, keys: Sequence[str], labels: Sequence[str | None], fixed: Sequence[Split | None]
) -> Groups:
    """Groups of rows with the same root, which is their first row. Everything else has an entry a row.

    A group has the key of its first row, so that rows that join it later leave it where it is. It keeps the split that
    the first of its rows with one had before.
    """
    firsts, of = np.unique(root, return_inverse=True)
    counts = Counter(label for label in labels if label is not None)
    strata, kept = [""] * len(firsts), [None] * len(firsts)
    rarest: list[tuple[int, str] | None] = [None] * len(firsts)
    stays: list[Split | None] = [*kept]
    for row, group in enumerate(of.tolist()):
        label = labels[row]
        if label is not None and ((rank := (counts[label], label)) < (rarest[group] or (rank[0] + 1, ""))):
            rarest[group], strata[group] = rank, label
        stays[group] = stays[group] or fixed[row]
    return Groups(of=of, key=[keys[row] for row in firsts.tolist()], stratum=strata, fixed=stays)


def assign(groups: Groups, policy: SplitPolicy) -> NDArray[np.int8]:
    """The split of each group, as its place in `SPLITS`. The same groups and policy give the same splits."""
    chance = np.array([_chance(policy.seed, key) for key in groups.key])
    sizes = groups.sizes
    fixed = np.array([-1 if split is None else SPLITS.index(split) for split in groups.fixed], np.int8)
    strata, held = _strata(groups, policy, chance)
    fixed[held & (fixed < 0)] = SPLITS.index(Split.TRAIN)
    for band in BANDS:
        assigned = np.zeros(len(groups.key), np.int8)
        for members in strata:
            assigned[members] = _cut(chance[members], sizes[members], fixed[members], policy, band)
        if _close_enough(assigned, sizes, policy):
            break
    return assigned


def _chance(seed: int, key: str) -> float:
    digest = hashlib.blake2b(f"{seed}\0{key}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _strata(
    groups: Groups, policy: SplitPolicy, chance: NDArray[np.float64]
) -> tuple[list[Numbers], NDArray[np.bool_]]:
    """Groups that are divided together, and which of all groups are to be trained on whatever their chance."""
    held = np.zeros(len(groups.key), np.bool_)
    if not policy.stratify:
        return [np.arange(len(groups.key))], held
    members: dict[str, list[int]] = {}
    for group, stratum in enumerate(groups.stratum):
        members.setdefault(stratum, []).append(group)
    large = [np.array(each, np.int64) for _, each in sorted(members.items()) if len(each) >= _GROUPS_TO_BE_EVERYWHERE]
    small = [each for each in members.values() if len(each) < _GROUPS_TO_BE_EVERYWHERE]
    # Where no label occurs twice, there is nothing that testing could miss in training.
    if large or any(len(each) > 1 for each in small):
        for each in small:
            held[max(each, key=lambda group: float(chance[group]))] = True
    together = np.array(sorted(group for each in small for group in each), np.int64)
    return [*large, together], held


def _cut(
    chance: NDArray[np.float64], sizes: Numbers, fixed: NDArray[np.int8], policy: SplitPolicy, band: float
) -> NDArray[np.int8]:
    """The splits of one stratum's groups. Those with a fixed split count for it and are not cut."""
    order = np.argsort(chance, kind="stable")
    order = order[fixed[order] < 0]
    chance, size = chance[order], sizes[order]
    assigned = fixed.copy()
    rows = int(sizes.sum())
    begin, low, so_far = 0, 0.0, 0
    for left, split in enumerate(_TEST_FIRST, 1):
        number, share = SPLITS.index(split), getattr(policy.shares, split.value)
        there = int(sizes[fixed == number].sum())
        taken = there + np.concatenate(([0], np.cumsum(size[begin:])))
        # What goes to test and validation together decides what is left to train on.
        off = np.maximum(np.abs(taken - share * rows), np.abs(so_far + taken - (low + share) * rows))
        natural = int(np.searchsorted(chance[begin:], low + share))
        count = _nearest(natural, off, band * rows)
        if share and not there and len(order) >= _GROUPS_TO_BE_EVERYWHERE:
            count = min(max(count, 1), len(order) - begin - len(SPLITS) + left)
        assigned[order[begin : begin + count]] = number
        begin, low, so_far = begin + count, low + share, so_far + int(taken[count])
    assigned[order[begin:]] = SPLITS.index(Split.TRAIN)
    return assigned


def _nearest(natural: int, off: NDArray[np.float64], within: float) -> int:
    """The number of groups nearest to the natural one that is not too far off; that which is least off, if all are."""
    good = np.flatnonzero(off <= max(within, off.min()))
    return int(good[np.argmin(np.abs(good - natural))])


def _close_enough(assigned: NDArray[np.int8], sizes: Numbers, policy: SplitPolicy) -> bool:
    total = max(1, int(sizes.sum()))
    shares = np.bincount(assigned, sizes, minlength=len(SPLITS)) / total
    return bool((np.abs(shares - np.array(tuple(policy.shares))) <= _WHOLE_WITHIN).all())
