"""What a status report is written from: plain facts of one engagement on one day, as its client may see them.

Kept with each report that is issued, so that the next one says what moved. Nothing of our cost, margin, rates or hours
has a field here: what is not among the facts cannot reach the page. Money is what the client pays; shares are from 0
to 1; None is unknown. A field added later carries a default, so that facts kept before still read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from engagements.changes.models import ChangeState
from engagements.delivery.gate_models import GateState, Verdict
from engagements.delivery.health import Health
from engagements.delivery.models import DeliverableState, MilestoneKind, PhaseState, RaidKind, RaidState
from engagements.proposals.thawed import thaw
from estimator.money import Money
from estimator.plain import plain

ACCEPTED: Final = frozenset({DeliverableState.ACCEPTED, DeliverableState.ACCEPTED_WITH_RESERVATIONS})


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFact:
    """`agreed_*`: of the baseline that holds; `late_gate`: the day agreed four times in five; `planned_*`: as of today.

    `days_late`: working days by which the gate was passed, or is planned now, after the day agreed; less than 0 is
    early.
    """

    number: int
    name: str
    state: PhaseState
    round: int
    owner: str
    cosigned: bool
    agreed_begin: date | None
    agreed_gate: date | None
    late_gate: date | None
    planned_begin: date | None
    planned_work_end: date | None
    planned_gate: date | None
    actual_begin: date | None
    actual_end: date | None
    days_late: int | None
    blocked_reason: str
    blocked_since: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overruled:
    """A must-meet requirement that was not met, and passed by an override."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFact:
    """One sitting of a gate. `evidence`: ids of what its findings stand on."""

    id: str
    phase: int
    round: int
    sitting: int
    verdict: Verdict
    state: GateState
    day: date
    decided_by: str
    reason: str
    overruled: tuple[Overruled, ...]
    override_reason: str
    review_on: date | None
    cosigned_by: str
    cosigned_on: date | None
    cosign_reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockerFact:
    """What stands between the current phase and its gate."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionFact:
    id: str
    phase: int
    text: str
    owner: str
    with_client: bool
    due: date
    met_on: date | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverableFact:
    code: str
    phase: int
    name: str
    state: DeliverableState
    edition: int
    reviewer: str
    due: date | None
    submitted_on: date | None
    decided_on: date | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionFact:
    """`outcome`: pass, fail, inconclusive, or empty before anything was measured. `said`: the number with its interval
    and its items; `remedy`: what would settle it; `evidence`: ids of what it stands on."""

    code: str
    tier: str
    metric: str
    operator: str
    threshold: Decimal
    items: int
    outcome: str
    said: str
    remedy: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact:
    """A change that was sent to the client. `net`: what it adds to the price; `days`: working days on the end."""

    number: int
    title: str
    reason: str
    state: ChangeState
    net: Money | None
    days: int | None
    sent_on: date | None
    decided_on: date | None
    signer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFact:
    """Net prices, kept apart: what was agreed first, what agreed changes add, what sent ones would add."""

    original: Money
    approved: Money
    pending: Money
    pending_unknown: int

    @property
    def now(self) -> Money:
        return self.original + self.approved


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFact:
    """A risk, an assumption, an issue or a decision that the client sees."""

    code: str
    kind: RaidKind
    title: str
    state: RaidState
    probability: str
    impact: str
    response: str
    owner: str
    due: date | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneFact:
    code: str
    kind: MilestoneKind
    name: str
    phase: int | None
    agreed_on: date | None
    planned_on: date | None
    reached_on: date | None
    net: Money | None
    month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFact:
    """`measured_at` as the clock of the agency showed it, with its offset: 2027-01-12 14:05 +0100."""

    id: str
    kind: str
    phase: int
    name: str
    source: str
    sha256: str
    measured_at: str
    superseded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMove:
    """Why dates were moved, on a day."""

    day: date
    phase: int
    reason: str
    by_client: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    day: date
    baseline: int
    agreement: str
    agreed_on: date
    health: Health
    reasons: tuple[str, ...]
    phases: tuple[PhaseFact, ...]
    gates: tuple[GateFact, ...]
    blockers: tuple[BlockerFact, ...]
    conditions: tuple[ConditionFact, ...]
    deliverables: tuple[DeliverableFact, ...]
    criteria: tuple[CriterionFact, ...]
    changes: tuple[ChangeFact, ...]
    price: PriceFact | None
    register: tuple[RegisterFact, ...]
    milestones: tuple[MilestoneFact, ...]
    evidence: tuple[EvidenceFact, ...]
    plan_moves: tuple[PlanMove, ...]
    holidays: tuple[date, ...] = field(default=())

    @classmethod
    def kept(cls, data: Mapping[str, Any]) -> "Facts":
        """From `StatusReport.facts`."""
        return thaw(cls, data)

    def to_keep(self) -> dict[str, Any]:
        """What `kept` reads."""
        data = plain(self)
        assert isinstance(data, dict)
        return data

    @property
    def current(self) -> PhaseFact | None:
        """The phase under way; None when all are done or stopped."""
        ended = {PhaseState.PLANNED, PhaseState.DONE, PhaseState.STOPPED}
        return next((phase for phase in self.phases if phase.state not in ended), None)
