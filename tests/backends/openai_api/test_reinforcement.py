"""Graders, rows and jobs of reinforcement, held against OpenAI's own description."""

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from backends.errors import SpecRefused
from backends.events import RunState
from backends.graders import Grader, as_sent
from backends.openai_api.problems import named
from backends.openai_api.profiles import PROFILES
from backends.openai_api.requests import Order
from backends.spec import DataFile, Hyperparameters, Method
from backends.stand_in.serving import serving
from backends.stand_in.specification import Specification

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

GRADER = TypeAdapter(Grader)
SAME = {
    "type": "string_check", "name": "same queue", "input": "{{sample.output_text}}", "operation": "eq",
    "reference": "{{item.reference_answer}}",
}  # fmt: skip
NEAR = {
    "type": "text_similarity", "name": "near", "input": "{{ sample.output_text }}", "evaluation_metric": "rouge_l",
    "reference": "{{ item.target.reason }}",
}  # fmt: skip
PYTHON = {"type": "python", "name": "ours", "source": "def grade(sample, item):\n    return 1.0\n"}
JUDGE = {
    "type": "score_model", "name": "judge", "model": "gpt-4.1", "range": [0, 5],
    "sampling_params": {"temperature": 0.0, "max_completions_tokens": 64},
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "{{item.label}}? {{sample.output_text}}"}]}],
}  # fmt: skip
MULTI = {
    "type": "multi", "name": "both", "graders": {"same": SAME, "judge": JUDGE},
    "calculate_output": "0.7 * same + 0.3 * min(judge / 5, 1)",
}  # fmt: skip
EVERY = {each["type"]: each for each in (SAME, NEAR, PYTHON, JUDGE, MULTI)}


@pytest.fixture(scope="module")
def specification(shared_data):
    return Specification(shared_data / "openai_api" / "openai-subset.strict.yaml")


