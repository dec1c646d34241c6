"""Calendars by a private address: what they hold, for whom, and that it is told once and taken back for good."""

import re
from datetime import date, timedelta

from icalendar import Calendar
from sqlmodel import select

from engagements.core import audit
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Role, system_actor
from engagements.delivery.models import Milestone, PhaseRecord
from engagements.notices.ical import Day, calendar_of
from estimator.phases import Phase


def feed(api, **fields):
    answer = api.post("/api/v1/feeds", {"name": "My phone", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def opened(house, url, **headers):
    return house.client.get("/calendar/" + url.rsplit("/", 1)[1], headers=headers)


def events(answer):
    assert answer.status_code == 200, answer.text
    return {str(event["uid"]): event for event in Calendar.from_ical(answer.content).walk("VEVENT")}


def change(house, kind, row_id, **fields):
    with house.wiring.store.write() as session:
        row = session.get_one(kind, row_id)
        row.sqlmodel_update(fields)
        audit.record(session, system_actor(house.organisation_id), "phase.changed", row, at=house.clock.now())


def test_an_address_is_told_once_and_opens_without_signing_in(house, under_way):
    api = house.api()
    made = feed(api, engagement_id=under_way.engagement_id)
    assert re.fullmatch(r"http://[^/]+/calendar/[\w-]{43}\.ics", made["url"])
    assert "url" not in api.get("/api/v1/feeds").json()["items"][0]
    answer = opened(house, made["url"])
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = events(answer)
    kinds = {str(event["summary"]).split(" (")[0].split(":")[0] for event in found.values()}
    assert {"Gate of data preparation", "Payment due", "Needed from the client"} <= kinds
    assert not re.search(r"EUR|€|\d{3},\d{3}|hours", answer.text), "no prices, no hours"
    api_key_in_trail = api.get("/api/v1/audit?entity_id=" + made["id"]).text
    assert made["url"].rsplit("/", 1)[1].removesuffix(".ics") not in api_key_in_trail


def test_it_keeps_to_the_standard(house, under_way):
    content = opened(house, feed(house.api(), engagement_id=under_way.engagement_id)["url"]).content
    lines = content.split(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= 75
    assert {b"VERSION:2.0", b"REFRESH-INTERVAL;VALUE=DURATION:PT1H", b"X-PUBLISHED-TTL:PT1H"} <= set(lines)
    for event in Calendar.from_ical(content).walk("VEVENT"):
        assert type(event.decoded("dtstart")) is date
        assert event.decoded("dtend") == event.decoded("dtstart") + timedelta(days=1)
        assert {"UID", "DTSTAMP", "SEQUENCE", "SUMMARY", "STATUS"} <= set(event)


def test_text_of_a_client_is_text_and_nothing_else(house):
    hostile = "Gate; of, data\\ \r\nBEGIN:VALARM é" * 4
    day = Day(
        uid="x@sixfold", sequence=1, on=date(2026, 12, 1), title=hostile, text=hostile, url="https://x.example/",
        changed_at=house.clock.now(),
    )  # fmt: skip
    content = calendar_of(hostile, [day])
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert str(event["description"]) == hostile.replace("\r\n", "\n")
    assert b"\nBEGIN:VALARM" not in content


def test_what_moves_keeps_its_name_and_counts_up(house, under_way):
    url = feed(house.api(), engagement_id=under_way.engagement_id)["url"]
    before = events(opened(house, url))
    with house.wiring.store.read() as session:
        chosen = select(PhaseRecord).where(PhaseRecord.engagement_id == under_way.engagement_id)
        phase = next(row for row in session.exec(chosen) if row.phase is Phase.TRAINING)
        row_id, day = phase.id, phase.planned_gate
    change(house, PhaseRecord, row_id, planned_gate=day + timedelta(days=5))
    after = events(opened(house, url))
    uid = f"{row_id}@sixfold"
    assert after[uid].decoded("dtstart") == before[uid].decoded("dtstart") + timedelta(days=5)
    assert int(after[uid]["sequence"]) == int(before[uid]["sequence"]) + 1
    assert set(after) == set(before)


def test_what_falls_away_is_cancelled_and_what_is_done_stays(house, under_way):
    url = feed(house.api(), engagement_id=under_way.engagement_id)["url"]
    with house.wiring.store.read() as session:
        chosen = select(Milestone).where(Milestone.engagement_id == under_way.engagement_id, Milestone.gate == 0)
        reached = session.exec(chosen).one().id
    change(house, Engagement, under_way.engagement_id, state=EngagementState.TERMINATED, state_reason="no budget")
    found = events(opened(house, url))
    states = {uid: str(event["status"]) for uid, event in found.items()}
    assert states.pop(f"{reached}@sixfold") == "CONFIRMED"
    assert set(states.values()) == {"CANCELLED"}


def test_nothing_new_is_not_sent_again(house, under_way):
    url = feed(house.api(), engagement_id=under_way.engagement_id)["url"]
    first = opened(house, url)
    again = opened(house, url, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_address_taken_back_is_gone_and_an_invented_one_was_never_there(house, under_way):
    api, other = house.api(), house.api()
    made = feed(api)
    assert other.delete(f"/api/v1/feeds/{made['id']}", version=1).status_code == 404
    assert api.delete(f"/api/v1/feeds/{made['id']}", version=7).status_code == 412
    assert opened(house, made["url"]).status_code == 200
    assert api.delete(f"/api/v1/feeds/{made['id']}", version=1).status_code == 204
    assert opened(house, made["url"]).status_code == 410
    assert api.get("/api/v1/feeds").json()["items"] == []
    assert opened(house, "/" + "A" * 43 + ".ics").status_code == 404


def test_a_clients_calendar_holds_what_the_client_may_see_and_ends_with_their_access(house, begin, reader):
    ours, theirs = begin("Replies"), begin("Claims")
    petra = reader(Role.CLIENT_VIEWER, client_id=ours.client_id)
    page = petra.post("/calendar", {"name": "My phone", "engagement_id": ""})
    url = re.search(r'id="secret">([^<]+)<', page.text)
    assert url
    texts = opened(house, url[1]).text
    assert "(Replies)" in texts
    assert "Claims" not in texts
    assert "Claims" not in petra.get("/calendar").text
    assert petra.post("/calendar", {"name": "Other", "engagement_id": theirs.engagement_id}).status_code == 404
    assert house.api().post(f"/api/v1/users/{petra.actor.id}/deactivate").status_code == 200
    assert opened(house, url[1]).status_code == 410


def test_the_agencys_calendar_of_everything_holds_what_its_owner_answers_for(house, begin, reader):
    mine, _other = begin("Replies"), begin("Claims")
    lead = reader(Role.ACCOUNT_LEAD)
    change(house, Engagement, mine.engagement_id, owner_id=lead.actor.id)
    url = re.search(r'id="secret">([^<]+)<', lead.post("/calendar", {"name": "Desk", "engagement_id": ""}).text)
    assert url
    summaries = {str(event["summary"]) for event in events(opened(house, url[1])).values()}
    assert summaries
    assert all("(Replies)" in summary for summary in summaries)
    took = lead.get("/calendar").text
    feed_id = re.search(r"/calendar/revoke/(fee_\w+)", took)
    assert feed_id
    gone = lead.follow(lead.post(f"/calendar/revoke/{feed_id[1]}", {"version": "1"}))
    assert "Calendar taken back" in gone.text
    assert opened(house, url[1]).status_code == 410
