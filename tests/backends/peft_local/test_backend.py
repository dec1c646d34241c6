"""The parent's side, with trainers that are no trainers: what it believes, what it ends, and what it starts again."""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest

from backends.errors import RunLost, SpecRefused
from backends.events import ENDED, EventKind, RunState
from backends.memory import FileMemory
from backends.peft_local.backend import PeftBackend, make
from backends.peft_local.children import LOG_BYTES
from backends.peft_local.folder import RunFolder, Standing
from backends.peft_local.log import MARK
from backends.protocol import Handle
from backends.registry import kinds
from backends.registry import make as make_by_kind

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
BEATS = "import pathlib, sys, time\nfolder = pathlib.Path(sys.argv[2]).parent\n"
WAITS = BEATS + "(folder / 'began').open('a').write('x')\ntime.sleep(60)\n"


@pytest.fixture
def backend(tmp_path):
    """With a trainer that is this program; every trainer that a test leaves behind is ended."""
    made = []

    def with_trainer(program, **settings):
        file = tmp_path / f"trainer{len(made)}.py"
        file.write_text(program, "utf-8")
        made.append(PeftBackend(folder=tmp_path / "runs", device="cpu", modules=(str(file),), **settings))
        return made[-1]

    yield with_trainer
    for each in made:
        for spec in each.folder.glob("*/spec.json"):
            ending = replace(each, grace_s=0.0)
            handle = Handle(backend="peft", reference=spec.parent.name)
            ending.cancel(handle)
            until(ending, handle, lambda told: told.state in ENDED)


def start(backend, spec, tmp_path):
    return backend.start(spec, FileMemory(path=tmp_path / "memory.json"), now=NOW)


def until(backend, handle, holds, *, seconds=20):
    for _ in range(seconds * 50):
        told = backend.poll(handle)
        if holds(told):
            return told
        time.sleep(0.02)
    pytest.fail(f"it never came to that; last: {told}")


