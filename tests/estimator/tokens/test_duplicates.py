from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from estimator.tokens import duplicates
from estimator.tokens.duplicates import Fingerprint, RowIndex, fingerprint, is_label


def ask(user: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]}


def problems_of(*rows: dict[str, Any] | None) -> list[tuple[int | None, str]]:
    index = RowIndex()
    for line, row in enumerate(rows, start=1):
        if row is not None:
            index.add(line, fingerprint(row))
    return [(problem.line, problem.code) for problem in index.problems()]


def test_a_copy_is_accused_and_its_original_is_not() -> None:
    row = ask("How do I pay?", "By card, or by invoice if you like.")
    assert problems_of(row, ask("Else?", "No."), row) == [(3, "row.duplicate_of")]


def test_keys_nobody_reads_and_weights_make_no_difference() -> None:
    row = ask("How do I pay?", "By card.")
    weighted = {"messages": [row["messages"][0], row["messages"][1] | {"weight": 1}], "source": "crm"}
    assert problems_of(row, weighted) == [(2, "row.duplicate_of")]


def test_case_blanks_and_final_punctuation_make_a_near_copy() -> None:
    assert problems_of(ask("How do I pay?", "By card."), ask(" HOW do I  pay ", "By card")) == [
        (2, "row.near_duplicate_of")
    ]


def test_two_labels_for_one_question_are_a_conflict() -> None:
    rows = ask("why was i charged", "fee"), ask("Why was I charged?", "exchange_rate"), ask("why was i charged", "fee")
    assert problems_of(*rows) == [(3, "row.duplicate_of"), (2, "row.label_conflict")]


def test_two_sentences_for_one_question_are_no_conflict() -> None:
    first, second = "You were charged because the card is foreign.", "It is the fee for payments in another currency."
    assert problems_of(ask("why?", first), ask("why?", second)) == []


def test_a_negation_is_another_question() -> None:
    assert problems_of(ask("can I pay by card", "card"), ask("can I not pay by card", "other")) == []


def test_rows_that_declare_other_tools_are_not_copies() -> None:
    row = ask("Weather?", "Sunny.")
    tool = {"type": "function", "function": {"name": "weather"}}
    assert problems_of(row, row | {"tools": [tool]}) == []


def test_the_first_line_is_named_with_gaps_between_the_rows() -> None:
    index = RowIndex()
    for line in (4, 9):
        index.add(line, fingerprint(ask("How do I pay?", "By card.")))
    (problem,) = index.problems()
    assert (problem.line, problem.message) == (9, "the same example as line 4")


def test_labels_are_short_and_on_one_line() -> None:
    assert all(map(is_label, ["billing", "top_up_failed", "Yes", "Card arrival"]))
    assert not any(map(is_label, ["", "Two\nlines", "It will arrive on Monday, I think.", "a b c d e f"]))


@given(st.lists(st.integers(0, 5), max_size=60))
def test_every_repetition_is_found_whatever_the_order(keys: list[int]) -> None:
    index = RowIndex()
    spread = [key * 2**61 + key for key in keys]
    for line, key in enumerate(spread, start=1):
        index.add(line, Fingerprint(key or 7, 0, key))
    lines = {problem.line for problem in index.problems()}
    assert lines == {line for line, key in enumerate(spread, start=1) if key in spread[: line - 1]}


def test_lines_beyond_the_bound_are_left_out_and_that_is_said(monkeypatch: Any) -> None:
    monkeypatch.setattr(duplicates, "MAX_LINES", 2)
    row = ask("How do I pay?", "By card.")
    assert problems_of(row, row, row, row) == [(2, "row.duplicate_of"), (None, "duplicates_not_compared")]
