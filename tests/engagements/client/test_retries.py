"""What is sent again, when, and under which key: against a scripted server."""

import json
import time

import httpx
import pytest

from engagements.client import Conflict, Invalid, ServerFault, Sixfold, SixfoldError, TooOften, Unreachable

CLIENT = {
    "id": "cli_1", "version": 1, "name": "Nordwind", "country": "DE", "legal_name": "", "region": "", "industry": "",
    "address": "", "registration": "", "vat_id": "", "website": "", "notes": "", "archived": False,
    "created_at": "2026-11-23T09:00:00Z",
}  # fmt: skip


def problem(status, code="busy", **headers):
    body = {"status": status, "code": code, "detail": "no", "remedy": "wait", "request_id": "req_1"}
    return httpx.Response(status, json=body, headers=headers)


class Script:
    """Answers in turn; an exception is raised, the last answer stays."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def keys(self):
        return [request.headers.get("idempotency-key") for request in self.requests]


def sixfold(script, **options):
    options = {"backoff_s": 0.0} | options
    return Sixfold("http://sixfold.local", "key", transport=httpx.MockTransport(script), **options)


GOOD = httpx.Response(200, json=CLIENT)
BROKEN = [httpx.ConnectError("refused"), httpx.ReadError("cut"), httpx.ReadTimeout("late"), problem(502), problem(503),
          problem(504), problem(429), problem(409, "idempotency_in_progress")]  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_reading_is_tried_again(fault):
    script = Script(fault, fault, GOOD)
    assert sixfold(script).clients.get("cli_1").name == "Nordwind"
    assert len(script.requests) == 3


@pytest.mark.parametrize("fault", BROKEN)
def test_what_makes_something_is_tried_again_under_the_same_key(fault):
    script = Script(fault, fault, GOOD)
    sixfold(script).clients.create(name="Nordwind", country="DE")
    assert len(script.keys) == 3
    assert len(set(script.keys)) == 1
    assert script.keys[0]


def test_another_call_has_another_key():
    script = Script(GOOD)
    for _ in range(2):
        sixfold(script).clients.create(name="Nordwind", country="DE")
    assert len(set(script.keys)) == 2


@pytest.mark.parametrize(
    ("fault", "kind"), [(httpx.ReadError("cut"), Unreachable), (problem(503), ServerFault), (problem(429), TooOften)]
)
def test_an_edit_is_sent_once(fault, kind):
    script = Script(GOOD, fault)
    calls = sixfold(script)
    client = calls.clients.get("cli_1")
    with pytest.raises(kind):
        calls.clients.change(client, notes="x")
    assert len(script.requests) == 2
    assert script.requests[1].headers["if-match"] == '"1"'


def test_it_gives_up_after_as_many_retries_as_it_was_told():
    script = Script(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match="refused"):
        sixfold(script, retries=2).clients.get("cli_1")
    assert len(script.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 412, 422, 500, 507])
def test_what_will_not_pass_is_not_tried_again(status):
    script = Script(problem(status, "no"))
    with pytest.raises(SixfoldError):
        sixfold(script).clients.get("cli_1")
    assert len(script.requests) == 1


def test_it_waits_as_long_as_the_server_asks():
    began = time.monotonic()
    sixfold(Script(problem(503, **{"Retry-After": "1"}), GOOD)).clients.get("cli_1")
    assert time.monotonic() - began >= 1


def test_it_does_not_wait_for_a_server_that_asks_for_an_hour():
    script = Script(problem(429, "rate_limited", **{"Retry-After": "3600"}))
    with pytest.raises(TooOften) as refused:
        sixfold(script).clients.get("cli_1")
    assert (len(script.requests), refused.value.retry_after_s) == (1, 3600)


def test_an_error_carries_what_the_server_said():
    errors = [{"pointer": "/name", "code": "text.blank", "detail": "the text is blank", "remedy": "write it out"}]
    body = {
        "status": 422,
        "code": "text.blank",
        "detail": "blank",
        "remedy": "write",
        "request_id": "r",
        "errors": errors,
    }
    with pytest.raises(Invalid, match="422 text") as refused:
        sixfold(Script(httpx.Response(422, json=body))).clients.create(name="", country="DE")
    (fault,) = refused.value.errors
    assert (fault.pointer, fault.code, refused.value.request_id) == ("/name", "text.blank", "r")


@pytest.mark.parametrize("body", [b"<h1>502</h1>", b"", b"{}", b"[1]"])
def test_an_answer_of_something_in_between_is_an_error_of_ours(body):
    script = Script(httpx.Response(409, content=body))
    with pytest.raises(Conflict) as refused:
        sixfold(script).clients.get("cli_1")
    assert refused.value.code == "upstream_bad_response"


@pytest.mark.parametrize("body", [b"<h1>hello</h1>", b"{}", b'{"id": 7}'])
def test_a_success_that_is_no_answer_is_an_error(body):
    with pytest.raises(ServerFault, match="upstream_bad_response"):
        sixfold(Script(httpx.Response(200, content=body))).clients.get("cli_1")


def test_an_older_client_survives_a_newer_server():
    newer = httpx.Response(200, json={**CLIENT, "mood": "sunny"})
    assert sixfold(Script(newer)).clients.get("cli_1").name == "Nordwind"


def test_an_id_cannot_leave_its_place_in_the_path():
    script = Script(problem(404, "not_found"))
    with pytest.raises(SixfoldError):
        sixfold(script).clients.get("../audit?x=1")
    assert script.requests[0].url.raw_path == b"/api/v1/clients/..%2Faudit%3Fx%3D1"


JOB = {
    "id": "job_1", "version": 1, "engagement_id": "eng_1", "kind": "check", "state": "running", "subject_id": "",
    "step": "", "done": 1, "total": 9, "cancel_asked": False, "result": {}, "error": "", "asked_by": "usr_1",
    "created_at": "2026-11-23T09:00:00Z", "ended_at": None,
}  # fmt: skip


def event(done, name="progress"):
    return f"event: {name}\r\ndata: {json.dumps(JOB | {'done': done})}\r\nretry: 500\r\n\r\n"


class Stream(httpx.SyncByteStream):
    """Pieces of a stream of events, each an answer's own; an exception among them cuts the line there."""

    def __init__(self, *pieces):
        self.pieces = pieces

    def __iter__(self):
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece.encode()


