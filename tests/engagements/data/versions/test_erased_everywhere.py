"""A text that stands in everything we keep of a client's data: after the erasure no table and no file holds it."""

import hashlib
import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest
from sqlalchemy import inspect, text
from sqlmodel import select

from engagements.core import audit
from engagements.core.roles import Role, system_actor
from engagements.db.columns import new_id
from engagements.phases.data_preparation.models import DataJob, DataSource, Example, JobKind, Upload, UploadState
from engagements.phases.data_preparation.review.models import Adjudication, ExampleReview, QueueItem, ReviewRound
from engagements.phases.data_preparation.review.rules import Decision
from engagements.phases.data_preparation.synthesis.budget import Purpose
from engagements.phases.data_preparation.synthesis.models import CallState, SynthesisCall, SynthesisRun, SynthesisState
from engagements.phases.data_preparation.versions.needles import Needles
from engagements.tables import RECORDS

BYTES = {"Content-Type": "application/octet-stream"}


class Planted(dict[str, str]):
    """A name of its own for each place, so that what is left says where it was left: zqXplant, zqYplant, ..."""

    def at(self, place: str) -> str:
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(len(self)))
        return self.setdefault(place, f"Zq{letters}plant")

    def left_in(self, said: str) -> set[str]:
        found = {each.lower() for each in re.findall(r"zq[a-j]+plant", said, re.IGNORECASE)}
        return {place for place, name in self.items() if name.lower() in found}


def everything(house) -> dict[str, str]:
    """Every cell of every table, by table, and every byte of the storage, also what is packed."""
    with house.wiring.store.read() as session:
        tables = inspect(session.connection()).get_table_names()
        said = {
            name: "\n".join(str(tuple(row)) for row in session.execute(text(f'select * from "{name}"')))
            for name in tables
        }
    folder = house.wiring.settings.home_folder / "storage"
    for path in folder.rglob("*"):
        if path.is_file():
            said["storage"] = said.get("storage", "") + "".join(unpacked(path.read_bytes()))
    return said


