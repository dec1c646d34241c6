"""Review over the API, by the typed client: a round from its opening to its end, each reviewer with a key of theirs."""

from dataclasses import replace

import httpx
import pytest

from engagements.client import Conflict, Forbidden, Invalid, NotFound, Sixfold
from engagements.core.roles import Role, system_actor
from engagements.people.service import create_key

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FOURS = {"accuracy": 4, "consistency": 4, "completeness": 4, "format": 4, "edge_case": 4}


class InProcess(httpx.BaseTransport):
    """Hands requests to the application that the tests have started."""

    def __init__(self, house) -> None:
        self._inner = house.client._transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)


@pytest.fixture
def sixfold_of(house):
    """The client of a key that acts for a person."""

    def client(person) -> Sixfold:
        behind = replace(system_actor(house.organisation_id), id=person.id)
        with house.wiring.store.write() as session:
            _, key = create_key(
                session, behind, name="Script", role=person.role, client_id=person.client_id, at=house.clock.now()
            )
        return Sixfold("http://sixfold.local", key, transport=InProcess(house), backoff_s=0.0)

    return client


def test_a_round_goes_from_its_opening_to_its_end_by_the_typed_client(pool, sixfold_of):
    ana, ruth = pool.person("Ana"), pool.person("Ruth", Role.CLIENT_VIEWER)
    pool.fill(3)
    lead, first, second = sixfold_of(pool.lead), sixfold_of(ana), sixfold_of(ruth)
    opened = lead.reviews.open(
        pool.engagement_id, "First look", [ana.id, ruth.id], overlap=2, seed=7, selection={"size": 3}
    )
    assert (opened.items, opened.settled, opened.number) == (3, 0, 1)
    done = [first.reviews.answer(item, "accept", **FOURS, seconds=12.5) for item in first.reviews.queue(opened.id)]
    assert len(done) == 3
    handed = first.reviews.undo(opened.id)
    assert [each.id for each in handed.items] == [done[-1].item_id]
    first.reviews.answer(handed.items[0], "reject", **FOURS, comment="An invented number")
    assert [each.answers for each in lead.reviews.disagreements(opened.id)] == []
    for item in second.reviews.queue(opened.id):
        second.reviews.answer(item, "accept", **FOURS)
    (waiting,) = lead.reviews.disagreements(opened.id)
    assert [each.decision for each in waiting.answers] == ["reject", "accept"]
    assert lead.reviews.item(waiting.id) == waiting
    lead.reviews.adjudicate(waiting, "reject", "The number is invented.")
    assert [(each.about, each.items) for each in lead.reviews.agreement(opened.id).measures[:2]] == [
        ("label", 3), ("decision", 3)
    ]  # fmt: skip
    assert lead.reviews.throughput(opened.id).reviewers[0].examples_per_hour == pytest.approx(288)
    closed = lead.reviews.close(opened.id)
    assert (closed.state, closed.settled, closed.adjudicated) == ("closed", 2, 1)
    assert [each.minutes for each in lead.reviews.take_time(opened.id).entries] == [1]
    assert lead.reviews.list(pool.engagement_id) == [closed]
    assert [each.name for each in second.reviews.get(opened.id).reviewers] == ["Ruth"]


def test_refusals_say_what_is_wrong(pool, sixfold_of):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    pool.fill(1)
    lead, first, second = sixfold_of(pool.lead), sixfold_of(ana), sixfold_of(bo)
    opened = lead.reviews.open(pool.engagement_id, "First look", [ana.id], overlap=1)
    (item,) = first.reviews.next(opened.id).items
    with pytest.raises(Invalid) as refused:
        first.reviews.answer(item, "accept", **{**FOURS, "accuracy": 6})
    assert refused.value.errors[0].pointer == "/accuracy"
    with pytest.raises(Conflict) as refused:
        first.reviews.answer(item.model_copy(update={"content_sha256": "0" * 64}), "accept", **FOURS)
    assert refused.value.code == "content_changed"
    with pytest.raises(Conflict) as refused:
        second.reviews.next(opened.id)
    assert refused.value.code == "not_a_reviewer"
    with pytest.raises(Forbidden):
        first.reviews.close(opened.id)
    with pytest.raises(NotFound):
        lead.reviews.get("rnd_01m82z3znf0vgdtfv3fsj0k9mf")


def test_many_answers_are_one_request(pool, sixfold_of):
    ana = pool.person("Ana")
    pool.fill(3)
    lead, reviewer = sixfold_of(pool.lead), sixfold_of(ana)
    opened = lead.reviews.open(pool.engagement_id, "All", [ana.id], overlap=1)
    handed = reviewer.reviews.next(opened.id, 3).items
    answers = [
        {"item_id": each.id, "content_sha256": each.content_sha256, "decision": "accept", **FOURS} for each in handed
    ]
    given = reviewer.reviews.answer_all(opened.id, answers)
    assert [(each.item_id, each.accuracy) for each in given] == [(each.id, 4) for each in handed]
    assert lead.reviews.get(opened.id).settled == 3
    with pytest.raises(Invalid):
        reviewer.reviews.answer_all(opened.id, [])
