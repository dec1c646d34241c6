from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]

ON = ["--on", "2026-11-22"]


def values_of(answer: Any, key: str) -> list[Any]:
    (row,) = [row for row in answer.json["rows"] if row["key"] == key]
    values: list[Any] = row["values"]
    return values


def test_the_json_keys_are_those_promised(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("compare", brief_file(), brief_file({"examples": "600"}, name="small.toml"), *ON, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert list(answer.json) == ["names", "rows"]
    assert {tuple(row) for row in answer.json["rows"]} == {("key", "label", "unit", "values", "differences")}
    assert [Path(name).name for name in answer.json["names"]] == ["brief.toml", "small.toml"]
    for row in answer.json["rows"]:
        first, second = row["values"]
        assert row["differences"][0] is None or Decimal(row["differences"][0]) == 0
        if row["unit"] and second is not None:
            assert Decimal(row["differences"][1]) == Decimal(second) - Decimal(first)


def test_two_briefs_stand_side_by_side_under_their_names(sixfold: Sixfold, brief_file: BriefFile) -> None:
    brief_file()
    brief_file({"margin_percent": "20"}, name="cheap[er].toml")
    answer = sixfold("compare", "brief.toml", "cheap[er].toml", *ON)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.split()[:2] == ["brief.toml", "cheap[er].toml"]
    assert "(-" in next(line for line in answer.out.splitlines() if line.startswith("Price, Deliver"))


def test_one_input_varied_moves_what_depends_on_it(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("compare", brief_file(), "--vary", "commercial.margin_percent=20,40,60", *ON, "--json")
    assert answer.code == 0
    assert answer.json["names"] == [f"commercial.margin_percent = {margin}" for margin in (20, 40, 60)]
    cheap, usual, dear = (Decimal(price) for price in values_of(answer, "deliver"))
    assert cheap < usual < dear
    assert len(set(values_of(answer, "cost_p50"))) == 1


def test_the_field_that_varies_stands_once_and_its_values_head_the_columns(
    sixfold: Sixfold, brief_file: BriefFile
) -> None:
    answer = sixfold("compare", brief_file(), "--vary", "data.examples=600,3200", *ON)
    assert answer.out.splitlines()[0].split() == ["data.examples", "600", "3200"]


def test_a_varied_input_answers_as_a_brief_that_says_so(sixfold: Sixfold, brief_file: BriefFile) -> None:
    varied = sixfold("compare", brief_file(), "--vary", "data.examples=3200,600", *ON, "--json").json["rows"]
    small = brief_file({"examples": "600"}, name="small.toml")
    assert varied == sixfold("compare", brief_file(), small, *ON, "--json").json["rows"]


@pytest.mark.parametrize(
    ("varied", "where", "code"),
    [
        ("data.exampels=5", "data.exampels", "unknown_field"),
        ("data.examples=500,x", "data.examples", "number.bad_format"),
        ("commercial.margin_percent=140", "commercial.margin_percent", "percent.out_of_range"),
        ("commercial.currency=EURO", "commercial.currency", "money.bad_currency"),
    ],
)
def test_a_field_or_value_that_cannot_be_varied_is_2_with_its_place(
    sixfold: Sixfold, brief_file: BriefFile, varied: str, where: str, code: str
) -> None:
    answer = sixfold("compare", brief_file(), "--vary", varied, *ON, "--json")
    assert (answer.code, answer.json["error"]) == (2, "brief_invalid")
    assert [(place, said) for _, place, said in answer.places] == [(where, code)]


@pytest.mark.parametrize("varied", ["data.examples", "=5", "data.examples=", "", " = 5", "data..examples=5", "a[=5"])
def test_a_variation_that_is_none_is_refused(sixfold: Sixfold, brief_file: BriefFile, varied: str) -> None:
    assert sixfold("compare", brief_file(), "--vary", varied, *ON).code == 2


def test_one_brief_alone_or_the_same_twice_is_no_comparison(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    assert sixfold("compare").code == 2
    assert sixfold("compare", path).code == 2
    assert sixfold("compare", path, path).code == 2
    assert sixfold("compare", path, brief_file(name="other.toml"), "--vary", "data.examples=1").code == 2


def test_what_is_wrong_in_any_of_the_briefs_is_said_at_once_with_its_file(
    sixfold: Sixfold, brief_file: BriefFile
) -> None:
    brief_file({"examples": "-1"}, name="a.toml")
    brief_file({"currency": '"EURO"'}, name="b.toml")
    answer = sixfold("compare", "a.toml", "b.toml", "gone.toml", *ON, "--json")
    assert (answer.code, answer.json["error"]) == (2, "brief_invalid")
    assert [where for _, where, _ in answer.places] == [
        "a.toml data.examples",
        "b.toml commercial.currency",
        "gone.toml",
    ]


def test_two_currencies_are_not_compared(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file({"currency": '"GBP"'}, name="pounds.toml")
    answer = sixfold("compare", brief_file(), path, *ON, "--json")
    assert (answer.code, answer.json["error"]) == (2, "money.mixed_currency")
    assert "EUR and GBP" in answer.json["problems"][0]["message"]


def test_a_brief_whose_answer_is_no_is_compared_all_the_same(sixfold: Sixfold, brief_file: BriefFile) -> None:
    no = {"instructions": '"enough"', "few_shot": '"good"', "hard_to_describe": "false", "house_style": "false"}
    answer = sixfold("compare", brief_file(), brief_file(no, name="no.toml"), *ON, "--json")
    assert answer.code == 0
    assert values_of(answer, "verdict")[1] != values_of(answer, "verdict")[0]
