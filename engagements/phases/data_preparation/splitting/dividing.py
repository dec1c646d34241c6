"""The whole of a split: links, groups, assignment, proof; and again with what the proof found, until it is nothing."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.deduplication.links import Links, Rows
from engagements.phases.data_preparation.splitting.assign import assign, groups_of
from engagements.phases.data_preparation.splitting.grouping import Grouped, group
from engagements.phases.data_preparation.splitting.leaks import Embedder, LeakReport, find_leaks, proof_seed
from engagements.phases.data_preparation.splitting.material import Material, apart
from engagements.phases.data_preparation.splitting.policy import SPLITS, Shares, Split, SplitPolicy

ROUNDS_MAX: Final = 6
_THREADS: Final = 2
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByChance:
    """Pairs that a split of single rows by chance would have left on two sides, with the same seed and shares."""

    same: int
    near: int
    passages: int

    @property
    def total(self) -> int:
        return self.same + self.near + self.passages

    def as_json(self) -> dict[str, int]:
        return {"normalised": self.same, "minhash": self.near, "ngram": self.passages, "total": self.total}


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """`split`: of each row, as its place in `SPLITS`, or -1 for a row that has to be left out.

    A row is left out where its group has former examples on two sides: wherever it went, it would be a copy of the
    other. `rounds`: how often it was divided until the proof found nothing; `first_found`: what the first one found.
    """

    split: NDArray[np.int8]
    grouped: Grouped
    leaks: LeakReport
    first_found: int
    rounds: int
    by_chance: ByChance

    def rows_of(self, split: Split) -> Rows:
        return np.flatnonzero(self.split == SPLITS.index(split))

    @property
    def left_out(self) -> Rows:
        return np.flatnonzero(self.split == -1)

    @property
    def cluster_count(self) -> int:
        """Clusters of two near duplicates and more."""
        return int((np.bincount(self.grouped.cluster, minlength=1) > 1).sum())

    def leaks_json(self) -> dict[str, Any]:
        """The report of the proof, with what was found on the way."""
        return {
            **self.leaks.as_json(), "rounds": self.rounds, "found_in_first_round": self.first_found,
            "by_chance": self.by_chance.as_json(), "thresholds": self.grouped.rule.as_json(),
        }  # fmt: skip


def divide(
    material: Material, policy: SplitPolicy, *, embed: Embedder | None = None, tell: Told = lambda _step: None
) -> Division:
    """Divide the rows; the same rows, in the same order, and the same policy give the same division."""
    tell("near duplicates and shared passages")
    near, proof_near, passages = _links(material, policy.seed)
    pairs = zip(material.ids, material.contents, strict=True)
    fixed = [policy.previous.split_of(*pair) for pair in pairs] if policy.previous else [None] * len(material)
    known, first_found = Links.none(), 0
    for rounds in range(1, ROUNDS_MAX + 1):
        tell("assigning groups")
        together = material.together.and_those(known)
        grouped = group(len(material), same=material.same, together=together, near=near, passages=passages)
        split = _assigned(material, grouped, policy, fixed)
        tell("looking for leaks")
        leaks = find_leaks(material, split, grouped.rule, near=proof_near, passages=passages, embed=embed)
        first_found = first_found if rounds > 1 else leaks.total
        if not leaks.total or all(fixed[row] for row in (*leaks.found.first.tolist(), *leaks.found.second.tolist())):
            break
        known = known.and_those(leaks.found)
    return Division(
        split=split, grouped=grouped, leaks=leaks, first_found=first_found, rounds=rounds,
        by_chance=_by_chance(material, near, passages, grouped, policy.shares, policy.seed),
    )  # fmt: skip


def _assigned(
    material: Material, grouped: Grouped, policy: SplitPolicy, fixed: Sequence[Split | None]
) -> NDArray[np.int8]:
    groups = groups_of(grouped.root, keys=material.keys, labels=material.labels, fixed=fixed)
    split = assign(groups, policy)[groups.of]
    if policy.previous:
        former = np.array([-1 if each is None else SPLITS.index(each) for each in fixed], np.int8)
        split[_straddling(groups.of, former)] = -1
        split[former >= 0] = former[former >= 0]
    return split


def _straddling(of: Rows, former: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Rows of groups that have former examples in two splits or more."""
    sides = np.zeros((int(of.max(initial=-1)) + 1, len(SPLITS)), np.bool_)
    sides[of[former >= 0], former[former >= 0]] = True
    straddles: NDArray[np.bool_] = (sides.sum(axis=1) > 1)[of]
    return straddles


def _links(material: Material, seed: int) -> tuple[Links, Links, Links]:
    """Near duplicates, the same for the proof, and passages; at once: most of it is done outside of Python's lock."""
    with ThreadPoolExecutor(_THREADS) as threads:
        near = threads.submit(material.near, seed=seed)
        proof = threads.submit(material.near, seed=proof_seed(seed))
        passages = threads.submit(material.passages)
    return near.result(), proof.result(), passages.result()


def _by_chance(
    material: Material, near: Links, passages: Links, grouped: Grouped, shares: Shares, seed: int
) -> ByChance:
    drawn = np.random.default_rng(seed).random(len(material))
    split = np.searchsorted((shares.train, shares.train + shares.validation), drawn, side="right").astype(np.int8)
    return ByChance(
        same=len(apart(material.same, split)), near=len(apart(grouped.rule.near_holds(near), split)),
        passages=len(apart(grouped.rule.passage_holds(passages), split)),
    )  # fmt: skip
