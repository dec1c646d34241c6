"""The proof: what stands in more than one split, found anew from the texts as they were divided.

Four searches: the question as written, the text folded, near copies by MinHash, shared passages of thirteen words; a
fifth by embedding where a model is at hand. Each is counted by pairs of rows in different splits.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.deduplication.links import Links
from engagements.phases.data_preparation.deduplication.passages import TEXTS_MAX, WORDS
from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.splitting.grouping import Rule, group
from engagements.phases.data_preparation.splitting.material import Chosen, Material, apart
from engagements.phases.data_preparation.splitting.policy import SPLITS, Split

PAIRS_LISTED: Final = 100
EMBEDDING_MIN: Final = 0.95
"""Cosine from which two texts say the same; of encoders trained on paraphrases. Judged, not measured."""
_ANOTHER_SEED: Final = 1_000_003
_ROWS_AT_ONCE: Final = 2_000

Embedder = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to one row of numbers each, of any length but 0."""


class LeakKind(StrEnum):
    EXACT = "exact"
    NORMALISED = "normalised"
    MINHASH = "minhash"
    NGRAM = "ngram"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Two records in different splits; `likeness` from 0 to 1: Jaccard index, shared passages, or cosine."""

    kind: LeakKind
    first: str
    first_split: Split
    second: str
    second_split: Split
    likeness: float

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value, "first": self.first, "first_split": self.first_split.value,
            "second": self.second, "second_split": self.second_split.value, "likeness": round(self.likeness, 4),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakReport:
    """Pairs of each kind, the first hundred of each listed. `embedding` None: no model was at hand.

    `found`: what the links themselves are, for whoever has to move their ends.
    """

    exact: int
    normalised: int
    minhash: int
    ngram: int
    embedding: int | None
    pairs: Sequence[Leak]
    near_rule: str
    found: Links = field(repr=False)

    @property
    def total(self) -> int:
        return self.exact + self.normalised + self.minhash + self.ngram + (self.embedding or 0)

    def as_json(self) -> dict[str, Any]:
        return {
            "total": self.total, "exact": self.exact, "normalised": self.normalised, "minhash": self.minhash,
            "ngram": self.ngram, "embedding": self.embedding, "near_rule": self.near_rule,
            "ngram_rule": f"{WORDS} words in a row that at most {TEXTS_MAX} texts share",
            "pairs": [leak.as_json() for leak in self.pairs],
        }  # fmt: skip


def leaks_between(
    splits: Mapping[Split, Sequence[Record]], *, seed: int = 0, embed: Embedder | None = None
) -> LeakReport:
    """Leaks between splits of records, by a rule that is made from these records alone."""
    material = Material.of(record for split in SPLITS for record in splits.get(split, ()))
    sizes = [len(splits.get(split, ())) for split in SPLITS]
    near, passages = material.near(seed=seed), material.passages()
    grouped = group(len(material), same=material.same, together=material.together, near=near, passages=passages)
    return find_leaks(
        material, np.repeat(np.arange(len(SPLITS), dtype=np.int8), sizes), grouped.rule,
        near=material.near(seed=proof_seed(seed)), passages=passages, embed=embed,
    )  # fmt: skip


def proof_seed(seed: int) -> int:
    """Of the search that proves a split: it draws other hashes than the search that the split was made by."""
    return seed + _ANOTHER_SEED


def find_leaks(
    material: Material,
    split: NDArray[np.int8],
    rule: Rule,
    *,
    near: Links,
    passages: Links,
    embed: Embedder | None = None,
) -> LeakReport:
    """Leaks between the splits that rows were assigned to, as their places in `SPLITS`; `near` with `proof_seed`."""
    near = rule.near_holds(near)
    by_kind = {
        LeakKind.EXACT: _across(material.written, material, split),
        LeakKind.NORMALISED: _across(material.folded, material, split),
        LeakKind.MINHASH: apart(near, split),
        LeakKind.NGRAM: apart(rule.passage_holds(passages), split),
    }
    if embed is not None:
        by_kind[LeakKind.EMBEDDING] = _embedding_links(material, split, embed)
    found = Links.none()
    for links in by_kind.values():
        found = found.and_those(links)
    return LeakReport(
        exact=_pairs(material.written, material, split), normalised=_pairs(material.folded, material, split),
        minhash=len(by_kind[LeakKind.MINHASH]), ngram=len(by_kind[LeakKind.NGRAM]),
        embedding=len(by_kind[LeakKind.EMBEDDING]) if embed is not None else None,
        pairs=tuple(leak for kind, links in by_kind.items() for leak in _listed(kind, links, material, split)),
        near_rule=rule.near_words, found=found,
    )  # fmt: skip


def _across(keys: Sequence[int], material: Material, split: NDArray[np.int8]) -> Links:
    """A link from the first row with a key in one split to the first in every other that has it."""
    firsts: dict[int, dict[int, int]] = defaultdict(dict)
    for row, (key, side) in enumerate(zip(keys, split.tolist(), strict=True)):
        if side >= 0:
            firsts[key].setdefault(side, row)
    pairs = [pair for rows in firsts.values() if len(rows) > 1 for pair in combinations(rows.values(), 2)]
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    asked = np.array([bool(material.texts[row]) for row in columns[:, 0].tolist()], np.bool_)
    return Links.of(columns[:, 0], columns[:, 1]).where(asked)


def _pairs(keys: Sequence[int], material: Material, split: NDArray[np.int8]) -> int:
    """How many pairs of rows in different splits have the same key."""
    linked = _across(keys, material, split)
    wanted = {keys[row] for row in linked.first.tolist()}
    counts = Counter((key, side) for key, side in zip(keys, split.tolist(), strict=True) if key in wanted)
    return sum(
        counts[key, one] * counts[key, other] for key in wanted for one, other in combinations(range(len(SPLITS)), 2)
    )


def _embedding_links(material: Material, split: NDArray[np.int8], embed: Embedder) -> Links:
    """Rows of validation and test with the rows of other splits that are as near as `EMBEDDING_MIN`."""
    rows = np.flatnonzero([bool(material.texts[row]) for row in range(len(material))])
    vectors = np.concatenate(
        [
            embed(Chosen(material.texts, rows)[start : start + _ROWS_AT_ONCE])
            for start in range(0, len(rows), _ROWS_AT_ONCE)
        ]
        or [np.empty((0, 1), np.float32)]
    )
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    found = list(_close(vectors, split[rows]))
    first, second = (np.concatenate([pair[side] for pair in found] or [np.empty(0, np.int64)]) for side in (0, 1))
    strength = np.einsum("ij,ij->i", vectors[first], vectors[second])
    return Links.of(rows[first], rows[second], strength)


def _close(vectors: NDArray[np.float32], split: NDArray[np.int8]) -> Iterator[tuple[NDArray[np.int64], ...]]:
    for number in range(1, len(SPLITS)):
        before, mine = np.flatnonzero(split < number), np.flatnonzero(split == number)
        for start in range(0, len(mine), _ROWS_AT_ONCE):
            part = mine[start : start + _ROWS_AT_ONCE]
            for left in range(0, len(before), _ROWS_AT_ONCE):
                others = before[left : left + _ROWS_AT_ONCE]
                one, other = np.nonzero(vectors[part] @ vectors[others].T >= EMBEDDING_MIN)
                yield others[other], part[one]


def _listed(kind: LeakKind, links: Links, material: Material, split: NDArray[np.int8]) -> Iterator[Leak]:
    for first, second, likeness in zip(
        links.first[:PAIRS_LISTED].tolist(), links.second[:PAIRS_LISTED].tolist(),
        links.strength[:PAIRS_LISTED].tolist(), strict=True,
    ):  # fmt: skip
        yield Leak(
            kind=kind, first=material.ids[first], first_split=SPLITS[split[first]], second=material.ids[second],
            second_split=SPLITS[split[second]], likeness=likeness,
        )  # fmt: skip
