"""What counts as the same example, and what never does."""

import pytest

from engagements.phases.data_preparation.deduplication.exact import ExactIndex, Repeat, compared
from engagements.phases.data_preparation.records import Record
from estimator.tokens.normal import folded


def asked(text: str, label: str = "card", **more: object) -> Record:
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
    return Record(id=f"r-{text}", messages=messages, label=label, **more)  # type: ignore[arg-type]


def repeats(*records: Record) -> list[Repeat | None]:
    index = ExactIndex()
    found = [index.add(row, compared(record).fingerprint) for row, record in enumerate(records)]
    return [each.kind if each else None for each in found]


def test_a_copy_as_written_is_identical() -> None:
    assert repeats(asked("Where is my card?"), asked("Where is my card?")) == [None, Repeat.IDENTICAL]


@pytest.mark.parametrize(
    "copy",
    [
        "WHERE IS MY CARD",
        "where  is my card ?!",
        "Where\u00a0is my\u200b card?",
        "Whеrе is my card?",  # with two Cyrillic letters
        "“Where is my card…”",
    ],
)
def test_case_blanks_punctuation_and_look_alike_letters_make_no_other_example(copy: str) -> None:
    assert repeats(asked("Where is my card?"), asked(copy)) == [None, Repeat.NORMALISED]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Pay 1.5 euros", "Pay 15 euros"),
        ("It is -5 degrees", "It is 5 degrees"),
        ("I owe 5%", "I owe 5"),
        ("Learn C#", "Learn C"),
        ("a nice day", "an ice day"),
        ("My card does work", "My card does not work"),
        ("my card", "your card"),
        ("un café", "un cafe"),
        ("???", "!!!"),
    ],
)
def test_what_says_something_else_is_another_example(one: str, other: str) -> None:
    assert repeats(asked(one), asked(other)) == [None, None]


def test_another_label_for_the_same_question_is_a_conflict_and_no_duplicate() -> None:
    assert repeats(asked("Where is it?"), asked("where is it", "refund")) == [None, Repeat.CONFLICT]


def test_objects_that_differ_as_their_questions_are_written_are_no_conflict() -> None:
    def played(service: str, kind: str = "service") -> Record:
        target = {"entities": [{"type": kind, "text": service}]}
        messages = [{"role": "user", "content": f"Play {service}"}, {"role": "assistant", "content": str(target)}]
        return Record(id=service, messages=messages, target=target)

    assert repeats(played("iHeart"), played("iheart"), played("iHeart", "album")) == [
        None, Repeat.NORMALISED, Repeat.CONFLICT,
    ]  # fmt: skip


def test_free_answers_to_one_question_may_differ() -> None:
    def told(answer: str) -> Record:
        return Record(
            id="x", messages=[{"role": "user", "content": "Tell me"}, {"role": "assistant", "content": answer}]
        )

    long = "a long answer of many words that nobody takes for a label"
    assert repeats(told(f"One is {long}."), told(f"Two is {long}.")) == [None, None]


def test_other_turns_and_other_tools_make_another_example() -> None:
    first = asked("Where?")
    opened = first.replaced(messages=[{"role": "user", "content": "Hello"}, *first.messages])
    tooled = first.replaced(tools=[{"type": "function", "function": {"name": "find"}}])
    assert repeats(first, opened, tooled) == [None, None, None]


def test_folding_leaves_scripts_alone_that_are_not_mixed() -> None:
    assert folded("Привет, мир!") == "привет мир"
    assert folded("STRASSE straße") == "strasse strasse"
    assert folded("e\u0301te\u0301") == "été"
    assert folded("") == ""
