import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]

SECTIONS = [
    "schema", "client", "project", "task", "criteria", "fit", "data", "training", "traffic", "drivers", "commercial",
    "value", "assumptions", "exclusions", "risks",
]  # fmt: skip


def test_a_new_brief_is_sound_and_says_how_to_go_on(sixfold: Sixfold, tmp_path: Path) -> None:
    new = sixfold("brief", "new")
    assert (new.code, new.err) == (0, "")
    assert "sixfold estimate" in new.out
    (tmp_path / "brief.toml").write_text(new.out, "utf-8")
    checked = sixfold("brief", "check", "brief.toml")
    assert (checked.code, checked.err) == (0, "")
    assert "a sound brief for Nordlicht Energie" in checked.out


def test_a_new_brief_as_json_has_the_sections_promised_and_is_the_same_brief(sixfold: Sixfold, tmp_path: Path) -> None:
    day = ["--on", "2026-11-22"]
    text, new = sixfold("brief", "new", *day).out, sixfold("brief", "new", *day, "--json")
    assert list(new.json) == SECTIONS
    assert new.json["client"]["name"] == tomllib.loads(text)["client"]["name"]
    (tmp_path / "brief.json").write_text(new.out, "utf-8")
    (tmp_path / "brief.toml").write_text(text, "utf-8")
    assert sixfold("brief", "check", "brief.json").code == 0
    by_json, by_toml = (sixfold("estimate", f"brief.{form}", *day, "--json").json for form in ("json", "toml"))
    assert by_json == by_toml


@pytest.mark.parametrize("day", ["2000-01-01", "2027-06-30", "2150-12-31"])
def test_the_days_of_a_new_brief_follow_the_day_it_is_written(sixfold: Sixfold, tmp_path: Path, day: str) -> None:
    new = sixfold("brief", "new", "--on", day, "--json")
    assert new.json["project"]["start"] > new.json["project"]["decision_by"] > day
    assert new.json["commercial"]["exchange"]["as_of"] == day
    (tmp_path / "brief.json").write_text(new.out, "utf-8")
    assert sixfold("brief", "check", "brief.json").code == 0


@pytest.mark.parametrize(
    "day", ["1999-12-31", "2151-01-01", "9999-12-31", "2026-02-30", "20261122", "22.11.2026", "now", ""]
)
def test_a_day_that_cannot_be_is_bad_usage(sixfold: Sixfold, day: str) -> None:
    answer = sixfold("brief", "new", "--on", day)
    assert (answer.code, answer.out) == (2, "")
    assert "--on" in answer.err


def test_a_sound_brief_as_json_has_no_problems(sixfold: Sixfold, brief_file: BriefFile) -> None:
    assert sixfold("brief", "check", brief_file(), "--json").json == {"problems": []}


def test_everything_wrong_is_said_at_once_with_line_place_and_remedy(sixfold: Sixfold, brief_file: BriefFile) -> None:
    wrong = {
        "requests_per_month": "-5", "target_percent": "140", "currency": '"EURO"', "start": "1970-01-01",
        "examples": "nan", "margin_percent": '"40%"', "kind": '"poetry"', "instructions": "7", "title": '""',
    }  # fmt: skip
    path = brief_file(wrong)
    text = path.read_text("utf-8").replace("answer_tokens", "anwser_tokens")
    path.write_text(text, "utf-8")
    answer = sixfold("brief", "check", path, "--json")
    assert (answer.code, answer.json["error"]) == (2, "brief_invalid")
    lines = text.splitlines()
    for line, where, _ in answer.places:
        assert lines[line - 1].startswith(f"{where.rpartition('.')[2]} ="), where
    assert {where: code for _, where, code in answer.places} == {
        "project.title": "text.blank",
        "project.start": "date.out_of_range",
        "task.kind": "validation_failed",
        "task.target_percent": "percent.out_of_range",
        "fit.instructions": "validation_failed",
        "data.examples": "number.not_a_number",
        "data.anwser_tokens": "unknown_field",
        "traffic.requests_per_month": "number.negative",
        "commercial.currency": "money.bad_currency",
        "commercial.margin_percent": "percent.bad_format",
    }
    assert all(problem["message"] and problem["remedy"] for problem in answer.json["problems"])
    remedies = {problem["where"]: problem["remedy"] for problem in answer.json["problems"]}
    assert remedies["data.anwser_tokens"] == "did you mean answer_tokens? otherwise remove it"


def test_on_the_screen_each_problem_has_its_line_and_the_number_of_them_is_said(
    sixfold: Sixfold, brief_file: BriefFile
) -> None:
    answer = sixfold("brief", "check", brief_file({"requests_per_month": "-5", "currency": '"EURO"'}))
    assert (answer.code, answer.out) == (2, "")
    assert "traffic.requests_per_month" in answer.err
    assert "commercial.currency" in answer.err
    assert answer.err.endswith("2 to mend\n")


def test_a_folder_an_absent_file_and_one_of_two_megabytes_are_refused(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "big.toml").write_bytes(b"#" * 2_000_000)
    assert sixfold("brief", "check", tmp_path).code == 2
    assert sixfold("brief", "check", "gone.toml", "--json").places == [(None, "", "brief_unreadable")]
    assert sixfold("brief", "check", "big.toml", "--json").places == [(None, "", "brief_too_large")]


def test_the_name_of_a_brief_does_not_steer_the_terminal(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("brief", "check", brief_file(name="a[red]\x1b[2J.toml"))
    assert answer.code == 0
    assert "a[red]" in answer.out
    assert "\x1b" not in answer.out


def test_a_file_that_is_no_utf8_is_said_with_its_place(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "brief.toml").write_bytes(b'[client]\nname = "Gr\xfcn"\n')
    answer = sixfold("brief", "check", "brief.toml", "--json")
    assert answer.places == [(None, "", "not_utf8")]
    assert "byte 19" in answer.json["problems"][0]["message"]


def test_a_byte_order_mark_is_no_fault(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert sixfold("brief", "check", path).code == 0


def test_a_json_brief_is_read_by_its_ending_in_any_case(sixfold: Sixfold, tmp_path: Path) -> None:
    brief = sixfold("brief", "new", "--json").json
    (tmp_path / "brief.JSON").write_text(json.dumps(brief))
    assert sixfold("brief", "check", "brief.JSON").code == 0
