"""`sixfold runs` on runs of a server, over a socket: what it says, how it steers and watches, what it refuses."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from backends.errors import RunLost
from engagements.core.roles import Role
from engagements.phases.training.models import TrainingRun

pytestmark = [
    pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]  # fmt: skip

OF_A_FOLDER = {
    "run_id", "backend", "model", "state", "step", "total_steps", "train_loss", "valid_loss", "metric", "value",
    "verdict", "failure", "usage", "cost", "currency", "checkpoints", "chosen", "model_chosen", "reason", "predicted",
    "hyperparameters", "seed", "dataset_sha256", "begun_at", "record_sha256",
}  # fmt: skip


class OnASocket:
    """The application of the tests, reached as others reach it. `break_off` leaves every line in the middle."""

    def __init__(self, app: Any) -> None:
        self._app, self.port = app, 0
        self.begin()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(self._app, lifespan="off", log_config=None, ws="none"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]})
        self._thread.start()

    def break_off(self) -> None:
        self._server.force_exit = self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def server(bench, sixfold, monkeypatch) -> Iterator[OnASocket]:
    """Where the environment of the command points to, with the key of whoever leads."""
    found = OnASocket(bench.house.client.app)
    monkeypatch.setenv("SIXFOLD_URL", found.url + "/")
    monkeypatch.setenv("SIXFOLD_API_KEY", bench.lead.headers["X-API-Key"])
    yield found
    found.break_off()


@contextmanager
def time_passing(bench: Any, *, meanwhile: Callable[[int], None] = lambda _: None) -> Iterator[None]:
    """Moments pass while the command is at work; `meanwhile` is told which."""
    over = threading.Event()

    def pass_by() -> None:
        for moment in range(1_000):
            if over.wait(0.1):
                return
            bench.moment()
            meanwhile(moment)

    thread = threading.Thread(target=pass_by)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def begun(bench: Any, **fields: Any) -> str:
    """The id of a run that has begun."""
    experiment = bench.begin(**fields)
    bench.supervisor.do_due()
    return str(bench.runs(experiment)[0]["id"])


def test_an_ended_experiment_is_listed_shown_and_compared(bench, server, sixfold):
    ended = bench.finish(bench.begin(design="three"))
    of_experiment = sixfold("runs", "list", "--experiment", ended["id"], "--json")
    assert of_experiment.code == 0, of_experiment.out
    lines = of_experiment.json["runs"]
    assert [(each["run_id"], each["state"], each["step"]) for each in lines] == [
        (each["id"], "succeeded", 20) for each in ended["runs"]
    ]  # fmt: skip
    assert sixfold("runs", "list", "--engagement", bench.engagement_id, "--json").json["runs"] == lines
    best = ended["chosen_run_id"]
    shown = sixfold("runs", "show", best, "--json").json
    assert shown.keys() >= OF_A_FOLDER
    assert (shown["state"], shown["metric"], shown["cost"], shown["currency"]) == (
        "succeeded", "exact_match", "0.00", "EUR",
    )  # fmt: skip
    assert (shown["checkpoints"], shown["chosen"]) == ([5, 10, 15, 20], 20)
    compared = sixfold("runs", "compare", ended["id"], "--json").json
    assert (compared["best"], compared["reason"]) == (best, ended["choice"]["reason"])
    assert [each["differs"]["train"] for each in compared["runs"]] == [
        "all examples", "all examples", "the best examples alone",
    ]  # fmt: skip
    assert [compared["runs"][place]["differs"]["learning_rate"] is None for place in range(3)] == [True, False, True]
    for words in (["list", "--experiment", ended["id"]], ["show", best], ["compare", ended["id"]]):
        answer = sixfold("runs", *words)
        assert (answer.code, answer.err) == (0, "")
        assert best in answer.out or words[0] == "show"


def test_a_run_is_watched_to_its_end_over_a_line_that_broke(bench, server, sixfold, scripted):
    scripted(moments=12)
    run_id = begun(bench)

    def meanwhile(moment: int) -> None:
        if moment == 4:
            server.break_off()
        if moment == 8:
            server.begin()

    with time_passing(bench, meanwhile=meanwhile):
        answer = sixfold("runs", "watch", run_id, "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["run_id"], answer.json["state"], answer.json["step"]) == (run_id, "succeeded", 60)
    said = answer.err.split("\n")
    assert [said.index(state) for state in ("running", "succeeded")] == sorted(
        said.index(state) for state in ("running", "succeeded")
    )  # fmt: skip
    assert said.count("running") == 1
    assert sixfold("runs", "show", run_id, "--json").json == answer.json


def test_a_server_that_stays_away_ends_the_watching_and_says_that_the_run_goes_on(bench, server, sixfold):
    run_id = begun(bench)
    with time_passing(bench, meanwhile=lambda moment: server.break_off() if moment == 1 else None):
        answer = sixfold("runs", "watch", run_id, "--patience", "0", "--json")
    assert (answer.code, answer.json["error"]) == (2, "server_unreachable")
    assert server.url in answer.json["problems"][0]["where"]


def test_ctrl_c_leaves_the_run_to_the_server_and_says_how_to_stop_it(bench, server, sixfold):
    run_id = begun(bench)
    command = [sys.executable, "-m", "engagements", "runs", "watch", run_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline().strip() == "queued"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert f"sixfold runs watch {run_id} shows it again" in err
    assert bench.row(run_id).wish == "none"


def test_a_run_is_cancelled_and_whoever_watches_is_told_no(bench, server, sixfold, scripted):
    scripted(moments=40)
    run_id = begun(bench)
    bench.moment()
    asked = sixfold("runs", "cancel", run_id, "--json")
    assert (asked.code, asked.json["run_id"], asked.json["wish"]) == (0, run_id, "cancel")
    with time_passing(bench):
        answer = sixfold("runs", "watch", run_id, "--json")
    assert (answer.code, answer.json["state"]) == (1, "cancelled")
    again = sixfold("runs", "cancel", run_id, "--json")
    assert (again.code, [each["code"] for each in again.json["problems"]]) == (2, ["job_terminal"])


def test_a_run_that_its_backend_lost_is_no_end_until_somebody_resumes_it(bench, server, sixfold, scripted):
    backend = scripted(moments=4)
    run_id = begun(bench)
    refused = sixfold("runs", "resume", run_id, "--json")
    assert (refused.code, [each["code"] for each in refused.json["problems"]]) == (2, ["run_active"])
    backend.polls += [RunLost("no such job")] * 20
    with time_passing(bench):
        answer = sixfold("runs", "watch", run_id)
    assert answer.code == 1
    assert "provider lost" in answer.out
    backend.polls.clear()
    asked = sixfold("runs", "resume", run_id, "--json")
    assert (asked.code, asked.json["state"]) == (0, "running")
    with time_passing(bench):
        assert sixfold("runs", "watch", run_id, "--json").json["state"] == "succeeded"


UNKNOWN = f"{TrainingRun.PREFIX}_{'0' * 26}"


def test_a_run_that_is_not_there_and_a_key_that_does_not_open_are_2_and_said(server, sixfold):
    for word in ("show", "watch", "cancel", "resume"):
        answer = sixfold("runs", word, UNKNOWN, "--json")
        assert (answer.code, answer.json["error"]) == (2, "server_refused")
        assert [(each["code"], each["where"]) for each in answer.json["problems"]] == [("not_found", server.url)]
        assert answer.json["problems"][0]["remedy"]
        locked = sixfold("runs", word, UNKNOWN, "--key", "sf_nobody", "--json")
        assert (locked.code, locked.json["problems"][0]["message"][:4]) == (2, "401:")
        assert locked.json["problems"][0]["remedy"]


def test_who_may_look_may_not_steer(bench, server, sixfold, monkeypatch):
    run_id = begun(bench)
    before = bench.row(run_id).wish
    monkeypatch.setenv("SIXFOLD_API_KEY", bench.house.api(Role.REVIEWER).headers["X-API-Key"])
    assert sixfold("runs", "show", run_id).code == 0
    for word in ("cancel", "resume"):
        answer = sixfold("runs", word, run_id, "--json")
        assert (answer.code, answer.json["problems"][0]["code"]) == (2, "forbidden_role")
        assert answer.json["problems"][0]["remedy"]
    assert bench.row(run_id).wish is before


def test_a_server_that_is_not_there_is_2_and_named(server, sixfold):
    server.break_off()
    try:
        answer = sixfold("runs", "show", UNKNOWN, "--json")
        assert (answer.code, answer.json["error"]) == (2, "server_unreachable")
        assert answer.json["problems"][0]["remedy"].startswith("see whether the server runs")
    finally:
        server.begin()
