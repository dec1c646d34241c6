"""Agreement of reviewers, however their answers were collected: of labels, decisions and each dimension. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol

from engagements.evals.agreement import Agreement, Rating, Scale, cohen, krippendorff
from engagements.phases.data_preparation.review.rules import DIMENSIONS, Decision

_NO_CLASS: Final = ""
"""What no class is called."""


class Judged(Protocol):
    """One answer. `label`: the class that the example should have; None where it has none, or is rejected."""

    @property
    def decision(self) -> Decision: ...
    @property
    def label(self) -> str | None: ...
    @property
    def accuracy(self) -> int | None: ...
    @property
    def consistency(self) -> int | None: ...
    @property
    def completeness(self) -> int | None: ...
    @property
    def format(self) -> int | None: ...
    @property
    def edge_case(self) -> int | None: ...


Answers = Mapping[str, Judged]
"""To one example, by reviewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """`about`: label, decision or a dimension."""

    about: str
    found: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two reviewers, over the examples that both have answered."""

    first: str
    second: str
    found: Agreement


def measures(items: Sequence[Answers], *, seed: int) -> Iterator[Measure]:
    """What a target is held against comes first: labels where examples have them, otherwise decisions."""
    if any(each.label is not None for answers in items for each in answers.values()):
        labels = [[_labelled(each) for each in answers.values()] for answers in items]
        yield Measure(about="label", found=krippendorff(labels, seed=seed))
    decisions = krippendorff([[_said(each) for each in answers.values()] for answers in items], seed=seed)
    yield Measure(about="decision", found=decisions)
    for name in DIMENSIONS:
        scores = [[getattr(each, name) for each in answers.values()] for answers in items]
        yield Measure(about=name, found=krippendorff(scores, scale=Scale.ORDINAL, seed=seed))


def pairs(items: Sequence[Answers], *, seed: int) -> Iterator[Pair]:
    """Every two reviewers who have answered the same examples, by Cohen's kappa of what they decided."""
    reviewers = sorted({reviewer for answers in items for reviewer in answers})
    for first, second in combinations(reviewers, 2):
        both = [
            [_said(answers[first]), _said(answers[second])]
            for answers in items
            if first in answers and second in answers
        ]
        if both:
            yield Pair(first=first, second=second, found=cohen(both, seed=seed))


def _labelled(answer: Judged) -> Rating | None:
    """Who rejects an example and names no class for it disagrees with everybody who gives it one."""
    if answer.decision is Decision.SKIP:
        return None
    return _NO_CLASS if answer.label is None else answer.label


def _said(answer: Judged) -> Rating | None:
    return None if answer.decision is Decision.SKIP else answer.decision.value
