"""Which texts are copies of others, or nearly so."""

from collections.abc import Sequence
from typing import Final

from estimator.tokens.normal import folded

_SEED: Final = 7


def near(texts: Sequence[str], against: Sequence[str]) -> list[bool]:
    """Of each text, whether it reads like one of the others: the same but for case and blanks, or nearly the same."""
    if not texts or not against:
        return [False] * len(texts)
    groups = groups_of([*against, *texts])
    taken = set(groups[: len(against)])
    return [group in taken for group in groups[len(against) :]]


def groups_of(texts: Sequence[str]) -> list[int]:
    """A number for each text; copies and near copies share theirs."""
    # Deferred: the search brings numpy and a library of its own along.
    from engagements.phases.data_preparation.deduplication.near import clusters  # noqa: PLC0415

    return [int(number) for number in clusters([folded(each) for each in texts], seed=_SEED).number]
