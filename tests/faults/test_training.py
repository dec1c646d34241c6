"""A run in a folder that is killed, interrupted, starved: asked again it goes on, nothing is lost or done twice."""

import json
import resource
import signal
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from engagements.phases.data_preparation.records import Record

Start = Callable[..., Any]
TRAIN = ["train", "--backend", "fake", "--model", "none", "--data", "ds", "-o", "run", "--yes", "--json"]
LABELS = ("billing", "outage", "moving")


@pytest.fixture(autouse=True)
def prepared(tmp_path: Path) -> None:
    splits = {}
    (tmp_path / "ds").mkdir()
    for split, (first, last) in {"train": (0, 40), "validation": (40, 60), "test": (60, 70)}.items():
        content = b"".join(record(number).as_line() for number in range(first, last))
        (tmp_path / "ds" / f"{split}.jsonl").write_bytes(content)
        splits[split] = {"sha256": sha256(content).hexdigest()}
    report = {"digest": "d" * 64, "policy": {"task": "classification"}, "splits": splits}
    (tmp_path / "ds" / "report.json").write_text(json.dumps(report), "utf-8")


def record(number: int) -> Record:
    label = LABELS[number % 3]
    said = ({"role": "user", "content": f"ticket {number}"}, {"role": "assistant", "content": label})
    return Record(id=f"r{number}", messages=said, label=label)


def finished(start: Start, *options: str) -> Any:
    process = start(*TRAIN, "--poll", "0", *options)
    out, err = process.communicate(timeout=60)
    assert process.code == 0, err
    return json.loads(out)


def reached(path: Path, *, lines: int = 1) -> None:
    """Waits until a file is there with so many lines."""
    for _ in range(3000):
        if path.exists() and len(path.read_bytes().splitlines()) >= lines:
            return
        time.sleep(0.01)
    pytest.fail(f"{path} was never there")


@pytest.mark.parametrize(
    "seen",
    [
        "spec.json", pytest.param("memory.json", marks=pytest.mark.slow),
        pytest.param("state.json", marks=pytest.mark.slow), "events.jsonl",
    ],
)  # fmt: skip
def test_killed_at_any_moment_the_same_command_goes_on_with_the_same_job(
    start: Start, tmp_path: Path, seen: str
) -> None:
    process = start(*TRAIN, "--poll", "1")
    reached(tmp_path / "run" / seen)
    process.kill()
    process.communicate()
    told = finished(start)
    assert (told["state"], len(told["checkpoints"])) == ("succeeded", 4)
    assert len(list((tmp_path / "run").rglob("run-*.json"))) == 1
    lines = (tmp_path / "run" / "events.jsonl").read_bytes().splitlines()
    steps = [json.loads(line)["metrics"]["step"] for line in lines]
    assert sorted(set(steps)) == list(range(1, 21))
    assert [path.name for path in (tmp_path / "run").rglob("*.partial")] == []


def test_ctrl_c_leaves_the_run_going_and_says_how_to_stop_it(start: Start, tmp_path: Path) -> None:
    process = start(*TRAIN, "--poll", "60")
    reached(tmp_path / "run" / "state.json")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.code, out) == (130, b"")
    assert b"sixfold runs watch run looks after it again, sixfold runs cancel run" in err
    assert finished(start)["state"] == "succeeded"


@pytest.mark.slow
def test_ctrl_c_twice_asks_it_to_stop(start: Start, tmp_path: Path) -> None:
    process = start(*TRAIN, "--poll", "60")
    reached(tmp_path / "run" / "state.json")
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.code, b"It was asked to stop." in err) == (130, True)
    told = start(*TRAIN, "--poll", "0")
    assert json.loads(told.communicate(timeout=60)[0])["state"] == "cancelled"
    assert told.code == 1


@pytest.mark.parametrize("most_bytes", [1_000, 6_000])
def test_a_disk_that_is_full_is_2_and_with_room_it_goes_on(start: Start, tmp_path: Path, most_bytes: int) -> None:
    """1,000 bytes have no room for the training file, 6,000 none for all events."""
    limit = (most_bytes, most_bytes)
    process = start(*TRAIN, "--poll", "0", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    out, err = process.communicate(timeout=60)
    assert process.code == 2, err
    assert b"File too large" in out + err
    assert b"Traceback" not in err
    assert (tmp_path / "run" / "spec.json").exists() == (most_bytes == 6_000)
    assert finished(start)["state"] == "succeeded"
