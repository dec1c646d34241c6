"""The plan of an engagement: phases that move on, days that move with a reason, milestones and deliverables."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypedDict, Unpack

from pydantic import AwareDatetime

from engagements.client.models import Answer, Versioned
from engagements.client.transport import Transport

Pair = list[date]
"""A day before and after."""


class Phase(Versioned):
    """`agreed_*`: what was signed; `planned_*`: the plan as it is today. `possible`: what can be done with it now.

    `days_late`: working days its gate is, or will be, later than agreed; `float_days`: working days that are left to
    the day agreed at four in five.
    """

    engagement_id: str
    phase: str
    number: int
    name: str
    state: str
    round: int
    owner_id: str | None
    owner_name: str
    owner_left: bool
    cosigned: bool
    agreed_begin: date | None
    agreed_work_end: date | None
    agreed_gate: date | None
    agreed_late_gate: date | None
    planned_begin: date | None
    planned_work_end: date | None
    planned_gate: date | None
    actual_begin: date | None
    actual_end: date | None
    blocked_reason: str
    blocked_since: date | None
    days_late: int | None
    float_days: int | None
    possible: list[str]


class PhaseMove(Answer):
    phase: str
    begin: date
    work_end: date
    gate: date
    new_begin: date
    new_work_end: date
    new_gate: date


class MovedAlong(Answer):
    """A milestone or a deliverable that moves with its phase."""

    code: str
    name: str
    day: date
    new_day: date


class Rescheduled(Answer):
    """`change_id` None: only tried."""

    change_id: str | None
    phases: list[PhaseMove]
    along: list[MovedAlong]
    end: date
    new_end: date
    agreed_end: date | None
    agreed_late_end: date | None
    float_days: int | None


class PlanChange(Answer):
    """`moves`: by phase, its days `begin`, `work_end` and `gate` before and after; `along`: the same by code."""

    id: str
    phase: str
    reason: str
    by_client: bool
    moves: dict[str, dict[str, Pair]]
    along: dict[str, Pair]
    created_by: str
    created_by_name: str
    created_at: AwareDatetime


class Milestone(Versioned):
    """`standing`: reached, late or due. Amounts None: not shown to this key."""

    engagement_id: str
    code: str
    kind: str
    name: str
    phase: str | None
    gate: int | None
    month: int | None
    agreed_on: date | None
    planned_on: date | None
    reached_on: date | None
    standing: str
    days_late: int | None
    note: str
    net_minor: int | None
    gross_minor: int | None
    currency: str


class Deliverable(Versioned):
    """`state`: draft, internal_review, submitted, accepted, accepted_with_reservations or rejected."""

    engagement_id: str
    phase: str
    code: str
    name: str
    format: str
    acceptance: str
    reviewer: str
    agreed_due: date | None
    due: date | None
    owner_id: str | None
    owner_name: str
    owner_left: bool
    state: str
    edition: int
    link: str
    sha256: str
    submitted_at: AwareDatetime | None
    decided_at: AwareDatetime | None
    decided_by_name: str
    reason: str
    late: bool


class Dependency(Answer):
    """What a phase waits for before it begins; `met_on` None: it is not there yet."""

    phase: str
    what: str
    by_client: bool
    planned_on: date | None
    met_on: date | None
    days_late: int | None


class Plan(Answer):
    """`baseline` None: nothing was agreed yet."""

    engagement_id: str
    today: date
    baseline: int | None
    agreed_end: date | None
    agreed_late_end: date | None
    planned_end: date | None
    days_late: int | None
    float_days: int | None
    phases: list[Phase]
    milestones: list[Milestone]
    deliverables: list[Deliverable]
    dependencies: list[Dependency]
    changes: list[PlanChange]


class NewDays(TypedDict, total=False):
    """What is left out keeps its length in working days."""

    begin: date
    work_end: date
    gate: date


class Plans:
    """The plan of an engagement. `phase`: data_preparation, baseline_evaluation, training, evaluation, deployment or
    management."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def get(self, engagement_id: str) -> Plan:
        return self._calls.get(Plan, "/api/v1/engagements/{}/plan", engagement_id)

    def csv(self, engagement_id: str) -> bytes:
        return self._calls.get_bytes("/api/v1/engagements/{}/plan.csv", engagement_id)

    def phases(self, engagement_id: str) -> Sequence[Phase]:
        return list(self._calls.pages(Phase, "/api/v1/engagements/{}/phases", engagement_id))

    def set_owner(self, phase: Phase, owner_id: str | None) -> Phase:
        """None: nobody. Raises `Invalid` for who is not, or no longer, of the agency."""
        fields = {"owner_id": owner_id}
        return self._calls.patch(Phase, "/api/v1/phases/{}", phase.id, etag=phase.etag, fields=fields)

    def start(self, engagement_id: str, phase: str, *, begun_on: date | None = None) -> Phase:
        """Raises `Conflict` for a phase whose turn it is not."""
        return self._calls.post(
            Phase, "/api/v1/engagements/{}/phases/{}/start", engagement_id, phase, fields=_days(begun_on=begun_on)
        )

    def block(self, engagement_id: str, phase: str, reason: str, *, since: date | None = None) -> Phase:
        """`reason` is shown to the client."""
        return self._calls.post(
            Phase,
            "/api/v1/engagements/{}/phases/{}/block",
            engagement_id,
            phase,
            fields={"reason": reason, **_days(since=since)},
        )

    def unblock(self, engagement_id: str, phase: str) -> Phase:
        return self._calls.post(Phase, "/api/v1/engagements/{}/phases/{}/unblock", engagement_id, phase)

    def hand_in(self, engagement_id: str, phase: str) -> Phase:
        """For its gate."""
        return self._calls.post(Phase, "/api/v1/engagements/{}/phases/{}/review", engagement_id, phase)

    def take_back(self, engagement_id: str, phase: str) -> Phase:
        """From its gate, to go on working."""
        return self._calls.post(Phase, "/api/v1/engagements/{}/phases/{}/resume", engagement_id, phase)

    def try_days(self, engagement_id: str, phase: str, **days: Unpack[NewDays]) -> Rescheduled:
        """What would move; nothing is written. Raises `Invalid` with everything that is wrong with the days."""
        return self._reschedule(engagement_id, {"phase": phase, **_days(**days), "dry_run": True})

    def reschedule(
        self, engagement_id: str, phase: str, reason: str, *, by_client: bool = False, **days: Unpack[NewDays]
    ) -> Rescheduled:
        """What follows moves along. `reason` is shown to the client; `by_client`: the client owed something late."""
        return self._reschedule(
            engagement_id, {"phase": phase, **_days(**days), "reason": reason, "by_client": by_client}
        )

    def _reschedule(self, engagement_id: str, fields: Mapping[str, object]) -> Rescheduled:
        return self._calls.post(Rescheduled, "/api/v1/engagements/{}/plan/reschedule", engagement_id, fields=fields)