def trainers(backend):
    """Processes whose command names a spec of this backend's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(part.startswith(str(backend.folder)) and part.endswith("spec.json") for part in process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]


def test_it_is_found_by_its_kind_and_loads_no_pytorch(tmp_path):
    assert "peft" in kinds()
    assert make_by_kind("peft", name="here", settings={"folder": str(tmp_path)}).name == "here"
    loaded = (
        "import backends.peft_local.backend, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert os.spawnl(os.P_WAIT, sys.executable, sys.executable, "-c", loaded) == 0


def test_a_setting_that_it_does_not_know_is_refused(tmp_path):
    with pytest.raises(ValueError, match="colour"):
        make("peft", {"folder": str(tmp_path), "colour": "blue"})


def test_two_starts_at_once_make_one_trainer(backend, spec, tmp_path):
    trainer = backend(WAITS)
    handles = {start(each, spec(), tmp_path) for each in (trainer, replace(trainer), trainer)}
    until(trainer, *handles, lambda _: (trainer.folder / "run_1" / "began").exists())
    assert len(trainers(trainer)) == 1
    assert (trainer.folder / "run_1" / "began").read_text() == "x"


def test_the_same_id_with_another_spec_is_refused_and_the_first_goes_on(backend, spec, tmp_path):
    trainer = backend(WAITS)
    handle = start(trainer, spec(), tmp_path)
    before = RunFolder(path=trainer.folder / "run_1").spec.read_bytes()
    with pytest.raises(SpecRefused, match="another run"):
        start(trainer, spec(seed=1), tmp_path)
    assert RunFolder(path=trainer.folder / "run_1").spec.read_bytes() == before
    assert trainer.poll(handle).state is RunState.QUEUED


def test_killed_it_is_started_again_and_after_three_deaths_in_vain_it_has_failed(backend, spec, tmp_path):
    trainer = backend("import os, sys\nprint('no luck')\nsys.stdout.flush()\nos.kill(os.getpid(), 9)\n")
    handle = start(trainer, spec(), tmp_path)
    told = until(trainer, handle, lambda told: told.state in ENDED)
    assert (told.state, told.failure.code) == (RunState.FAILED, "trainer_died")
    assert "no luck" in told.failure.message
    launches = json.loads((trainer.folder / "run_1" / "launches.json").read_text())
    assert launches["launches"] == 4


def test_ended_well_without_a_result_it_has_failed(backend, spec, tmp_path):
    trainer = backend("print('all good')\n")
    told = until(trainer, start(trainer, spec(), tmp_path), lambda told: told.state in ENDED)
    assert (told.state, told.failure.code) == (RunState.FAILED, "artifact_missing")


def test_success_without_a_result_is_not_believed(backend, spec, tmp_path):
    said = Standing(state=RunState.SUCCEEDED).model_dump_json()
    trainer = backend(BEATS + f"(folder / 'state.json').write_text({said!r})\n")
    told = until(trainer, start(trainer, spec(), tmp_path), lambda told: told.state in ENDED)
    assert (told.state, told.failure.code) == (RunState.FAILED, "artifact_missing")


def test_stopped_it_has_stalled_and_nothing_is_left(backend, spec, tmp_path):
    trainer = backend(WAITS, stall_after_s=0.5, grace_s=0.3)
    handle = start(trainer, spec(), tmp_path)
    until(trainer, handle, lambda _: (trainer.folder / "run_1" / "began").exists())
    trainers(trainer)[0].send_signal(signal.SIGSTOP)
    told = until(trainer, handle, lambda told: told.state in ENDED)
    assert (told.state, told.failure.code) == (RunState.FAILED, "stalled")
    assert trainers(trainer) == []


def test_one_that_does_not_listen_is_cancelled_by_force(backend, spec, tmp_path):
    deaf = BEATS + "import signal\nsignal.signal(15, signal.SIG_IGN)\n(folder / 'began').touch()\ntime.sleep(60)\n"
    trainer = backend(deaf, grace_s=0.3)
    handle = start(trainer, spec(), tmp_path)
    until(trainer, handle, lambda _: (trainer.folder / "run_1" / "began").exists())
    trainer.cancel(handle)
    assert trainer.poll(handle).state not in ENDED
    assert until(trainer, handle, lambda told: told.state in ENDED).state is RunState.CANCELLED
    assert trainers(trainer) == []


def test_a_flood_of_output_is_cut_with_a_mark(backend, spec, tmp_path):
    trainer = backend("import sys\nfor _ in range(300):\n    sys.stdout.write('x' * 100_000)\nraise SystemExit(0)\n")
    until(trainer, start(trainer, spec(), tmp_path), lambda told: told.state in ENDED, seconds=60)
    log = (trainer.folder / "run_1" / "log.txt").read_bytes()
    assert log == b"x" * LOG_BYTES + MARK


def test_garbage_for_progress_is_told_of_once_and_what_is_sound_comes_through(backend, spec, tmp_path):
    event = {
        "id": "step-1",
        "at": "2026-11-01T09:00:00Z",
        "kind": "metrics",
        "message": "a step",
        "metrics": {"step": 1},
    }
    unsound = event | {"metrics": {"step": 2, "train_loss": float("nan")}}
    lines = ["<html>", json.dumps(event), json.dumps(unsound), "[" * 5000, "y" * 200_000, '{"id": 7}', ""]
    said = "\n".join(lines) + '{"half'
    trainer = backend(
        BEATS + f"(folder / 'e').write_text({said!r})\n(folder / 'e').rename(folder / 'events.jsonl')\ntime.sleep(60)\n"
    )
    handle = start(trainer, spec(), tmp_path)
    told = until(trainer, handle, lambda told: told.events)
    assert [(each.kind, each.id) for each in told.events if each.metrics] == [(EventKind.METRICS, "step-1")]
    assert [each.level for each in told.events if not each.metrics] == ["warning", "warning"]
    assert told.cursor == str(len("\n".join(lines)))


def test_a_state_that_is_none_is_unknown(backend, spec, tmp_path):
    trainer = backend(BEATS + "(folder / 'state.json').write_text('[]')\ntime.sleep(60)\n")
    told = until(trainer, start(trainer, spec(), tmp_path), lambda told: told.state is RunState.UNKNOWN)
    assert told.events == ()


def test_the_trainer_s_environment_holds_nothing_of_ours(backend, spec, tmp_path, monkeypatch):
    monkeypatch.setenv("SIXFOLD_SECRET", "s3cret")
    trainer = backend("import os, json\nprint(json.dumps(dict(os.environ)))\n")
    until(trainer, start(trainer, spec(), tmp_path), lambda told: told.state in ENDED)
    told = json.loads((trainer.folder / "run_1" / "log.txt").read_text())
    assert "SIXFOLD_SECRET" not in told
    assert told["HF_HUB_OFFLINE"] == "1"


def test_a_run_that_was_interrupted_goes_on_when_it_is_looked_at_however_often(backend, spec, tmp_path):
    polite = BEATS + (
        "import json, signal\n(folder / 'began').open('a').write('x')\n"
        "def end(*_):\n"
        "    (folder / 'state.json').write_text(json.dumps({'state': 'queued', 'interrupted': True}))\n"
        "    sys.exit(0)\n"
        "signal.signal(15, end)\n(folder / 'ready').touch()\ntime.sleep(60)\n"
    )
    trainer = backend(polite)
    handle = start(trainer, spec(), tmp_path)
    began, ready = trainer.folder / "run_1" / "began", trainer.folder / "run_1" / "ready"
    for times in range(1, 6):
        until(trainer, handle, lambda _: ready.exists())
        ready.unlink()
        trainers(trainer)[0].send_signal(signal.SIGTERM)
        until(trainer, handle, lambda _, times=times: began.read_text() == "x" * (times + 1))
    assert trainer.poll(handle).state is RunState.QUEUED


def test_a_checkpoint_that_is_not_kept_is_lost_and_so_is_an_unknown_model(backend, spec, tmp_path):
    trainer = backend(WAITS)
    start(trainer, spec(), tmp_path)
    for name in ("run_1", "run_1@7", "nobody/knows-it"):
        with pytest.raises(RunLost):
            trainer.predictor(name)
