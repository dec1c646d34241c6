"""What comes in and goes out about examples and checks."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

import orjson
from pydantic import ConfigDict, Field, model_validator

from engagements.core.schemas import In, Line, Out, Text, absent
from engagements.phases.data_preparation.models import Example, ExampleState
from engagements.phases.data_preparation.records import Task
from estimator.brief.fields import refusal

_TEXT_MAX: Final = 200_000
_MESSAGES_MAX: Final = 500

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Label = Annotated[str, Field(max_length=400)]
Reason = Annotated[Text, Field(min_length=1)]


class FindingOut(Out):
    code: str
    severity: str
    group: str
    message: str
    where: str
    weight: int


class ExampleOut(Out):
    """`record` and `findings` are null for what lies in the sealed test split of the newest dataset: `sealed`."""

    id: str
    version: int
    engagement_id: str
    source_id: str
    row_number: int
    record_id: str
    state: ExampleState
    state_reason: str
    sealed: bool
    label: str | None
    group: str | None
    score: int | None
    duplicate_of: str | None
    cluster: str | None
    is_edited: bool
    record: dict[str, Any] | None
    findings: list[FindingOut] | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def shown(cls, row: Example, *, sealed: bool) -> Self:
        open_to_all = row.model_dump(
            include={"id", "version", "engagement_id", "source_id", "row_number", "record_id", "state", "state_reason",
                     "created_at", "changed_at", "is_edited"}
        )  # fmt: skip
        read = {
            "label": row.label, "group": row.group_key, "score": row.score, "duplicate_of": row.duplicate_of,
            "cluster": row.cluster, "record": orjson.loads(row.payload), "findings": row.findings,
        }  # fmt: skip
        return cls(**open_to_all, sealed=sealed, **(dict.fromkeys(read) if sealed else read))


class EditOut(Out):
    """One edit: the record before and after it."""

    id: str
    number: int
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    by: str
    by_name: str
    at: datetime


class ExampleEditIn(In):
    """What is to be read instead; what is left out stays. Messages are OpenAI's, and replace all of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "refund", "reason": "It asks for the money."}]})

    messages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=_MESSAGES_MAX)] = absent()
    label: Annotated[str, Field(max_length=400)] | None = absent()
    target: dict[str, Any] | None = absent()
    rejected: dict[str, Any] | None = absent()
    desirable: bool | None = absent()
    group: Annotated[str, Field(max_length=400)] | None = absent()
    weight: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = absent()
    reason: Reason

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        for place, message in enumerate(self.messages or ()):
            if not isinstance(message.get("role"), str):
                raise refusal("row.unknown_role", f"message {place} has no role", "say system, user, assistant or tool")
        if len(orjson.dumps(self.model_dump())) > _TEXT_MAX:
            raise refusal("row.too_large", "the example is too large to be edited here", "mend it at its source")
        return self


class ExcludeIn(In):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "A test of the client's own."}]})

    reason: Annotated[Line, Field(min_length=1)]


class ExcludedOut(Out):
    excluded: int


class CategoryIn(In):
    """An edge case that has to be covered: how many examples hold `value` in `field`."""

    name: Line
    field: Line
    value: Line | None = None
    examples_min: Annotated[int, Field(ge=1, le=1_000_000)] = 10


class CheckIn(In):
    """What is asked of the examples; what is left out asks nothing, but for the rule on personal data: redact."""

    task: Task | None = None
    model: Line = ""
    limit_tokens: Annotated[int | None, Field(ge=16, le=2_000_000)] = None
    languages: Annotated[list[Annotated[str, Field(pattern=r"^[a-z]{2}$")]], Field(max_length=50)] = Field(
        default_factory=list
    )
    personal_data: Annotated[str, Field(pattern=r"^(keep|redact|refuse)$")] = "redact"
    licences: Annotated[list[Line], Field(max_length=100)] = Field(default_factory=list)
    labels: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=20_000)] = Field(
        default_factory=list
    )
    output_schema: dict[str, Any] | None = None
    output_pattern: Annotated[str, Field(max_length=2000)] = ""
    categories: Annotated[list[CategoryIn], Field(max_length=200)] = Field(default_factory=list)


class StandingOut(Out):
    """The pool: examples by state, and what the newest check says of it. None where it was never checked."""

    engagement_id: str
    states: dict[str, int]
    sealed: int
    job_id: str | None
    checked_at: datetime | None
    checked: int | None
    duplicates: int | None
    clusters: int | None
    personal_data: int | None
    acknowledged_by: str | None

    @property
    def in_pool(self) -> int:
        """All that is not left out."""
        return sum(self.states.values()) - self.states["excluded"]


class ReportOut(Out):
    """The report of one check, as `engagements.phases.data_preparation.checks.report` writes it."""

    job_id: str
    checked_at: datetime
    report: dict[str, Any]


class AcknowledgeIn(In):
    """`person`: who has looked; of somebody who is signed in, they themselves."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Names of agents only, agreed with the client."}]}
    )

    note: Reason
    person: Line = ""


class AcknowledgementOut(Out):
    id: str
    version: int
    engagement_id: str
    job_id: str
    examples: int
    sha256: str
    note: str
    by: str
    by_name: str
    at: datetime
