"""All that speaks against a run, before anything starts."""

import json
import shutil
from datetime import UTC, datetime

import pytest
from tiny_llama import tiny_llama

from backends.errors import Severity, SpecRefused
from backends.memory import FileMemory
from backends.peft_local.backend import PeftBackend
from backends.peft_local.models import Shelf
from backends.spec import Method

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def found(tmp_path):
    """Codes and places of what is found, warnings apart."""

    def of(spec, severity=Severity.ERROR, **settings):
        backend = PeftBackend(folder=tmp_path / "runs", device="cpu", **settings)
        return [
            (each.code, each.where) for each in backend.problems(spec, today=NOW.date()) if each.severity is severity
        ]

    return of


def changed(spec, **told):
    return spec.model_copy(update=told)


def test_a_sound_run_has_no_problem(found, spec):
    assert found(spec()) == found(spec(), Severity.WARNING) == []


def test_a_refused_run_leaves_no_folder(spec, tmp_path):
    backend = PeftBackend(folder=tmp_path / "runs", device="cpu")
    with pytest.raises(SpecRefused):
        backend.start(changed(spec(), model="nobody"), FileMemory(path=tmp_path / "m.json"), now=NOW)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "m.json").exists()


def test_everything_that_is_wrong_is_said_at_once(found, spec):
    wrong = changed(spec(learning_rate=0.5, beta=0.1), method=Method.DPO, model="nobody")
    assert found(wrong) == [
        ("method_not_offered", "method"), ("hyperparameter_not_offered", "hyperparameters.beta"),
        ("learning_rate_absurd", "hyperparameters.learning_rate"), ("model_unknown", "model"),
    ]  # fmt: skip


@pytest.mark.parametrize(("adapter", "rate", "severity"), [
    ("lora", 0.1, Severity.ERROR), ("lora", 0.05, Severity.WARNING), ("lora", 1e-7, Severity.WARNING),
    ("full", 0.01, Severity.ERROR), ("full", 2e-4, None),
])  # fmt: skip
def test_a_learning_rate_is_judged_by_what_is_trained(found, spec, adapter, rate, severity):
    run = spec(adapter=adapter, learning_rate=rate, rank=None)
    assert bool(found(run)) is (severity is Severity.ERROR)
    assert bool(found(run, Severity.WARNING)) is (severity is Severity.WARNING)


@pytest.mark.parametrize(("knobs", "code"), [
    ({"adapter": "full"}, "hyperparameter_contradicts"),
    ({"micro_batch_size": 7}, "micro_batch_too_large"),
    ({"precision": "fp16"}, "precision_not_offered"),
    ({"targets": ("q_proj", "w_proj")}, "target_unknown"),
    ({"targets": (".*_proj",)}, "target_unknown"),
])  # fmt: skip
def test_knobs_that_cannot_be_meant_are_refused(found, spec, knobs, code):
    assert [each for each, _ in found(spec(**knobs))] == [code]


def test_early_stopping_without_validation_is_refused(found, spec):
    assert found(spec(validation=False, early_stopping=2)) == [("validation_missing", "hyperparameters.early_stopping")]


@pytest.mark.parametrize(("name", "content", "code"), [
    ("config.json", {"auto_map": {"AutoModel": "code.Model"}}, "remote_code_refused"),
    ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": "code.T"}}, "remote_code_refused"),
    ("config.json", {"architectures": ["BertForMaskedLM"]}, "model_not_causal"),
    ("tokenizer_config.json", {"chat_template": None}, "chat_template_missing"),
])  # fmt: skip
def test_a_model_that_is_not_taken_is_named(found, spec, tmp_path, model, name, content, code):
    folder = shutil.copytree(model, tmp_path / "copy")
    (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | content))
    assert found(changed(spec(), model=str(folder))) == [(code, "model")]


def test_pickled_weights_are_refused(found, spec, tmp_path, model):
    folder = shutil.copytree(model, tmp_path / "copy")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert found(changed(spec(), model=str(folder))) == [("weights_pickled", "model")]


@pytest.mark.parametrize("content", [b"", b"<html>no such model</html>", None], ids=["empty", "a page", "cut off"])
def test_weights_that_are_not_whole_are_refused(found, spec, tmp_path, model, content):
    folder = shutil.copytree(model, tmp_path / "copy")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] if content is None else content)
    assert found(changed(spec(), model=str(folder))) == [("weights_damaged", "model")]


def test_only_allowed_models_are_found_where_there_is_a_list(found, spec, tmp_path, model):
    shelf = Shelf(allowed={"house": tiny_llama(tmp_path / "house")})
    assert found(changed(spec(), model="house"), shelf=shelf) == []
    assert found(spec(), shelf=shelf) == [("model_unknown", "model")]


def test_a_name_of_the_hub_is_found_where_it_was_fetched(found, spec, tmp_path):
    kept = tmp_path / "hub" / "models--acme--tiny"
    tiny_llama(kept / "snapshots" / "abc")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")
    shelf = Shelf(hub=tmp_path / "hub")
    assert found(changed(spec(), model="acme/tiny"), shelf=shelf) == []
    for name in ("acme/other", "../tiny", "acme/..", "a/b/c"):
        assert found(changed(spec(), model=name), shelf=shelf) == [("model_unknown", "model")]


def test_rows_are_judged_with_their_lines(found, spec, tmp_path):
    run = spec()
    said = [
        '{"messages": [{"role": "user", "content": "a"}]}', "no json", "", '{"messages": []}',
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}',
        '{"messages": [{"role": "robot", "content": "a"}]}', '{"messages": [{"role": "assistant", "content": 7}]}',
        '{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]}',
    ]  # fmt: skip
    run.train.path.write_text("\n".join(said))
    backend = PeftBackend(folder=tmp_path / "runs", device="cpu")
    assert [(each.line, each.code) for each in backend.problems(run, today=NOW.date())] == [
        (1, "row.no_assistant"), (2, "row.invalid_json"), (4, "row.messages_missing"), (5, "row.no_assistant"),
        (6, "row.unknown_role"), (7, "row.bad_content"), (8, "row.bad_tool_call"),
    ]  # fmt: skip


def test_at_most_a_hundred_rows_are_listed_and_all_are_counted(spec, tmp_path):
    run = spec()
    run.train.path.write_text("no json\n" * 130)
    backend = PeftBackend(folder=tmp_path / "runs", device="cpu")
    found = backend.problems(run, today=NOW.date())
    assert len(found) == 101
    assert "130 rows" in found[-1].message


def test_a_file_that_is_gone_is_said(found, spec):
    run = spec()
    run.train.path.unlink()
    assert found(run) == [("file_unreadable", "train")]
