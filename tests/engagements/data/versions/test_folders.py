"""`sixfold data card` and `sixfold data diff` over folders; what is unknown is said to be."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.preparing.datasheet import datasheet_of
from engagements.phases.data_preparation.preparing.facts import DatasheetFacts, SplitFact
from engagements.phases.data_preparation.preparing.sheet import datasheet_from
from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.versions.diffing import Side, Standing, difference


def record(name: str, text: str = "", label: str = "meter") -> Record:
    said = [{"role": "user", "content": text or f"text {name}"}, {"role": "assistant", "content": label}]
    return Record(id=name, messages=said, label=label)


def lay(folder: Path, **splits: list[Record]) -> Path:
    folder.mkdir()
    for name, records in splits.items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(each.as_line() for each in records))
    return folder


def test_a_diff_of_folders_counts_and_names_what_changed(sixfold, tmp_path):
    kept = [record(f"a{number}") for number in range(4)]
    before = lay(tmp_path / "one", train=[*kept, record("b"), record("c")], test=[record("t"), record("u")])
    after = lay(
        tmp_path / "two", train=[*kept, record("b", "new words", "bill"), record("t"), record("n")], test=[record("u")]
    )

    answer = sixfold("data", "diff", before, after, "--json")

    assert answer.code == 0
    found = answer.json
    assert (found["added"], found["removed"], found["edited"]) == (
        {"count": 1, "first": ["n"]}, {"count": 1, "first": ["c"]}, {"count": 1, "first": ["b"]},
    )  # fmt: skip
    assert found["moves"] == [{"record_id": "t", "before": "test", "after": "train"}]
    assert (found["unchanged"], found["left_test"]) == (5, 1)
    assert [(shift["split"], shift["label"], shift["before"], shift["after"]) for shift in found["shifts"]] == [
        ("test", "meter", 2, 1), ("train", "bill", 0, 1),
    ]  # fmt: skip
    shown = sixfold("data", "diff", before, after).out
    assert "1 left the test split" in shown


def test_a_card_says_unknown_where_nobody_knows(sixfold, tmp_path):
    folder = lay(tmp_path / "one", train=[record("a"), record("b", label="bill")], test=[record("c")])

    answer = sixfold("data", "card", folder, "--json")

    answers = {each["question"]: each["answer"] for part in answer.json["sections"] for each in part["answers"]}
    assert (answer.code, answer.json["examples"], answer.json["name"]) == (0, 3, "one")
    assert answers["Is there a label?"] == "Yes, one of 2 classes."
    for unknown in (
        "Which languages?",
        "Is there personal data in it?",
        "How far do reviewers agree?",
        "Who created it?",
    ):
        assert answers[unknown] is None
    assert "unknown" in sixfold("data", "card", folder).out


def test_what_is_no_dataset_is_refused_with_every_line(sixfold, tmp_path):
    folder = lay(tmp_path / "one", train=[record("a"), record("a")], test=[record("c")])
    with (folder / "test.jsonl").open("ab") as file:
        file.write(b'{not json\n[]\n{"id": "x", "messages": "words"}\n')

    refused = sixfold("data", "card", folder, "--json")
    nothing = sixfold("data", "diff", folder, tmp_path / "nowhere", "--json")

    assert (refused.code, nothing.code) == (2, 2)
    assert [(line, Path(where).name) for line, where, _ in refused.places] == [
        (2, "train.jsonl"), (2, "test.jsonl"), (3, "test.jsonl"), (4, "test.jsonl"),
    ]  # fmt: skip
    assert {code for _, _, code in refused.places} == {"dataset_unreadable"}
    assert sixfold("data", "card", folder, "--html").code == 2


@pytest.mark.slow
def test_the_card_of_a_prepared_folder_knows_its_sources_and_its_proof(sixfold, tmp_path):
    rows = "\n".join(f"text about {word} number {number},{word}" for number in range(40) for word in ("meter", "bill"))
    (tmp_path / "tickets.csv").write_text(f"text,label\n{rows}\n", "utf-8")
    assert sixfold("data", "prepare", "tickets.csv", "--input", "text", "--target", "label", "-o", "out").code == 0

    card = sixfold("data", "card", "out", "--json").json

    answers = {each["question"]: each["answer"] for part in card["sections"] for each in part["answers"]}
    assert answers["Does a test example stand in training, or nearly?"].startswith("0 exact")
    assert sixfold("data", "card", "out", "--html").out.startswith("<!doctype html>")
    shutil.copytree("out", "same")
    assert sixfold("data", "diff", "out", "same", "--json").json["unchanged"] == card["examples"]


STANDINGS = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(Standing, sha256=st.sampled_from("xyz"), split=st.sampled_from(["train", "validation", "test"])),
)


@given(STANDINGS, STANDINGS)
def test_every_example_is_accounted_for_and_the_way_back_is_the_mirror(one, other):
    before, after = (Side(name=name, examples=each, labels={}) for name, each in (("one", one), ("two", other)))

    forth, back = difference(before, after), difference(after, before)

    both = set(one) & set(other)
    assert forth.added.count + len(both) == len(other)
    assert forth.removed.count + len(both) == len(one)
    assert forth.unchanged == sum(one[name] == other[name] for name in both)
    assert (forth.added, forth.removed, forth.edited) == (back.removed, back.added, back.edited)
    assert difference(before, before).is_none


def test_a_datasheet_survives_its_own_json():
    facts = DatasheetFacts(
        name="v1", sha256="0" * 64, made_on="2026-11-23", dropped={"row.no_user": 3},
        splits=[SplitFact(name="train", examples=2, labels={f"label {number}": 1 for number in range(40)})],
    )  # fmt: skip
    sheet = datasheet_of(facts)

    assert datasheet_from(sheet.as_json()) == sheet
    captions = [table.caption for section in sheet.sections for table in section.tables]
    assert captions == ["Splits", "The 30 most frequent of 40 labels", "Rows left out"]
    assert sheet.unanswered == 25
