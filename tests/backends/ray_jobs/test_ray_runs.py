"""A run on a Ray cluster, what cannot be begun there, and what goes wrong on the way."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from wire import Fault, Loss, Response, told

from backends.errors import DataAltered, OutcomeUnknown, ProviderRefused, RunLost, Severity, SpecRefused, Unreachable
from backends.events import EventKind, Failure, RunState
from backends.memory import FileMemory
from backends.peft_local.folder import RunFolder, Standing
from backends.protocol import Handle
from backends.ray_jobs.backend import make
from backends.spec import Hyperparameters

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SUBMIT = "/api/jobs/"


def started(case, memory, **changes):
    return case.backend().start(case.spec("run_1", **changes), memory, now=NOW)


def folder_of(case):
    return RunFolder(path=case.folder / "runs" / "run_1")


def submitted(case):
    return [each.json for each in case.stand_in.wire.seen if each.method == "POST" and each.path == SUBMIT]


def places(backend, spec):
    found = backend.problems(spec, today=date(2026, 11, 23))
    return {(each.where, each.code) for each in found if each.severity is Severity.ERROR}


def test_every_missing_setting_is_named_at_once_without_asking_anybody(case):
    wanted = {(f"settings.{name}", "setting_missing") for name in ("address", "folder", "models")}
    assert wanted <= places(make("ray", {}), case.spec("run_1"))
    assert case.stand_in.wire.seen == []


def test_a_setting_that_nobody_knows_or_that_is_no_module_is_refused():
    with pytest.raises(ValueError, match="adress"):
        make("ray", {"adress": "http://head"})
    with pytest.raises(ValueError, match="worker"):
        make("ray", {"worker": "os; rm -rf /"})


def test_all_that_is_wrong_is_said_in_one_pass_and_nothing_begins(case, memory):
    wrong = Hyperparameters(beta=0.1, learning_rate_multiplier=2)
    spec = case.spec("run_1", model="another", hyperparameters=wrong)
    assert {where for where, _ in places(case.backend(), spec)} == {
        "model", "hyperparameters.beta", "hyperparameters.learning_rate_multiplier",
    }  # fmt: skip
    with pytest.raises(SpecRefused):
        case.backend().start(spec, memory, now=NOW)
    assert (case.begun(), folder_of(case).path.exists(), memory.recall("sent")) == (0, False, None)


def test_the_entry_point_is_a_fixed_command_in_which_nothing_of_a_spec_speaks_to_the_shell(case, memory):
    hostile = {"suffix": "a.b", "labels": {"note": "$(touch x); `id`"}}
    odd = case.folder / "a model; $(id)"
    shutil.copytree(case.model, odd)
    backend = case.backend(models={"$(touch x)": odd}, python="/opt/py 3/python", worker="backends.peft_local.worker")
    backend.start(case.spec("run_1", model="$(touch x)", **hostile), memory, now=NOW)
    (asked,) = submitted(case)
    assert shlex.split(asked["entrypoint"]) == [
        "/opt/py 3/python", "-P", "-m", "backends.peft_local.worker", str(folder_of(case).spec), "--model", str(odd),
        "--device", "cpu", "--threads", "1", "--keep", "5",
    ]  # fmt: skip
    assert asked["submission_id"] == "run_1"
    assert (asked["entrypoint_num_cpus"], asked["entrypoint_num_gpus"]) == (1, 0)
    assert set(asked["runtime_env"]["env_vars"]) == {
        "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM", "OMP_NUM_THREADS", "PYTHONPATH",
    }  # fmt: skip


def test_the_cluster_reads_copies_in_the_shared_folder_and_the_same_spec(case, memory):
    spec = case.spec("run_1")
    started(case, memory)
    laid = json.loads(folder_of(case).spec.read_text())
    assert laid["train"]["path"] == str(folder_of(case).path / "data" / "train.jsonl")
    assert (folder_of(case).path / "data" / "train.jsonl").read_bytes() == spec.train.path.read_bytes()
    assert submitted(case)[0]["metadata"] == {"run": "run_1", "spec": spec.digest}


def test_a_run_tells_what_its_folder_tells(case, memory, finish):
    handle = started(case, memory)
    told_at_the_end = finish(handle)
    steps = [each.metrics.step for each in told_at_the_end.events if each.kind is EventKind.METRICS]
    assert (told_at_the_end.state, told_at_the_end.model, steps) == (RunState.SUCCEEDED, "run_1", [1, 2, 3, 4, 5, 6])
    assert told_at_the_end.usage.trained_tokens == 60
    assert told_at_the_end.usage.seconds > 0


@pytest.mark.parametrize("loss", list(Loss))
def test_where_the_answer_to_a_submission_is_lost_there_is_one_job_in_the_end(case, memory, loss):
    case.stand_in.wire.faults.append(Fault(method="POST", path=SUBMIT, loss=loss))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    with case.stand_in.wire.cut_off(), pytest.raises(OutcomeUnknown):
        started(case, memory)
    started(case, memory)
    assert case.begun() == 1
    assert len(submitted(case)) == (1 if loss is Loss.AFTER else 2)


def test_a_second_submission_that_crosses_the_first_finds_its_job(case, memory, tmp_path):
    started(case, memory)
    unseen = Response(status=404, body=b"Job run_1 does not exist")
    case.stand_in.wire.faults.append(Fault(method="GET", path=f"{SUBMIT}run_1", instead=unseen))
    again = started(case, FileMemory(path=tmp_path / "forgotten.json"))
    assert (again.reference, case.begun()) == ("run_1", 1)


def test_before_anything_was_sent_nobody_answering_means_that_nothing_began(case, memory):
    with case.stand_in.wire.cut_off(), pytest.raises(Unreachable):
        started(case, memory)
    away = case.backend(address="http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        away.start(case.spec("run_1"), memory, now=NOW)
    assert (case.begun(), memory.recall("sent")) == (0, None)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (
            Response(status=500, body=b"Traceback\n  File\nValueError: no such runtime_env\n.\n"),
            ProviderRefused,
            "no such",
        ),
        (Response(status=401, body=b"Unauthorized"), ProviderRefused, "Unauthorized"),
        (Response(body=b"<html>"), OutcomeUnknown, "without the job"),
        (told({"submission_id": "another"}), OutcomeUnknown, "without the job"),
    ],
    ids=["refused", "signed out", "html", "another"],
)
def test_a_submission_that_was_not_taken_can_be_called_again(case, memory, answer, error, said):
    case.stand_in.wire.faults.append(Fault(method="POST", path=SUBMIT, instead=answer))
    with pytest.raises(error, match=said):
        started(case, memory)
    assert case.begun() == 0
    started(case, memory)
    assert case.begun() == 1


def test_a_job_of_somebody_else_with_this_name_is_left_alone(case, memory):
    started(case, memory)
    shutil.rmtree(folder_of(case).path)
    other = case.spec("run_1", seed=7)
    with pytest.raises(ProviderRefused) as caught:
        case.backend().start(other, FileMemory(path=case.folder / "other.json"), now=NOW)
    assert caught.value.provider_code == "name_taken"
    assert case.begun() == 1


def test_another_spec_under_the_id_of_a_run_is_refused(case, memory):
    started(case, memory)
    with pytest.raises(SpecRefused, match="another run already"):
        case.backend().start(case.spec("run_1", seed=7), FileMemory(path=case.folder / "other.json"), now=NOW)


def test_an_altered_file_leaves_no_spec_behind(case, memory):
    spec = case.spec("run_1")
    spec.validation.path.write_text(spec.validation.path.read_text().replace("Q1", "Q2", 1))
    with pytest.raises(DataAltered):
        case.backend().start(spec, memory, now=NOW)
    assert (case.begun(), folder_of(case).spec.exists()) == (0, False)


def test_a_worker_that_dies_has_failed_in_rays_words(case, memory, finish):
    handle = started(case, memory, labels={"dies": "yes"})
    end = finish(handle)
    assert end.state is RunState.FAILED
    assert end.failure.code == "provider_error"
    assert "exit code 7" in end.failure.message


def test_killed_on_its_node_it_has_failed(case, memory, finish):
    handle = started(case, memory)
    finish(handle, until={RunState.RUNNING})
    os.killpg(case.stand_in.jobs["run_1"].process.pid, signal.SIGKILL)
    assert finish(handle).failure.code == "provider_error"


def test_stopped_in_rays_dashboard_it_is_cancelled(case, memory, finish):
    handle = started(case, memory)
    finish(handle, until={RunState.RUNNING})
    case.stand_in._stop(case.stand_in.jobs["run_1"])
    assert finish(handle).state is RunState.CANCELLED


def test_an_end_without_a_result_is_no_success(case, memory, finish):
    handle = started(case, memory)
    finish(handle)
    case.stand_in.jobs["run_1"].process.wait()
    shutil.rmtree(folder_of(case).path / "model")
    failed = case.backend().poll(handle)
    assert (failed.state, failed.failure.code) == (RunState.FAILED, "artifact_missing")


def test_a_folder_that_lags_behind_is_waited_for(case, memory, finish):
    """Ray says that it ended, and the shared folder does not show it yet."""
    handle = started(case, memory)
    finish(handle)
    case.stand_in.jobs["run_1"].process.wait()
    shown = folder_of(case).standing()
    folder_of(case).stand(Standing(state=RunState.RUNNING))
    patient = case.backend(settle_s=3600)
    assert [patient.poll(handle).state for _ in range(2)] == [RunState.FINALIZING] * 2
    folder_of(case).stand(shown)
    assert patient.poll(handle).state is RunState.SUCCEEDED
    folder_of(case).stand(Standing(state=RunState.RUNNING))
    assert case.backend(settle_s=0).poll(handle).failure == Failure(
        code="artifact_missing", message="the worker ended and left nothing", remedy="start it again as a new run"
    )


@pytest.mark.parametrize(("said", "state"), [("PENDING", RunState.QUEUED), ("RESTARTING", RunState.UNKNOWN)])
def test_a_word_that_nobody_knows_is_no_end(case, memory, finish, said, state):
    handle = started(case, memory)
    case.stand_in.jobs["run_1"].said = said
    told_now = case.backend().poll(handle)
    assert (told_now.state, told_now.provider_state) == (state, said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(body=b"<html>"), "answer_invalid"),
        (told({"submission_id": "another", "status": "RUNNING"}), "answer_invalid"),
        (Response(status=503), "unreachable"),
        (Response(status=401, body=b"Unauthorized"), "401"),
    ],
    ids=["html", "another", "busy", "signed out"],
)
def test_a_poll_that_learns_nothing_says_so_and_keeps_its_place(case, memory, answer, said):
    handle = started(case, memory)
    case.stand_in.wire.faults.append(Fault(method="GET", path=f"{SUBMIT}run_1", instead=answer))
    told_now = case.backend().poll(handle, cursor="5")
    assert (told_now.state, told_now.cursor, told_now.provider_state) == (RunState.UNKNOWN, "5", said)


def test_a_cluster_that_forgot_a_run_that_ended_takes_nothing_away(case, memory, finish):
    handle = started(case, memory)
    finish(handle)
    case.stand_in.end()
    case.stand_in.jobs.clear()
    told_now = case.backend().poll(handle)
    assert (told_now.state, told_now.provider_state) == (RunState.SUCCEEDED, "forgotten")


def test_a_cluster_that_forgot_a_run_under_way_has_lost_it(case, memory):
    handle = started(case, memory)
    case.stand_in.end()
    case.stand_in.jobs.clear()
    for ask in (case.backend().poll, case.backend().cancel):
        with pytest.raises(RunLost):
            ask(handle)


def test_a_handle_does_not_lead_out_of_the_folder(case, memory):
    started(case, memory)
    with pytest.raises(RunLost):
        case.backend(folder=case.folder / "runs" / "deeper").poll(Handle(backend="ray", reference="../run_1"))


def test_importing_it_loads_no_pytorch():
    code = "import sys; import backends.ray_jobs.backend; print('torch' in sys.modules)"
    told_now = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told_now.stdout == "False\n"
