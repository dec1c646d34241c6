"""Which split each example of a version is in, and the proof that none leaks: `splitting` asked for its examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.splitting import dividing
from engagements.phases.data_preparation.splitting.leaks import Leak
from engagements.phases.data_preparation.splitting.material import Material
from engagements.phases.data_preparation.splitting.policy import SPLITS, Previous, Shares, Split, SplitPolicy
from engagements.phases.data_preparation.versions.gathering import Entry, Gathered
from engagements.phases.data_preparation.versions.schemas import SealIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """`splits`: the entries of each split that has any, in the order of their ids. `leaks`: pairs that are left,
    `leaks_found` of them. `left_out`: record ids whose group stands in two splits of the version before.

    `proof`: what was compared and found, as JSON. `groups` of examples that stay together; `clusters` of near copies.
    """

    splits: Mapping[SplitName, Sequence[Entry]]
    leaks: Sequence[Leak]
    leaks_found: int
    left_out: Sequence[str]
    proof: Mapping[str, Any]
    groups: int
    clusters: int


def divide(made: Gathered, wanted: SealIn, previous: Previous, *, tell: dividing.Told) -> Division:
    """`previous`: where the examples of the version before are; they stay there."""
    material = Material.of(made.record(entry) for entry in made.entries)
    found = dividing.divide(material, split_policy(wanted, previous), tell=tell)
    splits = {
        SplitName(split.value): [made.entries[row] for row in rows.tolist()]
        for split in SPLITS
        if len(rows := found.rows_of(split))
    }
    return Division(
        splits=splits, leaks=found.leaks.pairs, leaks_found=found.leaks.total,
        left_out=[made.entries[row].record_id for row in found.left_out.tolist()],
        proof=found.leaks_json(), groups=len(set(found.grouped.root.tolist())), clusters=found.cluster_count,
    )  # fmt: skip


def split_policy(wanted: SealIn, previous: Previous) -> SplitPolicy:
    """Raises `SharesInvalid`."""
    asked = wanted.shares
    shares = Shares(train=asked.train, validation=asked.validation, test=asked.test)
    held_out = shares if wanted.hold_out is None else shares.holding_out(wanted.hold_out)
    return SplitPolicy(seed=wanted.seed, shares=held_out, stratify=wanted.stratify, previous=previous)


def previous_of(members: Sequence[tuple[str, str, str]]) -> Previous:
    """Of members of the version before: record id, digest of the content, split."""
    return Previous(
        by_id={record_id: Split(split) for record_id, _, split in members},
        by_content={sha256: Split(split) for _, sha256, split in members},
    )
