import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]

ON = ["--on", "2026-11-22"]
COMMON = {"table", "as_of", "checked", "source", "confidence", "note", "age_days", "stale"}
OF_TABLE = {
    "training": {"provider", "model", "aliases", "objectives", "tuning", "unit", "usd"},
    "inference": {"provider", "model", "variant", "input", "cached_input", "output"},
    "offer": {"provider", "instance", "gpu", "gpus", "vram_gb", "on_demand_usd_per_h"},
    "rate": {"role", "label", "cost_per_h", "currency"},
}

OURS = """
[[training]]
provider = "vertex"
model = "gemini-3.5-flash"
objectives = ["sft"]
tuning = "hosted"
unit = "1M tokens"
usd = "8.00"
as_of = "2026-11-20"
checked = "2026-11-22"
source = "our contract of 2026-11-20"
confidence = "vendor"
"""

# Each line is wrong in a way of its own.
ALL_WRONG = """
suprise = 1
[[training]]
provider = "ours"
model = "m"
objectives = ["poetry"]
unit = "1M tokens"
usd = -1.5
as_of = "yesterday"
checked = "2026-02-30"
source = "s"
colour = "blue"
[[offer]]
gpu = "H100"
on_demand_usd_per_h = "NaN"
[[rate]]
role = 7
"""


def test_the_json_keys_are_those_promised(sixfold: Sixfold) -> None:
    answer = sixfold("prices", *ON, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert list(answer.json) == ["on", "digest", "rows"]
    assert answer.json["on"] == "2026-11-22"
    assert re.fullmatch("[0-9a-f]{64}", answer.json["digest"])
    for row in answer.json["rows"]:
        assert row.keys() >= COMMON | OF_TABLE[row["table"]]
        assert row["source"]
        assert row["stale"] is (row["age_days"] > 90)
    assert {row["table"] for row in answer.json["rows"]} == OF_TABLE.keys()


def test_stale_lists_the_rows_dated_more_than_90_days_back(sixfold: Sixfold) -> None:
    every, stale = (
        sixfold("prices", *ON, "--json").json["rows"],
        sixfold("prices", *ON, "--stale", "--json").json["rows"],
    )
    assert stale == [row for row in every if row["age_days"] > 90]
    assert 0 < len(stale) < len(every)
    assert f"{len(stale)} rows, {len(stale)} dated more than 90 days before" in sixfold("prices", *ON, "--stale").out


def test_before_any_price_was_made_nothing_is_stale(sixfold: Sixfold) -> None:
    answer = sixfold("prices", "--on", "2001-01-01", "--stale", "--json")
    assert (answer.code, answer.json["rows"]) == (0, [])
    assert sixfold("prices", "--on", "2001-01-01", "--stale").out.strip().startswith("0 rows")


def test_a_price_nobody_publishes_is_unknown_and_never_0(sixfold: Sixfold) -> None:
    rows = sixfold("prices", *ON, "--provider", "vertex", "--json").json["rows"]
    unpublished = [row for row in rows if row["table"] == "training" and row["model"] == "gemini-3.5-flash"]
    assert [row["usd"] for row in unpublished] == [None]
    shown = sixfold("prices", *ON, "--provider", "vertex").out.splitlines()
    assert "unknown" in next(line for line in shown if "gemini-3.5-flash" in line)


@pytest.mark.parametrize("name", ["together", "Together", "RunPod", "runpod"])
def test_a_provider_is_found_in_any_case_and_alone(sixfold: Sixfold, name: str) -> None:
    answer = sixfold("prices", *ON, "--provider", name, "--json")
    assert answer.code == 0
    assert {row["provider"].lower() for row in answer.json["rows"]} == {name.lower()}


def test_an_unknown_provider_is_2_with_those_that_come_near(sixfold: Sixfold) -> None:
    answer = sixfold("prices", "--provider", "fierworks", "--json")
    assert (answer.code, answer.json["error"]) == (2, "unknown_name")
    assert "did you mean fireworks" in answer.json["problems"][0]["remedy"]


def test_a_price_of_ones_own_takes_the_place_of_the_packaged_one(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(OURS)
    packaged, own = (
        sixfold("prices", *ON, "--json").json,
        sixfold("prices", *ON, "--prices", "ours.toml", "--json").json,
    )
    assert own["digest"] != packaged["digest"]
    assert len(own["rows"]) == len(packaged["rows"])
    (row,) = [row for row in own["rows"] if row["source"] == "our contract of 2026-11-20"]
    assert (row["usd"], row["age_days"], row["stale"]) == ("8.00", 2, False)


def test_the_prices_of_the_settings_are_used_and_the_option_lies_on_top(
    sixfold: Sixfold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ours.toml").write_text(OURS)
    (tmp_path / "theirs.toml").write_text(OURS.replace("8.00", "7.00"))
    monkeypatch.setenv("SIXFOLD_PRICES", '["ours.toml"]')
    settings = sixfold("prices", *ON, "--provider", "vertex", "--json").json["rows"]
    option = sixfold("prices", *ON, "--provider", "vertex", "--prices", "theirs.toml", "--json").json["rows"]
    assert "8.00" in {row.get("usd") for row in settings}
    assert "7.00" in {row.get("usd") for row in option}
    assert "8.00" not in {row.get("usd") for row in option}


def test_everything_wrong_in_the_price_files_is_said_at_once(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(ALL_WRONG)
    (tmp_path / "broken.toml").write_text("[[training]\n")
    answer = sixfold("prices", "--prices", "wrong.toml", "--prices", "broken.toml", "--json")
    assert (answer.code, answer.json["error"]) == (2, "price_book_invalid")
    said = [f"{problem['where']} {problem['message']}" for problem in answer.json["problems"]]
    for place in (
        "wrong.toml nothing is called 'suprise'", "training[1] objectives", "training[1] usd", "training[1] as_of",
        "training[1] checked", "'colour'", "training[1] tuning", "offer[1] on_demand_usd_per_h",
        "offer[1] provider", "rate[1] role", "rate[1] cost_per_h", "broken.toml",
    ):  # fmt: skip
        assert any(place in line.replace(": ", " ") for line in said), (place, said)
    assert all(problem["remedy"] for problem in answer.json["problems"])


@pytest.mark.parametrize("name", ["gone.toml", "latin.toml"])
def test_a_price_file_that_cannot_be_read_is_2(sixfold: Sixfold, tmp_path: Path, name: str) -> None:
    (tmp_path / "latin.toml").write_bytes(b'note = "\xfc"')
    answer = sixfold("prices", "--prices", name, "--json")
    assert (answer.code, answer.json["error"]) == (2, "price_book_invalid")
    assert answer.places == [(None, name, "price_file_unreadable")]


def test_tables_stay_within_a_hundred_and_twenty_columns_when_written_to_a_file(sixfold: Sixfold) -> None:
    assert max(map(len, sixfold("prices", *ON).out.splitlines())) <= 120
