"""What a brief can say that cannot be meant: an error with place and remedy, all of them at once, nothing written."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]

ON = ["--on", "2026-11-22"]

# Text that is no TOML, and the line that is named.
NOT_TOML = {
    "a table that is not closed": ("[client\n", 1),
    "a text that is not closed": ('[client]\nname = "Acme\n', 2),
    "a key twice": ('[client]\nname = "a"\nname = "b"\n', 3),
    "a table twice": ("[client]\n[client]\n", 2),
    "no value": ("schema =\n", 1),
    "a day that is none": ("x = 2027-02-30\n", 1),
    "JSON": ('{"schema": 1}\n', 1),
    "a control character": ('name = "a\0b"\n', 1),
}


@pytest.mark.parametrize(("text", "line"), NOT_TOML.values(), ids=NOT_TOML)
def test_toml_that_does_not_parse_is_said_with_its_line(sixfold: Sixfold, tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "brief.toml").write_text(text, "utf-8")
    answer = sixfold("brief", "check", "brief.toml", "--json")
    assert (answer.code, answer.json["error"]) == (2, "brief_invalid")
    assert [(place, code) for place, _, code in answer.places] == [(line, "toml_invalid")]
    assert answer.json["problems"][0]["remedy"]


# A key of the example, the value as TOML, the code owed.
VALUES = [
    ("requests_per_month", "-62000", "number.negative"),
    ("requests_per_month", "62000.5", "number.not_whole"),
    ("requests_per_month", "nan", "number.not_a_number"),
    ("requests_per_month", "inf", "number.not_a_number"),
    ("requests_per_month", "1E+999999", "number.not_a_number"),
    ("requests_per_month", "9999999999999", "number.too_large"),
    ("requests_per_month", '"62000"', "number.bad_format"),
    ("requests_per_month", "true", "number.bad_format"),
    ("examples", "-1", "number.negative"),
    ("examples", "1" + "0" * 4_000, "number.not_a_number"),
    ("runs", "{ low = 3, likely = nan, high = 10 }", "number.not_a_number"),
    ("runs", "{ low = 3, likely = 1E+999999, high = 10 }", "number.not_a_number"),
    ("runs", "{ low = 9, likely = 5, high = 10 }", "three_point.order"),
    ("runs", "{ low = -3, likely = 5, high = 10 }", "number.negative"),
    ("target_percent", "100.01", "percent.out_of_range"),
    ("margin_percent", "140", "percent.out_of_range"),
    ("margin_percent", "nan", "percent.not_a_number"),
    ("margin_percent", "1E+999999", "percent.not_a_number"),
    ("cache_hit_percent", "-0.001", "percent.out_of_range"),
    ("budget", '"1E+999999"', "money.bad_format"),
    ("budget", '"-95000"', "money.negative"),
    ("budget", "95000.00", "money.bad_format"),
    ("budget", "nan", "money.bad_format"),
    ("currency", '"EURO"', "money.bad_currency"),
    ("currency", '"eur"', "money.bad_currency"),
    ("currency", '"XXX"', "money.bad_currency"),
    ("currency", "978", "money.bad_currency"),
    ("start", "2027-01-04T08:00:00", "date.invalid"),
    ("start", '"4 January 2027"', "date.invalid"),
    ("start", "1999-12-31", "date.out_of_range"),
    ("decision_by", "2027-01-05", "date.order"),
]


@pytest.mark.parametrize(("key", "value", "code"), VALUES, ids=[f"{key} {value[:40]}" for key, value, _ in VALUES])
def test_a_value_that_cannot_be_meant_is_said_with_line_place_and_remedy(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path, key: str, value: str, code: str
) -> None:
    path = brief_file({key: value})
    line = next(n for n, text in enumerate(path.read_text("utf-8").splitlines(), 1) if text.startswith(f"{key} = "))
    answer = sixfold("brief", "check", path, "--json")
    (problem,) = answer.json["problems"]
    assert (answer.code, answer.json["error"], problem["code"]) == (2, "brief_invalid", code)
    assert problem["where"].split(".")[0] in {"project", "task", "data", "training", "traffic", "commercial"}
    assert problem["line"] == line or code == "date.order"
    assert problem["message"]
    assert problem["remedy"]


ALL_AT_ONCE = {
    "requests_per_month": "-1",
    "examples": "nan",
    "output_tokens": "1E+999999",
    "target_percent": "101",
    "currency": '"EURO"',
    "start": "1970-01-01",
    "name": '""',
    "budget": '"1e400"',
}
READERS = {
    "brief check": ["brief", "check"],
    "fit": ["fit"],
    "estimate": ["estimate", "--out", "e.json"],
    "compare": ["compare", "--vary", "data.examples=5"],
    "propose": ["propose", "-o", "p.pdf"],
}


@pytest.mark.parametrize("words", READERS.values(), ids=READERS)
def test_every_command_says_all_of_it_in_one_pass_and_writes_nothing(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path, words: list[str]
) -> None:
    path = brief_file(ALL_AT_ONCE)
    for name in ("e.json", "p.pdf", "p.json"):
        (tmp_path / name).write_bytes(b"an older file")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    answer = sixfold(*words, path, "--json")
    assert answer.code == 2
    wanted = {
        "client.name", "project.start", "task.target_percent", "data.examples", "traffic.requests_per_month",
        "traffic.output_tokens", "commercial.currency", "commercial.budget",
    }  # fmt: skip
    assert {where.removeprefix(f"{path} ") for _, where, _ in answer.places} == wanted
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_same_faults_are_found_in_json(sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path) -> None:
    path = brief_file(ALL_AT_ONCE)
    brief = tomllib.loads(path.read_text("utf-8"))
    (tmp_path / "brief.json").write_text(json.dumps(brief, default=str))
    by_toml, by_json = (sixfold("brief", "check", file, "--json") for file in (path, "brief.json"))
    assert [place[1:] for place in by_json.places] == [place[1:] for place in by_toml.places]


def test_a_plan_past_a_shutdown_is_refused_by_route_and_the_others_remain(
    sixfold: Sixfold, brief_file: BriefFile
) -> None:
    by_start = {}
    for start in ("2026-11-23", "2027-01-04"):
        answer = sixfold("estimate", brief_file({"start": start, "decision_by": "2026-11-22"}), *ON, "--json")
        by_start[start] = {route["key"]: route["standing"] for route in answer.json["routes"]}
        assert answer.json["chosen"] != "route.openai.gpt-4o-mini.lora"
    assert {standing["route.openai.gpt-4o-mini.lora"] for standing in by_start.values()} == {"refused"}
    assert by_start["2027-01-04"]["route.together.llama-3-1-8b.lora"] == "open"


@pytest.mark.parametrize(
    "content",
    [b'{"schema": 1, "schema": 1}', b"[1, 2]", b"null", b'{"a": NaN', b"[" * 65 + b"]" * 65, b'{"schema": 1e999}'],
)
def test_json_that_is_no_brief_is_said(sixfold: Sixfold, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "brief.json").write_bytes(content)
    answer = sixfold("brief", "check", "brief.json", "--json")
    assert (answer.code, answer.json["error"]) == (2, "brief_invalid")
    assert all(problem["message"] and problem["remedy"] for problem in answer.json["problems"])


def test_a_dataset_whose_name_is_no_name_is_said(sixfold: Sixfold, tmp_path: Path) -> None:
    brief = sixfold("brief", "new", "--json", *ON).json
    for name in ("a\0b", "../" * 100, "n" * 400, "", "/etc", "."):
        (tmp_path / "brief.json").write_text(json.dumps(brief | {"data": brief["data"] | {"dataset": name}}))
        answer = sixfold("estimate", "brief.json", *ON, "--json")
        assert answer.code == 2, (name, answer.err)
        assert answer.json["problems"]
