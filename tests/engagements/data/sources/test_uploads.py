"""Files on their way in: in pieces, cut, sent again, wrong; and names that files come with."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from engagements.core.roles import Role
from engagements.phases.data_preparation.sources import uploads
from engagements.phases.data_preparation.sources.names import FilenameInvalid, label_of

ONE_FILE = b"text,category\n" + b"".join(b"question %d,refund\n" % number for number in range(50))


@dataclass(frozen=True, kw_only=True)
class Sending:
    """One file on its way, by somebody of the agency."""

    house: Any
    api: Any
    id: str
    content: bytes

    def put(self, first: int, last: int, **headers: str) -> httpx.Response:
        named = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {first}-{last - 1}/{len(self.content)}",
            **headers,
        }
        return self.api.ask(
            "PUT", f"/api/v1/uploads/{self.id}/content", content=self.content[first:last], headers=named
        )

    def there(self) -> dict[str, Any]:
        return self.api.get(f"/api/v1/uploads/{self.id}").json()

    def complete(self) -> httpx.Response:
        return self.api.post(f"/api/v1/uploads/{self.id}/complete")

    def parts(self) -> list[str]:
        return [place for place, _ in self.house.wiring.storage.parts()]


@pytest.fixture
def send(house, under_way):
    def declared(content: bytes = ONE_FILE, *, name: str = "tickets.csv", sha256: str = "") -> Sending:
        api = house.api(Role.DELIVERY_MEMBER)
        body = {"name": name, "size_bytes": len(content), "sha256": sha256 or hashlib.sha256(content).hexdigest()}
        answer = api.post(f"/api/v1/engagements/{under_way.engagement_id}/data/uploads", body)
        assert answer.status_code == 201, answer.text
        return Sending(house=house, api=api, id=answer.json()["id"], content=content)

    return declared


def test_a_file_in_pieces_is_the_file(house, send):
    sending = send()
    assert sending.put(0, 100).json()["received"] == 100
    assert sending.put(100, len(ONE_FILE)).json()["received"] == len(ONE_FILE)
    answer = sending.complete()
    assert (answer.status_code, answer.json()["state"]) == (200, "complete")
    assert b"".join(house.wiring.storage.read(answer.json()["sha256"])) == ONE_FILE
    assert sending.parts() == []


only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@only_sqlite
def test_bytes_may_be_sent_again_and_pieces_may_overlap(house, send):
    sending = send()
    sending.put(0, 100)
    assert sending.put(0, 100).json()["received"] == 100
    assert sending.put(50, len(ONE_FILE)).json()["received"] == len(ONE_FILE)
    assert sending.complete().status_code == 200
    assert sending.complete().json()["state"] == "complete"


@only_sqlite
def test_a_piece_that_leaves_a_gap_is_refused(send):
    sending = send()
    sending.put(0, 100)
    answer = sending.put(200, 300)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_gap")
    assert answer.json()["remedy"] == "go on from byte 100"
    assert sending.there()["received"] == 100


@only_sqlite
def test_the_same_person_finds_their_upload_again(house, under_way):
    api = house.api(Role.DELIVERY_MEMBER)
    body = {"name": "a.csv", "size_bytes": 4, "sha256": "0" * 64}
    path = f"/api/v1/engagements/{under_way.engagement_id}/data/uploads"
    first, second = api.post(path, body).json(), api.post(path, body).json()
    assert first == second
    assert [item["id"] for item in api.get(path).json()["items"]] == [first["id"]]


@only_sqlite
def test_another_file_than_declared_leaves_nothing(house, send):
    sending = send(sha256="1" * 64)
    sending.put(0, len(ONE_FILE))
    answer = sending.complete()
    assert (answer.status_code, answer.json()["code"]) == (422, "digest_mismatch")
    assert sending.there()["state"] == "abandoned"
    assert sending.parts() == []
    assert not any(path.is_file() for path in (Path(house.wiring.settings.storage_url)).rglob("*"))


@only_sqlite
def test_what_has_not_come_is_not_complete(send):
    sending = send()
    sending.put(0, 10)
    answer = sending.complete()
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_unfinished")
    assert sending.there()["received"] == 10


@only_sqlite
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "application/json"}, 415, "unsupported_media_type"),
        ({"Content-Range": "bytes 0-9/10"}, 422, "range.invalid"),
        ({"Content-Range": "bytes 9-3/964"}, 422, "range.invalid"),
        ({"Content-Range": "rows 1-2"}, 422, "range.invalid"),
        ({"Content-Range": f"bytes 0-3/{len(ONE_FILE)}"}, 413, "body_too_large"),
    ],
)
def test_a_piece_that_is_none_changes_nothing(send, headers, status, code):
    sending = send()
    answer = sending.put(0, 10, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sending.there()["received"] == 0


@only_sqlite
def test_uploads_to_which_nothing_came_for_long_are_swept(house, send):
    sending, fresh = send(), send(ONE_FILE + b"x")
    sending.put(0, 10)
    house.clock.at += uploads.ABANDONED_AFTER + timedelta(days=400)  # parts are dated by the machine's own clock
    fresh.put(0, 10)
    uploads.sweep(house.wiring.store, house.wiring.storage, at=house.clock.now())
    assert sending.there()["state"] == "abandoned"
    assert fresh.there()["received"] == 10
    assert len(sending.parts()) == 1


@only_sqlite
def test_an_empty_file_is_refused_before_it_is_sent(house, under_way):
    body = {"name": "a.csv", "size_bytes": 0, "sha256": "0" * 64}
    answer = house.api().post(f"/api/v1/engagements/{under_way.engagement_id}/data/uploads", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset_empty")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("..\\..\\x", "x"), ("C:\\x.jsonl", "x.jsonl"), ("/abs.jsonl", "abs.jsonl"), ("a/b/c.csv", "c.csv"),
        (".", "upload.jsonl"), ("..", "upload.jsonl"), ("", "upload.jsonl"), ("CON", "upload.jsonl"),
        ("con.csv", "upload.jsonl"), (".ssh", "upload.jsonl"), ("Zürich 2026.xlsx", "Zürich 2026.xlsx"),
    ],
)  # fmt: skip
def test_a_name_is_a_label(name, label):
    assert label_of(name) == label


@pytest.mark.parametrize("name", ['a\r\nb".csv', "\u202egpj.lnosj", "a\x00.csv", "a" * 256])
def test_a_name_that_deceives_is_refused(name):
    with pytest.raises(FilenameInvalid):
        label_of(name)


def test_what_was_begun_is_thrown_away_on_the_page(send, reader, under_way):
    begun = send()
    begun.put(0, 100)
    member = reader(Role.DELIVERY_MEMBER)
    home = f"/engagements/{under_way.engagement_id}/data"
    assert "Throw tickets.csv away" in member.get(home).text
    after = member.follow(member.post(f"/data-uploads/{begun.id}/abandon", {})).text
    assert "What was sent of tickets.csv is thrown away" in after
    assert "Throw tickets.csv away" not in after
    assert (begun.there()["state"], begun.parts()) == ("abandoned", [])
