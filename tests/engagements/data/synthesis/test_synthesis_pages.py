"""The pages of generated examples: what is missing, the plan, the run as it goes and what came of it."""

import pytest

from engagements.core.roles import Role

pytestmark = [
    pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]  # fmt: skip
FORM = {
    "endpoint": "inhouse", "model": "large-1", "task": "classification", "licence": "own work",
    "categories": "billing\n", "target": "6", "per_gap_max": "20", "per_request": "2", "guidance": "",
    "personas": "a hurried person\na polite one",
    "temperature": "0.8", "chance": "7", "output_tokens_max": "1500", "concurrency": "1", "judge_model": "",
    "score_min": "3", "controls": "10", "cap": "12.50", "cap_tokens": "", "currency": "EUR",
    "price.input": "2", "price.output": "8",
    "price.currency": "EUR", "price.source": "our contract", "price.as_of": "2026-11-01", "rate.per_unit": "",
    "rate.source": "", "rate.as_of": "",
}  # fmt: skip


def test_a_run_is_planned_looked_at_started_and_read(stand_in, connect, reader):
    bench = connect(stand_in)
    bench.fill("billing", ["Where is the <b>invoice</b> for my garage?"])
    person, home = reader(Role.DELIVERY_LEAD), f"/engagements/{bench.engagement_id}/synthesis"
    assert "Plan a run" in person.get(home).text

    made = person.post(f"{home}/new", FORM)
    planned = person.follow(made)
    assert "€12.50" in planned.text
    assert "&lt;b&gt;invoice" in planned.text
    assert stand_in.asked == []

    run = made.headers["location"]
    going = person.follow(person.post(f"{run}/start"))
    assert 'hx-trigger="every 1s"' in going.text
    bench.house.wiring.workshop.do_due()
    standing = fragment(person, run)
    assert standing.headers["HX-Refresh"] == "true"
    assert "<html" not in standing.text
    done = person.get(run).text
    assert "Kept, waiting for review" in done
    assert "95% interval 34% to 100%" in done
    assert "Not to be relied on" in done
    assert "of €12.50 at most" in done
    assert "1 to mend" not in person.get(home).text


def test_a_form_with_mistakes_comes_back_as_it_was_typed(stand_in, connect, reader):
    bench = connect(stand_in)
    bench.fill("billing", ["Where is the invoice?"])
    person, home = reader(Role.DELIVERY_LEAD), f"/engagements/{bench.engagement_id}/synthesis"
    answer = person.post(f"{home}/new", FORM | {"cap": "12,50", "target": "many"})
    assert answer.status_code == 422
    assert "12,50" in answer.text
    assert "12,50&#39; is not an amount of money" in answer.text
    unpriced = person.post(
        f"{home}/new", FORM | {f"price.{part}": "" for part in ("input", "output", "source", "as_of")}
    )
    assert "nobody knows what large-1 costs" in unpriced.text.lower()


def test_an_installation_without_an_endpoint_says_how_to_name_one(bench, reader):
    page = reader(Role.DELIVERY_LEAD).get(f"/engagements/{bench.engagement_id}/synthesis").text
    assert "[model_endpoints.openai]" in page
    assert "Plan a run" not in page


def fragment(person, path):
    headers = {"Cookie": f"sixfold_session={person.cookie}", "HX-Request": "true"}
    return person.client.get(path, headers=headers)
