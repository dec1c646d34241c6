import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]

ON = ["--on", "2026-11-22"]
KEYS = [
    "schema", "brief", "on", "seed", "draws", "prices_digest", "fit", "volume", "effort", "schedule", "routes",
    "chosen", "base_serving", "break_evens", "compute", "quote", "roi", "tornado", "shares", "findings", "figures",
]  # fmt: skip
FIGURE_KEYS = ["key", "value", "unit", "kind", "label", "formula", "inputs", "source", "as_of", "note"]


def only_route(path: Path, provider: str, model: str) -> Path:
    """The brief with one route in place of its own."""
    text = path.read_text("utf-8")
    before, after = text.index("[[training.routes]]"), text.index("[traffic]")
    route = f'[[training.routes]]\nprovider = "{provider}"\nmodel = "{model}"\n\n'
    path.write_text(text[:before] + route + text[after:], "utf-8")
    return path


def test_the_json_keys_are_those_promised(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("estimate", brief_file(), *ON, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert sorted(answer.json) == sorted(KEYS)
    assert (answer.json["on"], answer.json["draws"]) == ("2026-11-22", 10_000)
    assert answer.json["chosen"] in {route["key"] for route in answer.json["routes"]}
    assert {tuple(sorted(figure)) for figure in answer.json["figures"]} == {tuple(sorted(FIGURE_KEYS))}


def test_one_call_answers_the_same_for_ever(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    first, second = (sixfold("estimate", path, *ON, "--json") for _ in range(2))
    assert first.out == second.out


def test_the_seed_moves_the_draws_and_nothing_stated(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    seeded = [sixfold("estimate", path, *ON, "--seed", seed, "--json").json for seed in (0, 1, 2**32 - 1)]
    assert [estimate["seed"] for estimate in seeded] == [0, 1, 2**32 - 1]
    assert len({json.dumps(estimate["quote"], sort_keys=True) for estimate in seeded}) == 3
    assert len({json.dumps(estimate["volume"], sort_keys=True) for estimate in seeded}) == 1


@pytest.mark.parametrize("seed", ["-1", str(2**32), "1.5", "x", ""])
def test_a_seed_out_of_bounds_is_bad_usage(sixfold: Sixfold, brief_file: BriefFile, seed: str) -> None:
    answer = sixfold("estimate", brief_file(), "--seed", seed, "--json")
    assert (answer.code, answer.json["error"]) == (2, "usage")
    assert "--seed" in answer.json["problems"][0]["message"]


def test_a_day_in_the_past_finds_the_prices_fresh_and_a_later_one_finds_them_old(
    sixfold: Sixfold, brief_file: BriefFile
) -> None:
    path = brief_file()
    past, later = (sixfold("estimate", path, "--on", day, "--json") for day in ("2026-01-15", "2026-11-22"))
    assert (past.code, later.code) == (0, 0)
    assert "verify before quoting" not in json.dumps(past.json["findings"])
    assert "days old: verify before quoting" in later.out


def test_a_start_before_the_day_of_the_estimate_is_flagged(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("estimate", brief_file(), "--on", "2027-01-05")
    assert "work is to start on 2027-01-04, before today: move project.start" in " ".join(answer.out.split())


def test_a_route_past_its_shutdown_is_refused_with_the_routes_that_remain(
    sixfold: Sixfold, brief_file: BriefFile
) -> None:
    answer = sixfold("estimate", brief_file(), *ON, "--json")
    standing = {route["key"]: route["standing"] for route in answer.json["routes"]}
    assert standing["route.openai.gpt-4o-mini.lora"] == "refused"
    (refusal,) = [finding for finding in answer.json["findings"] if finding["code"] == "route.refused"]
    assert "2027-01-14" in refusal["message"]
    assert "routes that remain: Together AI" in refusal["remedy"]


def test_no_route_left_is_1_and_says_what_stands_in_the_way(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = only_route(brief_file(), "openai", "gpt-4o-mini")
    answer, shown = sixfold("estimate", path, *ON, "--json"), sixfold("estimate", path, *ON)
    assert (answer.code, shown.code) == (1, 1)
    assert (answer.json["chosen"], answer.json["quote"]) == (None, None)
    assert "refused" in shown.out
    assert "2027-01-14" in shown.out


def test_a_verdict_against_fine_tuning_is_1(sixfold: Sixfold, brief_file: BriefFile) -> None:
    prompt_is_enough = {"instructions": '"enough"', "few_shot": '"good"', "hard_to_describe": "false"}
    no_style = {"consistent_format": "false", "house_style": "false", "domain_language": "false"}
    answer = sixfold("estimate", brief_file(prompt_is_enough | no_style | {"latency_critical": "false"}), *ON, "--json")
    assert (answer.json["fit"]["verdict"], answer.code) == ("do_not_fine_tune", 1)


def test_an_unknown_price_is_unknown_and_names_what_to_add(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("estimate", brief_file(), *ON, "--json")
    (route,) = [route for route in answer.json["routes"] if route["route"]["provider"] == "vertex"]
    assert (route["standing"], route["run"]["value"]) == ("unknown", None)
    remedies = [finding["remedy"] for finding in answer.json["findings"] if "gemini" in finding["message"]]
    assert "add [[training]] for vertex/gemini-3.5-flash" in remedies[0]


def test_unknown_names_in_routes_are_all_said_at_once_with_near_ones(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file({"gpu": '"L400S"'})
    text = (
        path.read_text("utf-8").replace('"together"', '"togther"', 1).replace('"qwen3-8b"\ntuning', '"qwen3-8"\ntuning')
    )
    path.write_text(text, "utf-8")
    answer = sixfold("estimate", path, *ON, "--json")
    assert (answer.code, answer.json["error"]) == (2, "brief_invalid")
    assert [(where, code) for _, where, code in answer.places] == [
        ("training.routes[1].provider", "unknown_provider"),
        ("training.routes[4].gpu", "unknown_gpu"),
        ("training.routes[5].model", "unknown_model"),
    ]
    for problem, near in zip(answer.json["problems"], ["together", "L40S", "Qwen3-8B"], strict=True):
        assert f"did you mean {near}" in problem["remedy"]


def test_explain_gives_a_number_with_all_it_was_computed_from(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("estimate", brief_file(), *ON, "--explain", "route.tinker.qwen3-8b.lora.run", "--json")
    assert answer.code == 0
    assert {tuple(sorted(step)) for step in answer.json} == {tuple(sorted(FIGURE_KEYS))}
    steps = {step["key"]: step for step in answer.json}
    assert {key for step in answer.json for key in step["inputs"]} <= steps.keys()
    assert steps["route.tinker.qwen3-8b.lora.run"]["formula"].endswith("price")
    assert steps["route.tinker.qwen3-8b.lora.price"]["source"]
    shown = sixfold("estimate", brief_file(), *ON, "--explain", "route.tinker.qwen3-8b.lora.run").out
    assert shown.startswith("route.tinker.qwen3-8b.lora.run One training run = ")


def test_explain_list_names_every_number_of_the_estimate(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    whole = sixfold("estimate", path, *ON, "--json").json
    listed = sixfold("estimate", path, *ON, "--explain", "list", "--json")
    assert listed.json == sorted(figure["key"] for figure in whole["figures"])
    shown = sixfold("estimate", path, *ON, "--explain", "list")
    assert [line.split()[0] for line in shown.out.splitlines()] == listed.json


def test_every_number_can_be_explained(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    keys = sixfold("estimate", path, *ON, "--explain", "list", "--json").json
    for key in keys[:: len(keys) // 12]:
        answer = sixfold("estimate", path, *ON, "--explain", key)
        assert (answer.code, answer.out.split()[0]) == (0, key)


def test_an_unknown_number_is_2_with_those_that_come_near(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("estimate", brief_file(), *ON, "--explain", "option.delver.net", "--json")
    assert (answer.code, answer.json["error"]) == (2, "unknown_name")
    (problem,) = answer.json["problems"]
    assert problem["code"] == "unknown_number"
    assert "did you mean option.deliver.net" in problem["remedy"]


def test_out_writes_the_whole_estimate_and_the_screen_shows_its_tables(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path
) -> None:
    answer = sixfold("estimate", brief_file(), *ON, "--out", "estimate.json")
    assert answer.code == 0
    assert "Net price" in answer.out
    written = json.loads((tmp_path / "estimate.json").read_bytes())
    assert written == sixfold("estimate", brief_file(), *ON, "--json").json
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brief.toml", "estimate.json"]


def test_out_does_not_fall_on_the_brief(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    before = path.read_bytes()
    answer = sixfold("estimate", path, *ON, "--out", "./brief.toml", "--json")
    assert (answer.code, answer.places) == (2, [(None, "brief.toml", "file_unwritable")])
    assert path.read_bytes() == before


def test_out_does_not_fall_on_the_dataset_or_a_price_file(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path
) -> None:
    path = brief_file()
    path.write_text(path.read_text("utf-8").replace("# dataset", "dataset"), "utf-8")
    for name in ("tickets.jsonl", "prices.toml"):
        (tmp_path / name).write_bytes(b"")
        answer = sixfold("estimate", path, *ON, "--prices", "prices.toml", "--out", tmp_path / name, "--json")
        assert (answer.code, answer.json["error"]) == (2, "file_unwritable")
        assert (tmp_path / name).read_bytes() == b""


@pytest.mark.parametrize("target", ["gone/estimate.json", "brief.toml/estimate.json", "/dev/full", "x" * 300])
def test_out_where_nothing_can_be_written_is_2(sixfold: Sixfold, brief_file: BriefFile, target: str) -> None:
    answer = sixfold("estimate", brief_file(), *ON, "--out", target, "--json")
    assert (answer.code, answer.json["error"]) == (2, "file_unwritable")
    assert target in answer.json["problems"][0]["where"]


def test_a_dataset_beside_the_brief_is_counted(sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path) -> None:
    rows = (
        {"messages": [{"role": "user", "content": f"Where is parcel {n}?"}, {"role": "assistant", "content": "Here."}]}
        for n in range(40)
    )
    (tmp_path / "tickets.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    path = brief_file()
    path.write_text(path.read_text("utf-8").replace("# dataset", "dataset"), "utf-8")
    answer = sixfold("estimate", path, *ON, "--json")
    assert (answer.code, answer.err) == (0, "")
    (counted,) = [figure for figure in answer.json["figures"] if figure["key"] == "dataset.tokens_per_epoch"]
    assert counted["kind"] == "measured"


def test_a_dataset_with_errors_or_absent_is_2_with_its_lines(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path
) -> None:
    path = brief_file()
    path.write_text(path.read_text("utf-8").replace("# dataset", "dataset"), "utf-8")
    assert sixfold("estimate", path, *ON, "--json").json["error"] == "dataset_unreadable"
    (tmp_path / "tickets.jsonl").write_text('{"messages": []}\n7\n')
    answer = sixfold("estimate", path, *ON, "--json")
    assert (answer.code, answer.json["error"]) == (2, "dataset_invalid")
    assert [line for line, _, _ in answer.places if line] == [1, 2]


def test_tables_stay_within_a_hundred_and_twenty_columns_when_written_to_a_file(
    sixfold: Sixfold, brief_file: BriefFile
) -> None:
    lines = sixfold("estimate", brief_file(), *ON).out.splitlines()
    assert max(map(len, lines)) <= 120
    assert not [line for line in lines if re.search(r"\[/?(bold|dim|red|green|yellow)\b", line)]
