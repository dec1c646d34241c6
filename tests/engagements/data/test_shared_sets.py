"""Public training sets from their own files to splits: every row accounted for, nothing parted, the notes' numbers."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.collecting.importing import Import
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.preparing.options import NearDuplicates, PrepareOptions
from engagements.phases.data_preparation.preparing.prepare import prepare
from engagements.phases.data_preparation.preparing.report import report_of
from engagements.phases.data_preparation.records import Record, record_of
from engagements.phases.data_preparation.splitting.policy import SPLITS, SplitPolicy

pytestmark = pytest.mark.shared_data


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The report of a preparation, and the records of each split."""

    report: Mapping[str, Any]
    splits: Sequence[Sequence[Record]]

    @property
    def records(self) -> Iterable[Record]:
        return (record for split in self.splits for record in split)

    def sides(self, key: Callable[[Record], object]) -> list[set[object]]:
        """What stands in each split, but for what has no such key."""
        return [{found for record in split if (found := key(record)) is not None} for split in self.splits]


def prepared(*files: Path, near: NearDuplicates = NearDuplicates.KEEP, seed: int = 7) -> Outcome:
    check = CheckPolicy(licence_required=False, personal_data=PersonalDataRule.KEEP)
    options = PrepareOptions(check=check, split=SplitPolicy(seed=seed), near_duplicates=near, processes=0)
    with prepare(files, options) as found:
        splits = [[record_of(json.loads(line)) for line in found.lines_of(split)] for split in SPLITS]
        return Outcome(report=report_of(found), splits=splits)


def plainly(text: str) -> str:
    """As the notes compare texts: lower case, blanks collapsed."""
    return " ".join(text.lower().split())


