import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
MODEL = "gpt-4o-mini-2024-07-18"

KEYS = [
    "trained_tokens", "epochs", "epochs_reason", "examples", "encoding", "tokens_per_epoch", "messages",
    "examples_with_tools", "assistant_tokens", "prompt_tokens_mean", "answer_tokens_mean", "tokens_per_example",
    "limit_tokens", "examples_over_limit", "tokens_cut_off", "rows", "size_bytes", "sha256", "problem_counts",
    "problems",
]  # fmt: skip
PROBLEM_KEYS = ["line", "where", "code", "severity", "message", "remedy"]


def chat(user: str, answer: str = "It will arrive on Monday.") -> dict[str, object]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]}


def sound_rows(count: int = 12) -> list[dict[str, object]]:
    return [chat(f"Where is parcel {number}?") for number in range(count)]


def written(folder: Path, rows: Iterable[object], name: str = "train.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    return path


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "model", "trained", "epochs", "examples"),
    [("derpies.jsonl", MODEL, 6_104, 4, 25), ("drone_training_2024-07.jsonl", "gpt-3.5-turbo-0125", 145_983, 3, 103)],
)
def test_a_billed_job_is_counted_to_the_token(
    sixfold: Sixfold, shared_data: Path, file: str, model: str, trained: int, epochs: int, examples: int
) -> None:
    answer = sixfold("tokens", shared_data / "trained_tokens" / file, "--model", model, "--json")
    found = {key: answer.json[key] for key in ("trained_tokens", "epochs", "examples")}
    assert found == {"trained_tokens": trained, "epochs": epochs, "examples": examples}
    assert (answer.code, answer.err) == (0, "")


@pytest.mark.shared_data
def test_every_labelled_defect_is_named_by_its_line_and_no_sound_line_accused(
    sixfold: Sixfold, shared_data: Path
) -> None:
    folder = shared_data / "sets/28_dirty_chat_jsonl"
    truth = [json.loads(line) for line in (folder / "mixed_defects_truth.jsonl").read_bytes().splitlines()]
    answer = sixfold("tokens", folder / "mixed_defects.jsonl", "--model", MODEL, "--json")
    said: dict[int, set[str]] = {}
    for problem in answer.json["problems"]:
        said.setdefault(problem["line"], set()).add(problem["severity"])
    accepted = {"ok": [set()], "error": [{"error"}, {"error", "warning"}], "warning": [{"warning"}]}
    either = [*accepted["error"], *accepted["warning"]]
    wrong = [label for label in truth if said.get(label["line"], set()) not in accepted.get(label["severity"], either)]
    assert wrong == []
    assert answer.code == 2
    assert answer.json["trained_tokens"] > 0


