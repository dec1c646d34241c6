"""Does the set hold the edge cases that were declared for it, and enough of each?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engagements.phases.data_preparation.checks.policy import Category, values_of
from engagements.phases.data_preparation.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryCoverage:
    """Examples of one declared category; `missing` is how many more it takes, 0 where there are enough."""

    name: str
    examples: int
    examples_min: int
    missing: int


class CoverageCount:
    """Takes records and counts them by declared category."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = categories
        self._counts: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        for category in self._categories:
            values = values_of(record, category.field)
            if values and (category.value is None or category.value in values):
                self._counts[category.name] += 1

    def coverage(self) -> tuple[CategoryCoverage, ...]:
        """In the order of the declaration."""
        return tuple(
            CategoryCoverage(
                name=category.name, examples=self._counts[category.name], examples_min=category.examples_min,
                missing=max(0, category.examples_min - self._counts[category.name]),
            )
            for category in self._categories
        )  # fmt: skip
