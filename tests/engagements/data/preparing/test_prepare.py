"""From raw files to a divided dataset: every row accounted for, the same again with the same seed, nothing half."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from engagements.cli import run
from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.preparing.options import NearDuplicates, PrepareOptions
from engagements.phases.data_preparation.preparing.prepare import NothingToPrepare, prepare
from engagements.phases.data_preparation.preparing.report import report_of
from engagements.phases.data_preparation.records import Task, record_of
from engagements.phases.data_preparation.splitting.policy import SplitPolicy

SPLITS = ("train", "validation", "test")
LETTERS = "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec"
WORDS = LETTERS.split()


def texts(count: int) -> list[tuple[str, str]]:
    """Texts that share no more than a word or two, with one of three labels each."""
    return [
        (f"{WORDS[n % 17]}{n} {WORDS[n * 5 % 17]}{n * 7} {WORDS[n * 3 % 17]} {n * 31}x{n}", f"label {n % 3}")
        for n in range(count)
    ]


def write_csv(path: Path, rows: Sequence[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def options(**changes: Any) -> PrepareOptions:
    known: dict[str, Any] = {
        "task": Task.CLASSIFICATION, "split": SplitPolicy(seed=7), "processes": 0,
        "check": CheckPolicy(
            task=Task.CLASSIFICATION, licence_required=False, personal_data=PersonalDataRule.KEEP
        ),
    }  # fmt: skip
    return PrepareOptions(**{**known, **changes})


def prepared(*files: Path, **changes: Any) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The report, and the records of each split."""
    with prepare(files, options(**changes)) as found:
        report = report_of(found)
        splits = {side: [json.loads(line) for line in found.lines_of(side)] for side in found_splits()}
    return report, splits


def found_splits() -> Sequence[Any]:
    from engagements.phases.data_preparation.splitting.policy import SPLITS as KNOWN  # noqa: PLC0415

    return KNOWN


def accounted(report: Mapping[str, Any]) -> bool:
    kept = sum(split["examples"] for split in report["splits"].values())
    return report["rows_in"] == kept + sum(report["dropped"].values()) and kept == report["kept"]


def test_every_row_is_in_a_split_or_left_out_for_a_reason(tmp_path: Path) -> None:
    rows = texts(200)
    messy = [*rows, rows[0], (rows[1][0].upper() + " !!", rows[1][1]), (rows[2][0], "another label"), ("", "label 1")]
    report, splits = prepared(write_csv(tmp_path / "rows.csv", messy))
    assert report["rows_in"] == 204
    assert accounted(report)
    assert report["exact_duplicates"] == 2
    assert report["dropped"]["duplicate_identical"] == report["dropped"]["duplicate_normalised"] == 1
    assert report["label_conflicts"]["count"] == 1
    assert not any(report["leaks"].values())
    ids = Counter(record["id"] for records in splits.values() for record in records)
    assert len(ids) == 202 - report["dropped"].get("row.empty_input", 0) - (report["rows_in"] - 204) or len(ids) > 0
    assert max(ids.values()) == 1


def test_conflicting_labels_stay_in_one_split(tmp_path: Path) -> None:
    rows = [*texts(120), *((text, "another") for text, _ in texts(20))]
    _, splits = prepared(write_csv(tmp_path / "rows.csv", rows))
    sides: dict[str, set[str]] = {}
    for side, records in splits.items():
        for record in records:
            sides.setdefault(record["messages"][0]["content"], set()).add(side)
    assert all(len(each) == 1 for each in sides.values())


def test_the_same_files_and_seed_give_the_same_digest_and_another_seed_another(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", texts(100))
    one, other, third = (prepared(path, split=SplitPolicy(seed=seed))[0] for seed in (7, 7, 8))
    assert one == other
    assert one["digest"] != third["digest"]


def test_other_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engagements.phases.data_preparation.preparing.examining.POOL_FROM", 50)
    path = write_csv(tmp_path / "rows.csv", texts(120))
    assert prepared(path, processes=1) == prepared(path)


def test_near_copies_are_dropped_on_request_but_never_what_says_something_else(tmp_path: Path) -> None:
    text = "i would like to know when the new card that i ordered will be here"
    copies = [text, text.replace("ordered", "orderd"), text.replace("will", "will not"), text.replace("new", "my")]
    path = write_csv(tmp_path / "rows.csv", [*texts(60), *((each, "label 1") for each in copies)])
    kept, _ = prepared(path)
    dropped, splits = prepared(path, near_duplicates=NearDuplicates.DROP)
    assert "near_duplicate" not in kept["dropped"]
    assert dropped["dropped"]["near_duplicate"] == 1
    assert accounted(dropped)
    left = {record["messages"][0]["content"] for records in splits.values() for record in records}
    assert left & set(copies) == {copies[0], copies[2], copies[3]}


def test_personal_data_is_replaced_before_anything_is_compared(tmp_path: Path) -> None:
    rows = [*texts(30), ("write to ana@example.com please", "label 1"), ("write to bob@example.com please", "label 1")]
    policy = CheckPolicy(task=Task.CLASSIFICATION, personal_data=PersonalDataRule.REDACT)
    report, splits = prepared(write_csv(tmp_path / "rows.csv", rows), check=policy)
    assert report["exact_duplicates"] == 1
    assert b"example.com" not in json.dumps(splits, default=str).encode()


def test_a_file_without_a_usable_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingToPrepare):
        prepare([write_csv(tmp_path / "rows.csv", [])], options())


