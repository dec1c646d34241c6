"""Gate 1: a dataset that is frozen, large enough, clean of leakage, lawful and described."""

from collections.abc import Iterator
from typing import Final

from engagements.delivery.evidence import Check, DatasetVersion, SplitName
from engagements.phases.facts import Facts, Recorded
from engagements.phases.requirements import Requirement, Status

TEST_EXAMPLES_MIN: Final = 100
"""Below it the interval of a rate is 20 points wide and more."""
SHARES: Final = {
    SplitName.TRAIN: (0.70, 0.80),
    SplitName.VALIDATION: (0.10, 0.15),
    SplitName.TEST: (0.10, 0.20),
}
"""The usual shares of the splits; advice, for what a test set can show is a number of items and no share."""


def requirements(facts: Facts) -> tuple[Requirement, ...]:
    found = facts.dataset
    if found is None:
        return (*_nothing_recorded(),)
    return (
        _splits(found),
        _test_split(found, facts),
        _sealed(found),
        _leakage(found),
        _agreement(found),
        _check(found, "licence", "Licence checklist", found.content.licence),
        _check(found, "personal_data", "Personal-data checklist", found.content.personal_data),
        _card(found),
        *_shares(found),
    )


def test_items_needed(facts: Facts) -> int:
    """Items of the test split that the must-criteria were agreed on; 100 at least."""
    return max([TEST_EXAMPLES_MIN, *(each.terms.items for each in facts.agreed.criteria if each.is_must)])


_TITLES: Final = {
    "splits": "Splits frozen, with their digests",
    "test_split": "Test split large enough",
    "sealed": "Test split sealed",
    "leakage": "No test example in training, nor a near copy",
    "label_agreement": "Label agreement at the target",
    "licence": "Licence checklist",
    "personal_data": "Personal-data checklist",
    "data_card": "Data card",
}


def _nothing_recorded() -> Iterator[Requirement]:
    for code, title in _TITLES.items():
        said, remedy = "no dataset version is recorded", "record the dataset version as evidence"
        yield Requirement(code=code, title=title, status=Status.MISSING, said=said, remedy=remedy)


def _of(found: Recorded[DatasetVersion], code: str, status: Status, said: str, remedy: str = "") -> Requirement:
    return Requirement(
        code=code, title=_TITLES[code], status=status, said=said, evidence=(found.id,),
        remedy="" if status is Status.MET else remedy,
    )  # fmt: skip


def _splits(found: Recorded[DatasetVersion]) -> Requirement:
    absent = [name for name in SplitName if not (split := found.content.split(name)) or not split.examples]
    if absent:
        said = f"version {found.content.name} has no {' and no '.join(absent)} split"
        return _of(found, "splits", Status.MISSING, said, "record all three splits, each with its digest")
    parts = (f"{split.examples} {split.name}" for split in found.content.splits)
    return _of(found, "splits", Status.MET, f"version {found.content.name}: {', '.join(parts)}")


def _test_split(found: Recorded[DatasetVersion], facts: Facts) -> Requirement:
    split, needed = found.content.split(SplitName.TEST), test_items_needed(facts)
    there = split.examples if split else 0
    said = f"{there} test examples; at least {needed} needed"
    reason = "for what the criteria promise" if needed > TEST_EXAMPLES_MIN else "to see a 10-point gain"
    status = Status.MET if there >= needed else Status.FAILED if split else Status.MISSING
    remedy = f"hold out {needed - there} more, or agree a smaller promise as a change"
    return _of(found, "test_split", status, f"{said} {reason}", remedy)


def _sealed(found: Recorded[DatasetVersion]) -> Requirement:
    if found.content.sealed_at is None:
        remedy = "lock the test split away, and record since when"
        return _of(found, "sealed", Status.MISSING, "the test split is not sealed", remedy)
    return _of(found, "sealed", Status.MET, f"sealed on {found.content.sealed_at.date().isoformat()}")


def _leakage(found: Recorded[DatasetVersion]) -> Requirement:
    leak = found.content.leakage
    if leak is None:
        remedy = "compare the test split with the others: exact, normalised and near copies"
        return _of(found, "leakage", Status.MISSING, "leakage was not checked", remedy)
    said = f"{leak.exact} exact, {leak.normalised} normalised and {leak.near} near copies ({leak.near_rule})"
    clean = not (leak.exact or leak.normalised or leak.near)
    remedy = "take the copies out of training, or out of the test split, and record a new version"
    return _of(found, "leakage", Status.MET if clean else Status.FAILED, said, remedy)


def _agreement(found: Recorded[DatasetVersion]) -> Requirement:
    seen = found.content.agreement
    if seen is None:
        remedy = "have two people label the same items, and record the measure with its target"
        return _of(found, "label_agreement", Status.MISSING, "label agreement was not measured", remedy)
    said = f"{seen.measure} {seen.value:.2f} on {seen.items} items; target {seen.target:.2f}"
    met = seen.value >= seen.target and seen.items > 0
    remedy = "sharpen the guideline where they differ, label anew, measure again"
    return _of(found, "label_agreement", Status.MET if met else Status.FAILED, said, remedy)


def _check(found: Recorded[DatasetVersion], code: str, name: str, check: Check | None) -> Requirement:
    if check is None:
        return _of(found, code, Status.MISSING, f"{name.lower()} not filled in", f"fill in the {name.lower()}")
    said = f"{'closed' if check.passed else 'open'}, {check.by}, {check.on.isoformat()}"
    remedy = "settle what is open in it, and record a new version"
    return _of(found, code, Status.MET if check.passed else Status.FAILED, said, remedy)


def _card(found: Recorded[DatasetVersion]) -> Requirement:
    card = found.content.card_sha256
    if card is None:
        return _of(found, "data_card", Status.MISSING, "no data card", "write the data card and record its digest")
    return _of(found, "data_card", Status.MET, f"digest {card[:12]}")


def _shares(found: Recorded[DatasetVersion]) -> Iterator[Requirement]:
    total = sum(split.examples for split in found.content.splits)
    for name, (low, high) in SHARES.items():
        split = found.content.split(name)
        if split is None or not total or low <= split.examples / total <= high:
            continue
        said = f"{100 * split.examples / total:.0f}% of {total} examples; {100 * low:.0f} to {100 * high:.0f}% is usual"
        yield Requirement(
            code=f"share_{name}", title=f"Share of the {name} split", status=Status.FAILED, said=said, must=False,
            remedy="split anew, or say in the data card why not", evidence=(found.id,),
        )  # fmt: skip
