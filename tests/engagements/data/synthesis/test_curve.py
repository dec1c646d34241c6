"""What more examples would buy, drawn by a job over the accepted ones."""

import pytest

from engagements.core.roles import Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jana", "Kai", "Lea", "Max", "Nora", "Otto")
PLACES = ("Bergen", "Lyon", "Graz", "Turku", "Porto", "Gent", "Split", "Vigo", "Brno", "Cork", "Pisa", "Riga")


def texts(frame):
    return [frame.format(name, place) for name in NAMES for place in PLACES]


def test_a_curve_is_drawn_by_a_job_and_shown_with_its_interval(bench, reader):
    path, home = f"/api/v1/engagements/{bench.engagement_id}/data/learning-curve", f"/engagements/{bench.engagement_id}"
    bench.fill("billing", texts("{0} of {1} paid the invoice of another month and wants the money"))
    sealed = bench.fill("moving", texts("From {1} writes {0}: we leave the house, who reads the meter"))
    bench.seal(sealed[:20])
    assert bench.api.get(path).status_code == 404

    person = reader(Role.DELIVERY_LEAD)
    assert "Draw the curve" in person.get(f"{home}/synthesis").text
    assert person.post(f"{home}/synthesis/learning-curve").status_code == 303
    assert bench.api.post(path).json()["code"] == "job_running"
    assert "being drawn" in person.get(f"{home}/synthesis").text
    bench.house.wiring.workshop.do_due()

    drawn = bench.api.get(path).json()
    assert (drawn["state"], drawn["examples"]) == ("done", 2 * len(NAMES) * len(PLACES) - 20)
    assert drawn["said"]
    assert drawn["said"].lower()[:40] in person.get(f"{home}/synthesis").text.lower()


def test_too_few_examples_say_so(bench):
    path = f"/api/v1/engagements/{bench.engagement_id}/data/learning-curve"
    bench.fill("billing", ["Where is the invoice?"])
    assert bench.api.post(path).status_code == 201
    bench.house.wiring.workshop.do_due()
    drawn = bench.api.get(path).json()
    assert (drawn["points"], drawn["gain_of_doubling"]) == ([], None)
    assert "at least 40" in drawn["said"]