def are_disjoint(sides: Sequence[set[object]]) -> bool:
    return sum(map(len, sides)) == len(set().union(*sides))


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What comes of a set. `dropped`: rows left out beside copies, by reason."""

    files: Sequence[str]
    rows_in: int
    copies: int = 0
    conflicts: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    labels: int = 0
    groups: int = 0


QUICK = {
    "06": Expected(files=["06_bitext_responses_300/train_300.jsonl"], rows_in=300),
    "07": Expected(files=["07_oasst_en100_trees/en_100_tree.jsonl"], rows_in=100, groups=100),
    "08": Expected(files=["08_sharegpt_dummy/dummy_conversation.json"], rows_in=500),
    "09": Expected(files=["09_selfinstruct_seed/seed_tasks.jsonl"], rows_in=175, labels=25, groups=175),
    "11": Expected(files=["11_abcd_sample/abcd_sample.json"], rows_in=3, groups=3),
    "14": Expected(files=["14_cookbook_toy/toy_chat_fine_tuning.jsonl"], rows_in=5),
    "15": Expected(files=["15_cookbook_drone_tools/drone_training.jsonl"], rows_in=103),
    "15b": Expected(
        files=["15b_glaive_toolcall_demo/glaive_toolcall_en_demo.json"], rows_in=300, copies=35,
        dropped={"tools.arguments": 1},
    ),
    "22": Expected(files=["22_mmlu_dev_cot/mmlu_cot_prompts.json"], rows_in=282, copies=1, groups=57),
    "29": Expected(files=["29_neardup_banking/rows.jsonl"], rows_in=1460, copies=220, conflicts=40, labels=77),
    "36 bookings": Expected(files=["36_judge_minis/bookings.csv"], rows_in=200, copies=20, labels=5),
    "36 reviews": Expected(files=["36_judge_minis/code_review.csv"], rows_in=50, labels=2),
    "38": Expected(files=["38_slurp_devel/devel.jsonl"], rows_in=2033, copies=1, labels=71),
}  # fmt: skip
LARGE = {
    "01": Expected(
        files=["01_banking77/train.csv", "01_banking77/test.csv"], rows_in=13_083, copies=56, conflicts=2, labels=77
    ),
    "02": Expected(files=["02_clinc150/data_full.json"], rows_in=23_700, copies=62, conflicts=4, labels=151),
    "03": Expected(files=["03_clinc_drift/reference.csv"], rows_in=3000, labels=75),
    "04": Expected(
        files=["04_snips_nlu/train_full.jsonl", "04_snips_nlu/validate.jsonl"], rows_in=14_484, copies=272, conflicts=1,
        labels=7,
    ),
    "04 raw": Expected(
        files=["04_snips_nlu/raw/train_PlayMusic_full.json"], rows_in=2000, copies=33, conflicts=1,
        dropped={"row.malformed_utf8": 1}, labels=1,
    ),
    "05": Expected(
        files=[f"05_bitext_intents/{name}.csv" for name in ("train", "validation", "test")], rows_in=8100, copies=207,
        labels=27,
    ),
    "10": Expected(files=["10_e2e_nlg_dev/devset.csv"], rows_in=4672, copies=157, conflicts=1, groups=547),
    "18": Expected(
        files=[f"18_wnut17_train_dev/{name}.conll" for name in ("wnut17train", "emerging.dev")], rows_in=4403,
        copies=105, conflicts=13,
    ),
    "19": Expected(files=["19_xquad_en/xquad.en.json"], rows_in=1190, copies=3, groups=48),
    "20": Expected(files=["20_gsm8k_test/test.jsonl"], rows_in=1319),
}  # fmt: skip
SETS = {
    name: pytest.param(expected, id=name, marks=[pytest.mark.slow] if name in LARGE else [])
    for name, expected in (QUICK | LARGE).items()
}


@pytest.fixture
def files(shared_data: Path) -> Callable[..., list[Path]]:
    return lambda *names: [shared_data / "sets" / name for name in names]


@pytest.mark.parametrize("expected", SETS.values())
def test_a_set_goes_from_its_files_to_splits_with_every_row_accounted_for(files, expected: Expected) -> None:
    found = prepared(*files(*expected.files))
    report = found.report
    copies = {f"duplicate_{kind}": report["duplicates"][kind] for kind in ("identical", "normalised")}
    assert report["rows_in"] == expected.rows_in
    assert {reason: count for reason, count in copies.items() if count} | expected.dropped == report["dropped"]
    assert report["exact_duplicates"] == expected.copies
    assert report["kept"] == expected.rows_in - expected.copies - sum(expected.dropped.values())
    assert report["label_conflicts"]["count"] == expected.conflicts
    assert len({record.id for record in found.records}) == report["kept"] == sum(map(len, found.splits))
    assert all(found.splits)
    assert len({record.label for record in found.records} - {None}) == expected.labels

    assert set(report["leaks"].values()) == {0}
    assert are_disjoint(found.sides(lambda record: plainly(record.question)))
    assert len(set().union(*found.sides(lambda record: record.group))) == expected.groups
    assert are_disjoint(found.sides(lambda record: record.group))
    # What a note calls a copy is gone, unless it asks the same and teaches something else.
    taught = Counter((record.group, plainly(record.question), plainly(record.answer)) for record in found.records)
    assert not expected.labels or max(taught.values()) == 1

    assert prepared(*files(*expected.files)).report["digest"] == report["digest"]


def test_accepted_calls_are_joined_and_prepared_as_a_training_set(files, tmp_path: Path) -> None:
    dropped = {}
    for name, rows in (("simple_python", 400), ("parallel", 200)):
        questions, answers = files(
            f"13_bfcl_simple/BFCL_v4_{name}.jsonl", f"13_bfcl_simple/possible_answer_BFCL_v4_{name}.jsonl"
        )
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"".join(record.as_line() for record in Import(questions, joined=answers)))
        found = prepared(path)
        dropped[name] = found.report["dropped"]
        assert found.report["rows_in"] == rows == found.report["kept"] + sum(dropped[name].values())
        assert set(found.report["leaks"].values()) == {0}
        assert all(record.messages[-1]["tool_calls"] for record in found.records)
    # Two of the accepted answers are of a type that their own tool does not take.
    assert dropped == {"simple_python": {"tools.arguments": 2}, "parallel": {}}


def test_threads_of_a_tree_stay_in_one_split(files, tmp_path: Path) -> None:
    path = tmp_path / "threads.jsonl"
    leaves = Import(*files("07_oasst_en100_trees/en_100_tree.jsonl"), mapping=ColumnMapping(shape="message_leaves"))
    path.write_bytes(b"".join(record.as_line() for record in leaves))
    found = prepared(path)
    assert found.report["rows_in"] == 626 == found.report["kept"] + sum(found.report["dropped"].values())
    assert set(found.report["leaks"].values()) == {0}
    assert are_disjoint(found.sides(lambda record: record.group))
    assert len({record.group for record in found.records}) == 100


@pytest.mark.slow
def test_questions_to_one_paragraph_stay_in_one_split(files) -> None:
    found = prepared(*files("19_xquad_en/xquad.en.json"))
    document = json.loads(files("19_xquad_en/xquad.en.json")[0].read_bytes())
    contexts = [paragraph["context"] for article in document["data"] for paragraph in article["paragraphs"]]
    sides = found.sides(lambda record: next(each for each in contexts if each in record.question))
    assert are_disjoint(sides)
    assert len(set().union(*sides)) == len(contexts) == 240


@pytest.mark.slow
def test_copies_are_those_that_the_note_of_banking_counts_and_those_but_for_punctuation(files) -> None:
    train, test = files("01_banking77/train.csv", "01_banking77/test.csv")
    texts = {}
    for path in (train, test):
        with path.open(encoding="utf-8", newline="") as file:
            texts[path] = [plainly(row["text"]) for row in csv.DictReader(file)]
    assert [len(texts[path]) - len(set(texts[path])) for path in (train, test)] == [4, 1]
    assert len(set(texts[train]) & set(texts[test])) == 7
    found = prepared(train, test)
    assert max(len(record.question) for record in found.records) == 433
    assert any("\n" in record.question for record in found.records)
    left = Counter(plainly(record.question) for record in found.records)
    assert max(left.values()) == 1
    assert found.report["exact_duplicates"] == 56 > 4 + 1 + 7


@pytest.mark.slow
def test_parts_of_clinc_have_the_sizes_and_the_copies_of_its_note(files) -> None:
    records = list(Import(*files("02_clinc150/data_full.json")))
    parts = Counter(record.meta["part"] for record in records)
    assert parts == {"train": 15_000, "val": 3000, "test": 4500, "oos_train": 100, "oos_val": 100, "oos_test": 1000}
    texts = {part: {plainly(record.question) for record in records if record.meta["part"] == part} for part in parts}
    assert {part: len(found) for part, found in texts.items()} == parts
    assert (len(texts["val"] & texts["train"]), len(texts["test"] & texts["train"])) == (3, 2)


def test_templates_lose_little_to_exact_copies_and_much_to_near_ones(files) -> None:
    train = files("05_bitext_intents/train.csv")
    with train[0].open(encoding="utf-8", newline="") as file:
        texts = [plainly(row["utterance"]) for row in csv.DictReader(file)]
    assert len(texts) - len(set(texts)) == 116
    dropped = prepared(*train, near=NearDuplicates.DROP).report["dropped"]
    assert dropped == {"duplicate_normalised": 135, "near_duplicate": 643}
    talk = prepared(*files("08_sharegpt_dummy/dummy_conversation.json"), near=NearDuplicates.DROP).report
    assert (talk["rows_in"], talk["exact_duplicates"], talk["dropped"]) == (500, 0, {"near_duplicate": 276})
    assert talk["near_duplicates"]["rows"] == 499


def test_dropping_near_copies_takes_no_hard_negative_and_no_conflict(files) -> None:
    rows, truth = files("29_neardup_banking/rows.jsonl", "29_neardup_banking/truth_pairs.jsonl")
    pairs = [json.loads(line) for line in truth.read_bytes().splitlines()]
    found = prepared(rows, near=NearDuplicates.DROP)
    kept = {record.id for record in found.records}
    assert found.report["dropped"]["near_duplicate"] > 0
    protected = [pair for pair in pairs if pair["kind"] in ("hard_negative_negation", "conflicting_label")]
    assert len(protected) == 80
    assert [pair for pair in protected if pair["b"] not in kept] == []
    true = [pair for pair in pairs if pair["duplicate"] and pair["kind"] != "conflicting_label"]
    gone = sum(not {pair["a"], pair["b"]} <= kept for pair in true)
    assert gone >= 0.9 * len(true)


def test_every_pair_counted_by_brute_force_is_on_one_side(files) -> None:
    for name in ("29_neardup_banking/rows.jsonl", "36_judge_minis/bookings.csv"):
        found = prepared(*files(name))
        sides = [[runs(plainly(record.question)) for record in split] for split in found.splits]
        alike = [
            jaccard(one, other)
            for first, second in ((0, 1), (0, 2), (1, 2)) for one in sides[first] for other in sides[second]
        ]  # fmt: skip
        assert max(alike) < 0.8, name


def runs(text: str) -> frozenset[str]:
    return frozenset(f" {text} "[at : at + 4] for at in range(len(text) - 1))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / max(1, len(one) + len(other) - shared)


def test_classes_of_the_bookings_are_those_of_the_note(files) -> None:
    balance = prepared(*files("36_judge_minis/bookings.csv")).report["check"]["balance"]
    counts = {each["label"]: each["examples"] for each in balance["largest"]}
    assert counts == {"Booking": 79, "Policy": 36, "Payment": 35, "Escalation": 27, "Technical": 23}
    reviews = prepared(*files("36_judge_minis/code_review.csv")).report["check"]["balance"]
    assert {each["label"]: each["examples"] for each in reviews["largest"]} == {"bad": 27, "good": 23}


def test_problems_of_the_toy_set_and_of_the_seeds_are_those_of_their_notes(files) -> None:
    assert prepared(*files("14_cookbook_toy/toy_chat_fine_tuning.jsonl")).report["problem_counts"]["row.no_user"] == 1
    seeds = list(prepared(*files("09_selfinstruct_seed/seed_tasks.jsonl")).records)
    assert sum(record.meta["is_classification"] for record in seeds) == 26


def test_every_line_with_an_error_is_left_out_and_no_sound_one(files) -> None:
    rows, truth = files("28_dirty_chat_jsonl/mixed_defects.jsonl", "28_dirty_chat_jsonl/mixed_defects_truth.jsonl")
    labels = {each["line"]: each for each in map(json.loads, truth.read_bytes().splitlines())}
    found = prepared(rows)
    kept = {record.origin.row for record in found.records}
    assert found.report["rows_in"] == len(labels) == 67 == len(kept) + sum(found.report["dropped"].values())
    assert [labels[line] for line in kept if labels[line]["severity"] == "error"] == []
    assert [line for line, label in labels.items() if label["severity"] == "ok" and line not in kept] == []
    named = {problem["line"] for problem in found.report["problems"]}
    of_the_set = {each["row"] for finding in found.report["check"]["findings"] for each in finding["first"]}
    defects = {line for line, label in labels.items() if label["severity"] != "ok"}
    assert defects - named - of_the_set == set()


def test_a_file_with_the_mark_of_a_benchmark_says_so(files) -> None:
    names = ("boolean_expressions", "causal_judgement", "date_understanding", "navigate", "sports_understanding")
    found = prepared(*files(*(f"21_bbh_5tasks/{name}.json" for name in names)))
    assert [source["rows_in"] for source in found.report["sources"]] == [250, 187, 250, 250, 250]
    assert found.report["problem_counts"]["benchmark_canary"] == len(names)
    assert "benchmark_canary" not in prepared(*files("36_judge_minis/bookings.csv")).report["problem_counts"]
