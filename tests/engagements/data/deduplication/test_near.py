"""Near duplicates: found at any place, kept apart from what only looks alike, never chained into one heap."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.deduplication.links import Links, bounded_families, families
from engagements.phases.data_preparation.deduplication.meaning import says_something_else
from engagements.phases.data_preparation.deduplication.near import THRESHOLD, clusters
from engagements.phases.data_preparation.deduplication.passages import passage_links
from estimator.tokens.normal import folded

LETTERS = "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa"
WORDS = LETTERS.split()
PASSAGE = " ".join(WORDS[:13])


def links(*pairs: tuple[int, int, float]) -> Links:
    first, second, strength = zip(*pairs, strict=True) if pairs else ((), (), ())
    return Links.of(np.array(first, np.int64), np.array(second, np.int64), np.array(strength, np.float32))


def true_jaccard(one: str, other: str) -> float:
    a, b = ({f" {text} "[at : at + 4] for at in range(len(text) - 1)} for text in (one, other))
    return len(a & b) / len(a | b)


def test_a_typo_a_greeting_and_a_dropped_word_join_a_cluster() -> None:
    text = "how long does it take until my new card arrives in the mail"
    copies = [text.replace("arrives", "arives"), f"hello {text}", text.replace("new ", "")]
    found = clusters([text, *copies, "please close my account today"], seed=7)
    assert found.number.tolist() == [0, 0, 0, 0, 4]
    assert found.count == 1


def test_every_pair_comes_with_its_exact_jaccard_index() -> None:
    texts = ["please send me the new card soon", "please send me the new card now", "what is an exchange rate"]
    pairs = clusters(texts, seed=1).pairs
    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == [(0, 1)]
    assert pairs.strength[0] == pytest.approx(true_jaccard(*texts[:2]))


@pytest.mark.parametrize("texts", [[], [""], ["a"], ["", "a", "ab", "abc"]])
def test_sets_of_nearly_nothing_have_no_near_duplicates(texts: list[str]) -> None:
    assert clusters(texts, seed=7).number.tolist() == list(range(len(texts)))


@given(st.lists(st.sampled_from(WORDS), min_size=6, max_size=14), st.integers(0, 5), st.integers(0, 2**31))
def test_what_is_found_is_as_alike_as_it_says_whatever_the_seed(words: list[str], drop: int, seed: int) -> None:
    text, copy = " ".join(words), " ".join(words[:drop] + words[drop + 1 :])
    pairs = clusters([text, copy], seed=seed).pairs
    exact = true_jaccard(text, copy)
    assert len(pairs) <= (exact >= THRESHOLD - 1e-6)
    if exact >= 0.9:
        assert len(pairs) == 1


def test_the_same_seed_finds_the_same() -> None:
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS, 8)) for _ in range(300)]
    one, other = clusters(texts, seed=5), clusters(texts, seed=5)
    assert one.number.tolist() == other.number.tolist()


def test_families_are_named_by_their_first_row_however_long_the_chain() -> None:
    chain = links(*((row, row + 1, 1.0) for row in reversed(range(50))))
    assert families(52, chain).tolist() == [0] * 51 + [51]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_families_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    found = families(20, links(*((*pair, 1.0) for pair in pairs))).tolist()
    for one, other in pairs:
        assert found[one] == found[other]
    assert all(found[root] == root <= row for row, root in enumerate(found))


def test_a_template_is_taken_apart_at_its_weaker_links_and_copies_stay_together() -> None:
    template = [(row, row + 1, 0.75 if row % 2 else 0.97) for row in range(9)]
    weights = np.ones(12, np.int64)
    found = bounded_families(
        12, links(*template, (10, 11, 0.75)), always=links(), steps=(0.7, 0.9), weights=weights, limit=4
    )
    assert found.root.tolist() == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10]
    assert found.step.tolist() == [1] * 10 + [0, 0]


def test_rows_of_one_customer_are_never_taken_apart() -> None:
    customer = links(*((0, row, 1.0) for row in range(1, 8)))
    found = bounded_families(8, links(), always=customer, steps=(0.7, 0.9), weights=np.ones(8, np.int64), limit=2)
    assert found.root.tolist() == [0] * 8


def test_thirteen_shared_words_are_a_passage_and_twelve_are_not() -> None:
    texts = [f"one {PASSAGE} two", f"{PASSAGE} three", f"four {PASSAGE.rpartition(' ')[0]} five", "", PASSAGE]
    found = passage_links(texts)
    assert sorted(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(0, 1), (0, 4), (1, 4)]
    assert found.strength.tolist() == pytest.approx([0.5, 1.0, 1.0])


def test_a_passage_that_eleven_texts_share_is_boilerplate() -> None:
    assert len(passage_links([f"{PASSAGE} {word}" for word in WORDS[:11]])) == 0
    assert len(passage_links([f"{PASSAGE} {word}" for word in WORDS[:10]])) == 45


def test_a_negation_an_owner_or_a_number_says_something_else() -> None:
    assert says_something_else("it is showing", "it is not showing")
    assert says_something_else("it is not showing", "it is not not showing")
    assert says_something_else("my card", "your card")
    assert says_something_else("pay 10 euros", "pay 12 euros")
    assert not says_something_else("where is the card", "hello where is the card")


@pytest.mark.shared_data
def test_set_29_puts_95_of_100_true_pairs_into_one_cluster(shared_data: Path) -> None:
    folder = shared_data / "sets" / "29_neardup_banking"
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()]
    number = clusters([folded(row["text"]) for row in rows], seed=7).number
    place = {row["id"]: index for index, row in enumerate(rows)}
    pairs = [json.loads(line) for line in (folder / "truth_pairs.jsonl").read_bytes().splitlines()]
    together, all_of = Counter[str](), Counter[str]()
    for pair in pairs:
        all_of[pair["kind"]] += 1
        together[pair["kind"]] += bool(number[place[pair["a"]]] == number[place[pair["b"]]])
    true_kinds = [kind for kind in all_of if not kind.startswith("hard_negative")]
    assert sum(together[kind] for kind in true_kinds) >= 0.95 * sum(all_of[kind] for kind in true_kinds)
    for kind in ("exact", "case", "whitespace_punct", "unicode", "conflicting_label"):
        assert together[kind] == all_of[kind]
