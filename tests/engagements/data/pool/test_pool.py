"""The pool: checked, chosen from, edited, left out; what is sealed is not read; personal data is answered for."""

import pytest

from engagements.core import audit
from engagements.core.audit import verify
from engagements.core.roles import Role, system_actor
from engagements.db.columns import new_id
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.models import DataSource
from engagements.phases.data_preparation.pool.standing import PersonalDataUnacknowledged, require_acknowledged
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember
from engagements.tables import RECORDS

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_check_gives_scores_with_reasons_and_finds_copies(house, desk, tickets):
    desk.fill(
        tickets(6) + b"6,where is parcel number 1 of my ORDER?,delivery\r\n7,Write to ana.lopez@example.org,refund\r\n"
    )
    job = desk.check(task="classification")
    assert (job["state"], job["result"]["examples"], job["result"]["duplicates"]) == ("done", 8, 1), job
    copy = next(each for each in desk.examples() if each["record_id"] == "6")
    first = next(each for each in desk.examples() if each["record_id"] == "1")
    assert copy["duplicate_of"] == first["id"]
    assert copy["cluster"] == first["cluster"]
    assert all(0 <= each["score"] <= 100 for each in desk.examples())
    assert [each["record_id"] for each in desk.examples("&finding=personal_data.found")] == ["7"]
    report = desk.api.get(f"{desk.home}/checks/newest").json()["report"]
    assert report["records"] == 8
    assert desk.api.get(desk.home).json()["personal_data"] == 1


@only_sqlite
def test_checked_again_it_says_the_same(desk, tickets):
    desk.fill(tickets(30))
    first = desk.check()
    before = desk.examples()
    second = desk.check()
    assert first["result"] == second["result"]
    assert desk.examples() == before


@only_sqlite
def test_an_edit_keeps_the_original_and_takes_it_back_to_review(house, desk, tickets):
    desk.fill(tickets(2))
    desk.check()
    example = desk.examples()[0]
    path = f"/api/v1/examples/{example['id']}"
    said = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "refund"}]
    answer = desk.api.patch(path, {"messages": said, "reason": "Too long."}, version=example["version"])
    assert answer.status_code == 200, answer.text
    edited = answer.json()
    assert (edited["record"]["messages"], edited["is_edited"]) == (said, True)
    assert (edited["score"], edited["findings"], edited["state"]) == (None, [], "pending")
    edits = desk.api.get(f"{path}/edits").json()["items"]
    assert [(each["before"], each["after"], each["reason"]) for each in edits] == [
        (example["record"], edited["record"], "Too long.")
    ]
    assert desk.api.patch(path, {"label": "delivery", "reason": "No."}, version=example["version"]).status_code == 412
    same = desk.api.patch(path, {"label": "refund", "reason": "The same."}, version=edited["version"])
    assert same.json()["code"] == "example_unchanged"
    with house.wiring.store.read() as session:
        assert not list(verify(session, house.organisation_id, RECORDS))


@only_sqlite
def test_what_is_left_out_says_why_and_may_come_back(desk, tickets):
    desk.fill(tickets(3))
    example = desk.examples()[1]
    path = f"/api/v1/examples/{example['id']}"
    assert desk.api.post(f"{path}/exclude", {"reason": "A test of theirs."}).json()["state"] == "excluded"
    assert desk.api.post(f"{path}/exclude", {"reason": "Again."}).json()["code"] == "example_state"
    assert [each["record_id"] for each in desk.examples("&state=excluded")] == ["1"]
    assert desk.check()["result"]["examples"] == 2
    assert desk.api.post(f"{path}/include").json()["state"] == "pending"


@only_sqlite
def test_copies_go_only_when_somebody_says_so(desk, tickets):
    desk.fill(tickets(4) + b"4,where is parcel number 1 of MY order?,delivery\r\n")
    desk.check()
    assert desk.api.get(desk.home).json()["states"]["excluded"] == 0
    assert desk.api.post(f"{desk.home}/exclude-duplicates").json() == {"excluded": 1}
    assert [(each["record_id"], each["state_reason"]) for each in desk.examples("&state=excluded")] == [
        ("4", "duplicate")
    ]


@only_sqlite
def test_a_page_ends_where_the_next_begins_also_by_score(desk, tickets):
    desk.fill(tickets(25) + b"25,Write to ana.lopez@example.org,refund\r\n")
    desk.check()
    for query, field in (("", "id"), ("&score_max=100", "score")):
        found, cursor = [], ""
        while cursor is not None:
            page = desk.api.get(f"{desk.home}/examples?limit=10{query}{cursor and f'&cursor={cursor}'}").json()
            found += page["items"]
            cursor = page["next"]
        assert len({each["id"] for each in found}) == 26
        assert [each[field] for each in found] == sorted(each[field] for each in found)
    assert desk.api.get(f"{desk.home}/examples?cursor=abc").json()["code"] == "query.invalid"


