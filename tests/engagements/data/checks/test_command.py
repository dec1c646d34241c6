"""`sixfold data check`."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]

KEYS = [
    "file", "sha256", "rows_in", "kept", "dropped", "problems", "records", "usable", "counts", "findings", "scores",
    "fix_first", "heat_map", "balance", "conflicts", "conflicts_found", "vocabulary", "coverage", "volume", "lengths",
    "languages", "languages_sampled", "licences", "sources", "notes",
]  # fmt: skip


@pytest.fixture
def tickets(tmp_path: Path) -> Callable[..., Path]:
    """A table of twelve sound tickets, and those that are given."""

    def written(*more: tuple[str, str]) -> Path:
        path = tmp_path / "tickets.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("text", "category"))
            table.writerows((f"Where is my parcel number {n}?", ("delivery", "refund")[n % 2]) for n in range(12))
            table.writerows(more)
        return path

    return written


def test_a_sound_file_is_accepted(sixfold: Sixfold, tickets: Callable[..., Path]) -> None:
    answer = sixfold("data", "check", tickets(), "--licence", "MIT", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert list(answer.json) == KEYS
    assert (answer.json["records"], answer.json["usable"], answer.json["counts"]) == (12, 12, {})


def test_what_only_needs_a_look_does_not_fail_a_file(sixfold: Sixfold, tickets: Callable[..., Path]) -> None:
    answer = sixfold("data", "check", tickets(("you idiots, jo@example.com", "refund")), "--licence", "MIT")
    assert answer.code == 0
    for said in ("safety.toxic", "personal_data.found", "Where, by label", "Mend first", "13 examples"):
        assert said in answer.out


def test_an_error_fails_a_file_and_is_mended_first(sixfold: Sixfold, tickets: Callable[..., Path]) -> None:
    policy = tickets().with_name("policy.toml")
    policy.write_text('labels = ["delivery"]', "utf-8")
    answer = sixfold("data", "check", tickets(), "--policy", policy, "--json")
    assert answer.code == 1
    assert answer.json["usable"] == 6
    assert answer.json["fix_first"][0]["code"] == "label.unknown"
    assert answer.json["findings"][0]["first"][0]["row"] == 3  # the line of the table


def test_too_few_examples_fail_a_file(sixfold: Sixfold, tmp_path: Path) -> None:
    path = tmp_path / "few.jsonl"
    row = {"messages": [{"role": "user", "content": "And then?"}, {"role": "assistant", "content": "Nothing more."}]}
    path.write_text(json.dumps(row) + "\n", "utf-8")
    answer = sixfold("data", "check", path, "--licence", "MIT")
    assert answer.code == 1
    assert "OpenAI refuses fewer than 10" in answer.out


def test_what_was_imported_is_checked_as_it_is(sixfold: Sixfold, tickets: Callable[..., Path], tmp_path: Path) -> None:
    records = tmp_path / "records.jsonl"
    assert sixfold("data", "import", tickets(), "-o", records, "--licence", "MIT").code == 0
    answer = sixfold("data", "check", records, "--json")
    assert (answer.code, answer.json["counts"], answer.json["licences"]) == (0, {}, {"MIT": 12})


def test_the_page_needs_nothing_else_and_escapes_what_the_file_says(
    sixfold: Sixfold, tickets: Callable[..., Path], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    table = tickets(("you idiot", "<script>alert(1)</script>"))
    assert sixfold("data", "check", table, "--html", page).code == 0
    html = page.read_text("utf-8")
    assert html.count("<script") == 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "http" not in html.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("absent.csv", None, "file_unreadable"), ("empty.jsonl", b"", "dataset_empty"),
        ("packed.jsonl", b"\x1f\x8b" + bytes(80), "unsupported_media_type"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_bad_input(
    sixfold: Sixfold, tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    answer = sixfold("data", "check", tmp_path / name, "--html", tmp_path / "page.html", "--json")
    assert answer.code == 2
    assert code in {problem["code"] for problem in answer.json["problems"]}
    assert not (tmp_path / "page.html").exists()


def test_an_unknown_model_and_a_wrong_policy_are_bad_input(sixfold: Sixfold, tickets: Callable[..., Path]) -> None:
    policy = tickets().with_name("policy.toml")
    policy.write_text("colour = 1", "utf-8")
    assert sixfold("data", "check", tickets(), "--model", "gpt-99", "--json").code == 2
    assert sixfold("data", "check", tickets(), "--policy", policy, "--json").json["error"] == "policy_invalid"
