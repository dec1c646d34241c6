"""Disagreements and their end, agreement, throughput against the plan, and time taken over."""

from datetime import timedelta

import orjson
import pytest
from sqlmodel import select

from engagements.actuals.models import TimeEntry
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.errors import Invalid, SecondPersonRequired
from engagements.core.roles import Role
from engagements.db.columns import new_id
from engagements.evals.agreement import Reading
from engagements.phases.data_preparation.models import Example, ExampleEdit, ExampleState
from engagements.phases.data_preparation.review import adjudicating, agreement, rounds, throughput
from engagements.phases.data_preparation.review.adjudicating import NotDisputed
from engagements.phases.data_preparation.review.reviewing import ContentChanged
from engagements.phases.data_preparation.review.rules import ItemState
from engagements.phases.data_preparation.review.schemas import AdjudicateIn, TakeTimeIn
from engagements.phases.data_preparation.review.throughput import RoundOpen
from engagements.phases.data_preparation.versions.models import DatasetVersion, VersionMember

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LABELS = ("billing", "refund", "order")


def disputed(pool, people, **fields):
    """A new example that the first accepts and the second rejects, or as `fields` say; its item and its id."""
    (example,) = pool.fill(1)
    opened = pool.open(people, name="Hard ones")
    item = pool.next(people[0], opened).items[0]
    pool.answer(people[0], item, **fields)
    pool.answer(people[1], pool.next(people[1], opened).items[0], "reject")
    return item, example


def test_a_disagreement_is_ended_by_somebody_who_was_no_part_of_it(pool):
    ana, bo = pool.person("Ana", Role.DELIVERY_LEAD), pool.person("Bo")
    item, example = disputed(pool, [ana, bo])
    assert pool.item(item.id).state is ItemState.DISPUTED
    with pytest.raises(SecondPersonRequired):
        pool.adjudicate(ana, item.id)
    assert pool.states([example]) == [ExampleState.PENDING]
    pool.adjudicate(pool.lead, item.id, "reject")
    assert pool.states([example]) == [ExampleState.REJECTED]
    with pytest.raises(NotDisputed):
        pool.adjudicate(pool.lead, item.id)


def test_a_decision_can_take_the_text_of_one_of_them_and_the_first_is_kept(pool):
    item, example = disputed(pool, [pool.person("Ana"), pool.person("Bo")], label="refund")
    seen = pool.read(lambda s: adjudicating.reviewed_item(s, pool.lead, item.id))
    assert [each.decision for each in seen.answers] == ["accept", "reject"]
    pool.adjudicate(pool.lead, item.id, edited=seen.answers[0].edited)
    row = pool.example(example)
    assert (row.state, row.label, row.is_edited) == (ExampleState.ACCEPTED, "refund", True)
    before = pool.read(lambda s: [orjson.loads(each.before)["label"] for each in s.exec(select(ExampleEdit))])
    assert before == ["billing"]


def test_a_decision_about_a_text_that_was_changed_is_refused(pool):
    item, example = disputed(pool, [pool.person("Ana"), pool.person("Bo")])
    old = AdjudicateIn(decision="accept", reason="So it is.", content_sha256=pool.example(example).sha256)
    pool.write(lambda s: setattr(s.get_one(Example, example), "sha256", "f" * 64))
    with pytest.raises(ContentChanged):
        pool.write(lambda s: adjudicating.adjudicate(s, pool.lead, item.id, old, at=pool.at))
    assert pool.item(item.id).state is ItemState.DISPUTED


def test_nobody_reads_in_a_disagreement_what_has_been_sealed_since(pool):
    item, example = disputed(pool, [pool.person("Ana"), pool.person("Bo")], label="refund")
    pool.adjudicate(pool.lead, item.id)

    def seal(session):
        version = DatasetVersion(
            id=new_id("dsv"), organisation_id=pool.house.organisation_id, engagement_id=pool.engagement_id,
            client_id=pool.client_id, number=1, name="v1", sha256="0" * 64, policy={}, splits=[], leakage={},
            report={}, card={}, card_sha256="0" * 64, sealed_at=pool.at, sealed_by="system", sealed_by_name="Sixfold",
        )  # fmt: skip
        session.add(version)
        audit.record(session, pool.lead, "dataset_version.sealed", version, at=pool.at)
        session.add(
            VersionMember(version_id=version.id, example_id=example, record_id="r", sha256="0" * 64, split="test")
        )

    pool.write(seal)
    seen = pool.read(lambda s: adjudicating.reviewed_item(s, pool.lead, item.id))
    assert seen.record["messages"] == []
    assert [each.edited for each in seen.answers] == [None, None]
    pool.fill(1)
    with pytest.raises(Invalid, match="no example that can be shown"):
        pool.open([pool.person("Cy")], overlap=1, golden=[{"example_id": example, "decision": "accept"}])


