"""`sixfold train` and `sixfold runs`, on the backend that trains nothing: what is made, said and refused."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from engagements.cli.training.folder import RunFolder
from engagements.phases.data_preparation.records import Record

Sixfold = Callable[..., Any]
TRAIN = ["train", "--backend", "fake", "--model", "none", "--data", "ds", "--poll", "0", "--yes"]
KEYS = {
    "output", "run_id", "state", "failure", "verdict", "metric", "checkpoints", "base", "chosen", "model", "reason",
    "usage", "predicted", "record", "record_sha256",
}  # fmt: skip


@pytest.mark.usefixtures("prepared")
def test_a_run_ends_with_a_chosen_checkpoint_its_reason_and_its_record(sixfold: Sixfold, tmp_path: Path) -> None:
    answer = sixfold(*TRAIN, "-o", "run", "--json")
    assert answer.code == 0, answer.err
    told = answer.json
    assert told.keys() == KEYS
    assert (told["state"], told["metric"], told["failure"]) == ("succeeded", "label", None)
    assert [each["step"] for each in told["checkpoints"]] == [5, 10, 15, 20]
    best = max(told["checkpoints"], key=lambda each: (each["score"]["value"], -each["valid_loss"]))
    assert told["chosen"] == best["id"]
    assert told["reason"].startswith(f"step {best['step']}: label {best['score']['value']:.3f} (95% interval")
    assert told["base"] == {"value": None, "error": "no run none"}
    kept = json.loads((tmp_path / "run" / "record.json").read_bytes())
    assert sha256((tmp_path / "run" / "record.json").read_bytes()).hexdigest() == told["record_sha256"]
    assert (kept["dataset_sha256"], kept["checkpoint"]["step"]) == ("d" * 64, best["step"])
    assert str(tmp_path) not in json.dumps(kept)


@pytest.mark.usefixtures("prepared")
def test_what_it_will_take_is_said_before_and_what_came_out_after(sixfold: Sixfold) -> None:
    answer = sixfold(*TRAIN, "-o", "run")
    assert "What it will take" in answer.err
    assert "no GPU is named" in answer.err
    assert answer.out.startswith("succeeded none in run")
    assert "chosen: step" in answer.out


@pytest.mark.usefixtures("prepared")
def test_hours_of_our_own_machine_cost_what_the_settings_say(sixfold: Sixfold, tmp_path: Path) -> None:
    hour = '{amount = "2.40", currency = "EUR", source = "our accounts", as_of = "2026-11-01"}'
    (tmp_path / "sixfold.toml").write_text(f'[backends.ours]\nkind = "fake"\nhour = {hour}\n')
    ours = ["train", "--backend", "ours", "--data", "ds", "--poll", "0", "--yes"]
    known = sixfold(*ours, "--model", "llama-3.1-8b", "--gpu", "H100", "-o", "known", "--json").json["predicted"]
    assert float(known["cost"]["high"]) == pytest.approx(2.4 * known["hours"]["high"], abs=1e-4)
    assert (known["currency"], known["sources"]["cost"]) == ("EUR", "2.40 EUR an hour: our accounts, 2026-11-01")
    told = sixfold(*ours, "--model", "none", "-o", "unknown", "--json").json["predicted"]
    assert (told["hours"], told["cost"]) == (None, None)
    assert told["unknown"]["cost"].startswith("no GPU is named")
    said = sixfold(*TRAIN, "-o", "unpriced", "--json").json["predicted"]
    assert (said["cost"], said["unknown"]["cost"]) == (None, "the settings name no price of an hour of this machine")


@pytest.mark.usefixtures("prepared")
def test_a_gpu_that_no_table_knows_is_refused_with_what_comes_close(sixfold: Sixfold, tmp_path: Path) -> None:
    answer = sixfold(*TRAIN, "--gpu", "H10O", "-o", "run", "--json")
    assert (answer.code, answer.json["problems"][0]["code"]) == (2, "unknown_gpu")
    assert "H100" in answer.json["problems"][0]["remedy"]
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("prepared")
def test_the_test_split_is_never_copied_or_answered(sixfold: Sixfold, tmp_path: Path) -> None:
    assert sixfold(*TRAIN, "-o", "run").code == 0
    assert sorted(path.name for path in (tmp_path / "run" / "data").iterdir()) == [
        "scored.jsonl", "train.jsonl", "validation.jsonl",
    ]  # fmt: skip
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert not any(f"ticket {number} {number * 7919}".encode() in written for number in range(60, 70))


@pytest.mark.usefixtures("prepared")
def test_the_same_command_again_begins_nothing_and_says_the_same(sixfold: Sixfold, tmp_path: Path) -> None:
    first = sixfold(*TRAIN, "-o", "run", "--json").json
    scored = (tmp_path / "run" / "scores.json").read_bytes()
    again = sixfold(*TRAIN, "-o", "run", "--json")
    assert (again.code, again.json) == (0, first)
    assert (tmp_path / "run" / "scores.json").read_bytes() == scored
    assert (
        len(
            list((tmp_path / "run" / "fake" / "fake").glob("*.json"))
            or list((tmp_path / "run" / "fake").glob("*.json"))
        )
        == 1
    )


@pytest.mark.usefixtures("prepared")
def test_files_that_a_kill_cut_short_are_told_and_scored_again(sixfold: Sixfold, tmp_path: Path) -> None:
    first, run = sixfold(*TRAIN, "-o", "run", "--json").json, tmp_path / "run"
    (run / "events.jsonl").write_bytes((run / "events.jsonl").read_bytes()[:-30])
    (run / "scores.json").write_bytes(b'{"cut short')
    (run / "state.json").unlink()
    assert sixfold(*TRAIN, "-o", "run", "--json").json == first


@pytest.mark.usefixtures("prepared")
def test_while_another_process_looks_after_a_run_nobody_else_does(sixfold: Sixfold, tmp_path: Path) -> None:
    assert sixfold(*TRAIN, "-o", "run").code == 0
    before = (tmp_path / "run" / "state.json").read_bytes()
    with RunFolder(path=tmp_path / "run").held() as ours:
        assert ours
        for words in ([*TRAIN, "-o", "run"], ["runs", "resume", "run"]):
            answer = sixfold(*words, "--json")
            assert (answer.code, answer.json["error"]) == (2, "run_busy")
    assert (tmp_path / "run" / "state.json").read_bytes() == before


@pytest.mark.usefixtures("prepared")
def test_another_run_in_the_same_folder_is_refused_with_all_that_differs(sixfold: Sixfold, tmp_path: Path) -> None:
    assert sixfold(*TRAIN, "-o", "run").code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    answer = sixfold(*TRAIN, "-o", "run", "--epochs", "5", "--seed", "8", "--json")
    assert (answer.code, answer.json["error"]) == (2, "run_differs")
    assert [problem["where"] for problem in answer.json["problems"]] == ["epochs", "seed"]
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("prepared")
def test_a_run_is_repeated_from_its_record_on_the_same_bytes_only(
    sixfold: Sixfold, tmp_path: Path, record: Callable[[int], Record]
) -> None:
    first = sixfold(*TRAIN, "-o", "run", "--epochs", "5", "--json").json
    repeat = ["train", "--from", "run/record.json", "--data", "ds", "--poll", "0", "--yes"]
    again = sixfold(*repeat, "-o", "again", "--json").json
    records = [json.loads((tmp_path / name / "record.json").read_bytes()) for name in ("run", "again")]
    assert records[0]["spec_sha256"] == records[1]["spec_sha256"]
    assert records[1]["parent"] == first["record_sha256"]
    assert again["verdict"] == first["verdict"]
    other = record(999).as_line()
    (tmp_path / "ds" / "train.jsonl").write_bytes(other)
    report = json.loads((tmp_path / "ds" / "report.json").read_text())
    report["splits"]["train"]["sha256"] = sha256(other).hexdigest()
    (tmp_path / "ds" / "report.json").write_text(json.dumps(report))
    refused = sixfold(*repeat, "-o", "third", "--json")
    assert (refused.code, [problem["code"] for problem in refused.json["problems"]]) == (2, ["digest_mismatch"])
    assert not (tmp_path / "third").exists()


@pytest.mark.usefixtures("prepared")
def test_a_file_describes_a_run_and_options_win(sixfold: Sixfold, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(
        'backend = "fake"\nmodel = "none"\ndata = "ds"\nmetric = "exact_match"\nseed = 3\n'
        "[hyperparameters]\nepochs = 2\nrank = 8\n"
    )
    answer = sixfold("train", "run.toml", "-o", "run", "--epochs", "4", "--poll", "0", "--json")
    assert (answer.code, answer.json["metric"]) == (0, "exact_match")
    spec = json.loads((tmp_path / "run" / "spec.json").read_bytes())
    assert spec["seed"] == 3
    assert {name: value for name, value in spec["hyperparameters"].items() if value} == {"epochs": 4, "rank": 8}


@pytest.mark.usefixtures("prepared")
def test_all_that_is_wrong_is_said_in_one_pass_and_nothing_is_written(sixfold: Sixfold, tmp_path: Path) -> None:
    answer = sixfold(
        "train", "--backend", "fak", "--data", "nowhere", "--epochs", "x", "--rank", "0", "--set", "foo=3",
        "--metric", "zz", "--seed", "-1", "-o", "run", "--json",
    )  # fmt: skip
    assert (answer.code, answer.json["error"]) == (2, "training_invalid")
    places = [problem["where"] for problem in answer.json["problems"]]
    assert places[:6] == [
        "model", "seed", "hyperparameters.epochs", "hyperparameters.rank", "hyperparameters.foo", "metric",
    ]  # fmt: skip
    assert any("did you mean fake" in problem["remedy"] for problem in answer.json["problems"])
    assert "nowhere" in places
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ds"]


@pytest.mark.usefixtures("prepared")
def test_what_the_backend_refuses_is_said_and_nothing_is_written(sixfold: Sixfold, tmp_path: Path) -> None:
    answer = sixfold(*TRAIN, "-o", "run", "--method", "dpo", "--learning-rate-multiplier", "2", "--json")
    assert answer.code == 2
    assert {problem["where"] for problem in answer.json["problems"]} == {
        "method",
        "hyperparameters.learning_rate_multiplier",
    }
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("prepared")
def test_a_provider_without_its_key_is_refused_by_the_name_of_the_variable(
    sixfold: Sixfold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    provider = ["train", "--backend", "openai", "--model", "gpt-4o-mini-2024-07-18", "--data", "ds", "-o", "run"]
    answer = sixfold(*provider, "--json")
    assert (answer.code, answer.json["error"]) == (2, "run_refused")
    assert "OPENAI_API_KEY" in answer.json["problems"][0]["message"]
    other = sixfold(*provider, "--setting", "profile=together", "--secret", "api_key=TOGETHER_KEY", "--json")
    assert "TOGETHER_KEY" in other.json["problems"][0]["message"]
    assert sixfold(*provider, "--setting", "profile", "--json").json["error"] == "usage"
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("prepared")
def test_a_dataset_that_was_changed_since_it_was_prepared_is_refused(
    sixfold: Sixfold, tmp_path: Path, record: Callable[[int], Record]
) -> None:
    with (tmp_path / "ds" / "train.jsonl").open("ab") as file:
        file.write(record(500).as_line())
    answer = sixfold(*TRAIN, "-o", "run", "--json")
    assert (answer.code, answer.json["problems"][0]["code"]) == (2, "dataset_unusable")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", ["", "x = [", "[1]", "\x00", 'model = "a"\nbackend = 7\ndata = []'])
@pytest.mark.usefixtures("prepared")
def test_a_file_that_describes_no_run_is_2_and_said(sixfold: Sixfold, tmp_path: Path, content: str) -> None:
    for name in ("run.toml", "run.json"):
        (tmp_path / name).write_text(content)
        answer = sixfold("train", name, "-o", "run", "--json")
        assert (answer.code, answer.json["error"]) == (2, "training_invalid")
        assert not (tmp_path / "run").exists()


def test_without_a_validation_split_the_last_word_is_that_nothing_was_measured(
    sixfold: Sixfold, tmp_path: Path, prepared: Path
) -> None:
    (prepared / "validation.jsonl").write_bytes(b"")
    report = json.loads((prepared / "report.json").read_text())
    report["splits"]["validation"]["sha256"] = sha256(b"").hexdigest()
    (prepared / "report.json").write_text(json.dumps(report))
    answer = sixfold(*TRAIN, "-o", "run", "--json")
    assert answer.code == 0
    assert "no task metric could be measured" in answer.json["reason"]
    assert [each["score"] for each in answer.json["checkpoints"]] == [None] * 4


@pytest.mark.usefixtures("prepared")
def test_a_run_that_was_cancelled_is_1_and_its_checkpoints_are_scored_all_the_same(
    sixfold: Sixfold, tmp_path: Path
) -> None:
    assert sixfold(*TRAIN, "-o", "run").code == 0
    for name in ("state.json", "events.jsonl", "scores.json"):
        (tmp_path / "run" / name).unlink()
    (job,) = (tmp_path / "run").rglob("run-*.json")
    job.write_text(json.dumps(json.loads(job.read_text()) | {"moment": 2}))
    assert sixfold("runs", "cancel", "run", "--json").json["state"] == "cancelled"
    answer = sixfold("runs", "watch", "run", "--poll", "0", "--json")
    assert (answer.code, answer.json["state"]) == (1, "cancelled")
    assert [each["score"]["items"] for each in answer.json["checkpoints"]] == [20]


@pytest.mark.usefixtures("prepared")
def test_runs_are_listed_shown_and_compared(sixfold: Sixfold) -> None:
    assert [sixfold(*TRAIN, "-o", f"runs/{n}", "--epochs", str(n)).code for n in (3, 8)] == [0, 0]
    listed = sixfold("runs", "list", "runs", "--json").json["runs"]
    assert [(each["folder"], each["state"], each["step"]) for each in listed] == [
        ("runs/3", "succeeded", 20), ("runs/8", "succeeded", 20),
    ]  # fmt: skip
    shown = sixfold("runs", "show", "runs/8", "--json").json
    assert (shown["verdict"]["kind"], shown["hyperparameters"], shown["cost"]) == ("overfitting", {"epochs": 8}, None)
    compared = sixfold("runs", "compare", "runs/3", "runs/8", "--json").json
    assert [each["differs"] for each in compared["runs"]] == [{"epochs": 3}, {"epochs": 8}]
    assert (compared["metric"], compared["best"]) == ("label", "runs/3")
    assert "runs/8 has the same value, and its validation loss of" in compared["reason"]
    for words in (["list", "runs"], ["show", "runs/8"], ["compare", "runs/3", "runs/8"]):
        assert sixfold("runs", *words).code == 0


@pytest.mark.usefixtures("prepared")
def test_runs_scored_by_different_metrics_are_not_ranked(sixfold: Sixfold) -> None:
    assert [sixfold(*TRAIN, "-o", name, "--metric", name).code for name in ("label", "token_f1")] == [0, 0]
    compared = sixfold("runs", "compare", "label", "token_f1", "--json").json
    assert (compared["metric"], compared["best"], compared["reason"]) == (None, None, None)
    assert "none can be called best" in sixfold("runs", "compare", "label", "token_f1").out


@pytest.mark.parametrize("words", [["show"], ["watch"], ["cancel"], ["resume"], ["list"], ["compare", "ds"]])
@pytest.mark.usefixtures("prepared")
def test_a_folder_without_a_run_is_2_and_named(sixfold: Sixfold, tmp_path: Path, words: list[str]) -> None:
    answer = sixfold("runs", *words, "gone", "--json")
    assert (answer.code, answer.json["error"]) == (2, "no_run")
    assert any("gone" in problem["where"] for problem in answer.json["problems"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ds"]


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.usefixtures("prepared")
def test_a_small_model_really_learns_on_this_machine(sixfold: Sixfold, shared_data: Path) -> None:
    model = shared_data / "sets" / "35_tiny_lm" / "model"
    answer = sixfold(
        "train", "--backend", "peft", "--model", model, "--data", "ds", "-o", "run", "--max-steps", "12", "--rank", "8",
        "--learning-rate", "5e-3", "--evaluations", "3", "--checkpoints", "1", "--scored-rows", "8", "--yes", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    told = answer.json
    (checkpoint,) = told["checkpoints"]
    assert (checkpoint["step"], checkpoint["score"]["items"], told["base"]["items"]) == (12, 8, 8)
    assert (told["usage"]["trained_tokens"] or 0) > 0
    assert told["reason"].startswith("step 12: label")
    again = sixfold("runs", "show", "run", "--json").json
    assert (again["state"], again["total_steps"]) == ("succeeded", 12)
