"""What comes in and goes out about gates, evidence and criteria."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from engagements.core.schemas import In, Out, Text
from engagements.delivery.gate_models import EvidenceKind, GateState, Verdict
from engagements.delivery.models import PhaseState
from engagements.evals.verdicts import Outcome
from engagements.phases.requirements import Status
from estimator.brief.fields import Day, Name, Prose
from estimator.phases import Phase


def _blank_is_nothing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


MaybeDay = Annotated[Day | None, BeforeValidator(_blank_is_nothing)]
MaybeId = Annotated[str | None, Field(max_length=40), BeforeValidator(_blank_is_nothing)]


class ConditionIn(In):
    """What has to be met before the next gate, by whom and by when. `owner_id`: somebody of the agency."""

    text: Prose
    due: Day
    owner_id: MaybeId = None


class DecideIn(In):
    """The verdict of a sitting. `reason` and `override_reason` are read by the client.

    `overridden`: codes of requirements that are not met and that somebody who may answers for. `sitting`: which one
    this is, as it was read; another decision in between is then refused.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"verdict": "recycle", "reason": "The labels disagree; label anew."}]}
    )

    verdict: Verdict
    reason: Text = ""
    overridden: Annotated[tuple[Annotated[str, Field(max_length=60)], ...], Field(max_length=100)] = ()
    override_reason: Text = ""
    conditions: Annotated[tuple[ConditionIn, ...], Field(max_length=20)] = ()
    review_on: MaybeDay = None
    sitting: Annotated[int | None, Field(ge=1, le=10**6)] = None


class SignIn(In):
    """`agree`: yes, I sign this gate for my company."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"agree": True}]})

    agree: Literal[True]


class RefuseIn(In):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Tariff questions are not covered."}]})

    reason: Prose


class GateOnBehalfIn(In):
    """What the client's approver decided another way. `evidence`: where it can be seen. `reason` of a refusal."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"signed": True, "name": "Ana Brandt", "evidence": "Her e-mail of 20 November, filed as 0412."}
            ]
        }
    )

    signed: Annotated[bool, Field(strict=True)]
    name: Name
    evidence: Prose
    reason: Text = ""


class MeetIn(In):
    """`note`: how it was met."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "The checklist is closed, see D1."}]})

    note: Prose


class MarkIn(In):
    """That an item of the checklist was seen to, or does not apply; then `note` says why."""

    done: Annotated[bool, Field(strict=True)] = True
    applies: Annotated[bool, Field(strict=True)] = True
    note: Text = ""


class RequirementOut(Out):
    """See `phases.requirements`. `inside` is empty for a client's people."""

    code: str
    title: str
    status: Status
    must: bool
    said: str
    inside: str
    remedy: str
    evidence: tuple[str, ...]
    overridden: bool


class BlockerOut(Out):
    """`code`: of the requirement and its status, such as `leakage.failed`."""

    code: str
    requirement: str
    message: str
    remedy: str


class ConditionOut(Out):
    """`met_at` null: still open. `owner_id` is null for a client's people."""

    id: str
    version: int
    engagement_id: str
    gate_id: str
    phase: Phase
    text: str
    owner_id: str | None
    owner_name: str
    due: date
    met_at: datetime | None
    note: str


class SittingOut(Out):
    """One decision about a gate, with what was found then."""

    id: str
    version: int
    engagement_id: str
    phase: Phase
    round: int
    sitting: int
    verdict: Verdict
    state: GateState
    reason: str
    findings: list[RequirementOut]
    overridden: list[str]
    override_reason: str
    review_on: date | None
    decided_by_name: str
    at: datetime
    cosigned_at: datetime | None
    cosigned_by_name: str
    cosign_evidence: str
    cosign_reason: str


class ChecklistItemOut(Out):
    """`done` false and `by_name` empty: nobody marked it. A mark opens no gate."""

    key: str
    text: str
    done: bool
    applies: bool
    note: str
    by_name: str
    at: datetime | None


class GateOut(Out):
    """One gate: what it asks for now, or what was found when it was decided for good.

    `next_sitting`: the number that the next decision has. `awaiting`: the id of the decision that waits for the
    client's signature. `checklist` is empty for a client's people.
    """

    engagement_id: str
    phase: Phase
    number: int
    label: str
    name: str
    state: PhaseState
    round: int
    cosigned: bool
    planned_gate: date | None
    actual_begin: date | None
    actual_end: date | None
    requirements: list[RequirementOut]
    blockers: list[BlockerOut]
    conditions: list[ConditionOut]
    sittings: list[SittingOut]
    checklist: list[ChecklistItemOut]
    next_sitting: int
    awaiting: str | None


class EvidenceOut(Out):
    """`sha256`: of the content as it was recorded; a client's people see it without costs."""

    id: str
    version: int
    engagement_id: str
    phase: Phase
    round: int
    kind: EvidenceKind
    external_id: str
    content: Mapping[str, Any]
    sha256: str
    source: str
    measured_at: datetime
    supersedes: str | None
    superseded_by: str | None
    recorded_by: str | None
    created_at: datetime


class CriterionOut(Out):
    """A criterion and its verdict on the candidate, as evidence stands now. `outcome` null: not measured yet."""

    id: str
    code: str
    tier: str
    metric: str
    set_name: str
    set_digest: str
    operator: str
    threshold: str
    items: int
    rule: str
    baseline: str | None
    paired: bool
    outcome: Outcome | None
    said: str
    remedy: str
    evidence: tuple[str, ...]


class CriteriaOut(Out):
    criteria: list[CriterionOut]


class GatesOut(Out):
    """In the order of the phases; empty before anything was agreed."""

    gates: list[GateOut]


class SampleSizeOut(Out):
    """See `evals.samples`; null where nobody can say."""

    baseline: float
    target: float | None
    items: int | None
    needed: int | None
    gain: float | None
    low: float | None
    high: float | None
    unseen_max: float | None
