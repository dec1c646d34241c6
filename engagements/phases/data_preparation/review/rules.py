"""What follows from the answers to an example, and the order in which examples are looked at. Pure.

An item is open until `needed` reviewers have answered it, or until nobody is left who could. Then

    all accept it as the same text            accepted, with that text
    all reject it                             rejected
    anything else, or too few answers         disputed, until somebody who did not answer it decides
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, cycle, islice
from typing import Any, Final, TypeVar

import numpy as np

Item = TypeVar("Item")

DIMENSIONS: Final = ("accuracy", "consistency", "completeness", "format", "edge_case")
"""Five scores from 1 to 5 instead of one (formats reference, section 9)."""
_UNCHECKED: Final = 50
"""An example that nobody has checked stands between those found good and those found bad."""
_ERROR_RISK: Final = 100
_CONFLICT_RISK: Final = 200
_CLOSE: Final = 1
"""Scores of a golden example are matched within one point: what lies between two marks is a matter of taste."""


class Decision(StrEnum):
    """`SKIP`: somebody else should look at it. It is no answer, and the example does not come again to who skips it."""

    ACCEPT = "accept"
    REJECT = "reject"
    SKIP = "skip"


class ItemState(StrEnum):
    """open -> settled | disputed; disputed -> adjudicated. A golden one ends settled, whatever was said of it."""

    OPEN = "open"
    SETTLED = "settled"
    DISPUTED = "disputed"
    ADJUDICATED = "adjudicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`content_sha256`: of the example as the reviewer would have it, edited or not."""

    reviewer_id: str
    decision: Decision
    content_sha256: str


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DISPUTED = "disputed"


def outcome_of(answers: Sequence[Answer], *, needed: int, reviewers: int) -> Outcome | None:
    """None while answers are missing and somebody is left who could give one. One answer of each reviewer at most."""
    assert len({each.reviewer_id for each in answers}) == len(answers), "nobody answers twice"
    given = [each for each in answers if each.decision is not Decision.SKIP]
    skipped = len(answers) - len(given)
    if len(given) < needed:
        return Outcome.DISPUTED if reviewers - skipped < needed else None
    decisions = {each.decision for each in given}
    if decisions == {Decision.REJECT}:
        return Outcome.REJECTED
    texts = {each.content_sha256 for each in given}
    return Outcome.ACCEPTED if decisions == {Decision.ACCEPT} and len(texts) == 1 else Outcome.DISPUTED


def why_disputed(answers: Sequence[Answer]) -> str:
    """What the reviewers differ in, in words."""
    given = Counter(each.decision for each in answers)
    accepted, rejected, skipped = (given[each] for each in (Decision.ACCEPT, Decision.REJECT, Decision.SKIP))
    if accepted and rejected:
        return f"{accepted} accept it, {rejected} {'rejects' if rejected == 1 else 'reject'} it"
    if len({each.content_sha256 for each in answers if each.decision is Decision.ACCEPT}) > 1:
        return "they accept it as different texts"
    return f"{skipped} skipped it, so that too few answers are there"


def may_adjudicate(answers: Sequence[Answer], person_id: str) -> bool:
    """Nobody ends a disagreement that they are a side of; who skipped the example took none."""
    return all(each.reviewer_id != person_id or each.decision is Decision.SKIP for each in answers)


def risk_of(score: int | None, findings: Sequence[Mapping[str, Any]]) -> int:
    """How much an example wants to be looked at: a low score, findings that are errors, conflicts with others."""
    errors = len([each for each in findings if each.get("severity") == "error"])
    conflicts = any("conflict" in str(each.get("code", "")) for each in findings)
    found = _UNCHECKED if score is None else 100 - score
    return found + _ERROR_RISK * min(errors, 3) + _CONFLICT_RISK * conflicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    example_id: str
    risk: int


def queue_of(candidates: Sequence[Candidate], golden: Sequence[str], *, size: int | None, seed: int) -> list[Candidate]:
    """The queue of a round: the riskiest first, ties by chance, golden examples wherever chance puts them.

    A golden example takes the risk of the one that it stands before, so that nothing tells it apart.
    """
    chance = np.random.default_rng(seed)
    known = set(golden)
    others = sorted((each for each in candidates if each.example_id not in known), key=lambda each: each.example_id)
    queue = sorted(_shuffled(others, chance), key=lambda each: -each.risk)[:size]
    for example_id in golden:
        place = int(chance.integers(len(queue) + 1))
        beside = queue[min(place, len(queue) - 1)].risk if queue else 0
        queue.insert(place, Candidate(example_id=example_id, risk=beside))
    return queue


def sampled(candidates: Sequence[Candidate], *, size: int | None, seed: int) -> list[Candidate]:
    """So many of them by chance, each as likely as the next; all where there are fewer."""
    ordered = sorted(candidates, key=lambda each: each.example_id)
    if size is None or size >= len(ordered):
        return ordered
    return _shuffled(ordered, np.random.default_rng(seed))[:size]


def handed_out(items: Sequence[str], reviewers: Sequence[str], *, overlap: int, seed: int) -> dict[str, list[str]]:
    """Which items each reviewer gets where nobody can ask for the next: `overlap` different people an item.

    Groups of reviewers take turns, so that everybody has the same number of items, give or take one turn, and every
    pair of reviewers has some in common.
    """
    assert 1 <= overlap <= len(reviewers), "an item goes to different people"
    chance = np.random.default_rng(seed)
    order = _shuffled(items, chance)
    groups = _shuffled(list(combinations(reviewers, overlap)), chance)
    piles: dict[str, list[str]] = {reviewer: [] for reviewer in reviewers}
    for item, group in zip(order, islice(cycle(groups), len(order)), strict=True):
        for reviewer in group:
            piles[reviewer].append(item)
    return piles


def _shuffled(items: Sequence[Item], chance: np.random.Generator) -> list[Item]:
    return [items[place] for place in chance.permutation(len(items))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known of a golden example. `label` None and scores left out are not asked for."""

    decision: Decision
    label: str | None
    scores: Mapping[str, int]


def misses(
    expected: Expected, decision: Decision, label: str | None, scores: Mapping[str, int | None]
) -> Iterator[str]:
    """What of an answer is not what is known: the decision, the class, a score by more than one point."""
    if decision is not expected.decision:
        yield "decision"
    if expected.label is not None and decision is Decision.ACCEPT and label != expected.label:
        yield "label"
    for name, known in expected.scores.items():
        given = scores.get(name)
        if given is not None and abs(given - known) > _CLOSE:
            yield name
