"""The demo's own model: the API around it with a model that is none, and the weights where `make` laid them down."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from litestar.testing import TestClient

from engagements.core.clock import FixedClock
from engagements.demo.model.process import is_there, serving_model
from engagements.demo.model.serving import application
from engagements.demo.model.weights import NAME
from engagements.phases.data_preparation.synthesis.shapes import GRADE

SHAPED = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": GRADE}}


@dataclass(frozen=True, kw_only=True)
class Words:
    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 7
    completion_tokens: int = 3


class Echo:
    """Says what it was asked."""

    def write(self, messages, **asked):
        if messages[-1]["content"] == "too long":
            raise ValueError("too many tokens")
        return Words(text=json.dumps(asked))


@pytest.fixture
def server():
    with TestClient(application(Echo(), FixedClock(at=datetime(2026, 11, 22, tzinfo=UTC)))) as client:
        yield client


def asked(**fields):
    return {"model": NAME, "messages": [{"role": "user", "content": "Hello"}], **fields}


def test_it_answers_as_chat_completions_do_and_counts_each_token_once(server):
    answer = server.post("/v1/chat/completions", json=asked(n=2, seed=4, temperature=0.5, max_completion_tokens=9))
    said = answer.json()
    assert (answer.status_code, said["model"], said["object"]) == (200, NAME, "chat.completion")
    assert [json.loads(choice["message"]["content"])["seed"] for choice in said["choices"]] == [4, 5]
    assert said["usage"] == {"prompt_tokens": 7, "completion_tokens": 6, "total_tokens": 13}


def test_what_is_asked_for_reaches_the_model(server):
    answer = server.post("/v1/chat/completions", json=asked(max_tokens=5, temperature=0, response_format=SHAPED))
    said = json.loads(answer.json()["choices"][0]["message"]["content"])
    assert said == {"most": 5, "temperature": 0.0, "seed": 0, "shape": GRADE}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"stream": True}, 400), ({"response_format": {"type": "json_object"}}, 400), ({"messages": []}, 400),
        ({"model": "gpt-4.1"}, 404), ({"messages": [{"role": "user", "content": "too long"}]}, 400),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_refused_as_openai_refuses(server, fields, status):
    answer = server.post("/v1/chat/completions", json=asked(**fields))
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, "invalid_request_error")


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.skipif(not is_there(), reason="`make` has not laid the model down here")
def test_the_weights_answer_from_a_process_of_their_own_and_keep_to_a_schema():
    with serving_model() as model:
        model.wait()

        def ask(**fields):
            said = httpx.post(f"{model.base_url}/chat/completions", json=asked(**fields), timeout=120, trust_env=False)
            return said.json()

        capital = [{"role": "user", "content": "What is the capital of France?"}]
        plain = ask(messages=capital, temperature=0)
        assert plain["choices"][0]["message"]["content"] == "The capital of France is Paris."
        assert plain["usage"] == {"prompt_tokens": 37, "completion_tokens": 7, "total_tokens": 44}
        cut = ask(messages=capital, temperature=0, max_completion_tokens=3)
        assert (cut["choices"][0]["finish_reason"], cut["usage"]["completion_tokens"]) == ("length", 3)
        graded = [
            ask(temperature=0.9, seed=3, response_format=SHAPED)["choices"][0]["message"]["content"] for _ in "ab"
        ]
        assert graded[0] == graded[1]
        assert set(json.loads(graded[0])) == {"score", "reason"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{model.base_url}/models", trust_env=False)
