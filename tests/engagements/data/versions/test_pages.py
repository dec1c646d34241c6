"""The pages of sealed datasets: sealed by a form, read, compared, and a person looked up before being erased."""

import re

import pytest

from engagements.core.roles import Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_lead_seals_reads_compares_and_erases_on_pages(house, pool, under_way, reader):
    lead = reader(Role.DELIVERY_LEAD)
    home = f"/engagements/{under_way.engagement_id}"
    form = {
        "name": "tickets@v1",
        "task": "classification",
        "train": "70",
        "validation": "15",
        "test": "15",
        "seed": "7",
    }
    refused = lead.post(f"{home}/datasets", {**form, "train": "90"})
    assert refused.status_code == 422
    assert "add up to 1.2" in refused.text

    sealing = lead.follow(lead.post(f"{home}/datasets", {**form, "stratify": "yes"}))
    assert "It is being sealed" in sealing.text
    house.wiring.workshop.do_due()
    first = pool.versions()[0]
    assert (first.policy["shares"], first.policy["stratify"]) == (
        {"train": 0.7, "validation": 0.15, "test": 0.15},
        True,
    )
    pool.add([pool.record(number) for number in range(61, 70)])
    lead.post(f"{home}/datasets", {**form, "name": "tickets@v2"})
    house.wiring.workshop.do_due()
    second = pool.versions()[1]

    listed = lead.get(f"{home}/datasets").text
    assert [name in listed for name in ("tickets@v1", "tickets@v2", "Seal version 3")] == [True] * 3
    assert "Nobody has opened it" in lead.get(f"/dataset-versions/{second.id}").text
    assert "Preprocessing and labelling" in lead.get(f"/dataset-versions/{second.id}/card").text
    diff = re.sub(r"\s+", " ", lead.get(f"/dataset-versions/{second.id}/diff").text)
    assert "<dt>Added</dt><dd>9</dd>" in diff
    assert "It is the first version" in lead.get(f"/dataset-versions/{first.id}/diff").text

    text = pool.lines(second, "train")[0]["messages"][0]["content"]
    looked = lead.post(f"{home}/erasures/look", {"texts": text})
    assert looked.status_code == 200
    assert "Erase for good" in looked.text
    assert lead.post(f"{home}/erasures", {"texts": text}).status_code == 422
    opened = lead.follow(lead.post(f"{home}/erasures", {"texts": text, "request": "Letter 4711"}))
    assert "The person is being erased" in opened.text
    house.wiring.workshop.do_due()
    assert "1 erased" in lead.get(f"/dataset-versions/{second.id}").text
    assert text not in lead.get(f"{home}/erasures").text


def test_a_share_of_the_groups_is_held_out_on_request(house, pool, under_way, reader):
    lead = reader(Role.DELIVERY_LEAD)
    home = f"/engagements/{under_way.engagement_id}/datasets"
    form = {"train": "80", "validation": "20", "test": "0", "seed": "7"}
    assert "hold_out-fault" in lead.post(home, {**form, "hold_out": "120"}).text
    assert "It is being sealed" in lead.follow(lead.post(home, {**form, "hold_out": "20"})).text
    house.wiring.workshop.do_due()
    (version,) = pool.versions()
    assert version.policy["hold_out"] == 0.2
    assert 10 <= len(pool.lines(version, "test")) <= 14, "of 60"


def test_a_clients_people_read_the_datasheet_and_find_nothing_to_press(house, pool, under_way, reader):
    version = pool.sealed()
    theirs = reader(Role.CLIENT_VIEWER, client_id=under_way.client_id)

    listed, shown, card = (
        theirs.get(path).text
        for path in (
            f"/engagements/{under_way.engagement_id}/datasets", f"/dataset-versions/{version.id}",
            f"/dataset-versions/{version.id}/card",
        )
    )  # fmt: skip

    assert "Seal the first" not in listed
    assert "Download" not in shown
    assert "Collection" in card
    assert theirs.get(f"/dataset-versions/{version.id}/diff").status_code == 403
