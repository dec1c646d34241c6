"""`sixfold runs` with ids of a server's records: what is refused before anybody is asked. No socket may be opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engagements.cli.runs import server as ids
from engagements.core.models import Engagement
from engagements.phases.training.models import Experiment, TrainingRun

Sixfold = Callable[..., Any]
RUN, EXPERIMENT, ENGAGEMENT = (f"{prefix}_{'0' * 26}" for prefix in ("trn", "exp", "eng"))
EACH = [
    ["show", RUN], ["watch", RUN], ["cancel", RUN], ["resume", RUN], ["compare", EXPERIMENT],
    ["list", "--experiment", EXPERIMENT], ["list", "--engagement", ENGAGEMENT],
]  # fmt: skip
AWAY = ["--url", "http://127.0.0.1:9", "--key", "sf_key"]


@pytest.mark.parametrize("words", EACH)
def test_an_id_without_a_server_is_refused_with_all_that_is_missing(sixfold: Sixfold, words: list[str]) -> None:
    answer = sixfold("runs", *words, "--json")
    assert (answer.code, answer.json["error"]) == (2, "no_server")
    assert [(each["code"], each["where"]) for each in answer.json["problems"]] == [
        ("no_server", words[-1]), ("no_key", "--key"),
    ]  # fmt: skip
    assert "SIXFOLD_URL" in answer.json["problems"][0]["remedy"]
    assert "SIXFOLD_API_KEY" in answer.json["problems"][1]["remedy"]


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8640", "ftp://here", "http://", "http://here:99999", "http://[", "//here", "https://:1"]
)
@pytest.mark.parametrize("key", ["", "schlüssel", "sf_a\nb"])
def test_an_address_and_a_key_that_cannot_be_are_said_in_one_pass(
    sixfold: Sixfold, monkeypatch: pytest.MonkeyPatch, url: str, key: str
) -> None:
    monkeypatch.setenv("SIXFOLD_URL", url)
    monkeypatch.setenv("SIXFOLD_API_KEY", key)
    answer = sixfold("runs", "show", RUN, "--json")
    assert answer.code == 2
    assert [each["code"] for each in answer.json["problems"]] == ["url.bad_format", "no_key"]
    assert key not in answer.out or not key


@pytest.mark.parametrize(("words", "needed"), [
    (["show", EXPERIMENT], "trn_"), (["watch", ENGAGEMENT], "trn_"), (["compare", RUN], "exp_"),
    (["list", "--experiment", RUN], "exp_"), (["list", "--engagement", "nordwind"], "eng_"),
])  # fmt: skip
def test_the_id_of_something_else_is_refused_by_what_is_needed(sixfold: Sixfold, words: list[str], needed: str) -> None:
    answer = sixfold("runs", *words, *AWAY, "--json")
    assert (answer.code, answer.json["error"]) == (2, "wrong_id")
    assert answer.json["problems"][0]["where"] == words[-1]
    assert answer.json["problems"][0]["remedy"].endswith(f"begins with {needed}")


@pytest.mark.parametrize("words", [
    ["show", "runs/1", *AWAY], ["watch", "gone", *AWAY], ["compare", "a", "b", *AWAY], ["list", *AWAY],
    ["list", "here", "--experiment", EXPERIMENT], ["list", "--engagement", ENGAGEMENT, "--experiment", EXPERIMENT],
    ["watch", RUN, "--poll", "1", *AWAY], ["resume", RUN, "--poll", "1", *AWAY],
    ["show", RUN, "--prices", "own.toml", *AWAY], ["compare", EXPERIMENT, "--prices", "own.toml", *AWAY],
])  # fmt: skip
def test_what_is_of_folders_and_what_is_of_servers_do_not_go_together(sixfold: Sixfold, words: list[str]) -> None:
    answer = sixfold("runs", *words, "--json")
    assert (answer.code, answer.json["error"]) == (2, "usage")


def test_a_server_in_the_environment_leaves_folders_as_they_were(
    sixfold: Sixfold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIXFOLD_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SIXFOLD_API_KEY", "sf_key")
    assert sixfold("runs", "list", "--json").json == {"runs": []}
    (tmp_path / RUN).mkdir()
    for name in ("gone", RUN):
        assert sixfold("runs", "show", name, "--json").json["error"] == "no_run"


def test_the_ids_are_those_of_the_records() -> None:
    assert (ids.RUN, ids.EXPERIMENT, ids.ENGAGEMENT) == (TrainingRun.PREFIX, Experiment.PREFIX, Engagement.PREFIX)
