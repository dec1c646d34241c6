"""Who reads what of a sealed dataset, and the trace that opening a test split leaves."""

import json
from io import BytesIO

import orjson
import pypdf
import pytest
from sqlmodel import func, select

from engagements.core.errors import Forbidden
from engagements.core.models import AuditEvent
from engagements.core.roles import Role
from engagements.phases.data_preparation.versions import sealed
from engagements.phases.data_preparation.versions.models import SealedRead

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def reads_of(house) -> int:
    with house.wiring.store.read() as session:
        return session.exec(select(func.count()).select_from(SealedRead)).one()


def test_the_test_split_is_opened_with_a_purpose_and_every_time_is_written_down(house, pool):
    version = pool.sealed()
    api = house.api(Role.DELIVERY_LEAD)
    address = f"/api/v1/dataset-versions/{version.id}"

    opened = [
        api.post(f"{address}/test-split", {"purpose": f"Evaluation {run}"}, headers={"Idempotency-Key": "same"})
        for run in (1, 2)
    ]

    assert [answer.status_code for answer in opened] == [201, 201]
    assert opened[0].json()["examples"] == pool.lines(version, "test")
    accesses = api.get(f"{address}/accesses").json()["items"]
    assert [access["purpose"] for access in accesses] == ["Evaluation 2", "Evaluation 1"]
    assert {access["by"] for access in accesses} == {api.actor.id}
    with house.wiring.store.read() as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "sealed_split.opened")).all()
        assert [(event.actor_id, event.reason) for event in events] == [
            (api.actor.id, "Evaluation 1"), (api.actor.id, "Evaluation 2"),
        ]  # fmt: skip


def test_the_test_split_is_no_download_in_any_format(house, pool):
    version = pool.sealed()
    api = house.api(Role.DELIVERY_LEAD)
    sealed_texts = [row["messages"][0]["content"] for row in pool.lines(version, "test")]

    refused = [
        api.get(f"/api/v1/dataset-versions/{version.id}/export?split=test{more}")
        for more in ("", "&format=openai_chat", "&format=canonical")
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(409, "split_sealed")}
    everything = "".join(
        api.get(f"/api/v1/dataset-versions/{version.id}{part}").text
        for part in ("", "/card", "/lineage", "/manifest", f"/diff?against={version.id}", "/export?split=train")
    )
    assert not [text for text in sealed_texts if text in everything]
    assert reads_of(house) == 0


def test_nobody_without_the_permission_opens_it_and_leaves_no_trace(house, pool):
    version = pool.sealed()
    for role in (Role.DELIVERY_MEMBER, Role.REVIEWER):
        answer = house.api(role).post(f"/api/v1/dataset-versions/{version.id}/test-split", {"purpose": "Curious"})
        assert answer.status_code == 403
    member = house.api(Role.DELIVERY_MEMBER).actor

    with pytest.raises(Forbidden), house.wiring.store.write() as session:
        sealed.open_test_split(
            session, house.wiring.storage, member, version.id, purpose="Curious", at=house.clock.now()
        )

    assert reads_of(house) == 0


def test_train_and_validation_are_downloads_as_sealed_and_in_a_providers_format(house, pool):
    version = pool.sealed()
    api = house.api(Role.DELIVERY_MEMBER)

    whole = api.get(f"/api/v1/dataset-versions/{version.id}/export?split=validation")
    chat = api.get(f"/api/v1/dataset-versions/{version.id}/export?split=train&format=openai_chat")
    unknown = api.get(f"/api/v1/dataset-versions/{version.id}/export?format=parchment")

    assert [orjson.loads(line) for line in whole.content.splitlines()] == pool.lines(version, "validation")
    assert whole.headers["etag"].strip('"') == next(
        split["sha256"] for split in version.splits if split["name"] == "validation"
    )
    assert [json.loads(line)["messages"] for line in chat.text.splitlines()] == [
        row["messages"] for row in pool.lines(version, "train")
    ]
    assert unknown.status_code == 422


def test_a_clients_people_see_counts_and_the_datasheet_and_no_texts(house, pool, under_way):
    version = pool.sealed()
    texts = [row["messages"][0]["content"] for row in pool.lines(version, "train")]
    theirs = house.api(Role.CLIENT_VIEWER, client_id=under_way.client_id)
    listed = theirs.get(f"/api/v1/engagements/{under_way.engagement_id}/dataset-versions")
    seen = [listed, *(theirs.get(f"/api/v1/dataset-versions/{version.id}{part}") for part in ("", "/card"))]
    hidden = [
        theirs.get(f"/api/v1/dataset-versions/{version.id}{part}")
        for part in ("/manifest", "/lineage", "/accesses", "/export", f"/diff?against={version.id}")
    ]

    assert [answer.status_code for answer in seen] == [200, 200, 200]
    assert {answer.status_code for answer in hidden} == {403}
    assert listed.json()["items"][0]["examples"] == 60
    assert not [text for text in texts if any(text in answer.text for answer in seen)]


def test_a_damaged_blob_is_said_to_be_and_never_handed_out_as_whole(house, pool):
    version = pool.sealed()
    kept = next(split["kept"] for split in version.splits if split["name"] == "train")
    house.wiring.storage.delete(kept)

    answer = house.api().get(f"/api/v1/dataset-versions/{version.id}/export?split=train")

    assert (answer.status_code, answer.json()["code"]) == (409, "digest_mismatch")


def test_a_diff_names_what_was_added_removed_edited_and_moved(house, pool):
    before = pool.sealed()
    gone, changed = pool.lines(before, "train")[:2]
    pool.change(pool.record(int(gone["id"][-5:])), "excluded")
    pool.change(pool.record(int(changed["id"][-5:]), text="something else entirely: words words", label="contract"))
    pool.add([pool.record(100), pool.record(101)])
    after = pool.sealed()

    diff = house.api().get(f"/api/v1/dataset-versions/{after.id}/diff?against={before.id}").json()

    assert (diff["before"], diff["after"]) == ("dataset@v1", "dataset@v2")
    assert diff["added"] == {"count": 2, "first": ["row-00100", "row-00101"]}
    assert diff["removed"] == {"count": 1, "first": [gone["id"]]}
    assert diff["edited"] == {"count": 1, "first": [changed["id"]]}
    assert (diff["moved"], diff["left_test"], diff["unchanged"]) == (0, 0, 58)
    back = house.api().get(f"/api/v1/dataset-versions/{before.id}/diff?against={after.id}").json()
    assert (back["added"], back["removed"]) == (diff["removed"], diff["added"])


def test_the_datasheet_on_paper_is_tagged_and_says_what_the_page_says(house, pool):
    version = pool.sealed(task="classification")
    api = house.api()

    answer = api.get(f"/api/v1/dataset-versions/{version.id}/card.pdf")

    assert answer.status_code == 200, answer.text
    assert answer.content == api.get(f"/api/v1/dataset-versions/{version.id}/card.pdf").content
    pdf = pypdf.PdfReader(BytesIO(answer.content))
    text = "\n".join(page.extract_text() for page in pdf.pages)
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert pdf.metadata.title == "Datasheet: dataset@v1, Draft replies"
    for said in ("Motivation", "Composition", "Collection", "Uses", "Maintenance", version.sha256[:20], "unknown"):
        assert said in text
