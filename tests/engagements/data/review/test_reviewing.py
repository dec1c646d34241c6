"""Handing out, answering and taking back: nobody twice, nothing too often, nobody's answer seen too early."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from sqlmodel import col, select

from engagements.core.errors import Invalid, NotFound
from engagements.core.roles import Role
from engagements.delivery.under_way import NotUnderWay
from engagements.phases.data_preparation.models import Example, ExampleEdit, ExampleState
from engagements.phases.data_preparation.pool.schemas import ExampleEditIn
from engagements.phases.data_preparation.pool.service import edit_example
from engagements.phases.data_preparation.review import answering, reviewing, rounds
from engagements.phases.data_preparation.review.models import ExampleReview, QueueItem, ReviewHold
from engagements.phases.data_preparation.review.outcomes import ItemComplete
from engagements.phases.data_preparation.review.reviewers import NotAReviewer, RoundClosed
from engagements.phases.data_preparation.review.reviewing import (
    LEASE,
    AnsweredAlready,
    ContentChanged,
    NotHandedOut,
    NothingToUndo,
)
from engagements.phases.data_preparation.review.rounds import NothingToReview
from engagements.phases.data_preparation.review.rules import ItemState
from engagements.phases.data_preparation.review.schemas import AnswersIn

FIVES = {"accuracy": 5, "consistency": 5, "completeness": 5, "format": 5, "edge_case": 5}
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def accept(_):
    return {"decision": "accept"}


def test_reviewers_who_ask_at_once_never_give_an_example_more_answers_than_it_needs(pool):
    people = [pool.person(name) for name in ("Ana", "Bo", "Cy", "Di")]
    examples = pool.fill(6)
    opened = pool.open(people, overlap=2)
    at = pool.at

    def work(person):
        handed = []
        for _ in range(10):
            found = pool.write(lambda s: reviewing.next_items(s, person, opened, count=2, at=at)).items
            handed += [each.id for each in found]
            for each in found:
                pool.answer(person, each)
        return handed

    with ThreadPoolExecutor(len(people)) as threads:
        handed = list(threads.map(work, people))
    assert all(len(each) == len(set(each)) for each in handed), "nobody gets an example twice"
    given = pool.read(lambda s: s.exec(select(ExampleReview.item_id)).all())
    assert sorted(given.count(each) for each in set(given)) == [2] * len(examples)
    assert pool.states(examples) == [ExampleState.ACCEPTED] * len(examples)


def test_two_answers_of_one_reviewer_at_once_are_one_answer(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    pool.fill(1)
    item = pool.next(ana, pool.open([ana, bo])).items[0]

    def send(_):
        try:
            return pool.answer(ana, item)
        except AnsweredAlready:
            return None

    with ThreadPoolExecutor(2) as threads:
        assert [each for each in threads.map(send, range(2)) if each] != []
    assert pool.read(lambda s: len(s.exec(select(ExampleReview)).all())) == 1
    assert pool.item(item.id).reviews == 1


@ON_SQLITE
def test_an_example_that_is_left_lying_goes_to_somebody_else_and_the_late_answer_is_refused(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    pool.fill(1)
    opened = pool.open([ana, bo], overlap=1)
    item = pool.next(ana, opened).items[0]
    assert pool.next(bo, opened).items == []
    pool.house.clock.at += LEASE + timedelta(seconds=1)
    assert pool.next(bo, opened).items[0].id == item.id
    with pytest.raises(NotHandedOut):
        pool.answer(ana, item)
    pool.answer(bo, item)
    assert pool.item(item.id).state is ItemState.SETTLED


@ON_SQLITE
def test_a_late_answer_counts_where_nobody_took_the_example_over(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    (example,) = pool.fill(1)
    item = pool.next(ana, pool.open([ana, bo], overlap=1)).items[0]
    pool.house.clock.at += 3 * LEASE
    pool.answer(ana, item)
    assert pool.states([example]) == [ExampleState.ACCEPTED]


@ON_SQLITE
def test_asking_again_says_the_same_example_and_the_one_after_it(pool):
    ana = pool.person("Ana")
    pool.fill(3)
    opened = pool.open([ana], overlap=1)
    first = pool.next(ana, opened).items
    both = pool.next(ana, opened, count=2)
    assert both.items[0].id == first[0].id
    assert len({each.id for each in both.items}) == 2
    assert (both.answered, both.total, both.settled) == (0, 3, 0)


@ON_SQLITE
def test_the_riskiest_examples_come_first(pool):
    ana = pool.person("Ana")
    conflict = [{"code": "label.conflict", "severity": "warning", "message": "it differs"}]
    examples = pool.fill(4, score=lambda n: [90, 20, 90, None][n], findings=lambda n: conflict if n == 2 else [])
    opened = pool.open([ana], overlap=1, selection={"size": 3})
    items = pool.next(ana, opened, count=3).items
    assert [pool.item(each.id).example_id for each in items] == [examples[2], examples[1], examples[3]]
    assert items[0].findings[0].message == "it differs"


@ON_SQLITE
def test_an_answer_to_a_text_that_was_changed_is_refused_and_the_new_text_comes(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    (example,) = pool.fill(1)
    opened = pool.open([ana, bo])
    pool.answer(ana, pool.next(ana, opened).items[0])
    seen = pool.next(bo, opened).items[0]

    def change(session):
        row = session.get_one(Example, example)
        payload = row.payload.replace("invoice", "bill")
        row.payload, row.sha256 = payload, "f" * 64

    pool.write(change)
    with pytest.raises(ContentChanged):
        pool.answer(bo, seen)
    again = pool.next(bo, opened).items[0]
    assert (again.id, again.content_sha256) == (seen.id, "f" * 64)
    assert "bill" in again.record["messages"][0]["content"]
    pool.answer(bo, again)
    assert pool.item(again.id).reviews == 1, "what Ana said was of another text"
    assert pool.next(ana, opened).items[0].id == again.id


@ON_SQLITE
def test_the_last_answer_is_taken_back_until_others_have_answered_too(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    pool.fill(1)
    opened = pool.open([ana, bo])
    with pytest.raises(NothingToUndo):
        pool.write(lambda s: reviewing.undone(s, ana, opened, at=pool.at))
    item = pool.next(ana, opened).items[0]
    pool.answer(ana, item, "reject")
    back = pool.write(lambda s: reviewing.undone(s, ana, opened, at=pool.at))
    assert [each.id for each in back.items] == [item.id]
    assert (pool.item(item.id).reviews, back.answered) == (0, 0)
    pool.answer(ana, item)
    pool.answer(bo, pool.next(bo, opened).items[0])
    with pytest.raises(ItemComplete):
        pool.write(lambda s: reviewing.undone(s, ana, opened, at=pool.at))
    assert pool.item(item.id).state is ItemState.SETTLED


@ON_SQLITE
@pytest.mark.parametrize(
    ("decision", "told"), [("accept", {}), ("accept", {"label": "invoices"}), ("reject", {}), ("skip", {})]
)
def test_who_reviews_alone_takes_back_what_was_settled_by_it(pool, decision, told):
    ana = pool.person("Ana")
    (example,) = pool.fill(1)
    before = pool.example(example).payload
    opened = pool.open([ana], overlap=1)
    item = pool.next(ana, opened).items[0]
    pool.answer(ana, item, decision, **told)
    assert pool.item(item.id).state in {ItemState.SETTLED, ItemState.DISPUTED}
    back = pool.write(lambda s: reviewing.undone(s, ana, opened, at=pool.at))
    assert [each.record for each in back.items] == [item.record]
    row = pool.example(example)
    assert (row.state, row.state_reason, row.payload) == (ExampleState.PENDING, "", before)
    assert (pool.item(item.id).state, pool.item(item.id).reviews) == (ItemState.OPEN, 0)
    pool.answer(ana, back.items[0])
    assert (pool.example(example).state, pool.example(example).payload) == (ExampleState.ACCEPTED, before)


@ON_SQLITE
def test_what_was_changed_since_is_not_taken_back_with_the_answer(pool):
    ana = pool.person("Ana")
    (example,) = pool.fill(1)
    opened = pool.open([ana], overlap=1)
    pool.answer(ana, pool.next(ana, opened).items[0])
    pool.write(lambda s: edit_example(s, ana, example, ExampleEditIn(label="invoices", reason="Wrong."), at=pool.at))
    with pytest.raises(ItemComplete, match="changed after your answer"):
        pool.write(lambda s: reviewing.undone(s, ana, opened, at=pool.at))
    assert pool.example(example).label == "invoices"


@ON_SQLITE
def test_an_agreed_edit_is_written_and_the_first_text_is_kept(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    (example,) = pool.fill(1)
    opened = pool.open([ana, bo])
    before = pool.example(example).payload
    for person in (ana, bo):
        pool.answer(person, pool.next(person, opened).items[0], label="invoices")
    row = pool.example(example)
    assert (row.state, row.label, row.is_edited) == (ExampleState.ACCEPTED, "invoices", True)
    assert orjson.loads(row.payload)["messages"][-1]["content"] == "invoices", "the class is the answer too"
    kept = pool.read(lambda s: [(each.before, each.after, each.number) for each in s.exec(select(ExampleEdit))])
    assert kept == [(before, row.payload, 1)]


@ON_SQLITE
def test_everything_that_is_wrong_with_an_answer_is_said_at_once_and_nothing_is_kept(pool):
    ana = pool.person("Ana")
    pool.fill(1)
    item = pool.next(ana, pool.open([ana], overlap=1)).items[0]
    with pytest.raises(Invalid) as refused:
        pool.answer(ana, item, accuracy=None, edge_case=None)
    assert [each.where for each in refused.value.problems] == ["accuracy", "edge_case"]
    for edited, code in (({"messages": 4}, "record_invalid"), ({"messages": []}, None)):
        with pytest.raises(Invalid) as refused:
            pool.answer(ana, item, edited=edited)
        assert code in {None, refused.value.problems[0].code}
    assert pool.item(item.id).reviews == 0
    assert pool.read(lambda s: s.exec(select(ExampleReview)).all()) == []


@ON_SQLITE
def test_what_is_skipped_by_too_many_waits_for_a_decision(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    (example,) = pool.fill(1)
    opened = pool.open([ana, bo])
    item = pool.next(ana, opened).items[0]
    pool.answer(ana, item, "skip")
    assert pool.next(ana, opened).items == [], "it does not come again"
    assert pool.item(item.id).state is ItemState.DISPUTED
    pool.adjudicate(ana, item.id)
    assert pool.states([example]) == [ExampleState.ACCEPTED]


@ON_SQLITE
def test_golden_examples_go_to_everybody_look_like_others_and_change_nothing(pool):
    people = [pool.person(name) for name in ("Ana", "Bo", "Cy")]
    pool.fill(5)
    (known,) = pool.fill(1)
    golden = [{"example_id": known, "decision": "reject", "scores": {"accuracy": 1}}]
    opened = pool.open(people, overlap=2, golden=golden)
    shown = set()
    for person in people:
        pool.work_through(person, opened, lambda item: shown.add(tuple(sorted(item.model_dump()))) or accept(item))
    assert len(shown) == 1, "nothing tells a golden example apart"
    items = pool.read(lambda s: s.exec(select(QueueItem.reviews).where(col(QueueItem.golden).is_not(None))).all())
    assert items == [3]
    assert pool.states([known]) == [ExampleState.PENDING]
    assert pool.round(opened).state == "open"


@ON_SQLITE
def test_a_clients_person_reaches_only_what_was_handed_to_them(pool):
    ana, theirs, other = (
        pool.person("Ana"), pool.person("Ruth", Role.CLIENT_VIEWER), pool.person("Rolf", Role.CLIENT_VIEWER)
    )  # fmt: skip
    pool.fill(2)
    opened = pool.open([ana, theirs], overlap=1)
    first = pool.next(ana, opened).items[0]
    with pytest.raises(NotFound):
        pool.next(other, opened)
    with pytest.raises(NotFound):
        pool.answer(theirs, first)
    mine = pool.next(theirs, opened).items[0]
    assert mine.id != first.id
    seen = pool.read(lambda s: rounds.rounds_of(s, theirs, pool.engagement_id))
    assert [[each.name for each in found.reviewers] for found in seen] == [["Ruth"]]
    assert pool.read(lambda s: rounds.rounds_of(s, other, pool.engagement_id)) == []
    pool.answer(theirs, mine)


@ON_SQLITE
def test_a_round_refuses_what_it_cannot_be(pool, begin):
    ana = pool.person("Ana")
    with pytest.raises(NothingToReview):
        pool.open([ana], overlap=1)
    pool.fill(1)
    with pytest.raises(Invalid, match="3 people are to see each example, and 1 are named"):
        pool.open([ana], overlap=3)
    gone = pool.person("Gone")
    finance = pool.person("Fin", Role.FINANCE)
    with pytest.raises(Invalid) as refused:
        pool.open([gone.__class__(**{**_fields(gone), "id": "usr_nobody"}), finance, ana, ana])
    assert [(each.where, each.code) for each in refused.value.problems] == [
        ("reviewers[0]", "person_unknown"), ("reviewers[1]", "cannot_review"), ("reviewers[3]", "duplicate"),
    ]  # fmt: skip
    pool.open([ana], overlap=1)
    with pytest.raises(NothingToReview, match="round that is open"):
        pool.open([ana], overlap=1)
    other = begin("Elsewhere")
    pool.write(lambda s: None)
    with pytest.raises(NothingToReview):
        type(pool)(house=pool.house, engagement_id=other.engagement_id, client_id=other.client_id, lead=pool.lead).open(
            [ana], overlap=1
        )


def _fields(actor):
    return {name: getattr(actor, name) for name in ("kind", "id", "name", "organisation_id", "role", "client_id")}


@ON_SQLITE
def test_a_closed_round_takes_no_answer_and_its_rest_stays_pending(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    examples = pool.fill(2)
    opened = pool.open([ana, bo])
    item = pool.next(ana, opened).items[0]
    pool.write(lambda s: rounds.close_round(s, pool.lead, opened, at=pool.at).id)
    for refused in (lambda: pool.answer(ana, item), lambda: pool.next(bo, opened)):
        with pytest.raises(RoundClosed):
            refused()
    with pytest.raises(RoundClosed):
        pool.write(lambda s: rounds.close_round(s, pool.lead, opened, at=pool.at))
    assert pool.states(examples) == [ExampleState.PENDING] * 2
    assert pool.read(lambda s: s.exec(select(ReviewHold)).all()) == []
    with pytest.raises(NotAReviewer):
        pool.next(pool.lead, opened)


@ON_SQLITE
def test_nothing_is_reviewed_while_the_engagement_is_on_hold(pool):
    ana = pool.person("Ana")
    pool.fill(1)
    opened = pool.open([ana], overlap=1)
    api = pool.house.api(Role.ADMINISTRATOR)
    found = api.get(f"/api/v1/engagements/{pool.engagement_id}").json()
    api.patch(
        f"/api/v1/engagements/{pool.engagement_id}",
        {"state": "on_hold", "reason": "Holidays"},
        version=found["version"],
    )
    with pytest.raises(NotUnderWay):
        pool.next(ana, opened)


def answers_to(items, **fields):
    return AnswersIn.model_validate(
        {
            "answers": [
                {**FIVES, "decision": "accept", "item_id": each.id, "content_sha256": each.content_sha256, **fields}
                for each in items
            ]
        }
    )


def test_reviewers_who_answer_many_at_once_never_give_an_example_more_answers_than_it_needs(pool):
    people = [pool.person(name) for name in ("Ana", "Bo", "Cy")]
    examples = pool.fill(12)
    opened = pool.open(people, overlap=2)
    at = pool.at

    def work(person):
        given = 0
        while items := pool.write(lambda s: reviewing.next_items(s, person, opened, count=5, at=at)).items:
            rows = pool.write(lambda s: answering.submit_all(s, person, opened, answers_to(items[::-1]), at=at))
            given += len(rows)
        return given

    with ThreadPoolExecutor(len(people)) as threads:
        assert sum(threads.map(work, people)) == 2 * len(examples)
    assert pool.states(examples) == [ExampleState.ACCEPTED] * len(examples)


@ON_SQLITE
def test_of_many_answers_all_are_taken_or_none(pool):
    ana, bo = pool.person("Ana"), pool.person("Bo")
    pool.fill(4)
    opened = pool.open([ana, bo], overlap=1)
    mine, others = pool.next(ana, opened, 2).items, pool.next(bo, opened, 1).items

    def send(items, **fields):
        data = answers_to(items, **fields)
        return pool.write(lambda s: [row.item_id for row in answering.submit_all(s, ana, opened, data, at=pool.at)])

    with pytest.raises(NotHandedOut):
        send([*mine, *others])
    with pytest.raises(ContentChanged):
        send(mine, content_sha256="f" * 64)
    with pytest.raises(Invalid) as refused:
        send([*mine, mine[0]], item_id=mine[0].id)
    assert [each.where for each in refused.value.problems] == ["answers[1].item_id", "answers[2].item_id"]
    assert pool.read(lambda s: s.exec(select(ExampleReview.id)).all()) == []
    assert send(mine) == [each.id for each in mine]


@ON_SQLITE
def test_an_item_of_another_round_is_not_answered_in_this_one(pool):
    ana = pool.person("Ana")
    pool.fill(2)
    first, second = (pool.open([ana], overlap=1, selection={"size": 1}) for _ in range(2))
    item = pool.next(ana, first).items[0]
    with pytest.raises(Invalid) as refused:
        pool.write(lambda s: answering.submit_all(s, ana, second, answers_to([item]), at=pool.at))
    assert [each.code for each in refused.value.problems] == ["item_unknown"]
