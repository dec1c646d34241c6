"""The provider of our own: it keeps what it knows, takes only what it should, and can really train."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from backends.fake import FakeBackend
from backends.stand_in.faults import Fault
from backends.stand_in.ledger import Inner
from backends.stand_in.serving import serving

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

PROJECT = Path(__file__).resolve().parents[3]
QUESTION = {"role": "user", "content": "which queue takes ticket 1?"}
MODEL = "large-1"


def rows(count=12):
    pairs = ((f"which queue takes ticket {n}?", f"Q{n % 3}") for n in range(1, count + 1))
    return "".join(
        json.dumps({"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}) + "\n"
        for asked, said in pairs
    ).encode()


class Moved:
    now = 1_795_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Moved()


@pytest.fixture
def served(tmp_path, clock, socket_enabled):
    with serving(tmp_path / "stand-in", clock=clock) as stand_in:
        yield stand_in


@pytest.fixture
def strict(tmp_path, clock, shared_data, socket_enabled):
    specification = shared_data / "openai_api" / "openai-subset.strict.yaml"
    with serving(tmp_path / "stand-in", clock=clock, specification=specification) as stand_in:
        yield stand_in


def upload(stand_in, content=None, **form):
    files = {"file": ("train.jsonl", rows() if content is None else content)}
    return httpx.post(f"{stand_in.base_url}/files", data={"purpose": "fine-tune"} | form, files=files)


def create(stand_in, **fields):
    body = {"model": MODEL, "training_file": upload(stand_in).json()["id"]} | fields
    return httpx.post(f"{stand_in.base_url}/fine_tuning/jobs", json=body)


def get(stand_in, path, **query):
    return httpx.get(f"{stand_in.base_url}{path}", params=query)


def whole_journey(stand_in, clock):
    """A job from its file to its model's answer, every operation on the way."""
    job = create(stand_in, metadata={"run": "r"}, suffix="x", seed=3).json()["id"]
    clock.now += 12
    for path in ("/files", "/fine_tuning/jobs", f"/fine_tuning/jobs/{job}", f"/fine_tuning/jobs/{job}/events"):
        assert get(stand_in, path).status_code == 200
    for verb in ("pause", "resume"):
        assert httpx.post(f"{stand_in.base_url}/fine_tuning/jobs/{job}/{verb}").status_code == 200
    clock.now += 1000
    ended = get(stand_in, f"/fine_tuning/jobs/{job}").json()
    assert ended["status"] == "succeeded"
    assert get(stand_in, f"/fine_tuning/jobs/{job}/checkpoints").json()["data"]
    assert get(stand_in, f"/files/{ended['result_files'][0]}/content").content.startswith(b"step,train_loss")
    assert get(stand_in, "/models").status_code == get(stand_in, f"/models/{ended['fine_tuned_model']}").status_code
    body = {"model": ended["fine_tuned_model"], "messages": [QUESTION]}
    return httpx.post(f"{stand_in.base_url}/chat/completions", json=body).json()["choices"][0]["message"]["content"]


@pytest.mark.shared_data
def test_a_whole_journey_passes_the_official_specification(strict, clock):
    assert whole_journey(strict, clock) == "Q1"
    assert strict.refused == []


def test_a_whole_journey_needs_no_specification(served, clock):
    assert whole_journey(served, clock) == "Q1"


@pytest.mark.parametrize("wrong", [
    {"sufix": "x"}, {"seed": -1}, {"seed": 2**31}, {"suffix": "x" * 65}, {"metadata": {"k": "v" * 513}},
    {"metadata": {f"k{n}": "" for n in range(17)}}, {"method": {"type": "supervised", "supervised": {"hyper": {}}}},
    {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 51}}}},
    {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": True}}}},
    {"method": {"type": "supervised", "supervised": {"hyperparameters": {"learning_rate_multiplier": 0}}}},
    {"training_file": "file-nobody"}, {"validation_file": "file-nobody"}, {"model": 7},
], ids=lambda each: str(each)[:50])  # fmt: skip
def test_what_it_should_not_take_it_refuses_and_nothing_is_made(served, wrong):
    answer = create(served, **wrong)
    assert (answer.status_code, answer.json()["error"]["type"]) in {
        (400, "invalid_request_error"), (404, "invalid_request_error"),
    }  # fmt: skip
    assert get(served, "/fine_tuning/jobs").json()["data"] == []