def unpacked(content: bytes) -> list[str]:
    texts = [content.decode("utf-8", "replace"), content.decode("utf-16-le", "replace")]
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts += [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
    return texts


def workbook(first: str, other: str) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (("text", "category"), ("Where is my parcel?", "delivery"), (first, "refund")):
        book.active.append(row)
    book.create_sheet("Notes").append((other,))
    book.save(out)
    return out.getvalue()


@pytest.fixture
def planted() -> Planted:
    return Planted()


@pytest.fixture
def laden(house, desk, under_way, planted) -> dict[str, Any]:
    """An engagement that went all the way, with a planted text in each thing that is kept of it."""
    ways = (b"refund", b"delivery")
    rows = [b"text,category,customer", *(
        b"Where is \xc3\xa9tag\xc3\xa8re %d of order %d?,%s,c%d" % (each, each * 7919, ways[each % 2], each)
        for each in range(30)
    )]  # fmt: skip
    rows.append(f"{planted.at('a row')} asks for the money,{planted.at('a label')},{planted.at('a group')}".encode())
    rows.append(f"nothing to see,{planted.at('a cell too many')},x,y,z".encode())
    rows.append("caf\xe9 {}".format(planted.at("a row in another encoding")).encode("cp1252") + b",refund,c9")
    csv = desk.fill(b"\n".join(rows) + b"\n", mapping={"input": ["text"], "target": "category", "group": "customer"})
    book = desk.fill(workbook("Please give it back", planted.at("another sheet")), name="book.xlsx")
    chat = f'{{"messages": [{{"role": "{planted.at("a role that is none")}", "content": "Hi"}}]}}'
    sound = '{"messages": [{"role": "user", "content": "Ho"}, {"role": "assistant", "content": "Hm"}]}'
    roles = desk.fill(f"{chat}\n{sound}\n".encode(), name="roles.jsonl")
    broken = desk.fill(f"id,id\n{planted.at('a file that is refused')},2\n".encode(), name="twice.csv")
    assert [each["state"] for each in (csv, book, roles, broken)] == ["imported", "imported", "imported", "failed"], [
        each["problems"] for each in (book, roles)
    ]
    assert sum(csv["dropped"].values()) == 2
    desk.upload(planted.at("an upload without a source").encode(), name="left.csv")
    half = f"{planted.at('an upload under way')},".encode()
    declared = {"name": "half.csv", "size_bytes": len(half) * 2, "sha256": hashlib.sha256(half * 2).hexdigest()}
    upload_id = desk.api.post(f"{desk.home}/uploads", declared).json()["id"]
    piece = {**BYTES, "Content-Range": f"bytes 0-{len(half) - 1}/{len(half) * 2}"}
    assert desk.api.ask("PUT", f"/api/v1/uploads/{upload_id}/content", content=half, headers=piece).status_code == 200
    return {"sources": (csv, book, roles, broken), "upload": upload_id}


def reviewed(house, desk, under_way, planted) -> None:
    """Reviews, an adjudication, a golden answer, each of another example; an edit by the API, answered under a key."""
    at, ours = house.clock.now(), system_actor(house.organisation_id)
    examples = [each for each in desk.examples() if "tag" in str(each)][:4]
    edited, commented, golden, decided = (each["id"] for each in examples)
    owners = {
        "organisation_id": house.organisation_id, "engagement_id": under_way.engagement_id,
        "client_id": under_way.client_id,
    }  # fmt: skip
    queue = ReviewRound(id=new_id("rnd"), number=1, name="First", created_by="system", created_at=at, **owners)
    items = {
        example_id: QueueItem(id=new_id("que"), round_id=queue.id, example_id=example_id, **owners)
        for example_id in (edited, commented, golden, decided)
    }
    items[golden].golden = {"label": planted.at("a golden answer")}
    said = {"round_id": queue.id, "reviewer_id": "r", "reviewer_name": "R", "decision": Decision.ACCEPT, "at": at,
            "content_sha256": "0" * 64, "agreed_sha256": "0" * 64, **owners}  # fmt: skip
    reviews = [
        ExampleReview(
            id=new_id("rvw"), item_id=items[edited].id, example_id=edited, edited=planted.at("a review's text"), **said
        ),
        ExampleReview(
            id=new_id("rvw"), item_id=items[commented].id, example_id=commented, comment=planted.at("a comment"), **said
        ),
    ]
    ending = Adjudication(
        id=new_id("adj"), item_id=items[decided].id, example_id=decided, decision=Decision.ACCEPT, by="s",
        reason=planted.at("a reason"), by_name="S", at=at, **owners,
    )  # fmt: skip
    with house.wiring.store.write() as session:
        session.add(queue)
        audit.record(session, ours, "review_round.opened", queue, at=at)
        session.add_all(items.values())
        session.flush()
        for row in (*reviews, ending):
            session.add(row)
            audit.record(session, ours, "review.made", row, at=at)


def generated(house, under_way, planted) -> None:
    at, ours = house.clock.now(), system_actor(house.organisation_id)
    run = SynthesisRun(
        id=new_id("syn"), organisation_id=house.organisation_id, engagement_id=under_way.engagement_id,
        client_id=under_way.client_id, endpoint="e", model="large", plan={}, prompt="Write.", cap_tokens=9,
        currency="EUR", state=SynthesisState.DONE, samples={"near_duplicate": [planted.at("a sample")]},
        created_by="system", created_at=at,
    )  # fmt: skip
    other = SynthesisRun(**run.model_dump() | {"id": new_id("syn"), "samples": {}, "state": SynthesisState.RUNNING})
    call = SynthesisCall(
        run_id=other.id, purpose=Purpose.GENERATE, number=1, state=CallState.ANSWERED, most_input=1, most_output=1,
        content=planted.at("an answer of a model"), sent_at=at,
    )  # fmt: skip
    with house.wiring.store.write() as session:
        for row in (run, other):
            session.add(row)
            audit.record(session, ours, "synthesis_run.planned", row, at=at)
        session.flush()
        session.add(call)


def test_an_erasure_leaves_no_trace_of_a_text_in_any_table_or_file(house, desk, under_way, laden, planted):
    reviewed(house, desk, under_way, planted)
    generated(house, under_way, planted)
    check = desk.check(output_pattern="^[0-9]+$")
    assert check["state"] == "done", check
    row = next(each for each in desk.examples() if planted["a row"] in str(each))
    chosen = desk.api.post(
        f"/api/v1/examples/{row['id']}/exclude", {"reason": "Not for training"},
        headers={"Idempotency-Key": "once", "If-Match": f'"{row["version"]}"'},
    )  # fmt: skip
    assert chosen.status_code == 200, chosen.text
    before = everything(house)
    assert {place for said in before.values() for place in planted.left_in(said)} == planted.keys()
    assert planted.left_in(before["audit_event"]) == set()
    assert planted.left_in(before["idempotency_key"]) >= {"a row"}

    lead = house.api(Role.DELIVERY_LEAD)
    opened = lead.post(
        f"/api/v1/engagements/{under_way.engagement_id}/erasures",
        {"request": "Letter 4711", "texts": list(planted.values())},
    )  # fmt: skip
    house.wiring.workshop.do_due()

    shown = lead.get(f"/api/v1/erasures/{opened.json()['id']}").json()
    assert (shown["state"], shown["erased"]) == ("done", True)
    found = shown["found"]
    assert (found["examples"], len(found["sources"]), found["uploads"]) == (5, 4, 2)
    assert (found["checks"], found["generations"]) == (1, 2)
    assert {name: places for name, said in everything(house).items() if (places := planted.left_in(said))} == {}
    with house.wiring.store.read() as session:
        assert list(audit.verify(session, under_way.organisation_id, RECORDS)) == []
        uploads = session.exec(select(Upload.state).where(Upload.name.in_(["left.csv", "half.csv"]))).all()
        check_job = session.exec(select(DataJob).where(DataJob.kind == JobKind.CHECK)).one()
        assert check_job.result["examples"] == check["result"]["examples"]
        kept = session.exec(select(Example).where(Example.state_reason == "")).all()
        sources = session.exec(select(DataSource.kept).order_by(DataSource.id)).all()
    assert uploads == [UploadState.ABANDONED] * 2
    assert (len(kept), sources) == (29, [31, 2, 1, 0])
    assert desk.api.get(f"{desk.home}/checks/newest").json()["code"] == "not_checked"
    assert desk.check()["state"] == "done"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("written", ["Jörg Müller", "JÖRG MÜLLER", "jörg müller"])
def test_a_text_is_found_in_any_case_and_encoding_even_across_pieces(encoding, written):
    content = ("x" * 40 + f", {written} <{'y' * 40}>").encode(encoding)
    for size in (2, 45, 1000):
        pieces = (content[begin : begin + size] for begin in range(0, len(content), size))
        assert Needles(["Jörg Müller"]).are_in_pieces(pieces)


def test_what_is_not_there_is_not_found():
    assert not Needles(["Jörg Müller"]).are_in_pieces([b"Jorg", b"Muller \xff\xfe\x00"])
    assert not Needles(["Jörg Müller"]).are_in_pieces([])
