"""A run at Fireworks, on its way to a job, and what goes wrong there."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from fireworks_stand_in import PARAMETERS, PARENT, faults, refusal
from wire import Fault, Loss, Response, told

from backends.errors import OutcomeUnknown, ProviderRefused, Unreachable
from backends.events import RunState
from backends.fireworks.submitting import job_id
from backends.memory import FileMemory
from backends.spec import DataFile, Hyperparameters, Method

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
JOBS = "/supervisedFineTuningJobs"
NAME = f"{PARENT}{JOBS}/{job_id('run_1')}"
preferences = pytest.mark.parametrize("case", [Method.DPO], indirect=True, ids=["preferences"])


def started(case, memory, *, at=NOW, **changes):
    return case.backend().start(case.spec("run_1", **changes), memory, now=at)


def created(case, path=JOBS):
    return [each.json for each in case.stand_in.wire.seen if each.method == "POST" and each.path.endswith(path)]


def fault(case, method, path, **happens):
    case.stand_in.wire.faults.append(Fault(method=method, path=path, **happens))


def test_the_job_is_asked_for_in_fireworks_own_words(case, memory):
    chosen = Hyperparameters(epochs=3, rank=16, learning_rate=1e-4, batch_size=8, max_length=4096, weight_decay=0.01)
    spec = case.spec("run_1", hyperparameters=chosen, suffix="triage")
    handle = case.backend().start(spec, memory, now=NOW)
    assert handle.reference == NAME
    (asked,) = created(case)
    train, validation = asked.pop("dataset"), asked.pop("evaluationDataset")
    assert asked == {
        "displayName": "triage-run_1",
        "baseModel": "accounts/fireworks/models/llama-v3p1-8b-instruct",
        "outputModel": f"{PARENT}/models/triage-{job_id('run_1')[8:24]}",
        "evalAutoCarveout": False,
        "loraRank": 16, "epochs": 3, "learningRate": 1e-4, "batchSizeSamples": 8, "maxContextLength": 4096,
        "optimizerWeightDecay": 0.01,
    }  # fmt: skip
    for name, file in ((train, spec.train), (validation, spec.validation)):
        assert case.stand_in.contents[name.removeprefix(f"{PARENT}/datasets/")] == file.path.read_bytes()
    assert {each["exampleCount"] for each in case.stand_in.datasets.values()} == {"12", "4"}


def test_without_a_validation_file_none_is_carved_out_and_the_adapter_stays_one(case, memory):
    started(case, memory, validation=None)
    (asked,) = created(case)
    assert (asked["evalAutoCarveout"], asked["loraRank"], "evaluationDataset" in asked) == (False, 8, False)


@preferences
def test_a_preference_job_has_its_settings_one_level_deeper_and_no_validation_file(case, memory):
    spec = case.spec("run_1", hyperparameters=Hyperparameters(epochs=2))
    other = memory.path.with_name("other.jsonl")
    other.write_bytes(spec.train.path.read_bytes() + spec.train.path.read_bytes())
    spec = spec.model_copy(update={"validation": DataFile.of(other, format="fireworks_dpo")})
    assert case.backend().start(spec, memory, now=NOW).reference == f"{PARENT}/dpoJobs/{job_id('run_1')}"
    (asked,) = created(case, "/dpoJobs")
    assert asked["lossConfig"] == {"method": "DPO"}
    assert asked["trainingConfig"] == {
        "baseModel": spec.model, "outputModel": f"{PARENT}/models/sixfold-{job_id('run_1')[8:24]}", "loraRank": 8,
        "epochs": 2,
    }  # fmt: skip
    assert len(case.stand_in.datasets) == 1


def test_where_the_answer_to_a_create_is_lost_the_job_is_found_at_once(case, memory):
    fault(case, "POST", JOBS, loss=Loss.AFTER)
    assert started(case, memory).reference == NAME
    assert (case.begun(), len(created(case))) == (1, 1)


def test_a_create_that_never_arrived_is_sent_again_under_the_same_name(case, memory):
    fault(case, "POST", JOBS, loss=Loss.BEFORE)
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    assert started(case, memory).reference == NAME
    assert (case.begun(), len(created(case))) == (1, 2)


def test_a_job_that_comes_to_light_between_two_creates_is_the_runs(case, memory, tmp_path):
    started(case, memory)
    fault(case, "GET", JOBS, instead=refusal(404, "NOT_FOUND", "no such job"))
    handle = started(case, FileMemory(path=tmp_path / "forgotten.json"))
    assert (handle.reference, case.begun(), len(created(case))) == (NAME, 1, 2)


def test_what_became_of_a_lost_answer_stays_unknown_while_nobody_answers(case, memory):
    fault(case, "POST", JOBS, loss=Loss.AFTER)
    fault(case, "GET", JOBS, instead=refusal(404, "NOT_FOUND", "no such job"))
    fault(case, "GET", JOBS, loss=Loss.BEFORE)
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    with case.stand_in.wire.cut_off(), pytest.raises(OutcomeUnknown):
        started(case, memory)
    fault(case, "GET", JOBS, instead=refusal(403, "PERMISSION_DENIED", "no"))
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    started(case, memory)
    assert (case.begun(), len(created(case))) == (1, 1)


def test_before_anything_was_sent_nobody_answering_means_that_nothing_began(case, memory):
    with case.stand_in.wire.cut_off(), pytest.raises(Unreachable):
        started(case, memory)
    away = case.backend(base_url="http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        away.start(case.spec("run_1"), memory, now=NOW)
    assert (case.begun(), memory.recall("sent")) == (0, None)


def test_a_name_that_another_jobs_data_bear_is_taken(case, memory, tmp_path):
    started(case, memory)
    spec = case.spec("run_1")
    with pytest.raises(ProviderRefused, match="another job") as caught:
        case.backend().start(
            spec.model_copy(update={"train": spec.validation}), FileMemory(path=tmp_path / "second.json"), now=NOW
        )
    assert (caught.value.provider_code, case.begun(), len(created(case))) == ("name_taken", 1, 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(429, "RESOURCE_EXHAUSTED", "slow down"), Unreachable),
        (refusal(400, "INVALID_ARGUMENT", "model is not tunable"), ProviderRefused),
        (refusal(403, "PERMISSION_DENIED", "not yours"), ProviderRefused),
    ],
    ids=["throttled", "invalid", "denied"],
)
def test_a_create_that_was_refused_for_certain_can_be_called_again_at_once(case, memory, answer, error):
    fault(case, "POST", JOBS, instead=answer)
    with pytest.raises(error, match=json.loads(answer.body)["error"]["message"]) as caught:
        started(case, memory)
    if error is ProviderRefused:
        assert caught.value.provider_code == json.loads(answer.body)["error"]["status"]
    assert (case.begun(), memory.recall("sent")) == (0, "")
    started(case, memory)
    assert case.begun() == 1


@pytest.mark.parametrize(
    "answer",
    [refusal(500, "INTERNAL", "oops"), refusal(409, "ABORTED", "busy"), Response(body=b"<html>"), Response(body=b"{}")],
    ids=["broken", "conflict", "html", "empty"],
)
def test_a_create_that_may_have_been_acted_on_is_one_job_in_the_end(case, memory, answer):
    fault(case, "POST", JOBS, instead=answer)
    with pytest.raises(OutcomeUnknown):
        started(case, memory)
    assert len(created(case)) == 1
    assert started(case, memory).reference == NAME
    assert case.begun() == 1


def test_the_sdk_repeats_nothing_by_itself(case, memory):
    handle = started(case, memory)
    fault(case, "GET", JOBS, instead=refusal(500, "INTERNAL", "oops"))
    before = case.stand_in.wire.count("GET", JOBS)
    assert case.backend().poll(handle).state is RunState.UNKNOWN
    assert case.stand_in.wire.count("GET", JOBS) == before + 1


def test_a_dataset_whose_create_was_lost_is_one_dataset(case, memory):
    fault(case, "POST", "/datasets", loss=Loss.AFTER)
    with pytest.raises(Unreachable):
        started(case, memory)
    started(case, memory)
    assert (len(case.stand_in.datasets), case.begun()) == (2, 1)


def test_an_upload_that_broke_off_is_done_again_and_one_that_arrived_is_not(case, memory):
    fault(case, "POST", ":upload", loss=Loss.BEFORE)
    with pytest.raises(Unreachable):
        started(case, memory)
    assert case.begun() == 0
    fault(case, "POST", ":upload", loss=Loss.AFTER)
    with pytest.raises(Unreachable):
        started(case, memory)
    started(case, memory)
    assert (case.stand_in.wire.count("POST", ":upload"), case.begun()) == (3, 1)


def test_a_dataset_is_used_once_it_is_ready_and_waited_for_without_another_upload(case, memory):
    case.stand_in.slow = True
    for _ in range(2):
        with pytest.raises(Unreachable, match="still reads the train file"):
            started(case, memory)
    assert (case.stand_in.wire.count("POST", ":upload"), case.begun()) == (1, 0)
    with pytest.raises(Unreachable):
        started(case, memory, at=NOW + timedelta(minutes=10))
    assert case.stand_in.wire.count("POST", ":upload") == 2
    case.stand_in.tick()
    case.stand_in.slow = False
    started(case, memory)
    assert case.begun() == 1


def test_a_file_that_fireworks_does_not_take_is_refused_in_its_words(case, memory):
    case.stand_in.slow = True
    with pytest.raises(Unreachable):
        started(case, memory)
    (dataset,) = case.stand_in.datasets.values()
    dataset["status"] = {"code": "INVALID_ARGUMENT", "message": "line 3 has no messages"}
    with pytest.raises(ProviderRefused, match="line 3 has no messages") as caught:
        started(case, memory)
    assert (caught.value.provider_code, caught.value.param, case.begun()) == ("INVALID_ARGUMENT", "train", 0)


def test_a_file_that_arrives_cut_begins_nothing(case, memory):
    fault(case, "POST", ":upload", instead=told({"bytes": 7}))
    with pytest.raises(Unreachable, match="and 7 arrived"):
        started(case, memory)
    assert case.begun() == 0


def test_the_stand_in_takes_only_what_the_sdk_describes():
    parameters = PARAMETERS["dpoJobs"]
    assert faults(parameters, {"dataset": "d", "trainingConfig": {"loraRank": 8}}) == ""
    assert "loraRanks" in faults(parameters, {"dataset": "d", "trainingConfig": {"loraRanks": 8}})
    assert "valid integer" in faults(parameters, {"dataset": "d", "trainingConfig": {"loraRank": "8"}})
    assert "dataset" in faults(parameters, {})
