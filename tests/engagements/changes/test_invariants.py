"""Whatever people do to changes, in whatever order: versions stay as they were made, and sums equal their parts."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlmodel import Session, col, select

from engagements.changes import assessing, deciding, drafting
from engagements.changes.models import ChangeRequest, ChangeState
from engagements.changes.quoted import agreed_money
from engagements.changes.schemas import AgreeIn, AsksIn, ChangeIn, DeclineIn, ExtraLine
from engagements.changes.value import value_of
from engagements.core import audit
from engagements.core.errors import EngagementError
from engagements.core.models import AuditHead
from engagements.core.roles import Actor, system_actor
from engagements.db.store import Store
from engagements.delivery.models import Baseline
from engagements.delivery.opening import phases_of
from engagements.proposals.schemas import ReasonIn
from engagements.tables import RECORDS
from estimator.phases import Phase
from estimator.prices import PriceBook

AT, TODAY = datetime(2026, 11, 23, 9, tzinfo=UTC), date(2026, 11, 23)
PRICES = PriceBook.load()
DECIDED = {ChangeState.AGREED, ChangeState.DECLINED, ChangeState.WITHDRAWN}
_NUMBERS = count()
CHOSEN = st.integers(0, 5)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What each run begins from."""

    database: Path
    folder: Path
    organisation_id: str
    engagement_id: str


class Changes(RuleBasedStateMachine):
    """Random steps, each run on its own copy of one engagement under way."""

    origin: ClassVar[Origin]

    @initialize()
    def copy(self) -> None:
        own = self.origin.folder / f"{next(_NUMBERS)}.db"
        shutil.copy(self.origin.database, own)
        self.store = Store(f"sqlite:///{own}")
        self.author = system_actor(self.origin.organisation_id)
        self.second = Actor(
            kind=self.author.kind, id="second", name="Second", organisation_id=self.origin.organisation_id
        )
        self.versions: dict[int, tuple[object, object]] = {}
        self.decided: dict[str, ChangeState] = {}

    def teardown(self) -> None:
        with self.store.read() as session:
            assert list(audit.verify(session, self.origin.organisation_id, RECORDS)) == []
        self.store.close()

    @rule(net=st.integers(-90_000, 90_000), days=st.integers(-3, 6), phase=st.sampled_from(list(Phase)[:5]))
    def draft(self, net: int, days: int, phase: Phase) -> None:
        line = ExtraLine(label="Work", phase=phase, hours={"ml_engineer": 4.0}, net_minor=net)
        data = ChangeIn(title="Work", reason="It came up.", asks=AsksIn(lines=[line], days={phase: days}))
        with self.store.write() as session:
            drafting.draft(session, self.author, self.origin.engagement_id, data, at=AT)

    @rule(number=CHOSEN)
    def assess(self, number: int) -> None:
        def step(change_id: str) -> None:
            made = assessing.prepare(self.store, self.author, change_id, PRICES, today=TODAY)
            with self.store.write() as session:
                assessing.assess(session, self.author, change_id, made, at=AT)

        self.tried(number, step)

    @rule(number=CHOSEN)
    def approve(self, number: int) -> None:
        self.written(number, lambda s, change: deciding.approve(s, self.second, change, at=AT))

    @rule(number=CHOSEN)
    def send(self, number: int) -> None:
        self.written(number, lambda s, change: deciding.send(s, self.author, change, at=AT))

    @rule(number=CHOSEN)
    def agree(self, number: int) -> None:
        def step(session: Session, change_id: str) -> None:
            change = session.get_one(ChangeRequest, change_id)
            state, digest = change.state, change.sha256 or "0" * 64
            data = AgreeIn(name="Ana", email="ana@example.com", sha256=digest, agree=True)
            deciding.agree(session, self.author, change_id, data, at=AT, today=TODAY)
            assert state is ChangeState.SENT

        self.written(number, step)

    @rule(number=CHOSEN)
    def decline(self, number: int) -> None:
        data = DeclineIn(name="Ana", email="ana@example.com", reason="No.")
        self.written(number, lambda s, change: deciding.decline(s, self.author, change, data, at=AT))

    @rule(number=CHOSEN)
    def withdraw(self, number: int) -> None:
        self.written(number, lambda s, change: drafting.withdraw(s, self.author, change, ReasonIn(reason="No."), at=AT))

    @rule(number=CHOSEN)
    def hurry(self, number: int) -> None:
        """All the way to the client's agreement, as far as the state lets it."""
        for step in (self.assess, self.approve, self.send, self.agree):
            step(number)

    def written(self, number: int, step: Callable[[Session, str], object]) -> None:
        def write(change_id: str) -> None:
            with self.store.write() as session:
                step(session, change_id)

        self.tried(number, write)

    def tried(self, number: int, step: Callable[[str], None]) -> None:
        """A refusal says which and how to mend it, and changes nothing."""
        with self.store.read() as session:
            ids = list(session.exec(select(ChangeRequest.id).order_by(col(ChangeRequest.number))))
            before = audit_length(session)
        if not ids:
            return
        refused = _refusal(lambda: step(ids[number % len(ids)]))
        if refused is not None:
            assert (refused.status, bool(refused.remedy)) in {(409, True), (423, True)}
            with self.store.read() as session:
                assert audit_length(session) == before

    @invariant()
    def a_baseline_is_never_edited(self) -> None:
        with self.store.read() as session:
            for row in session.exec(select(Baseline)):
                seen = self.versions.setdefault(row.number, (row.plan, row.budget))
                assert (row.plan, row.budget) == seen
                assert row.version == 1
            assert sorted(self.versions) == list(range(1, len(self.versions) + 1))

    @invariant()
    def sums_equal_their_parts(self) -> None:
        with self.store.read() as session:
            value = value_of(session, self.origin.engagement_id)
            latest = max(session.exec(select(Baseline)), key=lambda row: row.number)
            changes = session.exec(select(ChangeRequest)).all()
            assert value is not None
            assert value.agreed == agreed_money(latest.plan, "net").minor
            agreed = [each for each in changes if each.state is ChangeState.AGREED]
            assert value.approved == sum(each.net_minor or 0 for each in agreed)
            assert latest.number == 1 + len(agreed)
            assert {each.baseline_id for each in agreed} == {
                row.id for row in session.exec(select(Baseline)) if row.change_id
            }

    @invariant()
    def what_is_decided_stays_so(self) -> None:
        with self.store.read() as session:
            for change in session.exec(select(ChangeRequest)):
                if change.id in self.decided:
                    assert change.state is self.decided[change.id]
                if change.state in DECIDED:
                    self.decided[change.id] = change.state

    @invariant()
    def gates_keep_their_order(self) -> None:
        with self.store.read() as session:
            gates = [row.planned_gate for row in phases_of(session, self.origin.engagement_id) if row.planned_gate]
            assert gates == sorted(gates)


def audit_length(session: Session) -> int:
    return sum(head.seq for head in session.exec(select(AuditHead)))


def _refusal(step: Callable[[], None]) -> EngagementError | None:
    try:
        step()
    except EngagementError as error:
        return error
    return None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_order_of_steps_breaks_what_must_hold(house, under_way, tmp_path):
    (folder := tmp_path / "copies").mkdir()
    origin = Origin(
        database=tmp_path / "sixfold.db", folder=folder, organisation_id=house.organisation_id,
        engagement_id=under_way.engagement_id,
    )  # fmt: skip
    house.wiring.store.close()
    machine = type("Run", (Changes,), {"origin": origin})
    run_state_machine_as_test(machine, settings=settings(max_examples=12, stateful_step_count=10, deadline=None))