@pytest.mark.parametrize("content", [
    b'{"model": "m", "training_file": "f", "hyperparameters": {"learning_rate_multiplier": NaN}}',
    b"\xff", b"", b"[" * 100_000, b"null", b'"text"',
], ids=["NaN", "no utf-8", "nothing", "deep", "null", "text"])  # fmt: skip
def test_what_is_no_request_is_refused(served, content):
    answer = httpx.post(
        f"{served.base_url}/fine_tuning/jobs", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert get(served, "/fine_tuning/jobs").json()["data"] == []


@pytest.mark.parametrize("query", [
    {"limit": "0"}, {"limit": "x"}, {"limit": "-1"}, {"limit": "٣"}, {"limit": "9" * 5000}, {"after": "nobody"},
], ids=lambda each: str(each)[:30])  # fmt: skip
def test_a_page_that_cannot_be_is_refused(served, query):
    create(served)
    assert get(served, "/fine_tuning/jobs", **query).status_code == 400


def test_every_job_is_on_exactly_one_page(served, clock):
    made = set()
    for _ in range(7):
        made.add(create(served).json()["id"])
        clock.now += 1
    seen, after = [], {}
    while True:
        page = get(served, "/fine_tuning/jobs", limit=3, **after).json()
        seen += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
        after = {"after": seen[-1]}
    assert (len(seen), set(seen)) == (7, made)


def test_what_it_knows_survives_a_restart_and_its_clock_does_not_go_back(tmp_path, socket_enabled):
    with serving(tmp_path, scale=1e6) as first:
        job = create(first).json()
    with serving(tmp_path) as second:
        assert get(second, f"/fine_tuning/jobs/{job['id']}").json()["created_at"] == job["created_at"]
        assert create(second).json()["created_at"] >= job["created_at"]


def test_a_request_cut_off_while_the_ledger_is_written_leaves_the_old_one(served):
    job = create(served).json()["id"]
    with suppress(RuntimeError), served.ledger.writing() as known:
        known.jobs.clear()
        raise RuntimeError
    assert get(served, f"/fine_tuning/jobs/{job}").status_code == 200


def test_a_key_is_asked_for_where_one_is_set(tmp_path, socket_enabled):
    with serving(tmp_path, api_key="sk-right") as stand_in:
        assert get(stand_in, "/models").status_code == 401
        headers = {"Authorization": "Bearer sk-right"}
        assert httpx.get(f"{stand_in.base_url}/models", headers=headers).status_code == 200


@pytest.mark.shared_data
def test_a_stream_is_what_the_answer_would_be_in_chunks_of_the_specification(strict, shared_data):
    body = {"model": MODEL, "messages": [QUESTION], "stream": True}
    text = httpx.post(f"{strict.base_url}/chat/completions", json=body).text
    told = [each.removeprefix("data: ") for each in text.split("\n\n") if each]
    assert told[-1] == "[DONE]"
    pieces = [json.loads(each) for each in told[:-1]]
    assert "".join(each["choices"][0]["delta"].get("content", "") for each in pieces) == "I was not trained for that."
    against = strict.specification._errors
    assert [each for piece in pieces for each in against("CreateChatCompletionStreamResponse", piece)] == []


def test_faults_come_in_by_http_and_the_ledger_is_told(served):
    control = served.base_url.removesuffix("/v1")
    fault = {"kind": "answer", "status": 418, "times": 2, "on": "GET /models"}
    assert httpx.post(f"{control}/_faults", json=[fault]).json() == {"added": 1}
    assert [get(served, "/models").status_code for _ in range(3)] == [418, 418, 200]
    create(served)
    assert len(httpx.get(f"{control}/_ledger").json()["jobs"]) == 1


def test_how_often_a_client_repeated_itself_is_recorded(served):
    file = upload(served).json()["id"]
    headers = {"x-stainless-retry-count": "2"}
    httpx.post(f"{served.base_url}/fine_tuning/jobs", json={"model": MODEL, "training_file": file}, headers=headers)
    with served.ledger.reading() as known:
        assert known.retry_counts == [2]


def test_a_job_that_is_really_trained_tells_what_its_backend_tells(tmp_path, clock, socket_enabled):
    inner = FakeBackend(folder=tmp_path / "inner", moments=2)
    with serving(tmp_path / "stand-in", clock=clock, train_with=inner) as stand_in:
        job = create(stand_in).json()["id"]
        statuses = [get(stand_in, f"/fine_tuning/jobs/{job}").json()["status"] for _ in range(4)]
        events = get(stand_in, f"/fine_tuning/jobs/{job}/events", limit=100).json()["data"]
        ended = get(stand_in, f"/fine_tuning/jobs/{job}").json()
        body = {"model": ended["fine_tuned_model"], "messages": [QUESTION]}
        said = httpx.post(f"{stand_in.base_url}/chat/completions", json=body).json()
    assert statuses[-1] == "succeeded"
    assert [each["data"]["step"] for each in reversed(events) if each["type"] == "metrics"] == list(range(1, 11))
    assert ended["trained_tokens"] == 1000
    assert said["choices"][0]["message"]["content"] == "Q1"


def test_a_backend_that_refuses_is_a_job_that_failed(tmp_path, clock, socket_enabled):
    inner = FakeBackend(folder=tmp_path / "inner", fails_at=1)
    with serving(tmp_path / "stand-in", clock=clock, train_with=inner) as stand_in:
        method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
        job = create(stand_in, method=method).json()["id"]
        told = [get(stand_in, f"/fine_tuning/jobs/{job}").json() for _ in range(4)][-1]
    assert (told["status"], told["error"]["code"]) == ("failed", "out_of_memory")


@pytest.mark.parametrize("asked", ["go on", "cancel"])
def test_a_run_that_was_begun_and_not_written_down_is_not_begun_twice(tmp_path, clock, socket_enabled, asked):
    """As after a kill between the two: the job is known, and that its run began is not."""
    inner = FakeBackend(folder=tmp_path / "inner", moments=2)
    with serving(tmp_path / "stand-in", clock=clock, train_with=inner) as first:
        job = create(first).json()["id"]
        with first.ledger.writing() as known:
            known.jobs[job].inner = Inner(reference="")
    with serving(tmp_path / "stand-in", clock=clock, train_with=inner) as second:
        if asked == "cancel":
            httpx.post(f"{second.base_url}/fine_tuning/jobs/{job}/cancel")
        told = [get(second, f"/fine_tuning/jobs/{job}").json()["status"] for _ in range(4)][-1]
    (run,) = (tmp_path / "inner").glob("*.json")
    assert (run.stem, told) == (job, "cancelled" if asked == "cancel" else "succeeded")
    assert json.loads(run.read_text("utf-8"))["cancelled"] is (asked == "cancel")


def test_what_its_backend_does_not_train_by_is_a_job_that_failed(tmp_path, clock, socket_enabled):
    pair = {"input": {"messages": [QUESTION]}, "preferred_output": [], "non_preferred_output": []}
    with serving(tmp_path / "stand-in", clock=clock, train_with=FakeBackend(folder=tmp_path / "inner")) as stand_in:
        file = upload(stand_in, f"{json.dumps(pair)}\n".encode() * 12).json()["id"]
        told = create(stand_in, training_file=file, method={"type": "dpo"}).json()
    assert (told["status"], "no dpo here" in told["error"]["message"]) == ("failed", True)
    assert not list((tmp_path / "inner").glob("*.json"))


def test_it_is_served_by_one_command(tmp_path):
    command = [sys.executable, "-m", "backends.stand_in", "--port", "0", "--folder", str(tmp_path), "--scale", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        try:
            base_url = process.stdout.readline().strip()
            assert httpx.get(f"{base_url}/models").json()["object"] == "list"
        finally:
            process.kill()


def test_a_fault_that_is_misspelled_is_refused():
    with pytest.raises(ValueError, match="secnds"):
        Fault.model_validate({"kind": "hang", "secnds": 3})
