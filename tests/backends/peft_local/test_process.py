"""A real trainer in a process of its own: killed, told to end, taken up again; and the process that answers with it."""

import shutil
import signal
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running_here import Here
from warm import warm_for_all

from backends.errors import CheckpointInvalid
from backends.events import ENDED, EventKind, RunState
from backends.memory import FileMemory
from backends.peft_local.backend import PeftBackend
from backends.peft_local.children import process_in
from backends.peft_local.folder import read_json
from backends.protocol import Handle
from backends.spec import TrainingSpec

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
ASKED = [{"role": "user", "content": "which queue takes ticket 1?"}]


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """A run of sixty steps whose trainer was killed after some, and told to end by somebody else after some more."""

    backend: PeftBackend
    spec: TrainingSpec
    handle: Handle
    told: object
    events: list
    exit_when_told_to_end: int | None

    @property
    def folder(self) -> Path:
        return self.backend.folder / self.spec.run_id


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory, make_spec):
    folder = tmp_path_factory.mktemp("disturbed")
    spec = make_spec(folder, epochs=15, checkpoints=6, evaluations=3, dropout=0.1)
    backend = PeftBackend(folder=folder / "runs", device="cpu", modules=warm_for_all())
    handle = backend.start(spec, FileMemory(path=folder / "memory.json"), now=NOW)
    watch = Watch(backend, handle)
    watch.until_step(14)
    signalled(backend, spec, signal.SIGKILL)
    watch.until_step(30)
    signalled(backend, spec, signal.SIGTERM)
    while not (code := read_json(backend.folder / spec.run_id / "exit.json")) or code["code"] == -9:
        time.sleep(0.02)
    watch.until_step(10_000)
    return Disturbed(
        backend=backend, spec=spec, handle=handle, told=watch.told, events=watch.events,
        exit_when_told_to_end=code["code"],
    )  # fmt: skip


class Watch:
    """Looks at a run, each time with a new instance, until it got somewhere."""

    def __init__(self, backend, handle):
        self.backend, self.handle, self.events, self.told = backend, handle, [], None

    def until_step(self, step):
        for _ in range(6_000):
            cursor = self.told.cursor if self.told else ""
            self.told = replace(self.backend).poll(self.handle, cursor=cursor)
            self.events += self.told.events
            reached = max((each.metrics.step for each in self.events if each.metrics), default=0)
            if reached >= step or self.told.state in ENDED:
                return
            time.sleep(0.02)
        pytest.fail(f"it does not get there; last: {self.told}")


def signalled(backend, spec, number):
    process_in(backend.folder / spec.run_id / "process.json").signal(number)


def test_killed_and_told_to_end_it_tells_the_losses_of_a_run_that_nobody_disturbed(disturbed, tmp_path):
    assert (disturbed.told.state, disturbed.told.failure) == (RunState.SUCCEEDED, None)
    whole = Here(tmp_path / "whole", disturbed.spec)
    whole.train()
    steps = [each.metrics for each in disturbed.events if each.kind is EventKind.METRICS]
    assert [each.step for each in steps] == list(range(61))
    assert {each.step: (each.train_loss, each.full_valid_loss) for each in steps} == whole.losses
    assert not [each for each in disturbed.events if each.id.startswith("inexact")]


def test_each_attempt_names_itself_and_none_counts_a_token_twice(disturbed):
    attempts = [each.data["attempt"] for each in disturbed.events if each.metrics]
    assert sorted(set(attempts)) == [1, 2, 3]
    assert attempts == sorted(attempts)
    used = disturbed.told.usage
    assert used.trained_tokens == 24 * 3 * 15
    assert used.seen_tokens is not None
    assert (used.seen_tokens % 15, used.seen_tokens > used.trained_tokens) == (0, True)


def test_told_to_end_it_ended_well_and_lost_no_step(disturbed):
    assert disturbed.exit_when_told_to_end == 0
    resumed = [each.message for each in disturbed.events if each.id == "resumed-3"]
    before = max(each.metrics.step for each in disturbed.events if each.metrics and each.data["attempt"] == 2)
    assert resumed == [f"goes on after step {before}"]


def test_it_says_what_it_used_and_ran_on(disturbed):
    assert disturbed.told.usage.seconds > 1
    assert disturbed.told.usage.peak_memory_bytes > 10**8
    assert disturbed.told.usage.device == disturbed.backend.capabilities.device != ""
    assert disturbed.told.environment["torch"].startswith("2.")
    assert len(disturbed.told.environment["template_sha256"]) == 64


def test_adapters_over_one_base_are_swapped_in_one_process_and_damaged_ones_refused(disturbed):
    backend, run = disturbed.backend, disturbed.spec.run_id
    tuned, base = backend.predictor(run), backend.predictor(disturbed.spec.model)
    early = backend.predictor(disturbed.told.checkpoints[0].model)
    assert len({each.server.process.pid for each in (tuned, base, early)}) == 1
    answers = [each.predict_many([ASKED] * 2, max_tokens=6) for each in (tuned, base, early, tuned)]
    assert answers[0][0].text in {"Q0", "Q1", "Q2"}
    assert answers[0][0].finished
    assert answers[1][0].text != answers[0][0].text
    assert [each.text for each in answers[3]] == [each.text for each in answers[0]]
    assert answers[0][0].text == answers[0][1].text
    damaged = shutil.copytree(disturbed.folder, backend.folder / "damaged")
    weights = damaged / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\xff")
    with pytest.raises(CheckpointInvalid, match=r"adapter_model\.safetensors"):
        backend.predictor("damaged")
    assert tuned.predict_many([ASKED], max_tokens=6)[0].text == answers[0][0].text
    process = tuned.server.process
    for each in (tuned, base, early):
        each.close()
    assert process.poll() is not None
