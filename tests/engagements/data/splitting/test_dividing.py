"""A split that is seeded, stratified, never parts a group, stays as it is when the set grows, and leaks nothing."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagements.phases.data_preparation.records import Origin, Record
from engagements.phases.data_preparation.splitting.dividing import Division, divide
from engagements.phases.data_preparation.splitting.leaks import leaks_between
from engagements.phases.data_preparation.splitting.material import Material
from engagements.phases.data_preparation.splitting.policy import (
    SPLITS,
    Previous,
    Shares,
    SharesInvalid,
    Split,
    SplitPolicy,
)

SYLLABLES = [a + b for a in "bdfgklmnprst" for b in "aeiou"]


def example(number: int, *, label: str = "", text: str = "", group: str | None = None, seed: str = "") -> Record:
    """With words of its own, so that no two are alike by chance."""
    rng = np.random.default_rng(number)
    words = text or " ".join("".join(rng.choice(SYLLABLES, 3)) for _ in range(8))
    answer = label or f"answer {number}"
    return Record(
        id=f"e{number}", messages=[{"role": "user", "content": words}, {"role": "assistant", "content": answer}],
        label=label or None, group=group, origin=Origin(seed=seed),
    )  # fmt: skip


def examples(count: int, *, labels: int = 4) -> list[Record]:
    return [example(number, label=f"label {number % labels}") for number in range(count)]


def splits_of(records: Sequence[Record], policy: SplitPolicy) -> dict[str, Split]:
    return by_id(records, divide(Material.of(records), policy))


def by_id(records: Sequence[Record], division: Division) -> dict[str, Split]:
    return {
        record.id: SPLITS[side]
        for record, side in zip(records, division.split.tolist(), strict=True)
        if side >= 0
    }  # fmt: skip


def shares_of(splits: Mapping[str, Split]) -> list[float]:
    counts = Counter(splits.values())
    return [counts[split] / len(splits) for split in SPLITS]


RECORDS = examples(600)
SPLIT = splits_of(RECORDS, SplitPolicy(seed=7))


def test_the_shares_are_as_asked_and_every_label_has_its_own() -> None:
    train, validation, test = shares_of(SPLIT)
    assert 0.70 <= train <= 0.80
    assert 0.10 <= validation <= 0.15
    assert 0.10 <= test <= 0.15
    for label in {record.label for record in RECORDS}:
        mine = {record.id: SPLIT[record.id] for record in RECORDS if record.label == label}
        assert shares_of(mine) == pytest.approx([0.76, 0.12, 0.12], abs=0.045)


def test_a_hold_out_comes_out_of_training_and_validation_alike() -> None:
    held = Shares().holding_out(0.18)
    assert tuple(held) == pytest.approx((0.82 * 76 / 88, 0.82 * 12 / 88, 0.18))
    assert shares_of(splits_of(RECORDS, SplitPolicy(seed=7, shares=held)))[2] == pytest.approx(0.18, abs=0.02)


@pytest.mark.parametrize("text", ["80/20", "80/10/20", "a/b/c", "0/50/50", "120/-10/-10"])
def test_shares_that_are_no_division_are_refused(text: str) -> None:
    with pytest.raises(SharesInvalid):
        Shares.read(text)


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    assert splits_of(RECORDS, SplitPolicy(seed=7)) == SPLIT
    assert splits_of(RECORDS, SplitPolicy(seed=8)) != SPLIT


def test_the_order_of_the_rows_moves_nobody() -> None:
    assert splits_of(RECORDS[::-1], SplitPolicy(seed=7)) == SPLIT


def test_nobody_moves_when_the_set_grows() -> None:
    grown = splits_of([*RECORDS, *(example(n, label=f"label {n % 4}") for n in range(600, 720))], SplitPolicy(seed=7))
    assert sum(grown[one] is split for one, split in SPLIT.items()) >= 0.99 * len(SPLIT)


def test_nobody_moves_at_all_where_the_former_split_is_known() -> None:
    former = Previous(by_id=splits_of(RECORDS, SplitPolicy(seed=7)))
    grown = [*(example(n, label=f"label {n % 3}") for n in range(600, 900)), *RECORDS]
    after = splits_of(grown, SplitPolicy(seed=99, previous=former))
    assert {one: after[one] for one in SPLIT} == SPLIT


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 25), min_size=1, max_size=120), st.integers(0, 10**6))
def test_no_group_is_ever_parted(groups: list[int], seed: int) -> None:
    records = [example(n, label=f"label {n % 3}", group=f"customer {g}") for n, g in enumerate(groups)]
    splits = splits_of(records, SplitPolicy(seed=seed))
    sides = defaultdict(set)
    for record in records:
        sides[record.group].add(splits[record.id])
    assert all(len(each) == 1 for each in sides.values())


def test_what_was_made_from_a_seed_goes_where_the_seed_is() -> None:
    made = [example(1000 + n, seed=f"e{n % 50}", label=f"label {n % 4}") for n in range(200)]
    splits = splits_of([*RECORDS, *made], SplitPolicy(seed=7))
    assert all(splits[record.id] is splits[record.origin.seed] for record in made)


def test_near_copies_with_different_labels_stay_on_one_side() -> None:
    text = "how long does it take until my new card arrives in the mail"
    copies = [
        example(2000 + n, label=f"label {n % 2}", text=f"{text}{'!' * (n % 3)} {'hello' * (n % 2)}") for n in range(8)
    ]
    splits = splits_of([*RECORDS, *copies], SplitPolicy(seed=7))
    assert len({splits[record.id] for record in copies}) == 1


def test_a_label_with_three_groups_is_in_every_split() -> None:
    rare = [example(3000 + n, label="rare") for n in range(3)]
    splits = splits_of([*RECORDS, *rare], SplitPolicy(seed=7))
    assert {splits[record.id] for record in rare} == set(SPLITS)


def test_a_thousand_labels_of_two_examples_leave_something_to_test_and_all_are_trained_on() -> None:
    records = [example(5000 + n, label=f"label {n // 2}") for n in range(2000)]
    splits = splits_of(records, SplitPolicy(seed=7))
    assert shares_of(splits) == pytest.approx([0.76, 0.12, 0.12], abs=0.02)
    assert {record.label for record in records if splits[record.id] is Split.TRAIN} == {each.label for each in records}


def test_a_single_example_of_a_label_is_trained_on_unless_all_are_single() -> None:
    single = [example(4000 + n, label=f"only {n}") for n in range(20)]
    splits = splits_of([*RECORDS, *single], SplitPolicy(seed=7))
    assert {splits[record.id] for record in single} == {Split.TRAIN}
    alone = [example(8000 + n, label=f"only {n}") for n in range(400)]
    assert shares_of(splits_of(alone, SplitPolicy(seed=7))) == pytest.approx([0.76, 0.12, 0.12], abs=0.02)


def test_one_giant_group_still_leaves_a_division() -> None:
    records = [*(example(n, group="one") for n in range(90)), *(example(n) for n in range(90, 120))]
    splits = splits_of(records, SplitPolicy(seed=7))
    assert len({splits[f"e{n}"] for n in range(90)}) == 1
    assert set(splits.values()) == set(SPLITS)


def test_a_new_copy_of_examples_on_two_sides_is_left_out_and_the_old_ones_stay() -> None:
    one = "please tell me when the parcel that i ordered on monday will be here"
    other = "please tell me when the parcel that i ordered on sunday will be there"
    old = [example(1, text=one), example(2, text=other), *RECORDS[10:60]]
    former = {record.id: SPLIT.get(record.id, Split.TRAIN) for record in old}
    former |= {"e1": Split.TRAIN, "e2": Split.TEST}
    bridge = example(3, text="please tell me when the parcel that i ordered on sunday will be here")
    records = [*old, bridge]
    division = divide(Material.of(records), SplitPolicy(seed=7, previous=Previous(by_id=former)))
    assert [records[row].id for row in division.left_out.tolist()] == ["e3"]
    assert by_id(records, division) == former


# --- the proof --------------------------------------------------------------------------------------------------------


def leaking(train: str, test: str) -> dict[Split, list[Record]]:
    return {
        Split.TRAIN: [example(1, text=train), *RECORDS[10:40]],
        Split.VALIDATION: RECORDS[40:60],
        Split.TEST: [example(2, text=test), *RECORDS[60:80]],
    }


LONG = " ".join("".join(pair) for pair in zip(SYLLABLES, reversed(SYLLABLES), strict=True))


@pytest.mark.parametrize(
    ("train", "test", "kinds"),
    [
        ("Where is my card?", "Where is my card?", {"exact", "normalised"}),
        ("Where is my card?", "where is  my card", {"normalised"}),
        ("Where is my new card please?", "Where is my neww card please?", {"minhash"}),
        (f"{LONG[:150]} quite something else", f"now this {LONG[:150]} and then {LONG[200:300]}", {"ngram"}),
    ],
)
def test_every_kind_of_leak_is_found_with_its_pair(train: str, test: str, kinds: set[str]) -> None:
    report = leaks_between(leaking(train, test))
    found = report.as_json()
    assert {kind for kind in ("exact", "normalised", "minhash", "ngram") if found[kind]} == kinds
    assert {(leak.first, leak.second) for leak in report.pairs} == {("e1", "e2")}
    assert report.embedding is None


def test_what_is_divided_here_leaks_nothing() -> None:
    splits = {split: [record for record in RECORDS if SPLIT[record.id] is split] for split in SPLITS}
    assert leaks_between(splits).total == 0


def test_a_model_finds_what_words_do_not_and_its_finds_are_moved_together() -> None:
    said = ["cannot log in", "access to the account is denied"]
    pair = [example(number, text=text, label="label 0") for number, text in enumerate(said, 1)]
    records = [*pair, *RECORDS[10:200]]

    def embed(texts: Sequence[str]) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
        rows = [np.random.default_rng(1 if text in said else abs(hash(text))).normal(size=32) for text in texts]
        return np.array(rows, np.float32)

    material = Material.of(records)
    seed = next(n for n in range(50) if len({*map(splits_of(records, SplitPolicy(seed=n)).get, ("e1", "e2"))}) == 2)
    division = divide(material, SplitPolicy(seed=seed), embed=embed)
    assert division.first_found >= 1
    assert division.leaks.total == division.leaks.embedding == 0
    assert len({*map(by_id(records, division).get, ("e1", "e2"))}) == 1


def test_a_former_split_that_leaks_is_said_and_not_mended() -> None:
    records = [example(1, text="Where is my card?"), example(2, text="where is my card"), *RECORDS[10:60]]
    former = {record.id: Split.TRAIN for record in records} | {"e2": Split.TEST}
    division = divide(Material.of(records), SplitPolicy(seed=7, previous=Previous(by_id=former)))
    assert division.leaks.normalised == 1
    assert by_id(records, division) == former
