"""A person is found in every example, raw file, version, run and release, and erased from all of them for good."""

from typing import Any

import orjson
import pytest
from sqlalchemy import inspect, text
from sqlmodel import select

from engagements.core import audit
from engagements.core.roles import Role, system_actor
from engagements.db.columns import new_id
from engagements.notices.models import Notice
from engagements.phases.data_preparation.models import DataSource, Example, ExampleEdit, ExampleState
from engagements.phases.data_preparation.records import Origin
from engagements.phases.data_preparation.versions.models import Erasure
from engagements.tables import RECORDS

ANA = "ana.brandt@example.com"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def whole_database(house) -> str:
    """Every cell of every table."""
    with house.wiring.store.read() as session:
        tables = inspect(session.connection()).get_table_names()
        return "\n".join(str(tuple(row)) for name in tables for row in session.execute(text(f'select * from "{name}"')))


def whole_storage(house) -> bytes:
    folder = house.wiring.settings.home_folder / "storage"
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def with_ana(house, pool_of, under_way) -> Any:
    """Ana stands in three rows of the raw file; in two of the three examples, and in what one read before an edit."""
    pool = pool_of(under_way)
    hers = [
        pool.record(number, text=f"Please call {ANA if number < 503 else ANA.upper()} about {number} {number * 7919}")
        for number in (501, 502, 503)
    ]
    ids = pool.add(hers)
    with house.wiring.store.write() as session:
        row = session.get_one(DataSource, pool.source_id)
        raw = [*house.wiring.storage.lines(row.sha256), *(record.as_line().rstrip() for record in hers)]
        old, numbered = row.sha256, [orjson.loads(line) for line in raw]
        blob = house.wiring.storage.put(line + b"\n" for line in raw)
        row.sha256, row.rows_in = blob.sha256, len(numbered)
        audit.record(session, system_actor(row.organisation_id), "data_source.changed", row, at=house.clock.now())
        for place, example_id in enumerate(ids, start=61):
            example = session.get_one(Example, example_id)
            payload = orjson.loads(example.payload)
            payload["origin"]["row"] = example.row_number = place
            example.payload = orjson.dumps(payload).decode()
        edited = session.get_one(Example, ids[2])
        session.add(
            ExampleEdit(
                id=new_id("edt"), organisation_id=edited.organisation_id, example_id=edited.id, number=1,
                before=edited.payload, after="x", reason="", by="system", by_name="Sixfold", at=house.clock.now(),
            )
        )  # fmt: skip
        cleaned = pool.record(503, text="Please call the customer about the meter that was read in error")
        cleaned = cleaned.replaced(origin=Origin(row=63))
        edited.payload, edited.sha256 = orjson.dumps(cleaned.as_json()).decode(), cleaned.content_sha256
    house.wiring.storage.delete(old)
    return pool, ids


