"""`sixfold runs export`: what is refused before anything is written, and a real adapter taken out of its run."""

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from engagements.cli.runs.export import CONVERTER

Sixfold = Callable[..., Any]
TRAIN = ["train", "--backend", "fake", "--model", "none", "--data", "ds", "--poll", "0", "--yes"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither PATH nor the home folder of who runs the tests has a say."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.usefixtures("prepared")
def test_weights_that_lie_elsewhere_are_named_and_not_exported(sixfold: Sixfold, tmp_path: Path) -> None:
    assert sixfold(*TRAIN, "-o", "run").code == 0
    answer = sixfold("runs", "export", "run", "-o", "out", "--as", "merged", "--json")
    assert (answer.code, answer.json["error"]) == (2, "export_refused")
    assert [(each["code"], each["where"]) for each in answer.json["problems"]] == [("not_offered", "run")]
    assert "by its name" in answer.json["problems"][0]["remedy"]
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("prepared")
def test_a_run_that_is_not_finished_is_not_exported(sixfold: Sixfold, tmp_path: Path) -> None:
    assert sixfold(*TRAIN, "-o", "run").code == 0
    for name in ("record.json", "state.json"):
        (tmp_path / "run" / name).unlink()
    answer = sixfold("runs", "export", "run", "-o", "out", "--as", "adapter", "--json")
    assert [(each["code"], each["remedy"]) for each in answer.json["problems"]] == [
        ("not_finished", "sixfold runs watch run")
    ]  # fmt: skip


def test_all_that_is_wrong_is_said_in_one_pass(sixfold: Sixfold, tmp_path: Path, home: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "record.json").write_text("{}")
    answer = sixfold("runs", "export", "run", "-o", "out", "--as", "gguf", "--json")
    assert answer.code == 2
    assert [each["code"] for each in answer.json["problems"]] == ["target_taken", "no_converter", "no_run"]
    looked = answer.json["problems"][1]
    assert f"on PATH, in llama.cpp and {home / 'llama.cpp'}" in looked["message"]
    assert "--converter PATH" in looked["remedy"]
    assert sixfold("runs", "export", "a", "b", "-o", "new", "--as", "merged", "--json").json["error"] == "usage"


@pytest.mark.parametrize("place", ["bin", "llama.cpp", "home/llama.cpp", "given"])
def test_the_converter_is_found_where_it_was_said_to_be_looked_for(
    sixfold: Sixfold, tmp_path: Path, place: str
) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / CONVERTER).write_text("")
    given = ["--converter", f"given/{CONVERTER}"] if place == "given" else []
    answer = sixfold("runs", "export", "gone", "-o", "out", "--as", "gguf", *given, "--json")
    assert [each["code"] for each in answer.json["problems"]] == ["no_run"]
    missing = sixfold("runs", "export", "gone", "-o", "out", "--as", "gguf", "--converter", "nowhere.py", "--json")
    assert [each["code"] for each in missing.json["problems"]] == ["no_converter", "no_run"]
    assert "looked for nowhere.py" in missing.json["problems"][0]["message"]


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.usefixtures("prepared")
def test_an_adapter_is_taken_out_of_its_run_and_only_as_it_was_chosen(
    sixfold: Sixfold, tmp_path: Path, shared_data: Path
) -> None:
    model = shutil.copytree(shared_data / "sets" / "35_tiny_lm" / "model", tmp_path / "model")
    trained = sixfold(
        "train", "--backend", "peft", "--model", model, "--data", "ds", "-o", "run", "--max-steps", "2", "--rank", "4",
        "--evaluations", "1", "--checkpoints", "1", "--scored-rows", "2", "--no-base", "--yes", "--json",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    answer = sixfold("runs", "export", "run", "-o", "out/tickets", "--as", "adapter", "--json")
    assert answer.code == 0, answer.out
    assert "MB at the most" in answer.err
    told = answer.json
    assert [(each["folder"], each["step"], each["name"], each["kind"]) for each in told["runs"]] == [
        ("run", 2, "run", "adapter")
    ]  # fmt: skip
    for file in told["files"]:
        content = (tmp_path / "out" / "tickets" / file["name"]).read_bytes()
        assert (len(content), sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    assert told["bytes"] <= told["needed_bytes"] <= told["free_bytes"]
    again = sixfold("runs", "export", "run", "-o", "out/tickets", "--as", "adapter", "--json")
    assert [each["code"] for each in again.json["problems"]] == ["target_taken"]

    os.truncate(model / "model.safetensors", 1 << 43)
    large = sixfold("runs", "export", "run", "-o", "large", "--as", "merged", "--json")
    assert [each["code"] for each in large.json["problems"]] == ["no_room"]

    (manifest,) = (tmp_path / "run").rglob("checkpoints/*/manifest.json")
    held = json.loads(manifest.read_text())
    held["files"]["adapter_model.safetensors"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(held))
    altered = sixfold("runs", "export", "run", "-o", "altered", "--as", "adapter", "--json")
    assert [each["code"] for each in altered.json["problems"]] == ["checkpoint_invalid"]
    assert not (tmp_path / "altered").exists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["tickets"]
