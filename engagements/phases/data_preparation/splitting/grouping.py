"""What must not be parted: near copies, shared passages, one question, a customer, a seed and what grew from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.deduplication.links import (
    Links,
    Rows,
    bounded_families,
    families,
    holds,
)
from engagements.phases.data_preparation.deduplication.near import THRESHOLD

NEAR_STEPS: Final = (THRESHOLD, 0.80, 0.90, 0.95, 1.0)
PASSAGE_STEPS: Final = (0.0, 0.25, 0.5, 0.8, 1.0)
_FAMILY_ROWS_MIN: Final = 20
_FAMILY_SHARE: Final = 0.05
"""A family of more rows is a template, not copies of one text: at a twentieth, two still fit into a test split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What counts as a leak between two rows, for each row as strict as its family of templates made it.

    `near[i]` and `passage[i]` are places in `NEAR_STEPS` and `PASSAGE_STEPS`; 0 unless the row is of a template.
    """

    near: NDArray[np.int8]
    passage: NDArray[np.int8]

    def near_holds(self, links: Links) -> Links:
        return links.where(holds(links, self.near, NEAR_STEPS))

    def passage_holds(self, links: Links) -> Links:
        return links.where(holds(links, self.passage, PASSAGE_STEPS))

    def as_json(self) -> dict[str, Any]:
        """The thresholds, with the rows that are held to each."""
        return {
            "near": _steps(self.near, NEAR_STEPS), "passage": _steps(self.passage, PASSAGE_STEPS),
        }  # fmt: skip

    @property
    def near_words(self) -> str:
        """The rule in one sentence, as evidence names it."""
        stricter = int((self.near > 0).sum())
        beside = (
            f"; stricter in {stricter:,} rows of templates, up to {NEAR_STEPS[self.near.max()]:.2f}" if stricter else ""
        )
        return f"MinHash over runs of 4 characters, Jaccard from {THRESHOLD:.2f}{beside}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """`root`: the first row of each row's group. `cluster`: of its near duplicates alone."""

    root: Rows
    cluster: Rows
    rule: Rule


def group(rows: int, *, same: Links, together: Links, near: Links, passages: Links) -> Grouped:
    """Groups of rows. `same` texts and those that belong `together` are never parted, whatever it makes."""
    weights = np.ones(rows, np.int64)
    limit = max(_FAMILY_ROWS_MIN, int(_FAMILY_SHARE * rows))
    always = same.and_those(together)
    by_text = bounded_families(rows, near, always=always, steps=NEAR_STEPS, weights=weights, limit=limit)
    alike = near.where(holds(near, by_text.step, NEAR_STEPS))
    always = always.and_those(alike)
    whole = bounded_families(rows, passages, always=always, steps=PASSAGE_STEPS, weights=weights, limit=limit)
    rule = Rule(near=by_text.step, passage=whole.step)
    return Grouped(root=whole.root, cluster=families(rows, same.and_those(alike)), rule=rule)


def _steps(step: NDArray[np.int8], thresholds: Sequence[float]) -> list[dict[str, float]]:
    counts = np.bincount(step, minlength=len(thresholds)).tolist()
    return [{"from": least, "rows": count} for least, count in zip(thresholds, counts, strict=True) if count]
