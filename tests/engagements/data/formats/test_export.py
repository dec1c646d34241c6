"""`sixfold data export`: the file whole or not at all, with everything said that is lost or would be refused."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from engagements.phases.data_preparation.records import Origin, Record

Sixfold = Callable[..., Any]


def record(number: int, *, answer: str = "Blue.", **more: Any) -> Record:
    messages = [{"role": "user", "content": f"Sky {number}?"}, {"role": "assistant", "content": answer}]
    return Record(id=f"r-{number}", messages=messages, group="customer-1", origin=Origin(author="ana"), **more)


def written(folder: Path, records: Iterable[Record]) -> Path:
    path = folder / "records.jsonl"
    path.write_bytes(b"".join(each.as_line() for each in records))
    return path


def test_records_are_written_line_by_line_with_their_ids_beside_them(sixfold: Sixfold, tmp_path: Path) -> None:
    records = written(tmp_path, map(record, range(12)))
    answer = sixfold(
        "data", "export", records, "--format", "openai", "-o", "train.jsonl", "--ids", "ids.jsonl", "--json"
    )
    lines = (tmp_path / "train.jsonl").read_bytes().splitlines()
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(lines[3]) == {"messages": list(record(3).messages)}
    assert len(lines) == 12
    ids = [json.loads(line) for line in (tmp_path / "ids.jsonl").read_bytes().splitlines()]
    assert ids[3] == {"line": 4, "id": "r-3"}
    assert answer.json == {
        "format": "openai_chat", "provider": "OpenAI", "output": "train.jsonl", "records": 12, "lines": 12,
        "left_out": 0, "size_bytes": (tmp_path / "train.jsonl").stat().st_size, "loss_counts": {}, "losses": [],
        "prediction_counts": {}, "predictions": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "head", "tail"),
    [("azure", b'\xef\xbb\xbf{"messages"', b"}\n"), ("alpaca", b"[\n{", b"}\n]\n"), ("csv", b"system,input", b'"\r\n')],
)
def test_a_file_begins_and_ends_as_its_provider_wants(
    sixfold: Sixfold, tmp_path: Path, form: str, head: bytes, tail: bytes
) -> None:
    records = written(tmp_path, map(record, range(12)))
    assert sixfold("data", "export", records, "--format", form, "-o", "out").code == 0
    content = (tmp_path / "out").read_bytes()
    assert content.startswith(head)
    assert content.endswith(tail)


def test_what_the_provider_would_refuse_is_not_written_unless_wanted_anyway(sixfold: Sixfold, tmp_path: Path) -> None:
    records = written(tmp_path, map(record, range(3)))
    (tmp_path / "out").write_bytes(b"as it was")
    refused = sixfold("data", "export", records, "--format", "openai", "-o", "out", "--json")
    assert (refused.code, refused.json["output"]) == (2, None)
    assert [(each["code"], each["exact"], each["effect"]) for each in refused.json["predictions"]] == [
        ("invalid_n_examples", True, "refused")
    ]
    assert (tmp_path / "out").read_bytes() == b"as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "records.jsonl"]
    assert sixfold("data", "export", records, "--format", "openai", "-o", "out", "--anyway").code == 0
    assert (tmp_path / "out").read_bytes().count(b"\n") == 3


def test_a_loss_is_named_by_record_and_written_only_when_accepted(sixfold: Sixfold, tmp_path: Path) -> None:
    records = written(tmp_path, [*map(record, range(11)), record(11, weight=0.5)])
    words = ("data", "export", records, "--format", "mistral", "-o", "out")
    refused = sixfold(*words)
    assert refused.code == 2
    assert "line 12" in refused.err
    assert "--accept-losses" in refused.err
    assert not (tmp_path / "out").exists()
    accepted = sixfold(*words, "--accept-losses", "--json")
    assert (accepted.code, accepted.json["loss_counts"]) == (0, {"weight": 1})
    assert accepted.json["losses"][0]["id"] == "r-11"
    assert (tmp_path / "out").read_bytes().count(b"\n") == 12


def test_records_without_a_place_in_the_format_are_counted_as_left_out(sixfold: Sixfold, tmp_path: Path) -> None:
    worse = {"role": "assistant", "content": "Red."}
    records = written(tmp_path, [*(record(number, rejected=worse) for number in range(10)), record(10)])
    words = ("data", "export", records, "--format", "dpo", "-o", "out", "--ids", "ids", "--accept-losses", "--json")
    answer = sixfold(*words)
    assert (answer.code, answer.json["lines"], answer.json["left_out"]) == (0, 10, 1)
    assert (tmp_path / "ids").read_bytes().count(b"\n") == 10


def test_every_line_that_is_no_record_is_named_and_nothing_written(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_bytes(record(1).as_line() + b'{"messages": []}\n{"id": \n[]\n')
    answer = sixfold("data", "export", "records.jsonl", "--format", "openai", "-o", "out", "--json")
    assert answer.code == 2
    assert [(each["code"], each["line"]) for each in answer.json["problems"]] == [
        ("row.not_record", 2), ("row.invalid_json", 3), ("row.not_record", 4),
    ]  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_an_empty_file_and_the_records_as_their_own_target_are_refused(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_bytes(b"")
    assert sixfold("data", "export", "records.jsonl", "--format", "csv", "-o", "out").code == 2
    assert sixfold("data", "export", "records.jsonl", "--format", "csv", "-o", "records.jsonl").code == 2
    assert sixfold("data", "export", "nowhere.jsonl", "--format", "csv", "-o", "out").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["records.jsonl"]


def test_a_formula_in_a_text_is_no_formula_in_the_table(sixfold: Sixfold, tmp_path: Path) -> None:
    records = written(tmp_path, [record(1, answer='=HYPERLINK("http://x","y")')])
    assert sixfold("data", "export", records, "--format", "csv", "-o", "out.csv").code == 0
    assert (tmp_path / "out.csv").read_bytes() == (
        b'system,input,output\r\n"","Sky 1?","\'=HYPERLINK(""http://x"",""y"")"\r\n'
    )