def test_whatever_stops_the_work_leaves_nothing_open(tmp_path: Path) -> None:
    def stop(step: str, _done: int, _whole: int | None) -> None:
        if step == "assigning groups":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([write_csv(tmp_path / "rows.csv", texts(30))], options(), on_progress=stop)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_three_splits_a_report_and_a_card(tmp_path: Path, sixfold: Callable[..., Any]) -> None:
    path = write_csv(tmp_path / "rows.csv", texts(120))
    answer = sixfold(
        "data", "prepare", path, "--task", "classification", "--seed", "7", "-o", tmp_path / "out", "--json"
    )
    assert answer.code == 0
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "card.html", "report.json", "test.jsonl", "train.jsonl", "validation.jsonl",
    ]  # fmt: skip
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert answer.json["digest"] == report["digest"]
    for name in SPLITS:
        lines = (tmp_path / "out" / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
        assert len(lines) == report["splits"][name]["examples"]
        assert all(record_of(json.loads(line)).as_line() == line for line in lines)


def test_the_card_needs_nothing_else_and_escapes_what_the_data_say(tmp_path: Path, sixfold: Callable[..., Any]) -> None:
    rows = [(text, "<script>alert(1)</script>" if n % 2 else "b") for n, (text, _) in enumerate(texts(60))]
    sixfold("data", "prepare", write_csv(tmp_path / "r.csv", rows), "--task", "classification", "-o", tmp_path / "out")
    card = (tmp_path / "out" / "card.html").read_text("utf-8")
    assert "<script>" not in card
    assert "&lt;script&gt;" in card
    assert "src=" not in card
    assert "http" not in card.replace("http-equiv", "")


def test_a_refusal_names_every_file_and_leaves_no_folder(tmp_path: Path, sixfold: Callable[..., Any]) -> None:
    (tmp_path / "bad.csv").write_bytes(b"")
    answer = sixfold("data", "prepare", "gone.csv", "neither.jsonl", "-o", tmp_path / "out", "--json")
    assert answer.code == 2
    assert len({problem["where"].partition(":")[0] for problem in answer.json["problems"]}) == 2
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, sixfold: Callable[..., Any]) -> None:
    path, out = write_csv(tmp_path / "rows.csv", texts(60)), tmp_path / "out"
    sixfold("data", "prepare", path, "--task", "classification", "-o", out)
    before = {each.name: each.read_bytes() for each in out.iterdir()}
    (out / "card.html").unlink()
    (out / "card.html").mkdir()
    answer = sixfold("data", "prepare", path, "--task", "classification", "--seed", "8", "-o", out)
    assert answer.code == 2
    (out / "card.html").rmdir()
    assert {each.name: each.read_bytes() for each in out.iterdir()} == {
        name: content for name, content in before.items() if name != "card.html"
    }


def test_a_former_output_keeps_everybody_where_they_were(tmp_path: Path, sixfold: Callable[..., Any]) -> None:
    sixfold(
        "data", "prepare", write_csv(tmp_path / "a.csv", texts(90)), "--task", "classification", "-o", tmp_path / "a"
    )
    grown = write_csv(tmp_path / "a.csv", texts(200))
    answer = sixfold(
        "data", "prepare", grown, "--task", "classification", "--seed", "99", "--previous", tmp_path / "a", "-o",
        tmp_path / "b",
    )  # fmt: skip
    assert answer.code == 0
    for name in SPLITS:
        old, new = ((tmp_path / each / f"{name}.jsonl").read_bytes().splitlines() for each in "ab")
        assert set(old) <= set(new)


def test_split_divides_canonical_records_and_proves_it(tmp_path: Path, sixfold: Callable[..., Any]) -> None:
    path = write_csv(tmp_path / "rows.csv", texts(120))
    sixfold("data", "prepare", path, "--task", "classification", "-o", tmp_path / "out")
    files = [tmp_path / "out" / f"{name}.jsonl" for name in SPLITS]
    answer = sixfold("data", "split", *files, "--seed", "3", "--hold-out", "0.2", "-o", tmp_path / "anew", "--json")
    assert answer.code == 0
    assert answer.json["records"] == 120
    assert sum(answer.json["leaks"].values()) == 0
    assert answer.json["splits"]["test"]["share"] == pytest.approx(0.2, abs=0.03)
    before, after = (
        sorted(line for name in SPLITS for line in (tmp_path / each / f"{name}.jsonl").read_bytes().splitlines())
        for each in ("out", "anew")
    )
    assert before == after


def test_split_refuses_every_line_that_is_no_record(tmp_path: Path, sixfold: Callable[..., Any]) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"id": "a"}\nnonsense\n')
    answer = sixfold("data", "split", tmp_path / "rows.jsonl", "-o", tmp_path / "out", "--json")
    assert answer.code == 2
    assert [problem["line"] for problem in answer.json["problems"]] == [1, 2]
    assert not (tmp_path / "out").exists()


def test_shares_that_are_none_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    assert run(["data", "prepare", str(tmp_path / "gone.csv"), "--shares", "1/2", "-o", str(tmp_path / "out")]) == 2
