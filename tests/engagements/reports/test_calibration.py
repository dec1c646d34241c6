"""Closed engagements feed back what they took: hours, costs, training runs and tokens, beside what was predicted."""

from datetime import timedelta

from sqlmodel import select

from engagements.actuals.schemas import TimeIn
from engagements.actuals.time_entries import log_time
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Role, system_actor
from engagements.delivery.evidence import EvidenceIn
from engagements.delivery.models import PhaseRecord, PhaseState
from engagements.delivery.recording import record_evidence
from engagements.demo import measured
from engagements.people.identities import actor_of
from engagements.people.service import add_user
from engagements.reports.calibration import calibration_of
from estimator.phases import Phase

MINUTES = 600


def worked_and_closed(house, engagement, tokens: tuple[int | None, ...]) -> None:
    house.clock.move(timedelta(days=80))
    at, ours = house.clock.now(), system_actor(house.organisation_id)
    with house.wiring.store.write() as session:
        lead = actor_of(add_user(session, ours, name="Nele", email="nele@example.com", role=Role.DELIVERY_LEAD, at=at))
        session.flush()
        for row in session.exec(select(PhaseRecord).where(PhaseRecord.engagement_id == engagement.engagement_id)):
            row.state = PhaseState.DONE if row.phase is not Phase.MANAGEMENT else PhaseState.IN_PROGRESS
            audit.record(session, ours, "phase.passed", row, at=at)
        entry = TimeIn(phase=Phase.TRAINING, role="ml_engineer", day=at.date(), minutes=MINUTES, person_id=lead.id)
        log_time(session, lead, engagement.engagement_id, entry, when=When(at=at, zone="UTC"))
        for number, trained in enumerate(tokens, start=1):
            content = measured.training_run(
                number, cost="2.00", currency="EUR", is_candidate=number == 1, dataset=measured.digest("dataset")
            )
            data = EvidenceIn.model_validate(
                {
                    "external_id": f"run-{number}", "source": "own tools", "measured_at": at.isoformat(),
                    "phase": "management", "content": content | {"trained_tokens": trained},
                }
            )  # fmt: skip
            record_evidence(session, lead, engagement.engagement_id, data, at=at)
        row = session.get_one(Engagement, engagement.engagement_id)
        row.state = EngagementState.CLOSED
        audit.record(session, ours, "engagement.changed", row, at=at)


def read(house):
    with house.wiring.store.read() as session:
        return calibration_of(session, house.api().actor)


def test_an_engagement_under_way_says_nothing_yet(house, under_way):
    found = read(house)
    assert (found.calibration.engagements, found.unread) == (0, 0)


def test_a_closed_one_tells_its_hours_runs_and_tokens_and_suggests_nothing_alone(house, under_way):
    worked_and_closed(house, under_way, (2_000_000, 1_500_000))
    found = read(house).calibration
    assert found.engagements == 1
    told = {each.key: each.points[0].actual for each in found.measures if each.n}
    assert told["training.hours"] == MINUTES / 60
    assert told["training_runs"] == 2
    assert told["trained_tokens"] == 3_500_000
    assert [each.suggested for each in found.measures if each.n] == [None] * len(told)


def test_tokens_that_one_run_does_not_tell_are_unknown_and_not_nothing(house, under_way):
    worked_and_closed(house, under_way, (2_000_000, None))
    keys = {each.key for each in read(house).calibration.measures if each.n}
    assert "training_runs" in keys
    assert "trained_tokens" not in keys