def rows_file(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return DataFile.of(path, format="openai_rft")


def row(number, **fields):
    said = {"role": "user", "content": f"which queue takes ticket {number}?"}
    return {"messages": [said], "reference_answer": f"Q{number % 3}"} | fields


@pytest.fixture
def rft(world, tmp_path):
    """A run of reinforcement that nothing speaks against, and the same with changes: of the rows, or of the spec."""

    def made(rows=None, **fields):
        told = {
            "method": Method.RFT, "grader": SAME, "hyperparameters": Hyperparameters(epochs=2), "model": "o4-mini",
            "train": rows_file(tmp_path / "train-rft.jsonl", rows or [row(n) for n in range(12)]),
            "validation": rows_file(tmp_path / "validation-rft.jsonl", [row(n) for n in range(12, 16)]),
        }  # fmt: skip
        return world.spec(**(told | fields))

    return made


def errors(world, spec):
    found = world.backend().problems(spec, today=world.moment().date())
    return [each for each in found if each.severity == "error"]


@pytest.mark.shared_data
@pytest.mark.parametrize("kind", EVERY)
def test_the_body_of_every_grader_is_as_the_official_description_has_it(rft, specification, kind):
    spec = rft(grader=EVERY[kind])
    order = Order(
        spec=spec, installation="i", training_file="file-1", validation_file="file-2", hyperparameters={"n_epochs": 2}
    )
    body = PROFILES["openai"].body(order)
    assert specification.against_request("POST /fine_tuning/jobs", body) == []
    assert body["method"] == {
        "type": "reinforcement", "reinforcement": {"hyperparameters": {"n_epochs": 2}, "grader": EVERY[kind]},
    }  # fmt: skip


@pytest.mark.shared_data
def test_the_knobs_of_reinforcement_go_under_the_official_names_and_with_no_other_method(world, rft, specification):
    given = {"reasoning_effort": "low", "compute_multiplier": 1.5, "evaluation_interval": 5, "evaluation_samples": 3}
    spec = rft(hyperparameters=Hyperparameters.model_validate(given))
    assert errors(world, spec) == []
    sent = named(PROFILES["openai"], spec)
    assert sent == {"reasoning_effort": "low", "compute_multiplier": 1.5, "eval_interval": 5, "eval_samples": 3}
    order = Order(spec=spec, installation="i", training_file="file-1", validation_file="file-2", hyperparameters=sent)
    assert specification.against_request("POST /fine_tuning/jobs", PROFILES["openai"].body(order)) == []
    found = errors(world, world.spec(hyperparameters=spec.hyperparameters))
    assert {(each.where, each.message) for each in found} == {
        (f"hyperparameters.{name}", f"{name} is for reinforcement") for name in given
    }


@pytest.mark.shared_data
@pytest.mark.parametrize("at", [("graders", "judge", "model"), ("graders", "same", "operation"), ("name",)], ids=str)
def test_what_is_wrong_in_one_of_several_graders_is_seen_by_the_description(rft, specification, at):
    grader = json.loads(json.dumps(MULTI))
    part = grader
    for name in at[:-1]:
        part = part[name]
    del part[at[-1]]
    body = {
        "model": "o4-mini",
        "training_file": "f",
        "method": {"type": "reinforcement", "reinforcement": {"grader": grader}},
    }
    assert specification.against_request("POST /fine_tuning/jobs", body)


@pytest.mark.parametrize(("kind", "changed", "said"), [
    ("string_check", {"operation": "is"}, "'eq', 'ne', 'like' or 'ilike'"),
    ("string_check", {"reference": "{{items.answer}}"}, "names no value"),
    ("string_check", {"refrence": "x"}, "Extra inputs"),
    ("text_similarity", {"evaluation_metric": "rouge"}, "'rouge_l'"),
    ("python", {"source": ""}, "at least 1 character"),
    ("score_model", {"range": [5, 0]}, "the lowest points, then the highest"),
    ("score_model", {"input": [{"role": "tool", "content": "x"}]}, "'user', 'assistant'"),
    ("score_model", {"sampling_params": {"temperature": float("nan")}}, "finite"),
    ("multi", {"graders": {}}, "at least 1 item"),
    ("multi", {"graders": {"same": MULTI}}, "does not match any of the expected tags"),
    ("multi", {"calculate_output": "same + other"}, "uses other, and the graders are same, judge"),
    ("multi", {"calculate_output": "1"}, "uses none of the graders"),
    ("multi", {"type": "label_model"}, "does not match any of the expected tags"),
], ids=str)  # fmt: skip
def test_a_grader_that_is_none_is_refused_with_what_is_wrong(kind, changed, said):
    with pytest.raises(ValidationError, match=said):
        GRADER.validate_python(EVERY[kind] | changed)


def test_a_grader_says_which_fields_of_a_row_it_needs():
    needed = {kind: sorted(GRADER.validate_python(each).item_fields) for kind, each in EVERY.items()}
    assert needed == {
        "string_check": ["reference_answer"], "text_similarity": ["target"], "python": [], "score_model": ["label"],
        "multi": ["label", "reference_answer"],
    }  # fmt: skip


def test_a_spec_comes_back_with_its_grader_and_another_grader_is_another_run(rft):
    spec = rft(grader=MULTI)
    again = type(spec).model_validate_json(spec.model_dump_json(by_alias=True))
    assert (again, again.digest, as_sent(again.grader)) == (spec, spec.digest, MULTI)
    assert rft(grader=SAME).digest != spec.digest


def test_sound_rows_have_nothing_against_them(world, rft):
    assert errors(world, rft()) == []


@pytest.mark.parametrize(("wrong", "code", "said"), [
    ({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "Q1"}]}, "invalid_training_file",
     "is in the fine-tune-chat format, but the specified fine-tuning job is not using 'supervised'"),
    ({"preferred_output": []}, "invalid_training_file", "fine-tune-preference format"),
    ({"messages": []}, "invalid_training_file", "Unexpected file format"),
    ({"messages": [{"content": "?"}]}, "invalid_training_file",
     "Example 3, message 0 Discriminator 'role' is missing in value"),
    ({"messages": [{"role": "system", "content": "!"}, {"role": "user", "content": "?"}]}, "invalid_training_file",
     "of the role 'system'"),
    ({"messages": [{"role": "user", "content": "?"}, {"role": "tool", "content": "!"}]}, "last_not_user", "'tool'"),
], ids=lambda each: str(each)[:40])  # fmt: skip
def test_a_row_that_does_not_fit_is_named_with_the_providers_words(world, rft, wrong, code, said):
    spec = rft([row(1), row(2), row(3, **wrong), *(row(n) for n in range(4, 14))])
    (found,) = errors(world, spec)
    assert (found.code, found.where, found.line) == (code, "train", 3)
    assert said in found.message
    assert found.remedy
    with pytest.raises(SpecRefused):
        world.start(spec)
    assert world.stand_in.asked == []