def evidence(house, under_way, name: str, content: dict[str, Any]) -> str:
    answer = house.api().post(
        f"/api/v1/engagements/{under_way.engagement_id}/evidence",
        {
            "external_id": name, "source": "a tool", "measured_at": house.clock.now().isoformat(), "content": content,
        },
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def trained_on(version) -> dict[str, Any]:
    best = {"name": "best", "sha256": "2" * 64, "chosen_by": "validation", "step": 3, "metric": "loss", "value": 1}
    return {
        "kind": "training_run", "run": "run-1", "base_model": "small", "config_sha256": "1" * 64,
        "dataset_sha256": version.sha256, "seed": 1, "epochs": 3, "cost": None,
        "checkpoint": best,
    }  # fmt: skip


def serving(model: str, traffic: float = 1.0) -> dict[str, Any]:
    return {"kind": "deployment", "model_sha256": model * 64, "environment": "production", "traffic": traffic}


def test_a_person_is_found_previewed_and_erased_everywhere(house, with_ana, under_way):
    pool, _ = with_ana
    version = pool.sealed()
    api = house.api(Role.DELIVERY_LEAD)
    home = f"/api/v1/engagements/{under_way.engagement_id}/erasures"
    before = whole_storage(house)
    assert ANA.encode() in before
    assert ANA.upper() in whole_database(house)

    preview = api.post(f"{home}/preview", {"texts": [ANA]})

    assert preview.status_code == 200, preview.text
    found = preview.json()
    assert found["examples"] == 3
    assert [(each["name"], each["rows"]) for each in found["sources"]] == [("tickets.jsonl", 3)]
    assert [sum(each[split] for split in ("train", "validation", "test")) for each in found["versions"]] == [3]
    assert whole_storage(house) == before

    opened = api.post(home, {"request": "Letter 4711", "texts": [ANA]}, headers={"Idempotency-Key": "once"})
    assert opened.status_code == 201, opened.text
    assert (opened.json()["state"], opened.json()["erased"]) == ("open", False)
    house.wiring.workshop.do_due()

    shown = api.get(f"/api/v1/erasures/{opened.json()['id']}").json()
    assert (shown["state"], shown["erased"], shown["outstanding"]) == ("done", True, [])
    assert ANA not in whole_database(house).lower()
    assert ANA.encode() not in whole_storage(house).lower()
    after = pool.version(version.id)
    assert (after.sha256, after.erased) == (version.sha256, 3)
    assert sum(each["erased"] for each in after.splits) == 3
    assert [each["sha256"] for each in after.splits] == [each["sha256"] for each in version.splits]
    assert sum(len(pool.lines(after, name)) for name in ("train", "validation", "test")) == 60
    assert api.get(f"/api/v1/dataset-versions/{version.id}").json()["is_complete"] is False
    manifest = list(house.wiring.storage.lines(version.sha256))
    assert len(manifest) == 64
    with house.wiring.store.read() as session:
        states = session.exec(select(Example.state).where(Example.record_id.in_(["row-00501", "row-00503"]))).all()
        source = session.get_one(DataSource, pool.source_id)
        rows = [orjson.loads(line) for line in house.wiring.storage.lines(source.sha256)]
        assert list(audit.verify(session, under_way.organisation_id, RECORDS)) == []
    assert states == [ExampleState.EXCLUDED] * 2
    assert (len(rows), rows[60:]) == (63, [{}, {}, {}])
    assert rows[59]["id"] == "row-00060"


@ON_SQLITE
def test_an_erasure_stays_open_until_nothing_serves_that_has_learned_from_it(house, with_ana, under_way, reader):
    pool, ids = with_ana
    owner = reader(Role.DELIVERY_LEAD, named="owner")
    api = house.api(Role.ACCOUNT_LEAD)
    engagement = api.get(f"/api/v1/engagements/{under_way.engagement_id}").json()
    api.patch(
        f"/api/v1/engagements/{under_way.engagement_id}", {"owner_id": owner.actor.id}, version=engagement["version"]
    )
    version = pool.sealed(shares={"train": 1, "validation": 0, "test": 0})
    run = evidence(house, under_way, "run-1", trained_on(version))
    live = evidence(house, under_way, "live-1", serving("2"))

    opened = api.post(
        f"/api/v1/engagements/{under_way.engagement_id}/erasures", {"request": "Letter 4711", "example_ids": ids[:1]}
    ).json()
    house.wiring.workshop.do_due()

    address = f"/api/v1/erasures/{opened['id']}"
    shown = api.get(address).json()
    assert [(use["evidence_id"], use["is_serving"]) for use in shown["found"]["uses"]] == [(run, False), (live, True)]
    assert (shown["state"], shown["erased"], shown["outstanding"]) == ("open", True, [live])
    refused = api.post(f"{address}/settle", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "erasure_open")
    assert "production" in refused.json()["detail"]
    register = api.get(f"/api/v1/engagements/{under_way.engagement_id}/register").json()["items"]
    assert [item["title"] for item in register if item["kind"] == "issue"] == [
        "Retrain or retire after the erasure Letter 4711"
    ]
    with house.wiring.store.read() as session:
        notices = session.exec(select(Notice).where(Notice.person_id == owner.actor.id)).all()
        assert f"/erasures/{opened['id']}" in [notice.address for notice in notices]

    evidence(house, under_way, "live-2", serving("3"))
    done = api.post(f"{address}/settle", {"note": "Retrained"})

    assert (done.status_code, done.json()["state"]) == (200, "done")


@ON_SQLITE
def test_an_erasure_that_is_cut_off_is_finished_by_the_next_worker(house, with_ana, under_way, monkeypatch):
    pool, _ = with_ana
    pool.sealed()
    api = house.api(Role.DELIVERY_LEAD)
    api.post(f"/api/v1/engagements/{under_way.engagement_id}/erasures", {"request": "Letter", "texts": [ANA]})
    whole, left = house.wiring.storage.delete, [1]

    def cut_off(sha256: str) -> None:
        if left:
            left.pop()
            raise ConnectionError("the worker died")
        whole(sha256)

    monkeypatch.setattr(house.wiring.storage, "delete", cut_off)
    house.wiring.workshop.do_due()
    assert ANA.encode() in whole_storage(house).lower()
    with house.wiring.store.read() as session:
        erasure = session.exec(select(Erasure)).one()
        job = session.exec(text("select id from data_job where kind = 'erase'")).scalar_one()
        assert erasure.found["erased"] is False
    with house.wiring.store.write() as session:
        session.execute(text("update data_job set state = 'queued' where id = :id"), {"id": job})
        session.execute(text("update data_job_progress set lease_until = null where job_id = :id"), {"id": job})

    house.wiring.workshop.do_due()

    assert ANA.encode() not in whole_storage(house).lower()
    with house.wiring.store.read() as session:
        assert session.exec(select(Erasure)).one().state == "done"


@ON_SQLITE
def test_nothing_is_looked_up_without_a_text_or_outside_the_engagement(house, with_ana, under_way, begin):
    _, ids = with_ana
    api = house.api(Role.DELIVERY_LEAD)
    other = begin("Somebody else's")
    home = f"/api/v1/engagements/{under_way.engagement_id}/erasures/preview"

    answers = {
        "nothing": api.post(home, {}),
        "short": api.post(home, {"texts": ["an"]}),
        "elsewhere": api.post(f"/api/v1/engagements/{other.engagement_id}/erasures/preview", {"example_ids": ids}),
        "member": house.api(Role.DELIVERY_MEMBER).post(home, {"texts": [ANA]}),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "nothing": 422, "short": 422, "elsewhere": 404, "member": 403,
    }  # fmt: skip
    elsewhere = api.post(f"/api/v1/engagements/{other.engagement_id}/erasures/preview", {"texts": [ANA]}).json()
    assert (elsewhere["examples"], elsewhere["sources"], elsewhere["versions"]) == (0, [], [])


@ON_SQLITE
def test_lineage_leads_from_a_row_to_what_serves_and_back(house, with_ana, under_way):
    pool, ids = with_ana
    version = pool.sealed(shares={"train": 1, "validation": 0, "test": 0})
    evidence(house, under_way, "run-1", trained_on(version))
    evidence(house, under_way, "live-1", serving("2"))
    api = house.api(Role.DELIVERY_MEMBER)

    forth = api.get(f"/api/v1/examples/{ids[2]}/lineage").json()
    back = api.get(f"/api/v1/dataset-versions/{version.id}/lineage").json()

    assert (forth["source"], forth["row_number"], forth["record_id"]) == ("tickets.jsonl", 63, "row-00503")
    assert [edit["number"] for edit in forth["edits"]] == [1]
    uses = [(use["name"], use["because"], use["is_serving"]) for use in forth["versions"][0]["uses"]]
    assert uses == [
        ("run-1", "trained on it", False), ("production", "serves a model that was trained on it", True),
    ]  # fmt: skip
    assert [(source["name"], source["examples"]) for source in back["sources"]] == [("tickets.jsonl", 63)]
    assert [use["name"] for use in back["uses"]] == ["run-1", "production"]
    assert ANA not in str(forth).lower()
