"""At most one live job a run, whatever is lost: counted in the provider's own ledger."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backends.errors import OutcomeUnknown, ProviderClosed, ProviderRefused, SpecRefused, Unreachable
from backends.openai_api.answers import Job
from backends.openai_api.wire import Limits, Lost, Wire
from backends.spec import Method

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

PROJECT = Path(__file__).resolve().parents[3]
KEY = "sk-that-nobody-may-see"


def test_a_run_is_one_job_with_its_id_in_the_metadata_and_one_file_with_it_in_the_name(world):
    spec = world.spec(labels={"client": "acme"}, suffix="triage")
    handle = world.start(spec)
    (job,) = world.jobs()
    assert job.id == handle.reference
    assert job.request["metadata"] == {"client": "acme", "run": "run_1", "sixfold": "sixfold"}
    assert (job.request["seed"], job.request["suffix"]) == (7, "triage")
    assert world.files() == [f"ds-{spec.train.sha256[:12]}-run_1.jsonl"]


def test_no_request_is_repeated_by_the_package(world):
    world.goes_wrong("answer", status=500, done=True)
    world.start()
    with world.stand_in.ledger.reading() as known:
        assert known.retry_counts == [0]


@pytest.mark.parametrize("fault", [
    {"kind": "drop_reply"},
    {"kind": "body", "text": "<html>Welcome</html>"},
    {"kind": "body", "text": '{"id": 7}'},
    {"kind": "truncate"},
    {"kind": "alter", "value": {"id": "ftjob-foreign", "training_file": "file-foreign"}},
    {"kind": "hang", "seconds": 1.5},
    *({"kind": "answer", "done": True, "status": status} for status in (408, 409, 500, 502, 503)),
], ids=str)  # fmt: skip
def test_accepted_and_the_answer_lost_it_is_found_and_not_sent_again(world, fault):
    world.goes_wrong(**fault)
    world.create_s = 0.5 if fault["kind"] == "hang" else world.create_s
    handle, _ = world.start_until_settled()
    assert [each.id for each in world.jobs()] == [handle.reference]
    assert world.posts() == 1


@pytest.mark.parametrize("hidden_s", [30, 500])
def test_hidden_from_the_list_it_is_unknown_until_it_shows_and_never_sent_again(world, hidden_s):
    world.goes_wrong("drop_reply")
    world.goes_wrong("hide_jobs", seconds=hidden_s)
    handle, states = world.start_until_settled()
    assert set(states) == {"outcome_unknown"}
    assert [each.id for each in world.jobs()] == [handle.reference]
    assert world.posts() == 1


def test_never_accepted_it_is_sent_once_more_after_the_horizon_with_the_same_id(world):
    world.goes_wrong("answer", status=502)
    began = world.now
    handle, states = world.start_until_settled()
    assert world.now - began >= 600
    assert set(states) == {"outcome_unknown"}
    (job,) = world.jobs()
    assert (job.id, job.request["metadata"]["run"]) == (handle.reference, "run_1")
    assert world.posts() == 2


def test_lost_twice_it_is_a_persons_turn_and_it_stays_unknown(world):
    world.goes_wrong("answer", status=502, times=2)
    for _ in range(120):
        with pytest.raises(OutcomeUnknown) as unknown:
            world.start()
        world.now += unknown.value.retry_in_s
    assert world.posts() == 2
    assert unknown.value.retry_in_s == 3600
    assert "look for it with the provider" in str(unknown.value)


@pytest.mark.parametrize("filter_fault", ["filter_ignored", "filter_refused"])
def test_without_a_filter_by_metadata_it_is_found_among_all(world, filter_fault):
    for number in range(25):
        world.start(world.spec(f"other_{number}"), memory=world.memory(f"other_{number}"))
    world.goes_wrong(filter_fault)
    world.goes_wrong("drop_reply")
    handle, _ = world.start_until_settled(world.spec("run_1"))
    ours = [each.id for each in world.jobs() if each.request["metadata"]["run"] == "run_1"]
    assert ours == [handle.reference]
    assert world.posts() == 26


def test_where_metadata_is_not_kept_it_is_found_by_its_file(world):
    world.goes_wrong("alter", on="GET /fine_tuning/jobs", times=None, value={"metadata": None})
    world.start(world.spec("other"), memory=world.memory("other"))
    world.goes_wrong("drop_reply")
    handle, _ = world.start_until_settled(world.spec("run_1"))
    assert len(world.jobs()) == 2
    assert world.start(world.spec("run_1"), memory=world.memory("forgotten")) == handle
    assert len(world.jobs()) == 2


def test_a_file_that_is_still_read_repeats_only_the_job(world):
    world.goes_wrong("file_not_ready", seconds=60)
    handle, states = world.start_until_settled()
    assert set(states) == {"unreachable"}
    assert [each.id for each in world.jobs()] == [handle.reference]
    assert len(world.files()) == 1


def test_a_file_that_is_never_read_is_a_refusal_after_the_horizon(world):
    world.goes_wrong("file_not_ready", seconds=10_000)
    with pytest.raises(ProviderRefused):
        world.start_until_settled()
    assert world.jobs() == []


def test_closed_for_the_organisation_it_is_not_tried_again(world):
    world.goes_wrong("answer", status=403, code="training_not_available", message="winding down")
    with pytest.raises(ProviderClosed) as closed:
        world.start()
    assert closed.value.provider_code == "training_not_available"
    assert "elsewhere" in closed.value.remedy
    assert (world.posts(), world.jobs()) == (1, [])


def test_no_money_is_one_call_and_then_a_persons_turn(world):
    world.goes_wrong("answer", status=429, code="insufficient_quota", retry_after="1")
    with pytest.raises(ProviderRefused) as refused:
        world.start()
    assert refused.value.provider_code == "insufficient_quota"
    assert world.posts() == 1
    assert world.start().reference == world.jobs()[0].id


def test_too_many_requests_waits_as_long_as_it_is_told_to(world):
    world.goes_wrong("answer", status=429, code="rate_limit_exceeded", retry_after="300")
    with pytest.raises(OutcomeUnknown) as unknown:
        world.start()
    assert unknown.value.retry_in_s == 300
    handle, _ = world.start_until_settled()
    assert [each.id for each in world.jobs()] == [handle.reference]


@pytest.mark.parametrize("fault", [{"kind": "drop_reply"}, {"kind": "answer", "done": True, "status": 500}], ids=str)
def test_an_upload_whose_answer_is_lost_is_found_by_its_name(world, fault):
    world.goes_wrong(**fault, on="POST /files")
    handle, _ = world.start_until_settled()
    assert [each.id for each in world.jobs()] == [handle.reference]
    assert len(world.files()) == 1


def test_an_upload_that_the_list_hides_is_waited_for(world):
    world.goes_wrong("drop_reply", on="POST /files")
    world.goes_wrong("hide_files", seconds=40)
    world.start_until_settled()
    assert (len(world.files()), len(world.jobs())) == (1, 1)


def test_a_file_beyond_the_first_page_is_found(world):
    world.start()
    for number in range(120):
        world.stand_in.provider.upload(f"other-{number}.jsonl", "fine-tune", b"{}")
    world.start(memory=world.memory("forgotten"))
    assert len(world.files()) == 121


def test_with_nobody_there_nothing_is_begun_and_nothing_remembered_as_sent(world):
    world.stand_in.is_cut_off = True
    with pytest.raises(Unreachable):
        world.start()
    world.stand_in.is_cut_off = False
    assert (world.jobs(), world.memory().recall("sent")) == ([], None)


def test_what_never_left_is_told_apart_from_what_was_lost(world):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    lost = []
    world.goes_wrong("drop_reply")
    for base_url in (nobody, world.stand_in.base_url):
        wire = Wire(base_url=base_url, api_key=KEY, limits=Limits(), headers={}, query={})
        body = {"model": "m", "training_file": world.stand_in.provider.upload("f", "fine-tune", b"{}")["id"]}
        with pytest.raises(Unreachable) as silence:
            wire.send("/fine_tuning/jobs", body, Job, deadline_s=1)
        lost.append(isinstance(silence.value, Lost))
        wire.close()
    assert lost == [False, True]


def test_an_older_memory_restored_adopts_the_job_that_came_later(world):
    """As after a backup that is older than the job."""
    handle = world.start()
    assert world.start(memory=world.memory("restored")) == handle
    assert len(world.jobs()) == 1


def test_cancelled_meanwhile_it_is_adopted_and_not_made_anew(world):
    world.goes_wrong("drop_reply")
    world.goes_wrong("hide_jobs", seconds=20)
    with pytest.raises(OutcomeUnknown):
        world.start()
    world.stand_in.provider.cancel(world.jobs()[0].id)
    handle, _ = world.start_until_settled()
    assert world.poll(handle).state == "cancelled"
    assert world.posts() == 1


def test_what_cannot_be_started_asks_nobody(world):
    spec = world.spec(rows=3, method=Method.RFT)
    with pytest.raises(SpecRefused) as refused:
        world.start(spec)
    codes = {each.code for each in refused.value.problems}
    assert {"grader_missing", "validation_missing", "format_not_taken", "invalid_n_examples"} <= codes
    assert world.stand_in.asked == []


@pytest.mark.parametrize("kind", ["kill_before", "kill_after"])
def test_killed_while_the_job_is_made_the_next_process_finds_it_or_makes_it(world, kind):
    spec = world.spec()
    (world.folder / "spec.json").write_text(spec.model_dump_json(by_alias=True), "utf-8")
    command = [sys.executable, "-c", STARTS, world.folder, world.stand_in.base_url, world.moment().isoformat()]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        world.goes_wrong(kind, pid=child.pid)
        child.communicate(b"go\n", timeout=30)
    assert child.returncode == -signal.SIGKILL
    handle, _ = world.start_until_settled(spec)
    assert [each.id for each in world.jobs()] == [handle.reference]
    assert len(world.files()) == 1


STARTS = """
import sys
from datetime import datetime
from pathlib import Path
from backends.memory import FileMemory
from backends.openai_api.backend import make
from backends.spec import TrainingSpec

folder, base_url, now = Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3])
spec = TrainingSpec.model_validate_json((folder / "spec.json").read_text("utf-8"))
backend = make("openai", {"base_url": base_url, "api_key": "sk-that-nobody-may-see"})
print("ready", flush=True)
sys.stdin.readline()
backend.start(spec, FileMemory(path=folder / "memory.json"), now=now)
"""