def test_rows_without_the_field_that_the_grader_names_are_counted_and_twenty_named(world, rft):
    rows = [{"messages": row(n)["messages"], "verdict": "Q1"} for n in range(30)]
    found = errors(world, rft(rows))
    assert [each.code for each in found] == ["grader_field_missing"] * 20 + ["rows_invalid"]
    assert found[0].message == "the grader names item.reference_answer, and the row has no such field"
    assert "(verdict)" in found[0].remedy
    assert "30 faults" in found[-1].message


@pytest.mark.shared_data
@pytest.mark.parametrize("kind", ["string_check", "multi"])
def test_a_job_of_reinforcement_goes_to_its_end_by_the_official_description(world, rft, shared_data, tmp_path, kind):
    rows = [row(n, label=f"Q{n % 3}") for n in range(12)]
    spec = rft(rows, grader=EVERY[kind], validation=rows_file(tmp_path / "held-out.jsonl", rows[:4]))
    description = shared_data / "openai_api" / "openai-subset.strict.yaml"
    with serving(tmp_path / "strict", clock=world, specification=description) as world.stand_in:
        handle = world.start(spec)
        told = world.until(handle, RunState.SUCCEEDED)
        assert world.stand_in.refused == []
        (job,) = world.jobs()
        assert job.request["method"]["reinforcement"]["grader"] == EVERY[kind]
        assert len(told.checkpoints) == 2
        predictor = world.backend().predictor(told.model)
        assert predictor.predict_many([rows[4]["messages"]], max_tokens=4)[0].text == "Q1"
        predictor.close()


def test_what_the_provider_itself_finds_wrong_is_why_the_job_failed(world, rft):
    """Our own look at the rows is passed by: the file that lies there is of another shape than the job's method."""
    chat = world.spec()
    file = world.stand_in.provider.upload("chat.jsonl", "fine-tune", chat.train.path.read_bytes())["id"]
    method = {"type": "reinforcement", "reinforcement": {"grader": SAME}}
    body = {"model": "o4-mini", "training_file": file, "validation_file": file, "method": method}
    job = world.stand_in.provider.create(body, retry_count=0)["id"]
    told = world.until(world.handle(job), RunState.FAILED)
    assert told.failure.code == "invalid_training_file"
    assert told.failure.message.endswith("is not using 'supervised' (provided method=reinforcement)")


@pytest.mark.parametrize(
    "wrong", [{"reinforcement": {}}, {}, {"reinforcement": {"grader": SAME | {"operation": "is"}}}]
)
def test_the_stand_in_takes_no_reinforcement_without_a_grader_that_is_one(world, rft, wrong):
    file = world.stand_in.provider.upload("rows.jsonl", "fine-tune", rft().train.path.read_bytes())["id"]
    body = {"model": "o4-mini", "training_file": file, "method": {"type": "reinforcement"} | wrong}
    for whole in (body, body | {"validation_file": file}):
        with pytest.raises(Exception, match=r"grader|validation"):
            world.stand_in.provider.create(whole, retry_count=0)
    assert world.jobs() == []
