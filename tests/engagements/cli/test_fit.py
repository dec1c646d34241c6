import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]

KEYS = [
    "verdict", "approach", "headline", "scores", "reasons", "missing", "stop_condition", "stop_at_percent", "readiness",
    "ready",
]  # fmt: skip

# A prompt does the job, the facts change daily, and nothing is formatted or styled.
PROMPT_IS_ENOUGH = {
    "instructions": '"enough"', "few_shot": '"good"', "needs_facts": "true", "facts_change": '"daily"',
    "needs_citations": "true", "consistent_format": "false", "house_style": "false", "domain_language": "false",
    "hard_to_describe": "false", "latency_critical": "false", "behaviour_changes": '"monthly"',
    "retrieval_tried": "false",
}  # fmt: skip


def test_the_json_keys_are_those_promised(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("fit", brief_file(), "--json")
    assert (answer.code, answer.err) == (0, "")
    assert sorted(answer.json) == sorted(KEYS)
    assert answer.json["verdict"] == "fine_tune"
    assert {tuple(score) for score in answer.json["scores"]} == {("approach", "score", "points", "reasons")}
    assert {check["ready"] for check in answer.json["readiness"]} == {True}
    assert answer.json["ready"] is True


def test_an_honest_no_is_1_and_says_why(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file(PROMPT_IS_ENOUGH)
    answer, shown = sixfold("fit", path, "--json"), sixfold("fit", path)
    assert (answer.code, shown.code) == (1, 1)
    assert answer.json["verdict"] == "do_not_fine_tune"
    assert answer.json["approach"] != "fine_tune"
    assert answer.json["reasons"]
    assert answer.json["headline"] in shown.out
    assert (answer.err, shown.err) == ("", "")


def test_what_nobody_knows_yet_is_asked_for_and_is_no_refusal(sixfold: Sixfold, brief_file: BriefFile) -> None:
    path = brief_file()
    text = re.sub(r'(?m)^(baseline_.*|owner = "Jana.*)\n', "", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    answer = sixfold("fit", path, "--json")
    assert (answer.code, answer.json["ready"]) == (0, False)
    assert {check["name"] for check in answer.json["readiness"] if check["ready"] is not True} >= {"baseline", "owner"}
    assert answer.json["missing"]


def test_the_stop_condition_is_the_briefs_own(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("fit", brief_file({"stop_at_percent": "79.5"}), "--json")
    assert answer.json["stop_at_percent"] == "79.5"
    assert "79.5 %" in answer.json["stop_condition"]


def test_a_brief_with_faults_is_2_and_nothing_is_said_of_the_fit(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("fit", brief_file({"examples": "-1"}))
    assert (answer.code, answer.out) == (2, "")
    assert "data.examples" in answer.err
