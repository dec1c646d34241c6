"""What comes in and goes out about the plan: phases, new dates, milestones, deliverables."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from engagements.core.schemas import In, Out, Text, absent
from engagements.delivery.lines import MilestoneStanding
from engagements.delivery.models import DeliverableState, MilestoneKind, PhaseState
from engagements.delivery.steps import Step
from estimator.brief.fields import Day, Name, Prose, refusal
from estimator.phases import Phase

_LINK_MAX: Final = 500


def _blank_is_nothing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _digest(value: str) -> str:
    text = value.strip().lower()
    if len(text) != 64 or any(char not in "0123456789abcdef" for char in text):
        raise refusal("digest.bad_format", "this is no sha256", "write its 64 hexadecimal digits")
    return text


def _link(value: str) -> str:
    text = value.strip()
    if not text.startswith(("https://", "http://", "s3://")) or any(char.isspace() or char < " " for char in text):
        raise refusal("link.bad_format", f"{text[:60]!r} is no address", "write it with https://")
    return text


MaybeDay = Annotated[Day | None, BeforeValidator(_blank_is_nothing)]
MaybePhase = Annotated[Phase | None, BeforeValidator(_blank_is_nothing)]
Digest = Annotated[str, AfterValidator(_digest)]
Link = Annotated[str, Field(max_length=_LINK_MAX), AfterValidator(_link)]


class StartIn(In):
    """`begun_on`: the day work began; today where it is left out."""

    begun_on: MaybeDay = None


class BlockIn(In):
    """`reason` is shown to the client. `since`: today where it is left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The ticket export is not there yet."}]})

    reason: Prose
    since: MaybeDay = None


class PhasePatch(In):
    """`owner_id`: somebody of the agency, or null for nobody."""

    owner_id: Annotated[str | None, Field(max_length=40), BeforeValidator(_blank_is_nothing)]


class PhaseOut(Out):
    """`agreed_*`: the baseline; `planned_*`: the plan as it is today. Days null: not planned, or not yet.

    `days_late`: working days by which its gate is, or will be, later than agreed, below 0 where it is earlier.
    `float_days`: working days from the gate as planned to the day agreed at four in five (P80); null once it has ended.
    `possible`: what can be done with it now.
    """

    id: str
    version: int
    engagement_id: str
    phase: Phase
    number: int
    name: str
    state: PhaseState
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
    possible: tuple[Step, ...]


class RescheduleIn(In):
    """New days of one phase, and why. What is left out keeps its length in working days; what follows moves along.

    `reason` is shown to the client. `by_client`: something was late that the client owes. With `dry_run` nothing is
    written, and no reason is needed. `version`: of the phase as it was read; another one is refused.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"phase": "training", "begin": "2027-02-01", "reason": "The machines come a week later."}]
        }
    )

    phase: Phase
    begin: MaybeDay = None
    work_end: MaybeDay = None
    gate: MaybeDay = None
    reason: Text = ""
    by_client: bool = False
    dry_run: Annotated[bool, Field(strict=True)] = False
    version: Annotated[int | None, Field(ge=1, le=10**9)] = None


class PhaseMoveOut(Out):
    """Days of one phase before and after."""

    phase: Phase
    begin: date
    work_end: date
    gate: date
    new_begin: date
    new_work_end: date
    new_gate: date


class AlongOut(Out):
    """A milestone or a deliverable that moved with its phase."""

    code: str
    name: str
    day: date
    new_day: date


class RescheduleOut(Out):
    """`change_id` null: only tried. `end`: the last gate planned."""

    change_id: str | None
    phases: list[PhaseMoveOut]
    along: list[AlongOut]
    end: date
    new_end: date
    agreed_end: date | None
    agreed_late_end: date | None
    float_days: int | None


class PlanChangeOut(Out):
    """`moves`: by phase, its days `begin`, `work_end` and `gate` as [before, after]; `along`: by code, the same."""

    id: str
    phase: Phase
    reason: str
    by_client: bool
    moves: dict[str, Any]
    along: dict[str, Any]
    created_by: str
    created_by_name: str
    created_at: datetime


class MilestoneIn(In):
    """A day of our own that counts, or one on which the client owes something. Payments come with the proposal."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "client_input", "name": "Access to the ticket archive", "planned_on": "2027-01-11"}]
        }
    )

    kind: Literal[MilestoneKind.CLIENT_INPUT, MilestoneKind.OTHER] = MilestoneKind.OTHER
    name: Name
    planned_on: Day
    phase: MaybePhase = None


class ReachIn(In):
    """`reached_on`: today where it is left out."""

    reached_on: MaybeDay = None


class MilestoneOut(Out):
    """`days_late`: working days after the day planned, once reached or past; null before. Amounts null: not shown."""

    id: str
    version: int
    engagement_id: str
    code: str
    kind: MilestoneKind
    name: str
    phase: Phase | None
    gate: int | None
    month: int | None
    agreed_on: date | None
    planned_on: date | None
    reached_on: date | None
    standing: MilestoneStanding
    days_late: int | None
    note: str
    net_minor: int | None
    gross_minor: int | None
    currency: str


class DeliverablePatch(In):
    """`link`, `sha256`: where the file lies and what it is. A new file for one that was returned is a new edition."""

    owner_id: Annotated[str | None, Field(max_length=40), BeforeValidator(_blank_is_nothing)] = absent()
    link: Link = absent()
    sha256: Digest = absent()


class DeliverableOut(Out):
    """What is not handed over yet has no `link` and `sha256` for clients. `late`: its day has passed undecided."""

    id: str
    version: int
    engagement_id: str
    phase: Phase
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
    state: DeliverableState
    edition: int
    link: str
    sha256: str
    submitted_at: datetime | None
    decided_at: datetime | None
    decided_by_name: str
    reason: str
    late: bool


class DeliverableAcceptIn(In):
    """`sha256`: of the file that is accepted, so that nobody accepts another. `reservations`: what is still to mend."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sha256": "0" * 64}]})

    sha256: Digest
    reservations: Text = ""


class DeliverableRejectIn(In):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Two of the named sources are missing."}]})

    reason: Prose


class DeliverableOnBehalfIn(In):
    """A client's decision that came another way. `evidence`: where it can be seen."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"verdict": "accepted", "name": "Ana Brandt", "evidence": "E-mail of 2027-02-03"}]
        }
    )

    verdict: Literal[DeliverableState.ACCEPTED, DeliverableState.ACCEPTED_WITH_RESERVATIONS, DeliverableState.REJECTED]
    name: Name
    evidence: Prose
    reason: Text = ""

    @model_validator(mode="after")
    def _says_why(self) -> "DeliverableOnBehalfIn":
        if self.verdict is not DeliverableState.ACCEPTED and not self.reason:
            raise refusal("field_missing", "no reason is given", "say what the client wants mended")
        return self


class DependencyOut(Out):
    """What a phase waits for before it begins. `by_client`: the client owes it. `met_on` null: it is not there yet."""

    phase: Phase
    what: str
    by_client: bool
    planned_on: date | None
    met_on: date | None
    days_late: int | None


class PlanOut(Out):
    """The whole plan of one engagement on a day. `baseline` null: nothing was agreed yet."""

    engagement_id: str
    today: date
    baseline: int | None
    agreed_end: date | None
    agreed_late_end: date | None
    planned_end: date | None
    days_late: int | None
    float_days: int | None
    phases: list[PhaseOut]
    milestones: list[MilestoneOut]
    deliverables: list[DeliverableOut]
    dependencies: list[DependencyOut]
    changes: list[PlanChangeOut]
