"""Whatever is asked of the stand-in, it answers as the official specification has it, and never breaks."""

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from backends.stand_in.serving import serving
from backends.stand_in.specification import ANSWERS

pytestmark = [pytest.mark.shared_data, pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

PATHS = {
    "/files", "/files/{file_id}", "/fine_tuning/jobs", "/fine_tuning/jobs/{fine_tuning_job_id}",
    "/fine_tuning/jobs/{fine_tuning_job_id}/cancel", "/fine_tuning/jobs/{fine_tuning_job_id}/pause",
    "/fine_tuning/jobs/{fine_tuning_job_id}/resume", "/fine_tuning/jobs/{fine_tuning_job_id}/events",
    "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints", "/models", "/models/{model}", "/chat/completions",
}  # fmt: skip
WRITTEN_ELSEWHERE = {("delete", "/models/{model}"), ("get", "/chat/completions")}


def hold_to_the_specification(shared_data, folder, *, paths, examples):
    path = shared_data / "openai_api" / "openai-subset.strict.yaml"
    raw = yaml.safe_load(path.read_text("utf-8"))
    raw["paths"] = {
        name: {verb: said for verb, said in operations.items() if (verb, name) not in WRITTEN_ELSEWHERE}
        for name, operations in raw["paths"].items() if name in paths
    }  # fmt: skip
    schema = schemathesis.openapi.from_dict(raw)
    tried = 0
    with serving(folder, specification=path) as stand_in:
        for operation in (each.ok() for each in schema.get_all_operations()):

            @given(case=operation.as_strategy())
            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @seed(1)
            def holds(case):
                case.call_and_validate(
                    base_url=stand_in.base_url, checks=[not_a_server_error, response_schema_conformance]
                )

            holds()
            tried += 1
    return tried


def test_every_operation_of_training_holds_to_the_specification(shared_data, tmp_path):
    """Chat completions have the largest schema of all, and take their time below."""
    assert hold_to_the_specification(shared_data, tmp_path, paths=PATHS - {"/chat/completions"}, examples=2) == 14


@pytest.mark.slow
def test_every_operation_holds_to_the_specification_often(shared_data, tmp_path):
    assert hold_to_the_specification(shared_data, tmp_path, paths=PATHS, examples=40) == 15


def test_every_answer_has_a_schema(shared_data):
    raw = yaml.safe_load((shared_data / "openai_api" / "openai-subset.strict.yaml").read_text("utf-8"))
    assert set(ANSWERS.values()) <= set(raw["components"]["schemas"])
