"""What is looked after without anybody asking: a gate grows late, an assumption turns false."""

from datetime import timedelta

from sqlalchemy import text
from sqlmodel import select

from engagements.actuals.models import Alert, AlertKind
from engagements.changes.models import ChangeRequest
from engagements.changes.watching import ALL_EVERY
from engagements.core.audit import verify
from engagements.tables import RECORDS
from estimator.phases import Phase


def found(house, kind) -> list:
    with house.wiring.store.read() as session:
        return [row.model_dump() for row in session.exec(select(kind))]


def test_a_gate_that_grows_late_raises_an_alert_and_what_is_owed_late_drafts_a_change_once(house, under_way):
    house.clock.move(timedelta(days=120))
    assert house.wiring.watcher.watch() == 1
    late = [row for row in found(house, Alert) if row["kind"] is AlertKind.GATE_LATE]
    assert {row["phase"] for row in late} >= {Phase.DATA_PREPARATION}
    assert {row["origin"] for row in found(house, ChangeRequest)} == {"late_input"}
    before = found(house, Alert), found(house, ChangeRequest)
    house.wiring.watcher.watch()
    assert (found(house, Alert), found(house, ChangeRequest)) == before
    with house.wiring.store.read() as session:
        assert list(verify(session, house.organisation_id, RECORDS)) == []


def test_between_the_rounds_over_all_only_what_something_happened_to_is_looked_at(house, begin):
    first, _ = begin("First"), begin("Second")
    house.wiring.watcher.watch()
    house.clock.move(timedelta(minutes=5))
    house.wiring.watcher.watch()
    house.clock.move(timedelta(minutes=5))
    assert house.wiring.watcher.watch() == 0
    answer = house.api().post(f"/api/v1/engagements/{first.engagement_id}/milestones", {
        "name": "Steering group", "planned_on": "2026-12-21", "kind": "other",
    })  # fmt: skip
    assert answer.status_code == 201
    assert house.wiring.watcher.watch() == 1
    house.clock.move(ALL_EVERY)
    assert house.wiring.watcher.watch() == 2


def test_an_engagement_that_cannot_be_looked_at_keeps_nobody_else_from_it(house, begin, caplog):
    broken, whole = begin("First"), begin("Second")
    with house.wiring.store.write() as session:
        session.exec(
            text("update baseline set plan = '{}' where engagement_id = :id"), params={"id": broken.engagement_id}
        )
    house.clock.move(timedelta(days=120))
    assert house.wiring.watcher.watch() == 1
    assert {row["engagement_id"] for row in found(house, Alert)} == {whole.engagement_id}
    assert [record.message for record in caplog.records if record.name == "sixfold.changes"] == ["unhandled"]
