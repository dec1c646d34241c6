"""`sixfold serve` as a process of its own, on an empty machine and on a used one."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine
from sqlmodel import select

from engagements import migrations
from engagements.core.roles import Role
from engagements.db.store import Store
from engagements.db.upkeep import sqlite_file
from engagements.people.models import User

Serve = Callable[..., Any]

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def stopped(served: Any, by: int = signal.SIGTERM) -> int:
    served.process.send_signal(by)
    return served.process.wait(timeout=60)


def test_an_empty_machine_gets_a_database_and_one_administrator_who_signs_in_once(
    serve: Serve, blank_url: str, tmp_path: Path
) -> None:
    first = serve(database=blank_url, agency__name="Halden & Roth")
    link = first.said["sign_in"]
    assert link.startswith(f"{first.said['url']}/sign-in/link/")
    assert first.ask("GET", "/ready").json() == {"status": "ready"}
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    path = link.removeprefix(first.said["url"])
    assert first.ask("GET", path).status_code == 200
    signed_in = first.ask("POST", path, Content_Type="application/x-www-form-urlencoded")
    assert signed_in.status_code == 303
    assert "sixfold_session=" in signed_in.headers["set-cookie"]
    first.client.cookies.clear()
    assert first.ask("POST", path, Content_Type="application/x-www-form-urlencoded").status_code == 410
    assert stopped(first) == 0
    store = Store(blank_url)
    with store.read() as session:
        (person,) = session.exec(select(User)).all()
        assert person.role is Role.ADMINISTRATOR
    store.close()
    second = serve(database=blank_url)
    assert second.said["sign_in"] is None
    assert migrations.differences(blank_url) == []


def test_for_people_the_link_is_shown_once_and_the_log_never_has_it(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    served.ask("GET", served.said["sign_in"].removeprefix(served.said["url"]))
    stopped(served)
    token = served.said["sign_in"].rpartition("/")[2]
    assert token not in served.log.read_text()
    for line in served.log.read_text().splitlines():
        assert json.loads(line)["event"]


def test_a_database_file_can_be_read_by_its_owner_only(serve: Serve, tmp_path: Path) -> None:
    serve()
    home = tmp_path / "home"
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    assert modes.pop("storage") == 0o700
    assert set(modes.values()) == {0o600}, modes


def test_a_second_server_on_the_same_file_is_refused_with_the_process_that_has_it(serve: Serve, tmp_path: Path) -> None:
    first = serve()
    second = serve()
    assert second.process.wait(timeout=60) == 2
    assert second.said["error"] == "database_in_use"
    assert f"process {first.process.pid} serves" in second.said["problems"][0]["message"]
    assert first.ask("GET", "/ready").status_code == 200


def test_a_port_that_is_taken_is_said_and_nothing_is_founded(serve: Serve, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served = serve("--port", str(taken.getsockname()[1]))
        assert served.process.wait(timeout=60) == 2
    assert served.said["error"] == "address_taken"
    assert not (tmp_path / "home").exists()


def test_below_the_repaired_sqlite_it_says_that_one_process_is_the_rule(serve: Serve) -> None:
    served = serve()
    warned = "one server process only" in served.ask("GET", "/health").text
    assert warned == any("this one server process only" in note for note in served.said["notes"])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_is_under_way_and_ends_well(serve: Serve, how: int) -> None:
    served = serve()
    host, port = served.said["url"].removeprefix("http://").split(":")
    body = b'{"name": "half'
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(
            b"POST /api/v1/clients HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % (len(body) + 2) + body
        )
        time.sleep(1)  # until it reads the request, on a busy machine too
        served.process.send_signal(how)
        time.sleep(0.5)
        with pytest.raises(httpx.ConnectError):
            served.ask("GET", "/health")
        slow.sendall(b'"}')
        assert slow.recv(1_000).startswith(b"HTTP/1.1 401 ")
    assert served.process.wait(timeout=60) == 0


def test_a_newer_schema_is_refused_with_exit_code_and_way_out(serve: Serve, blank_url: str) -> None:
    if database := sqlite_file(blank_url):
        database.parent.mkdir()
    migrations.upgrade(blank_url)
    engine = create_engine(blank_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    engine.dispose()
    served = serve(database=blank_url)
    assert served.process.wait(timeout=60) == 2
    assert served.said["error"] == "schema_newer"
    assert "9999" in served.said["problems"][0]["message"]
    assert served.said["problems"][0]["remedy"]


def test_a_lost_database_stops_it_with_the_way_back(serve: Serve, tmp_path: Path) -> None:
    stopped(serve())
    database = tmp_path / "home" / "sixfold.db"
    database.unlink()
    again = serve()
    assert again.process.wait(timeout=60) == 2
    assert again.said["error"] == "database_missing"
    assert "sixfold db restore FILE" in again.said["problems"][0]["remedy"]
    assert not database.exists()


def test_the_application_loads_neither_torch_nor_openai() -> None:
    asking = "import sys, engagements.app, engagements.cli.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "litestar" in loaded
    assert not loaded & {"torch", "openai", "transformers", "weasyprint", "pandas"}


def test_the_log_holds_ids_and_routes_and_nothing_that_was_sent(serve: Serve) -> None:
    served = serve()
    answer = served.ask(
        "GET",
        "/api/v1/clients?search=Jo+Doe&token=abcdefghijklmnop",
        X_API_Key="sixfold_administrator_" + "s" * 43,
        User_Agent="jo@example.com",
    )
    assert answer.status_code == 401
    served.ask("POST", "/api/v1/clients", {"name": "Jo Doe"}, X_Request_Id="req-chosen-by-me")
    stopped(served)
    log = served.log.read_text()
    for sent in ("Jo", "Doe", "abcdefgh", "ssssss", "jo@example.com", "127.0.0.1"):
        assert sent not in log
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert requests[0]["route"] == "/api/v1/clients"
    assert requests[0]["request_id"] == answer.headers["x-request-id"] == answer.json()["request_id"]
    assert requests[1]["request_id"] == "req-chosen-by-me"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", requests[0]["at"])