def stream(*pieces):
    return httpx.Response(200, stream=Stream(*pieces), headers={"content-type": "text/event-stream"})


CUT = httpx.ReadError("cut")


def test_what_is_followed_goes_on_after_a_line_that_broke_and_says_nothing_twice():
    script = Script(
        stream(event(1), event(2), CUT), httpx.ConnectError("refused"), problem(503), stream(event(2)), stream(),
        stream(event(2), event(3), event(3)[:-9], CUT), stream(event(3), event(9, "ended")),
    )  # fmt: skip
    assert [job.done for job in sixfold(script).jobs.follow("job_1")] == [1, 2, 3, 9]
    assert len(script.requests) == 7


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), CUT, stream], ids=["refused", "cut", "empty"])
def test_following_gives_up_after_as_many_tries_in_a_row_as_it_was_told(answer):
    answers = [answer() if callable(answer) else answer for _ in range(3)]
    script = Script(stream(event(1), CUT), *answers, stream(event(2)))
    seen = sixfold(script, retries=2).jobs.follow("job_1")
    assert next(seen).done == 1
    with pytest.raises(Unreachable, match=r"/api/v1/data-jobs/job_1/events: (refused|cut|the stream ended)"):
        next(seen)
    assert len(script.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_refusal_ends_the_following_at_once(status):
    script = Script(stream(event(1)), problem(status, "no"), stream(event(2)))
    seen = sixfold(script).jobs.follow("job_1")
    assert next(seen).done == 1
    with pytest.raises(SixfoldError, match=f"{status} no"):
        next(seen)
    assert len(script.requests) == 2


def test_an_event_that_is_none_of_ours_is_an_error():
    with pytest.raises(ServerFault, match="upstream_bad_response"):
        next(sixfold(Script(stream("data: <h1>hello</h1>\n\n"))).jobs.follow("job_1"))