@only_sqlite
def test_what_is_sealed_in_a_test_split_is_not_read(house, desk, tickets):
    desk.fill(tickets(3))
    desk.check()
    sealed, other = desk.examples()[:2]
    at = house.clock.now()
    with house.wiring.store.write() as session:
        seal(session, house, desk, sealed, other, at)
    shown = desk.api.get(f"/api/v1/examples/{sealed['id']}").json()
    assert (shown["sealed"], shown["record"], shown["findings"], shown["label"], shown["score"]) == (
        True, None, None, None, None,
    )  # fmt: skip
    assert [each["sealed"] for each in desk.examples()] == [True, False, False]
    assert sealed["id"] not in {each["id"] for each in desk.examples(f"&label={sealed['label']}")}
    for method, body in (("exclude", {"reason": "No."}), ("include", {})):
        assert desk.api.post(f"/api/v1/examples/{sealed['id']}/{method}", body).json()["code"] == "dataset_frozen"
    edit = desk.api.patch(f"/api/v1/examples/{sealed['id']}", {"label": "a", "reason": "b"}, version=1)
    assert edit.json()["code"] == "dataset_frozen"
    assert desk.api.get(f"/api/v1/examples/{sealed['id']}/edits").json()["items"] == []
    assert desk.api.get(f"/api/v1/examples/{other['id']}").json()["record"] == other["record"]
    source = desk.source(sealed["source_id"])
    refused = desk.api.delete(f"/api/v1/data-sources/{source['id']}", version=source["version"])
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset_frozen")
    assert len(desk.examples()) == 3


def seal(session, house, desk, sealed, other, at):
    """A dataset with one example in its test split and one in training."""
    ours = system_actor(house.organisation_id)
    client_id = session.get_one(DataSource, sealed["source_id"]).client_id
    version = DatasetVersion(
        id=new_id(DatasetVersion.PREFIX), organisation_id=house.organisation_id, engagement_id=desk.engagement_id,
        client_id=client_id, number=1, name="v1", sha256="0" * 64, policy={}, splits=[], leakage={}, report={}, card={},
        card_sha256="0" * 64, sealed_at=at, sealed_by="system", sealed_by_name="Sixfold",
    )  # fmt: skip
    session.add(version)
    audit.record(session, ours, "dataset_version.sealed", version, at=at)
    for example, split in ((sealed, SplitName.TEST), (other, SplitName.TRAIN)):
        session.add(VersionMember(
            version_id=version.id, example_id=example["id"], record_id=example["record_id"], sha256="0" * 64,
            split=split,
        ))  # fmt: skip


@only_sqlite
def test_personal_data_is_answered_for_by_a_named_person(house, desk, tickets, reader):
    desk.fill(tickets(3) + b"3,Write to ana.lopez@example.org,refund\r\n")
    nothing = desk.api.post(f"{desk.home}/acknowledge", {"note": "Fine."})
    assert nothing.json()["code"] == "nothing_to_acknowledge"
    desk.check()
    with house.wiring.store.read() as session, pytest.raises(PersonalDataUnacknowledged):
        require_acknowledged(session, desk.engagement_id)
    nameless = desk.api.post(f"{desk.home}/acknowledge", {"note": "Fine."})
    assert [each["pointer"] for each in nameless.json()["errors"]] == ["/person"]
    made = desk.api.post(f"{desk.home}/acknowledge", {"note": "Agreed with the client.", "person": "Ana López"})
    assert (made.json()["by_name"], made.json()["examples"]) == ("Ana López", 1)
    with house.wiring.store.read() as session:
        require_acknowledged(session, desk.engagement_id)
    desk.fill(b"id,text,category\r\n9,Mail bo@example.org,refund\r\n", name="more.csv")
    desk.check()
    with house.wiring.store.read() as session, pytest.raises(PersonalDataUnacknowledged):
        require_acknowledged(session, desk.engagement_id)


@only_sqlite
def test_the_pages_show_it_all(house, desk, tickets, reader):
    source = desk.fill(tickets(4) + b'4,"one cell\r\n5,Write to ana.lopez@example.org,refund\r\n')
    ana = reader(Role.DELIVERY_MEMBER)
    home = f"/engagements/{desk.engagement_id}/data"
    waiting = desk.add(tickets(3), name="waiting.csv")
    for path, said in (
        (home, "waiting.csv"), (f"{home}/sources/new", "Where it comes from"), (f"{home}/jobs", "Import"),
        (f"/data-sources/{source['id']}", "1 row left out"),
        (f"/data-sources/{waiting['id']}", "How its rows will read"),
        (f"{home}/examples?label=refund", "Where is parcel number 0"), (f"{home}/checks", "Not checked yet"),
    ):  # fmt: skip
        answer = ana.get(path)
        assert answer.status_code == 200, answer.text
        assert said in answer.text.replace("\N{NO-BREAK SPACE}", " "), path
    follow = ana.follow(ana.post(f"{home}/checks", {"task": "classification", "labels": "refund\ndelivery"}))
    assert "The check has begun" in follow.text
    house.wiring.workshop.do_due()
    checks = ana.get(f"{home}/checks").text
    assert "What to mend first" in checks
    assert "nobody reads" not in checks.lower()
    assert "answers for the personal data" in ana.follow(ana.post(f"{home}/acknowledge", {"note": "Agreed."})).text
    example = desk.examples()[0]
    edited = ana.post(f"/examples/{example['id']}/edit", {
        "version": example["version"], "text-0": "Where is it?", "label": "delivery", "reason": "Shorter.",
    })  # fmt: skip
    assert "Shorter." in ana.follow(edited).text
    assert desk.api.get(f"/api/v1/examples/{example['id']}").json()["label"] == "delivery"
