"""What Azure, Mistral and Together say and take, as their own documents have it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from backends.events import RunState
from backends.openai_api import mistral, together
from backends.openai_api.problems import named
from backends.openai_api.profiles import PROFILES
from backends.openai_api.requests import Order
from backends.spec import DataFile, Hyperparameters, Method, TrainingSpec

MISTRAL = {
    "id": "52f77a52-d383-41df-afec-516320b0c211", "object": "job", "auto_start": True, "model": "open-mistral-7b",
    "status": "SUCCESS", "job_type": "completion", "created_at": 1716963433, "modified_at": 1716963999,
    "training_files": ["b420447a-b462-4c0b-bcc4-5945370c1849"], "validation_files": None, "trained_tokens": 1000,
    "hyperparameters": {"training_steps": 10, "learning_rate": 0.0001}, "fine_tuned_model": "ft:open-mistral-7b:x",
    "metadata": {"cost": 4.0, "cost_currency": "EUR"},
    "events": [{"name": "status-updated", "data": {"status": "SUCCESS"}, "created_at": 1716963990}] * 2,
    "checkpoints": [{
        "metrics": {"train_loss": 0.8, "valid_loss": 0.9, "valid_mean_token_accuracy": 0.7},
        "step_number": 10, "created_at": 1716963980,
    }],
}  # fmt: skip
TOGETHER = {
    "id": "ft-01234567", "status": "completed", "user_id": "u", "model": "meta-llama/Llama-3-8b",
    "model_output_name": "me/llama-tuned", "training_file": "file-1", "validation_file": "", "token_count": 850000,
    "created_at": "2026-05-17T17:35:45.123Z", "total_price": 1500, "n_epochs": 3,
    "events": [{
        "object": "fine-tune-event", "created_at": "2026-05-17T17:36:00Z", "type": "job_pending",
        "level": "legacy_iwarning", "message": "Fine tune request created",
    }],
}  # fmt: skip


def order(tmp_path, **fields):
    path = tmp_path / "train.jsonl"
    path.write_text('{"messages": []}\n', "utf-8")
    spec = TrainingSpec(run_id="r", backend="b", model="m", train=DataFile.of(path), suffix="triage", **fields)
    return lambda profile: Order(
        spec=spec, installation="i", training_file="file-1", validation_file="file-2",
        hyperparameters=named(PROFILES[profile], spec),
    )  # fmt: skip


def test_a_job_of_mistral_is_read_as_any_other():
    job = mistral.Job.model_validate_json(json.dumps(MISTRAL))
    assert PROFILES["mistral"].states[job.status] is RunState.SUCCEEDED
    assert (job.training_file, job.trained_tokens) == ("b420447a-b462-4c0b-bcc4-5945370c1849", 1000)
    assert (job.fine_tuned_model, job.metadata) == ("ft:open-mistral-7b:x", None)
    assert [each.type for each in {each.id: each for each in job.events}.values()] == ["message", "metrics"]
    assert (job.events[-1].data["train_loss"], job.events[-1].data["step"]) == (0.8, 10)
    assert (job.checkpoints[0].step_number, job.checkpoints[0].metrics.full_valid_loss) == (10, 0.9)


def test_a_job_of_together_is_read_as_any_other():
    job = together.Job.model_validate_json(json.dumps(TOGETHER))
    assert PROFILES["together"].states[job.status] is RunState.SUCCEEDED
    assert (job.created_at, job.trained_tokens, job.fine_tuned_model) == (1779039345, 850000, "me/llama-tuned")
    assert [(each.level, each.message) for each in job.events] == [("warn", "Fine tune request created")]


@pytest.mark.parametrize("kind", [mistral.Job, together.Job])
@pytest.mark.parametrize("said", ['{"id": 7}', "[]", '"<html>"', '{"training_files": 7}', '{"id": "x", "events": [7]}'])
def test_what_is_no_job_is_refused_in_every_dialect(kind, said):
    with pytest.raises(ValidationError):
        kind.model_validate_json(said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("kind", "right"), [(mistral.Job, MISTRAL), (together.Job, TOGETHER)])
@settings(deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_field_it_is_a_job_or_refused(kind, right, data):
    said = right | {data.draw(st.sampled_from(sorted(right))): data.draw(JSON)}
    with suppress(ValidationError):
        assert kind.model_validate_json(json.dumps(said)).id


def test_the_body_for_mistral_has_its_names(tmp_path):
    body = mistral.body(order(tmp_path, hyperparameters=Hyperparameters(max_steps=10, warmup_ratio=0.1))("mistral"))
    assert body == {
        "model": "m", "training_files": [{"file_id": "file-1", "weight": 1}], "validation_files": ["file-2"],
        "hyperparameters": {"training_steps": 10, "warmup_fraction": 0.1}, "auto_start": True, "suffix": "triage",
    }  # fmt: skip


def test_the_body_for_together_asks_for_evaluations_and_lora(tmp_path):
    given = Hyperparameters(epochs=2, rank=16, beta=0.1)
    body = together.body(order(tmp_path, method=Method.DPO, hyperparameters=given)("together"))
    assert body == {
        "model": "m", "training_file": "file-1", "validation_file": "file-2", "n_evals": 5, "n_epochs": 2,
        "training_type": {"type": "Lora", "lora_r": 16, "lora_alpha": 16}, "suffix": "triage",
        "training_method": {"method": "dpo", "dpo_beta": 0.1},
    }  # fmt: skip


def test_the_body_for_openai_leaves_out_what_nobody_set(tmp_path):
    body = PROFILES["openai"].body(order(tmp_path)("openai"))
    assert body["method"] == {"type": "supervised", "supervised": {}}
    assert set(body) == {"model", "training_file", "validation_file", "seed", "metadata", "method", "suffix"}


def test_azure_has_words_of_its_own_for_waiting():
    assert PROFILES["azure"].states["pending"] is RunState.QUEUED


def test_every_profile_says_what_nobody_could_confirm_or_needs_none():
    assert all(each.unconfirmed or not each.methods for each in PROFILES.values())
