"""Where raw material lies: folders, an object store, the hub, databases; all over real sockets."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from engagements.phases.data_preparation.collecting.databases import fetch_query
from engagements.phases.data_preparation.collecting.findings import PlaceUnreadable
from engagements.phases.data_preparation.collecting.places import fetch, without_secrets

ROWS = b"text,label\nWhere is it?,tracking\n"
FILES = {"data/train.csv": ROWS, "data/test.csv": b"text,label\n", "README.md": b"# Tickets\n", "code.py": b"print()\n"}
COMMIT = "0" * 39 + "1"


def refused(address: str, into: Path, **options: Any) -> PlaceUnreadable:
    with pytest.raises(PlaceUnreadable) as error:
        fetch(address, into, **options)
    assert not [path for path in into.rglob("*") if path.suffix == ".csv"]
    return error.value


def test_a_file_is_read_where_it_lies_and_a_folder_gives_its_tables(tmp_path) -> None:
    for name in ("b/t.csv", "a.jsonl", "notes.pdf", ".hidden/t.csv", "~$a.xlsx"):
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / name).write_bytes(ROWS)
    found = fetch(str(tmp_path / "raw"), tmp_path / "into")
    assert [str(path.relative_to(tmp_path / "raw")) for path in found] == ["a.jsonl", "b/t.csv"]
    assert fetch(str(tmp_path / "raw/notes.pdf"), tmp_path / "into") == [tmp_path / "raw/notes.pdf"]
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    "address",
    ["nothing/here", "http://127.0.0.1/rows.csv", "file:///etc/passwd", "ssh://host/x", "s3://a::http://b/rows.csv",
     "zip://rows.csv", "hf://datasets/"],
)  # fmt: skip
def test_what_is_no_place_of_data_is_refused(tmp_path, address) -> None:
    refused(address, tmp_path / "into")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("postgresql+psycopg://jo:secret@db.example.com/t?sslmode=require&password=x",
         "postgresql+psycopg://jo@db.example.com/t?sslmode=require"),
        ("s3://bucket/a.csv", "s3://bucket/a.csv"),
        ("s3://key:secret@bucket/a.csv?X-Amz-Signature=abc", "s3://key@bucket/a.csv"),
        ("exports/a:b@c.csv", "exports/a:b@c.csv"),
    ],
)  # fmt: skip
def test_what_is_kept_of_an_address_holds_no_secret(address, kept) -> None:
    assert without_secrets(address) == kept


@pytest.fixture(scope="module")
def object_store() -> Iterator[str]:
    """The address of a server that speaks S3."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  # takes a second to load

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_object_store_gives_its_tables(tmp_path, object_store) -> None:
    import s3fs  # noqa: PLC0415  # takes a second to load

    options = {"endpoint_url": object_store, "key": "testing", "secret": "testing"}
    files = s3fs.S3FileSystem(**options)
    files.mkdir("exports")
    for name, content in FILES.items():
        files.pipe_file(f"exports/may/{name}", content)
    files.pipe_file("exports/raw", ROWS)
    found = fetch("s3://exports/may", tmp_path / "into", **options)
    assert [str(path.relative_to(tmp_path / "into")) for path in found] == [
        "README.md",
        "data/test.csv",
        "data/train.csv",
    ]
    (one,) = fetch("s3://exports/raw", tmp_path / "one", **options)
    assert (one.name, one.read_bytes()) == ("raw", ROWS)
    assert "secret" not in str(refused("s3://nowhere/may", tmp_path / "no", **options))


class _Hub(BaseHTTPRequestHandler):
    """As much of the hub as its client asks for: what a dataset holds, and its files."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/datasets/acme/tickets/tree/"):
            listed = [{"type": "file", "path": name, "size": len(FILES[name]), "oid": COMMIT} for name in FILES]
            self._send(200, json.dumps(listed).encode(), body=body)
        elif path.startswith("/datasets/acme/tickets/resolve/"):
            content = FILES[path.removeprefix("/datasets/acme/tickets/resolve/").partition("/")[2]]
            self._send(200, content, body=body, **{"X-Repo-Commit": COMMIT, "ETag": f'"{hash(content):x}"'})
        else:
            self._send(404, b"{}", body=body, **{"X-Error-Code": "RepoNotFound"})

    def _send(self, status: int, content: bytes, *, body: bool, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # as its class calls it
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning")
def test_a_dataset_of_the_hub_gives_its_tables(tmp_path, hub) -> None:
    found = fetch("hf://datasets/acme/tickets", tmp_path / "into", endpoint=hub)
    assert [str(path.relative_to(tmp_path / "into")) for path in found] == ["data/test.csv", "data/train.csv"]
    assert found[1].read_bytes() == ROWS
    (one,) = fetch("hf://datasets/acme/tickets@main/data/train.csv", tmp_path / "one", endpoint=hub)
    assert one.read_bytes() == ROWS
    refused("hf://datasets/acme/nothing", tmp_path / "no", endpoint=hub)


@pytest.mark.enable_socket
def test_rows_of_a_query_are_read_and_nothing_is_written(tmp_path, blank_url) -> None:
    Path(tmp_path / "home").mkdir(exist_ok=True)
    engine = create_engine(blank_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table ticket (id integer, body text, at timestamp, price numeric(8, 2))")
        first = {"body": "10:30, 50% off"}
        connection.execute(text("insert into ticket values (1, :body, '2026-11-23 09:00:00', 1.10)"), first)
        connection.exec_driver_sql("insert into ticket values (2, 'second', null, null)")
    path = fetch_query(blank_url, "select * from ticket where body like '%' order by id", tmp_path / "into")
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [(row["id"], row["body"]) for row in rows] == [(1, "10:30, 50% off"), (2, "second")]
    for query in (
        "delete from ticket", "select 1; delete from ticket", "select * from nowhere", "",
        "with gone as (delete from ticket returning *) select * from gone", "/* select */ drop table ticket",
    ):  # fmt: skip
        with pytest.raises(PlaceUnreadable):
            fetch_query(blank_url, query, tmp_path / "no")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from ticket").scalar() == 2
    engine.dispose()
    assert list((tmp_path / "no").iterdir()) == []


def test_a_database_that_is_not_there_is_refused_without_its_password(tmp_path) -> None:
    for url in (
        "sqlite:///nowhere.db",
        "oracle://jo:secret@127.0.0.1/x",
        "postgresql+psycopg://jo:secret@127.0.0.1:1/x",
        "no url",
    ):
        with pytest.raises(PlaceUnreadable) as error:
            fetch_query(url, "select 1", tmp_path / "into")
        assert "secret" not in str(error.value)
    assert not Path("nowhere.db").exists()
