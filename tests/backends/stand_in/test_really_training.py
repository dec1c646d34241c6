"""`python -m backends.stand_in --train-with peft`: a rehearsal that really trains, and that a kill does not double."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tiny_llama import tiny_llama

from backends.events import ENDED, EventKind, RunState
from backends.memory import FileMemory
from backends.openai_api.backend import make
from backends.spec import DataFile, Hyperparameters, TrainingSpec

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.slow]

PROJECT = Path(__file__).resolve().parents[3]
WITHIN_S = 240.0


def rows_file(path, numbers):
    asked = ((f"which queue takes ticket {n}?", f"Q{n % 3}") for n in numbers)
    turns = ([{"role": "user", "content": one}, {"role": "assistant", "content": two}] for one, two in asked)
    path.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns), "utf-8")
    return DataFile.of(path)


@contextmanager
def rehearsal(folder, base_model):
    """The stand-in as a process of its own; killed without warning when this ends."""
    command = [
        sys.executable,
        "-m",
        "backends.stand_in",
        "--port",
        "0",
        "--folder",
        str(folder),
        "--train-with",
        "peft",
    ]
    with subprocess.Popen(
        [*command, "--base-model", str(base_model)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def looked(backend, handle, cursor, *, until):
    """All that is told until a look satisfies, and that look."""
    events, ends = [], time.monotonic() + WITHIN_S
    while time.monotonic() < ends:
        told = backend.poll(handle, cursor=cursor)
        events, cursor = [*events, *told.events], told.cursor
        if until(told):
            return told, events
        time.sleep(0.3)
    pytest.fail(f"it does not come to that; last: {told}")


def test_a_job_is_really_trained_and_outlives_a_kill_of_the_provider(tmp_path):
    base = tiny_llama(tmp_path / "base")
    spec = TrainingSpec(
        run_id="run_1", backend="openai", model="gpt-4o-mini-2024-07-18", seed=3,
        train=rows_file(tmp_path / "train.jsonl", range(24)),
        validation=rows_file(tmp_path / "validation.jsonl", range(24, 30)),
        # 2e-4, the usual rate, times 25.
        hyperparameters=Hyperparameters(epochs=8, batch_size=2, learning_rate_multiplier=25),
    )  # fmt: skip
    memory = FileMemory(path=tmp_path / "memory.json")

    def connected(base_url):
        return make("openai", {"base_url": base_url, "api_key": "sk-rehearsal", "profile": "generic"})

    with rehearsal(tmp_path / "provider", base) as base_url:
        backend = connected(base_url)
        handle = backend.start(spec, memory, now=datetime.now(UTC))
        told, events = looked(backend, handle, "", until=lambda each: any(one.metrics for one in each.events))
        backend.close()
    assert told.state is RunState.RUNNING

    with rehearsal(tmp_path / "provider", base) as base_url:
        backend = connected(base_url)
        assert backend.start(spec, FileMemory(path=tmp_path / "forgotten.json"), now=datetime.now(UTC)) == handle
        told, later = looked(backend, handle, told.cursor, until=lambda each: each.state in ENDED)
        assert (told.state, told.failure) == (RunState.SUCCEEDED, None)
        ledger = httpx.get(f"{base_url.removesuffix('/v1')}/_ledger").json()
        job = httpx.get(f"{base_url}/fine_tuning/jobs/{handle.reference}").json()
        results = httpx.get(f"{base_url}/files/{job['result_files'][0]}/content").text.splitlines()
        models = [told.model, told.checkpoints[0].model, spec.model]
        answers = []
        for model in models:
            predictor = backend.predictor(model)
            answers += predictor.predict_many(
                [[{"role": "user", "content": "which queue takes ticket 1?"}]], max_tokens=6
            )
            predictor.close()
        backend.close()

    assert list(ledger["jobs"]) == [handle.reference]
    assert [path.name for path in (tmp_path / "provider" / "trained").glob("ftjob-*")] == [handle.reference]
    every = [*events, *later]
    assert len({each.id for each in every}) == len(every)
    losses = [each.metrics.train_loss for each in every if each.kind is EventKind.METRICS and each.metrics.train_loss]
    assert max(losses[-8:]) < 0.6 * losses[0]
    assert not any("made up" in each.message for each in every)
    assert (results[0].split(",")[:2], len(results) > 60) == (["step", "train_loss"], True)
    assert [each.step for each in told.checkpoints] == sorted({each.step for each in told.checkpoints})
    assert told.usage.billed_tokens > 0
    tuned, early, untuned = (each.text for each in answers)
    assert tuned.startswith("Q")
    assert early
    assert untuned != tuned