def test_the_json_keys_are_those_promised(sixfold: Sixfold, tmp_path: Path) -> None:
    rows = [*sound_rows(), {"messages": []}, chat("Hello?") | {"source": "crm"}]
    path = written(tmp_path, rows)
    answer = sixfold("tokens", path, "--model", MODEL, "--json")
    assert list(answer.json) == KEYS
    assert list(answer.json["tokens_per_example"]) == ["p10", "p50", "p90", "longest"]
    assert [list(problem) for problem in answer.json["problems"]] == [PROBLEM_KEYS] * 2
    assert [(p["line"], p["severity"]) for p in answer.json["problems"]] == [(13, "error"), (14, "warning")]
    assert answer.json["problem_counts"] == {"row.messages_missing": 1, "row.unknown_key": 1}
    assert answer.json["encoding"] == "o200k_base"
    assert (answer.json["rows"], answer.json["size_bytes"]) == (14, path.stat().st_size)
    assert answer.json["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_sound_file_is_0_and_one_with_warnings_too(sixfold: Sixfold, tmp_path: Path) -> None:
    sound = sixfold("tokens", written(tmp_path, sound_rows()), "--model", MODEL)
    assert (sound.code, sound.err) == (0, "")
    doubled = sixfold("tokens", written(tmp_path, [*sound_rows(), sound_rows()[0]]), "--model", MODEL)
    assert doubled.code == 0
    assert "the same example as line 1" in doubled.err
    assert "nothing that stops, 1 to look at" in doubled.err


def test_a_file_with_an_error_is_2_and_is_counted_all_the_same(sixfold: Sixfold, tmp_path: Path) -> None:
    answer = sixfold("tokens", written(tmp_path, [*sound_rows(), 7]), "--model", MODEL)
    assert answer.code == 2
    assert "12 examples" in answer.out
    assert "line 13" in answer.err
    assert "1 to mend" in answer.err


def test_the_severity_can_be_read_without_colours(sixfold: Sixfold, tmp_path: Path) -> None:
    rows = [*sound_rows(), 7, chat("Hello?") | {"source": "crm"}]
    lines = sixfold("tokens", written(tmp_path, rows), "--model", MODEL).err.splitlines()
    assert [line.split()[0] for line in lines if "line 1" in line] == ["error", "warning"]


@pytest.mark.parametrize("epochs", [1, 50])
def test_epochs_as_set_multiply_the_tokens(sixfold: Sixfold, tmp_path: Path, epochs: int) -> None:
    answer = sixfold("tokens", written(tmp_path, sound_rows()), "--model", MODEL, "--epochs", epochs, "--json")
    assert answer.json["epochs"] == epochs
    assert answer.json["trained_tokens"] == epochs * answer.json["tokens_per_epoch"]


def test_auto_epochs_are_the_default(sixfold: Sixfold, tmp_path: Path) -> None:
    path = written(tmp_path, sound_rows())
    by_default = sixfold("tokens", path, "--model", MODEL, "--json").json
    assert by_default == sixfold("tokens", path, "--model", MODEL, "--epochs", "auto", "--json").json
    assert by_default["epochs"] == 100 // 12


@pytest.mark.parametrize("epochs", ["0", "51", "-1", "1.5", "many", "9" * 30])
def test_epochs_that_cannot_be_are_refused(sixfold: Sixfold, tmp_path: Path, epochs: str) -> None:
    answer = sixfold("tokens", written(tmp_path, sound_rows()), "--model", MODEL, "--epochs", epochs, "--json")
    assert answer.code == 2
    assert "1 to 50" in answer.out


def test_an_unknown_model_is_named_with_those_that_come_near(sixfold: Sixfold, tmp_path: Path) -> None:
    answer = sixfold("tokens", written(tmp_path, sound_rows()), "--model", "gpt-4o-minni", "--json")
    assert (answer.code, answer.json["error"]) == (2, "unknown_name")
    (problem,) = answer.json["problems"]
    assert "gpt-4o-minni" in problem["message"]
    assert "did you mean gpt-4o-mini" in problem["remedy"]


def test_a_model_or_a_tokenizer_must_be_given_and_not_both(sixfold: Sixfold, tmp_path: Path) -> None:
    path = written(tmp_path, sound_rows())
    assert sixfold("tokens", path).code == 2
    assert sixfold("tokens", path, "--model", MODEL, "--tokenizer", path).code == 2


def test_a_tokenizer_file_of_an_open_model_counts(sixfold: Sixfold, tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "parcel": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    path = written(tmp_path, sound_rows())
    answer = sixfold("tokens", path, "--tokenizer", tmp_path / "tokenizer.json", "--epochs", "1", "--json")
    assert answer.code == 0
    assert answer.json["trained_tokens"] == 12 * (5 + 6)  # words and marks of a question and an answer


def test_a_tokenizer_that_is_none_is_refused(sixfold: Sixfold, tmp_path: Path) -> None:
    path = written(tmp_path, sound_rows())
    answer = sixfold("tokens", path, "--tokenizer", path, "--json")
    assert answer.code == 2
    assert len(answer.json["problems"]) == 1


@pytest.mark.parametrize("name", ["gone.jsonl", "train.jsonl/row", "x" * 300])
def test_a_file_that_is_not_there_is_said(sixfold: Sixfold, tmp_path: Path, name: str) -> None:
    written(tmp_path, sound_rows())
    answer = sixfold("tokens", tmp_path / name, "--model", MODEL, "--json")
    assert (answer.code, answer.json["error"]) == (2, "dataset_unreadable")
    assert answer.json["problems"][0]["remedy"]


def test_a_folder_is_no_dataset(sixfold: Sixfold, tmp_path: Path) -> None:
    answer = sixfold("tokens", ".", "--model", MODEL)
    assert answer.code == 2
    assert "'.' is a directory" in answer.err


@pytest.mark.parametrize("file", ["/dev/zero", "pipe"])
def test_a_pipe_or_a_device_is_to_be_saved_first(sixfold: Sixfold, tmp_path: Path, file: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    answer = sixfold("tokens", file, "--model", MODEL)
    assert answer.code == 2
    assert "save it as a file first" in answer.err


def test_markup_and_steering_in_a_file_do_not_reach_the_terminal(sixfold: Sixfold, tmp_path: Path) -> None:
    row = chat("Hello [red]you[/red]") | {"[bold]\x1b[2J\x9b": 1}
    answer = sixfold("tokens", written(tmp_path, [*sound_rows(), row]), "--model", MODEL)
    assert "[bold]" in answer.err
    assert "\x1b" not in answer.err
    assert "\x9b" not in answer.err


def test_many_rows_with_one_fault_are_one_line_on_the_screen_and_all_are_counted(
    sixfold: Sixfold, tmp_path: Path
) -> None:
    path = written(tmp_path, [row | {"source": "crm"} for row in sound_rows(150)])
    shown, listed = sixfold("tokens", path, "--model", MODEL), sixfold("tokens", path, "--model", MODEL, "--json")
    assert "1, 2, 3, 4, 5 ..." in shown.err
    assert listed.json["problem_counts"] == {"row.unknown_key": 150}
    assert len(listed.json["problems"]) == 100