def test_agreement_is_of_blind_answers_alone(pool):
    people = [pool.person(name) for name in ("Ana", "Bo")]
    pool.fill(12, label=lambda n: LABELS[n % 3])
    (golden,) = pool.fill(1)
    opened = pool.open(people, target=0.7, golden=[{"example_id": golden, "decision": "accept"}])

    def of_bo(item):
        number = int(item.record["messages"][0]["content"].rsplit(" ", 1)[1].rstrip("?"))
        return {"label": "order"} if number < 3 else {}

    pool.work_through(people[0], opened, lambda _: {"accuracy": 4})
    unmeasured = pool.read(lambda s: agreement.agreement_seen(s, pool.lead, opened))
    assert (unmeasured.reached, unmeasured.measures[0].reading) == (None, Reading.UNMEASURED)
    assert unmeasured.measures[0].items == 0, "nobody sees answers before all of them are in"
    pool.work_through(people[1], opened, of_bo)
    found = pool.read(lambda s: agreement.agreement_seen(s, pool.lead, opened))
    label = found.measures[0]
    # Of 12 items 2 differ, of 24 ratings 7, 7 and 10 are of one class: 1 - (n - 1) x 4 / (n² - their squares).
    assert (label.about, label.items, label.unmeasured) == ("label", 12, 0)
    assert label.value == pytest.approx(1 - 23 * 4 / (24**2 - (7**2 + 7**2 + 10**2)))
    assert label.low < label.value < label.high
    assert found.reached
    assert [(each.about, each.reading) for each in found.measures[1:3]] == [
        ("decision", Reading.NO_VARIATION), ("accuracy", Reading.UNRELIABLE)
    ]  # fmt: skip
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.items, pair.raw, pair.kappa) == ("Ana", "Bo", 12, 1.0, None)
    waiting = pool.read(lambda s: adjudicating.disputes_of(s, pool.lead, opened))
    for each in waiting:
        pool.adjudicate(pool.lead, each.id)
    assert pool.read(lambda s: agreement.agreement_seen(s, pool.lead, opened)) == found
    proof = pool.read(lambda s: agreement.agreement_to_prove(s, pool.lead, pool.engagement_id))
    assert (proof.measure, proof.items, proof.target) == ("Krippendorff's alpha, nominal, label", 12, 0.7)


def test_throughput_stands_beside_the_plan_and_golden_examples_beside_what_is_known(pool):
    people = [pool.person(name) for name in ("Ana", "Bo", "Cy")]
    pool.fill(4)
    golden = [{"example_id": each, "decision": "reject"} for each in pool.fill(2)]
    opened = pool.open(people[:2], golden=golden)
    known = {each["example_id"] for each in golden}
    pool.work_through(
        people[0], opened,
        lambda item: {"decision": "reject" if pool.item(item.id).example_id in known else "accept", "seconds": 12},
    )  # fmt: skip
    pool.work_through(people[1], opened, lambda _: {"seconds": None})
    found = pool.read(lambda s: throughput.throughput_seen(s, pool.lead, opened))
    ana, bo = found.reviewers
    assert (ana.answers, ana.examples_per_hour, ana.median_s) == (6, 300, 12)
    assert (ana.golden_hits, ana.golden_items, bo.golden_hits) == (2, 2, 0)
    assert (round(ana.golden_low, 3), ana.golden_high) == (0.342, 1.0)
    assert (bo.examples_per_hour, bo.median_s, bo.timed) == (None, None, 0)
    assert (found.planned_per_hour, found.examples_per_hour) == (24, 300), "2.5 minutes an example, as agreed"


def test_what_the_plan_counts_on_is_unknown_where_nothing_was_agreed(pool):
    assert pool.read(lambda s: throughput.planned_per_hour(s, "eng_nobody")) is None


def test_the_time_of_a_closed_round_is_taken_over_once_however_often_it_is_asked_for(pool):
    home = pool.house
    ana, ruth = pool.person("Ana"), pool.person("Ruth", Role.CLIENT_VIEWER)
    pool.fill(3)
    opened = pool.open([ana, ruth], overlap=1)
    pool.answer(ana, pool.next(ana, opened).items[0], seconds=400)
    pool.answer(ana, pool.next(ana, opened).items[0], seconds=None)
    pool.answer(ruth, pool.next(ruth, opened).items[0], seconds=900)
    asked = TakeTimeIn(role="annotator")

    def take():
        when = When(at=home.clock.at + timedelta(hours=1), zone="Europe/Berlin")
        return pool.write(lambda s: throughput.take_time(s, pool.lead, opened, asked, when=when))

    with pytest.raises(RoundOpen):
        take()
    pool.write(lambda s: rounds.close_round(s, pool.lead, opened, at=pool.at).id)
    first = take()
    assert [(each.reviewer_id, each.minutes) for each in first.entries] == [(ana.id, 7)]
    assert (first.untimed, first.left_out) == (1, ["Ruth"])
    assert take() == first
    assert pool.read(lambda s: [each.minutes for each in s.exec(select(TimeEntry))]) == [7]
