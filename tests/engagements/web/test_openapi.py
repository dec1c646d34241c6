"""The OpenAPI document says how calls fail, and whatever is sent by it ends in no fault of ours."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def document(house):
    return house.nobody().get("/api/v1/openapi.json").json()


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield path, method, operation


def test_every_operation_says_that_it_fails_as_a_problem(document):
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    listed = list(operations(document))
    assert len(listed) > 10
    for path, method, operation in listed:
        assert operation["responses"]["default"]["content"] == problem, (method, path)
        assert "400" not in operation["responses"], (method, path)
        assert operation.get("summary"), (method, path)


def test_an_answer_that_fails_is_what_the_document_says(house, document):
    schema = document["components"]["schemas"]["Problem"]
    answer = house.nobody().get("/api/v1/clients")
    assert set(schema["required"]) <= answer.json().keys() <= schema["properties"].keys()


def test_changes_and_new_things_name_their_headers(document):
    for path, method, operation in operations(document):
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
        if path.startswith("/api/") and not path.startswith("/api/v1/portal/"):
            wanted = {"post": "Idempotency-Key", "get": None}.get(method, "If-Match")
            assert wanted is None or wanted in named, (method, path)


def walk(house, *, examples: int) -> int:
    """Sends made-up requests to every operation, as an administrator; returns how many."""
    caller = house.api()
    document = caller.get("/api/v1/openapi.json").json()
    known = records(caller)
    rules = settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    sent = 0

    def ask(case) -> None:
        nonlocal sent
        sent += 1
        asked = case.as_transport_kwargs(base_url="http://sixfold.local")
        headers = {**asked.pop("headers", {}), **caller.headers}
        data = asked.pop("data", None)
        answer = caller.client.request(
            asked.pop("method"), asked.pop("url"), headers=headers, params=asked.pop("params", None),
            content=data if isinstance(data, (str, bytes)) else None, json=asked.pop("json", None),
        )  # fmt: skip
        case.validate_response(answer, checks=CHECKS)

    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        taken = {name: known[name] for name in known if "{" + name + "}" in operation.path}
        sorts = [operation.as_strategy(mode, path_parameters=taken or None) for mode in GenerationMode]
        if taken:
            sorts.append(operation.as_strategy())
        rules(given(one_of(sorts))(ask))()
    return sent


def records(caller) -> dict[str, str]:
    client = caller.post("/api/v1/clients", {"name": "Nordwind", "country": "DE"}).json()["id"]
    contact = caller.post(f"/api/v1/clients/{client}/contacts", {"name": "Ana", "email": "ana@example.com"}).json()[
        "id"
    ]
    engagement = caller.post("/api/v1/engagements", {"client_id": client, "name": "Replies"}).json()["id"]
    return {"client_id": client, "contact_id": contact, "engagement_id": engagement}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_made_up_request_ends_in_a_fault_of_ours(house):
    assert walk(house, examples=3) > 200


@pytest.mark.slow
def test_no_made_up_request_of_many_ends_in_a_fault_of_ours(house):
    assert walk(house, examples=15) > 3_000
