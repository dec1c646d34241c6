"""Notices in the page and over the API: one's own, told once, read once."""

from datetime import timedelta

from engagements.core.roles import Role
from engagements.notices.telling import tell_people


def told(house, *people, topic="gate:1", text="The gate of training is passed"):
    with house.wiring.store.write() as session:
        return tell_people(
            session, house.organisation_id, people, topic=topic, kind="gate.decided", text=text, address="/work",
            at=house.clock.now(),
        )  # fmt: skip


def test_the_same_is_told_once_to_each(house, reader):
    ana, bo = reader(Role.DELIVERY_LEAD), reader(Role.REVIEWER)
    assert told(house, ana.actor.id, ana.actor.id) == 1
    assert told(house, ana.actor.id, bo.actor.id) == 1
    assert told(house, ana.actor.id, topic="gate:2") == 1


def test_the_bell_counts_what_is_unread_and_reading_leads_to_the_page(house, reader):
    ana, bo = reader(Role.DELIVERY_LEAD), reader(Role.REVIEWER)
    told(house, ana.actor.id)
    told(house, ana.actor.id, topic="gate:2", text="Phase 3 is blocked <b>now</b>")
    page = ana.get("/notices").text
    assert '2<span class="hidden-text"> unread</span>' in page
    assert page.index("Phase 3 is blocked &lt;b&gt;") < page.index("The gate of training is passed")
    assert "unread</span>" not in bo.get("/notices").text
    notice = page.split('action="/notices/ntc_')[1].split("/")[0]
    opened = ana.post(f"/notices/ntc_{notice}/read")
    assert (opened.status_code, opened.headers["location"]) == (303, "/work")
    assert '1<span class="hidden-text"> unread</span>' in ana.get("/clients").text
    assert bo.post(f"/notices/ntc_{notice}/read").status_code == 404
    assert "All read" in ana.follow(ana.post("/notices/read-all")).text
    assert "unread</span>" not in ana.get("/").text


def test_a_key_lists_and_reads_its_own_over_the_api(house):
    api, other = house.api(), house.api(Role.REVIEWER)
    for number in range(3):
        told(house, api.actor.id, topic=f"gate:{number}")
    first = api.get("/api/v1/notices?limit=2").json()
    assert len(api.get(f"/api/v1/notices?limit=2&cursor={first['next']}").json()["items"]) == 1
    notice = first["items"][0]
    assert other.post(f"/api/v1/notices/{notice['id']}/read").status_code == 404
    read = api.post(f"/api/v1/notices/{notice['id']}/read").json()
    assert read["read_at"]
    house.clock.move(timedelta(hours=1))
    assert api.post(f"/api/v1/notices/{notice['id']}/read").json() == read
    assert len(api.get("/api/v1/notices?unread=true").json()["items"]) == 2
    assert api.post("/api/v1/notices/read-all").json() == {"read": 2}
    assert api.get("/api/v1/notices?unread=true").json()["items"] == []
    assert other.get("/api/v1/notices").json()["items"] == []


def test_e_mail_is_switched_off_and_on_in_the_page_and_over_the_api(house, reader):
    ana = reader(Role.CLIENT_APPROVER, client_id=house.api().post(
        "/api/v1/clients", {"name": "Nordwind", "country": "DE"}
    ).json()["id"])  # fmt: skip
    assert "sends no e-mail yet" in ana.get("/notices/settings").text
    assert "No more e-mail" in ana.follow(ana.post("/notices/settings")).text
    assert " checked" not in ana.get("/notices/settings").text
    ana.post("/notices/settings", {"by_email": "yes"})
    assert " checked" in ana.get("/notices/settings").text
    api = house.api()
    assert api.get("/api/v1/notices/email").json() == {"by_email": True, "is_possible": False}
    assert api.post("/api/v1/notices/email", {"by_email": False}).json()["by_email"] is False
    assert api.get("/api/v1/notices/email").json()["by_email"] is False
    assert api.post("/api/v1/notices/email", {"by_email": "no"}).status_code == 422