class Milestones:
    """Payments are reached by gates and months; the others are marked."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Sequence[Milestone]:
        return [*self._calls.pages(Milestone, "/api/v1/engagements/{}/milestones", engagement_id)]

    def add(
        self, engagement_id: str, name: str, planned_on: date, *, kind: str = "other", phase: str | None = None
    ) -> Milestone:
        """`kind`: client_input for what the client owes, or other."""
        fields = {"name": name, "planned_on": planned_on.isoformat(), "kind": kind, "phase": phase}
        return self._calls.post(Milestone, "/api/v1/engagements/{}/milestones", engagement_id, fields=fields)

    def reach(self, milestone_id: str, *, reached_on: date | None = None) -> Milestone:
        """Raises `Conflict` for a payment, and for what is reached already."""
        return self._calls.post(
            Milestone, "/api/v1/milestones/{}/reach", milestone_id, fields=_days(reached_on=reached_on)
        )


class DeliverableFields(TypedDict, total=False):
    """`link` and `sha256`: where the file lies and what it is."""

    owner_id: str | None
    link: str
    sha256: str


class Deliverables:
    """What is handed over; the client decides over the bytes that `sha256` names."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Sequence[Deliverable]:
        return [*self._calls.pages(Deliverable, "/api/v1/engagements/{}/deliverables", engagement_id)]

    def change(self, deliverable: Deliverable, **fields: Unpack[DeliverableFields]) -> Deliverable:
        """Raises `Frozen` once it is accepted."""
        return self._calls.patch(
            Deliverable, "/api/v1/deliverables/{}", deliverable.id, etag=deliverable.etag, fields=dict(fields)
        )

    def hand_in(self, deliverable_id: str) -> Deliverable:
        """For a second person, who submits it."""
        return self._calls.post(Deliverable, "/api/v1/deliverables/{}/review", deliverable_id)

    def submit(self, deliverable_id: str) -> Deliverable:
        """To the client. Raises `Forbidden` for whoever handed it in."""
        return self._calls.post(Deliverable, "/api/v1/deliverables/{}/submit", deliverable_id)

    def accept(self, deliverable: Deliverable, *, reservations: str = "") -> Deliverable:
        """As the client's approver, the very file that `deliverable` names."""
        fields = {"sha256": deliverable.sha256, "reservations": reservations}
        return self._calls.post(Deliverable, "/api/v1/deliverables/{}/accept", deliverable.id, fields=fields)

    def reject(self, deliverable_id: str, reason: str) -> Deliverable:
        fields = {"reason": reason}
        return self._calls.post(Deliverable, "/api/v1/deliverables/{}/reject", deliverable_id, fields=fields)

    def decided_elsewhere(
        self, deliverable_id: str, verdict: str, *, name: str, evidence: str, reason: str = ""
    ) -> Deliverable:
        """Record, as the agency, what the client decided elsewhere; `evidence` says where that can be seen."""
        fields = {"verdict": verdict, "name": name, "evidence": evidence, "reason": reason}
        return self._calls.post(Deliverable, "/api/v1/deliverables/{}/on-behalf", deliverable_id, fields=fields)


def _days(**days: date | None) -> Mapping[str, str]:
    return {name: day.isoformat() for name, day in days.items() if day is not None}
