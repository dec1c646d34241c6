"""Several processes that train one run compute what one computes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running_here import Here

from backends.events import RunState
from backends.peft_local.folder import taken

pytestmark = [
    pytest.mark.slow, pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),
]  # fmt: skip


def torchrun(run):
    run.path.mkdir(parents=True, exist_ok=True)
    (run.path / "spec.json").write_text(run.spec.model_dump_json(by_alias=True))
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "backends.peft_local.worker", str(run.path / "spec.json"), "--ranks", "--device", "cpu",
    ]  # fmt: skip
    environment = {"PATH": os.defpath, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_two_processes_take_the_steps_of_one(spec, tmp_path):
    one, two = Here(tmp_path / "one", spec(micro_batch_size=2)), Here(tmp_path / "two", spec(micro_batch_size=2))
    assert one.train().state is RunState.SUCCEEDED
    with torchrun(two) as process:
        _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    standing = two.folder.standing()
    assert (standing.state, standing.usage.devices) == (RunState.SUCCEEDED, 2)
    assert sorted(two.losses) == sorted(one.losses)
    for step, losses in one.losses.items():
        assert two.losses[step] == pytest.approx(losses, abs=1e-4)
    assert (two.path / "adapter" / "manifest.json").is_file()


def test_told_to_end_both_stop_at_the_same_step_and_go_on(spec, tmp_path):
    run = Here(tmp_path / "two", spec(epochs=50, checkpoints=1, evaluations=1))
    with torchrun(run) as process:
        while not run.folder.events.exists() or '"step-1"' not in run.folder.events.read_text():
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)
    standing = run.folder.standing()
    assert standing.interrupted
    kept = [json.loads(each.read_text())["step"] for each in run.folder.checkpoints.glob("*/manifest.json")]
    assert max(kept) == standing.step


def test_they_wait_for_a_device_that_another_trains_on_and_hold_it_themselves(spec, tmp_path):
    lock = tmp_path / ".devices" / "cpu"
    lock.parent.mkdir()
    another = taken(lock)
    run = Here(tmp_path / "two", spec(epochs=10, checkpoints=1, evaluations=1))
    with torchrun(run) as process:
        while b"waits: another trainer is on cpu" not in process.stderr.readline():
            assert process.poll() is None
        assert not run.folder.events.exists()
        os.close(another)
        while not run.folder.events.exists() or '"step-1"' not in run.folder.events.read_text():
            assert process.poll() is None
            time.sleep(0.05)
        assert taken(lock) is None
        _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert run.folder.standing().state is RunState.SUCCEEDED
    os.close(taken(lock))
