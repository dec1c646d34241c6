"""What comes in and goes out about change requests, and about baselines and their value."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from engagements.changes.models import ChangeState
from engagements.core.schemas import Email, In, Line, Out, absent
from engagements.proposals.schemas import Agreed
from estimator.brief.fields import Name, Prose
from estimator.phases import Phase

_MINOR_MAX = 10**12
Minor = Annotated[int, Field(ge=-_MINOR_MAX, le=_MINOR_MAX, strict=True)]
Hours = Annotated[float, Field(ge=-10_000, le=10_000, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=-500, le=500, strict=True)]
Role = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


class ExtraLine(In):
    """Work that the brief does not speak of. Below 0 it is less of something.

    `hours` by role and `cost_minor` are what it costs us; without `net_minor` the price is that cost with the margin.
    """

    label: Name
    phase: Phase
    hours: dict[Role, Hours] = Field(default={})
    cost_minor: Minor = 0
    net_minor: Minor | None = None


class ExtraCriterion(In):
    tier: Literal["must", "should", "stretch"]
    metric: Name
    threshold_percent: Annotated[float, Field(ge=0, le=100)]
    items: Annotated[int, Field(ge=1, le=10**6, strict=True)]
    operator: Literal["at_least", "at_most"] = "at_least"


class AsksIn(In):
    """What is to be different. `brief`: values of the brief by path; `days`: working days by phase beside those."""

    brief: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,100}$")], Any], Field(max_length=50)] = Field(
        default={}
    )
    lines: Annotated[list[ExtraLine], Field(max_length=50)] = Field(default=[])
    days: dict[Phase, Days] = Field(default={})
    criteria: Annotated[list[ExtraCriterion], Field(max_length=20)] = Field(default=[])

    @property
    def is_empty(self) -> bool:
        return not (self.brief or self.lines or self.criteria or any(self.days.values()))


class ChangeIn(In):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Label 1,600 more examples",
                    "reason": "The pilot found two further kinds of request.",
                    "asks": {"brief": {"data.labelling.examples": 4800, "drivers.integrations": 3}},
                }
            ]
        }
    )

    title: Name
    reason: Prose
    asks: AsksIn = AsksIn()


class ChangePatch(In):
    """`asks` replaces all of it. An assessment is void with any edit."""

    title: Name = absent()
    reason: Prose = absent()
    asks: AsksIn = absent()


class AgreeIn(In):
    """`sha256` is that of what the client has seen."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Ana Brandt", "email": "ana@example.com", "sha256": "0" * 64, "agree": True}]
        }
    )

    name: Name
    email: Email
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    agree: Agreed


class DeclineIn(In):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Ana Brandt", "email": "ana@example.com", "reason": "Not this quarter."}]
        }
    )

    name: Name
    email: Email
    reason: Prose


class OnBehalfIn(In):
    """What the client decided elsewhere; `evidence` says where that can be seen. A refusal has a `reason`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "verdict": "agreed",
                    "name": "Ana Brandt",
                    "email": "ana@example.com",
                    "evidence": "E-mail of 23 November, in the client's folder.",
                }
            ]
        }
    )

    verdict: Literal["agreed", "declined"]
    name: Name
    email: Email
    evidence: Prose
    reason: Line = ""


class PriceLineOut(Out):
    label: str
    phase: Phase | None
    net_minor: int


class AskedOut(Out):
    """One value of the brief, in words."""

    path: str
    before: str
    after: str


class HoursOut(Out):
    """Mean hours of a role (by its name) in a phase."""

    phase: Phase
    role: str
    before: float
    after: float


class CostOut(Out):
    """Our cost of the whole engagement."""

    mean_before_minor: int
    mean_after_minor: int
    p80_before_minor: int
    p80_after_minor: int


class DatesOut(Out):
    phase: Phase
    begin_before: date
    begin_after: date
    gate_before: date
    gate_after: date


class CriterionChangeOut(Out):
    """An acceptance criterion in words; null where it is new, or gone."""

    code: str
    before: str | None
    after: str | None


class ImpactOut(Out):
    """`net` and `gross` of the whole engagement, before and after. `hours` and `cost` are null for a client.

    `late_before` and `late_after`: the last gate as it is kept four times in five. `cost` also for who may not see it.
    """

    day: date
    currency: str
    asked: list[AskedOut]
    lines: list[PriceLineOut]
    net_before_minor: int
    net_after_minor: int
    gross_before_minor: int
    gross_after_minor: int
    dates: list[DatesOut]
    late_before: date | None
    late_after: date | None
    criteria: list[CriterionChangeOut]
    rounds_before: int
    rounds_after: int
    hours: list[HoursOut] | None
    cost: CostOut | None


class ChangeOut(Out):
    """`net_minor`, `gross_minor` and `days` are differences, null until it is assessed. What is internal is null for
    clients, who see it once it was sent. `sha256` is what `agree` names."""

    id: str
    version: int
    engagement_id: str
    number: int
    title: str
    reason: str
    origin: str | None
    raid_id: str | None
    asks: AsksIn | None
    state: ChangeState
    state_reason: str | None
    on_baseline: int
    stale: bool
    impact: ImpactOut | None
    net_minor: int | None
    gross_minor: int | None
    currency: str
    days: int | None
    created_by: str | None
    created_at: datetime
    changed_at: datetime
    assessed_by: str | None
    approved_by: str | None
    sent_at: datetime | None
    sha256: str
    decided_at: datetime | None
    signer_name: str
    signer_email: str
    evidence: str | None
    baseline_id: str | None


class ValueOut(Out):
    """Net, in minor units. `forecast`: if the client agrees to all that is pending; a floor of what is unknown."""

    currency: str
    original_minor: int
    approved_minor: int
    agreed_minor: int
    pending_minor: int
    pending_unknown: int
    forecast_minor: int
    approved_count: int
    pending_count: int


class BaselineVersionOut(Out):
    """One version of what was agreed, never edited. `change_number`: what made it; null for an acceptance."""

    id: str
    version: int
    number: int
    change_id: str | None
    change_number: int | None
    change_title: str | None
    net_minor: int
    gross_minor: int
    currency: str
    last_gate: date | None
    created_at: datetime


class BaselinesOut(Out):
    baselines: list[BaselineVersionOut]


class BaselineWhole(BaselineVersionOut):
    """`plan`: as `proposals.baseline` has it; hours are left out for clients."""

    plan: dict[str, Any]
