"""`sixfold train --backend openai` in a process of its own, with a provider on a socket that trains nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from backends.stand_in.faults import CREATE_JOB, Fault, Kind
from backends.stand_in.server import StandIn
from backends.stand_in.serving import serving
from engagements.phases.data_preparation.records import Record

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.slow]

PROJECT = Path(__file__).resolve().parents[3]
LABELS = ("billing", "outage", "moving")
WITHIN_S = 60.0
Sixfold = Callable[..., Any]
Command = Callable[..., subprocess.Popen[str]]
KEY = "sk-of-the-test"


class Moved:
    """The provider's clock, which stands still until it is moved."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def record(split: str, number: int) -> Record:
    said = (
        {"role": "system", "content": "Name the queue."},
        {"role": "user", "content": f"ticket {number} {number * 7919}"},
        {"role": "assistant", "content": LABELS[number % 3]},
    )
    return Record(id=f"{split}-{number}", messages=said, label=LABELS[number % 3])


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A dataset in a folder, as preparing leaves it; what its validation split asks is asked in training too."""
    folder = tmp_path / "ds"
    folder.mkdir()
    splits = {}
    for split, numbers in {"train": range(40), "validation": range(12), "test": range(60, 70)}.items():
        content = b"".join(record(split, number).as_line() for number in numbers)
        (folder / f"{split}.jsonl").write_bytes(content)
        splits[split] = {"sha256": sha256(content).hexdigest()}
    report = {"digest": "d" * 64, "policy": {"task": "classification"}, "splits": splits}
    (folder / "report.json").write_text(json.dumps(report), "utf-8")
    return folder


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture
def provider(tmp_path: Path, clock: Moved, socket_enabled: None) -> Iterator[StandIn]:
    with serving(tmp_path / "provider", clock=clock, api_key=KEY) as stand_in:
        yield stand_in


@pytest.fixture
def command(tmp_path: Path, prepared: Path) -> Command:
    """Starts the command itself in the folder of the dataset."""

    def started(*words: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIXFOLD_")}
        return subprocess.Popen(
            [sys.executable, "-m", "engagements", *words, "--json"], cwd=prepared.parent,
            env=environment | {"REHEARSAL_KEY": KEY, "PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    return started


@pytest.fixture
def train(command: Command, provider: StandIn) -> Command:
    """Of a provider that nobody knows, whose last day for new jobs no calendar holds."""

    def started(*more: str) -> subprocess.Popen[str]:
        return command(
            "train", "--backend", "openai", "--model", "large-1", "--data", "ds", "-o", "run", "--poll", "0.1", "--yes",
            "--no-base", "--setting", f"base_url={provider.base_url}", "--setting", "profile=generic",
            "--secret", "api_key=REHEARSAL_KEY", *more,
        )  # fmt: skip

    return started


def jobs(provider: StandIn) -> list[Any]:
    with provider.ledger.reading() as known:
        return list(known.jobs.values())


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + WITHIN_S
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends, "it does not come to that"
        time.sleep(0.02)


def test_a_run_at_a_provider_ends_with_a_chosen_checkpoint(
    train: Command, provider: StandIn, clock: Moved, tmp_path: Path
) -> None:
    with train("--epochs", "2", "--batch-size", "8", "--suffix", "triage") as process:
        wait_until(lambda: bool(jobs(provider)), process)
        clock.now += 1_000
        out, err = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0, err
    told = json.loads(out)
    (job,) = jobs(provider)
    assert (told["state"], told["metric"], told["failure"]) == ("succeeded", "label", None)
    assert job.request["metadata"]["run"] == told["run_id"]
    assert job.request["suffix"] == "triage"
    assert [each["step"] for each in told["checkpoints"]] == [5, 10]
    # The provider answers what it was shown, whatever the checkpoint.
    assert [each["score"]["value"] for each in told["checkpoints"]] == [1.0, 1.0]
    assert told["model"].startswith("ft:large-1:standin:triage:")
    assert told["usage"]["billed_tokens"] > 0
    assert (told["base"], told["chosen"] is not None) == (None, True)
    kept = (tmp_path / "run" / "record.json").read_bytes()
    assert sha256(kept).hexdigest() == told["record_sha256"]
    assert KEY.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())


@pytest.mark.parametrize("moment", ["its answer is on the way", "it is followed"])
def test_killed_after_the_job_was_sent_the_run_is_gone_on_with_and_there_is_one_job(
    train: Command, command: Command, provider: StandIn, clock: Moved, tmp_path: Path, moment: str
) -> None:
    with train("--epochs", "2", "--batch-size", "8") as process:
        if moment == "it is followed":
            wait_until((tmp_path / "run" / "state.json").is_file, process)
            process.kill()
        else:
            provider.faults.add(Fault(kind=Kind.KILL_AFTER, pid=process.pid))
        process.communicate(timeout=WITHIN_S)
    assert process.returncode == -signal.SIGKILL
    assert len(jobs(provider)) == 1
    clock.now += 1_000
    with command("runs", "resume", "run", "--poll", "0") as process:
        out, err = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0, err
    told = json.loads(out)
    assert (told["state"], len(told["checkpoints"])) == ("succeeded", 2)
    assert [each.request["metadata"]["run"] for each in jobs(provider)] == [told["run_id"]]
    assert provider.asked.count(CREATE_JOB) == 1


GRADED = """
backend = "openai"
model = "o4-mini"
method = "rft"
data = "ds"

[settings]
profile = "azure"

[grader]
type = "string_check"
name = "same queue"
input = "{{sample.output_text}}"
operation = "eq"
reference = "{{item.label}}"
"""


def test_a_run_of_reinforcement_is_described_in_a_file_and_its_rows_carry_what_the_grader_names(
    command: Command, sixfold: Sixfold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    (tmp_path / "run.toml").write_text(GRADED, "utf-8")
    with serving(tmp_path / "provider", scale=1e5) as provider:
        words = ["train", "run.toml", "--poll", "0", "--yes", "--epochs", "2", "--no-base"]
        words += ["--setting", f"base_url={provider.base_url}", "--secret", "api_key=REHEARSAL_KEY", "-o"]
        with command(*words, "run") as process:
            out, err = process.communicate(timeout=WITHIN_S)
        assert process.returncode == 0, err
        (job,) = jobs(provider)
        rows = provider.ledger.content(str(job.request["training_file"])).splitlines()
    assert (json.loads(out)["state"], json.loads(out)["chosen"] is not None) == ("succeeded", True)
    assert json.loads(rows[0]) == {
        "messages": [
            {"role": "developer", "content": "Name the queue."}, {"role": "user", "content": "ticket 0 0"},
        ],
        "reference_answer": "billing", "label": "billing",
    }  # fmt: skip
    assert job.request["method"]["reinforcement"]["grader"]["reference"] == "{{item.label}}"

    monkeypatch.setenv("REHEARSAL_KEY", KEY)
    (tmp_path / "run.toml").write_text(GRADED.replace("item.label", "item.queue"), "utf-8")
    refused = sixfold(*words, "other", "--json")
    assert (refused.code, {each["code"] for each in refused.json["problems"]}) == (
        2, {"grader_field_missing", "rows_invalid"},
    )  # fmt: skip
    (tmp_path / "run.toml").write_text(GRADED.replace('"eq"', '"is"'), "utf-8")
    refused = sixfold(*words, "other", "--json")
    assert [each["where"] for each in refused.json["problems"]] == ["grader.string_check.operation"]
    assert not (tmp_path / "other").exists()
