"""Random actions of several people on one engagement: whatever they try, its gates stay true."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlmodel import col, select

from engagements.core.audit import verify
from engagements.core.errors import EngagementError
from engagements.core.models import AuditHead, Engagement, EngagementState
from engagements.core.roles import Actor, ActorKind, Role
from engagements.delivery import phases as steps
from engagements.delivery.evidence import EvidenceIn
from engagements.delivery.gate_models import GateCondition, GateDecision, GateState, Verdict
from engagements.delivery.models import CURRENT, Baseline, Criterion, PhaseRecord, PhaseState
from engagements.delivery.recording import record_evidence
from engagements.delivery.schemas import BlockIn, StartIn
from engagements.phases import cosigning, deciding, upkeep
from engagements.phases.schemas import DecideIn, MarkIn, MeetIn, RefuseIn
from engagements.tables import RECORDS
from estimator.phases import Phase

TODAY = date(2026, 11, 23)
NO = RefuseIn(reason="not yet")
PHASES = st.sampled_from(Phase)
VERDICTS = st.sampled_from(
    [*([Verdict.GO] * 6), Verdict.GO_WITH_CONDITIONS, Verdict.HOLD, Verdict.RECYCLE, Verdict.STOP]
)


class Delivery(RuleBasedStateMachine):
    def __init__(self, house, engagement, samples):
        super().__init__()
        self.store, self.engagement, self.samples = house.wiring.store, engagement, samples
        self.at, self.count, self.refused = house.clock.now(), 0, 0
        self.leads = [self.actor(role) for role in (Role.ACCOUNT_LEAD, Role.DELIVERY_LEAD)]
        self.approver = self.actor(Role.CLIENT_APPROVER, engagement.client_id)
        self.agreed = self.baselines()

    def actor(self, role, client_id=None):
        return Actor(
            kind=ActorKind.USER, id=f"usr_{role}", name=role.label, organisation_id=self.engagement.organisation_id,
            role=role, client_id=client_id,
        )  # fmt: skip

    def attempt(self, effect):
        """Done whole, or refused with nothing changed."""
        before = self.trail()
        try:
            with self.store.write() as session:
                effect(session)
        except EngagementError:
            self.refused += 1
        else:
            before = self.trail()
        assert self.trail() == before

    def trail(self):
        with self.store.read() as session:
            return session.get_one(AuditHead, self.engagement.organisation_id).seq

    def baselines(self):
        with self.store.read() as session:
            mine = Baseline.engagement_id == self.engagement.engagement_id
            return [(row.id, row.version, row.plan) for row in session.exec(select(Baseline).where(mine))]

    def rows(self, session, kind):
        return session.exec(select(kind).where(col(kind.engagement_id) == self.engagement.engagement_id)).all()

    def current(self):
        with self.store.read() as session:
            found = [row.phase for row in self.rows(session, PhaseRecord) if row.state in CURRENT]
        return found[0] if found else None

    @initialize(passed=st.integers(0, 5))
    def begin_somewhere(self, passed):
        for _ in range(passed):
            self.start_and_measure(passes=True)

    @rule(passes=st.booleans())
    def start_and_measure(self, passes):
        phase = self.current()
        if phase is None:
            return
        lead, home = self.leads[0], self.engagement.engagement_id
        self.attempt(lambda s: steps.start(s, lead, home, phase, StartIn(), at=self.at, today=TODAY))
        for content in self.samples.GOOD[phase]:
            self.count += 1
            data = EvidenceIn.model_validate(self.samples.posted(content, f"e{self.count}"))
            self.attempt(lambda s, data=data: record_evidence(s, lead, home, data, at=self.at))
        if passes:
            go = DecideIn(verdict=Verdict.GO)
            self.attempt(lambda s: deciding.decide(s, lead, home, phase, go, at=self.at, today=TODAY))
            self.answer(signs=True)

    @rule(phase=PHASES)
    def record_something(self, phase):
        self.count += 1
        data = EvidenceIn.model_validate(
            self.samples.posted(self.samples.GOOD[phase][0], f"e{self.count}", phase=phase)
        )
        home = self.engagement.engagement_id
        self.attempt(lambda s: record_evidence(s, self.leads[1], home, data, at=self.at))

    @rule(phase=PHASES, verdict=VERDICTS, lead=st.integers(0, 1), overrule=st.booleans(), here=st.integers(0, 4))
    def decide(self, phase, verdict, lead, overrule, here):
        actor, home = self.leads[lead], self.engagement.engagement_id
        phase = (self.current() or phase) if here else phase
        with self.store.read() as session:
            blocked = [each.requirement for each in deciding.current_blockers(session, home, at=self.at)]
        passes = verdict in deciding.PASSES
        conditions = [{"text": "Soon", "due": TODAY.isoformat()}] if verdict is Verdict.GO_WITH_CONDITIONS else []
        data = DecideIn.model_validate(
            {
                "verdict": verdict, "reason": "as it is", "conditions": conditions, "override_reason": "we know",
                "overridden": blocked if overrule and passes else [],
                "review_on": TODAY + timedelta(days=7) if verdict is Verdict.HOLD else None,
            }
        )  # fmt: skip
        self.attempt(lambda s: deciding.decide(s, actor, home, phase, data, at=self.at, today=TODAY))

    @rule(signs=st.booleans())
    def answer(self, signs):
        with self.store.read() as session:
            decided = {row.id: row.state for row in self.rows(session, GateDecision)}
        gates = [gate for gate, state in decided.items() if state is GateState.AWAITING_CLIENT] or [*decided][:1]
        for gate in gates:
            if signs:
                self.attempt(lambda s, gate=gate: cosigning.sign(s, self.approver, gate, at=self.at, today=TODAY))
            else:
                self.attempt(lambda s, gate=gate: cosigning.refuse(s, self.approver, gate, NO, at=self.at))

    @rule(which=st.sampled_from(["block", "unblock", "take_back", "meet", "mark"]))
    def do_something_else(self, which):
        phase, home, lead = self.current() or Phase.TRAINING, self.engagement.engagement_id, self.leads[0]
        match which:
            case "block":
                why = BlockIn(reason="no access")
                self.attempt(lambda s: steps.block(s, lead, home, phase, why, at=self.at, today=TODAY))
            case "unblock":
                self.attempt(lambda s: steps.unblock(s, lead, home, phase, at=self.at))
            case "take_back":
                self.attempt(lambda s: steps.take_back(s, lead, home, phase, at=self.at))
            case "meet":
                with self.store.read() as session:
                    open_ones = [row.id for row in self.rows(session, GateCondition)]
                for each in open_ones:
                    how = MeetIn(note="done")
                    self.attempt(lambda s, each=each, how=how: upkeep.meet_condition(s, lead, each, how, at=self.at))
            case "mark":
                self.attempt(lambda s: upkeep.mark_item(s, lead, home, phase, "coverage", MarkIn(), at=self.at))

    @invariant()
    def at_most_one_phase_is_current_and_those_before_it_are_done(self):
        with self.store.read() as session:
            rows = sorted(self.rows(session, PhaseRecord), key=lambda row: row.phase.number)
            state = session.get_one(Engagement, self.engagement.engagement_id).state
            states = [row.state for row in rows]
        running = [place for place, each in enumerate(states) if each in CURRENT]
        assert len(running) == (1 if state is EngagementState.ACTIVE else 0)
        if running:
            assert set(states[: running[0]]) <= {PhaseState.DONE}
            assert set(states[running[0] + 1 :]) <= {PhaseState.PLANNED}

    @invariant()
    def what_passed_was_met_or_overruled_and_signed_where_it_has_to_be(self):
        with self.store.read() as session:
            phases = {row.phase: row for row in self.rows(session, PhaseRecord)}
            decided = list(self.rows(session, GateDecision))
            bound = {row.set_digest for row in self.rows(session, Criterion)}
            for row in decided:
                if row.verdict in deciding.PASSES:
                    open_ones = {each["code"] for each in row.findings if each["must"] and each["status"] != "met"}
                    assert open_ones <= set(row.overridden)
                    assert bool(row.overridden) == bool(row.override_reason)
            for phase, row in phases.items():
                passed = [
                    each
                    for each in decided
                    if each.phase is phase and each.verdict in deciding.PASSES and each.state is GateState.FINAL
                ]
                assert len(passed) == (1 if row.state is PhaseState.DONE else 0) or phase is Phase.MANAGEMENT
                assert all(bool(each.cosigned_by) == row.cosigned for each in passed)
            assert len(bound) == 1

    def teardown(self):
        assert self.baselines() == self.agreed


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_people_try_the_gates_stay_true(house, begin, samples):
    run_state_machine_as_test(
        lambda: Delivery(house, begin(), samples),
        settings=settings(
            max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True, database=None,
        ),
    )  # fmt: skip
    with house.wiring.store.read() as session:
        assert list(verify(session, house.organisation_id, RECORDS)) == []
        reached = session.exec(select(GateDecision.phase).where(GateDecision.state == GateState.FINAL)).all()
        assert len(set(reached)) >= 4, "random actions that come nowhere show nothing"
