"""What comes in and goes out about time, costs and rates. Money in minor units; null where nobody knows, or may see."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from engagements.actuals.models import CostKind, EntryState
from engagements.actuals.weeks import WeekText
from engagements.core.schemas import In, Line, Out, Text, absent
from estimator.brief.fields import Currency, Day, Name, Prose, refusal
from estimator.phases import Phase

_IDS_MAX: Final = 500
_MINOR_MAX: Final = 10**14
_CSV_MAX: Final = 1_000_000
_QUANTITY: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)

Minutes = Annotated[int, Field(ge=1, le=1_440, strict=True)]
Minor = Annotated[int, Field(ge=0, le=_MINOR_MAX, strict=True)]
Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
ExternalId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
"""The sender's own name of it: the same again is the first answer again, with other content it is refused."""


def _amount_text(value: str) -> str:
    if value and not _QUANTITY.fullmatch(value):
        raise refusal("number.bad_format", f"{value[:40]!r} is no quantity", "write digits with a point, like 1200.5")
    return value


Quantity = Annotated[str, Field(max_length=40), AfterValidator(_amount_text)]


class TimeIn(In):
    """`person_id`: whose time; left out, one's own. A key has to name somebody."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"phase": "data_preparation", "role": "data_engineer", "day": "2026-11-23", "minutes": 90,
                 "note": "Read the exports"}
            ]
        }
    )  # fmt: skip

    phase: Phase
    role: Role
    day: Day
    minutes: Minutes
    person_id: Annotated[str | None, Field(max_length=40)] = None
    note: Text = ""
    billable: Annotated[bool, Field(strict=True)] = True
    external_id: ExternalId | None = None


class TimePatch(In):
    phase: Phase = absent()
    role: Role = absent()
    day: Day = absent()
    minutes: Minutes = absent()
    note: Text = absent()
    billable: Annotated[bool, Field(strict=True)] = absent()


def _not_nothing(minutes: int) -> int:
    if minutes == 0:
        raise refusal("number.bad_format", "0 minutes adjust nothing", "write minutes to add, or below 0 to take back")
    return minutes


class AdjustIn(In):
    """Minutes to add to an invoiced entry, or below 0 to take back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"minutes": -30, "note": "Logged twice"}]})

    minutes: Annotated[int, Field(ge=-1_440, le=1_440, strict=True), AfterValidator(_not_nothing)]
    note: Prose


class TimeOut(Out):
    """`cost_minor`, `price_minor`: of an hour. `spent_minor`: what it cost. All null for who may not see cost."""

    id: str
    version: int
    engagement_id: str
    phase: Phase
    person_id: str
    role: str
    day: date
    minutes: int
    note: str
    billable: bool
    state: EntryState
    state_reason: str
    cost_minor: int | None
    price_minor: int | None
    spent_minor: int | None
    currency: str
    source: str
    external_id: str | None
    adjusts: str | None
    approved_by: str | None
    invoice_id: str | None
    created_by: str
    created_at: datetime


class WarningOut(Out):
    """A budget that this entry brought near its end, or over it. `phase` null: the whole engagement."""

    kind: str
    phase: Phase | None
    threshold: int
    used_percent: int
    text: str


class TimeLogged(TimeOut):
    warnings: list[WarningOut]


class StepIn(In):
    """Which entries: these `ids`, or a person's `week` (as 2026-W48; one's own where `person_id` is left out)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"week": "2026-W48"}]})

    ids: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=_IDS_MAX)] = ()
    week: WeekText | None = None
    person_id: Annotated[str | None, Field(max_length=40)] = None

    @model_validator(mode="after")
    def _names_something(self) -> "StepIn":
        if bool(self.ids) == (self.week is not None):
            raise refusal("field_missing", "this names neither ids nor a week, or both", "send ids or a week")
        return self


class BackIn(StepIn):
    """The same with a reason, which whoever logged it reads."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"week": "2026-W48", "reason": "Thursday is missing"}]})

    reason: Prose


class CostStepIn(In):
    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": ["cst_01m82z3znf0vgdtfv3fsj0k9mf"]}]})

    ids: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=_IDS_MAX)]


class CostBackIn(CostStepIn):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ids": ["cst_01m82z3znf0vgdtfv3fsj0k9mf"], "reason": "Paid already"}]}
    )

    reason: Prose


class TimeList(Out):
    items: list[TimeOut]


class PriceIn(In):
    """The dated price that an amount rests on."""

    per: Name
    amount: Name
    currency: Currency
    source: Name
    as_of: Day


class CostIn(In):
    """`amount_minor` null: incurred, and nobody knows yet how much. Below 0 it is a credit, and needs a note.

    `machine`: posted by the program that used it; asks for an `external_id`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"phase": "data_preparation", "kind": "labelling", "day": "2026-11-23", "amount_minor": 12050,
                 "currency": "EUR", "note": "First batch"}
            ]
        }
    )  # fmt: skip

    phase: Phase
    kind: CostKind
    day: Day
    amount_minor: Annotated[int, Field(ge=-_MINOR_MAX, le=_MINOR_MAX, strict=True)] | None
    currency: Currency
    quantity: Quantity = ""
    unit: Annotated[Line, Field(max_length=40)] = ""
    price: PriceIn | None = None
    note: Text = ""
    billable: Annotated[bool, Field(strict=True)] = False
    machine: Annotated[bool, Field(strict=True)] = False
    external_id: ExternalId | None = None

    @model_validator(mode="after")
    def _explained(self) -> "CostIn":
        if self.amount_minor is not None and self.amount_minor < 0 and not self.note:
            raise refusal("money.negative", "a credit is not explained", "say in the note what it takes back")
        if self.machine and self.external_id is None:
            raise refusal("field_missing", "a machine names each cost", "send an external_id")
        return self


class CostPatch(In):
    phase: Phase = absent()
    kind: CostKind = absent()
    day: Day = absent()
    amount_minor: Annotated[int, Field(ge=-_MINOR_MAX, le=_MINOR_MAX, strict=True)] | None = None
    quantity: Quantity = absent()
    unit: Annotated[Line, Field(max_length=40)] = absent()
    note: Text = absent()
    billable: Annotated[bool, Field(strict=True)] = absent()


class CostOut(Out):
    id: str
    version: int
    engagement_id: str
    phase: Phase
    kind: CostKind
    day: date
    amount_minor: int | None
    currency: str
    quantity: str
    unit: str
    price: dict[str, Any]
    note: str
    billable: bool
    state: EntryState
    state_reason: str
    source: str
    external_id: str | None
    approved_by: str | None
    invoice_id: str | None
    created_by: str
    created_at: datetime


class CostLogged(CostOut):
    warnings: list[WarningOut]


class CostList(Out):
    items: list[CostOut]


class RateIn(In):
    """What an hour of a role costs us and is sold for, from a day on. Entries that have a rate keep it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"role": "ml_engineer", "from_day": "2027-01-01", "cost_minor": 10200, "price_minor": 17000,
                 "source": "Price list 2027"}
            ]
        }
    )  # fmt: skip

    role: Role
    from_day: Day
    cost_minor: Minor
    price_minor: Minor
    source: Name


class RateOut(Out):
    id: str
    version: int
    engagement_id: str
    role: str
    from_day: date
    cost_minor: int
    price_minor: int
    currency: str
    source: str
    created_at: datetime


class RateList(Out):
    items: list[RateOut]


class TimeLockIn(In):
    """`until`: nobody logs time on this day or before; null opens all days."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": "2026-10-31", "reason": "October is closed"}]})

    until: Day | None
    reason: Prose


class TimeLockOut(Out):
    version: int
    until: date | None
    reason: str
    changed_at: datetime | None


class CsvIn(In):
    """`csv`: the text of the file. With `dry_run` nothing is changed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"csv": "day,phase,role,minutes\n2026-11-23,data_preparation,data_engineer,90\n", "dry_run": True}
            ]
        }
    )

    csv: Annotated[str, Field(min_length=1, max_length=_CSV_MAX)]
    dry_run: Annotated[bool, Field(strict=True)] = False


class ImportOut(Out):
    """`made`: rows that were logged, or would be; `known`: rows whose external_id was there with the same content."""

    dry_run: bool
    made: int
    known: int
    minutes: int
    amount_minor: int | None
    currency: str


class WeekEngagementOut(Out):
    id: str
    name: str
    state: str
    submitted: bool
    phases: list[Phase]
    roles: list[str]


class WeekOut(Out):
    """One person's week over all engagements. `day_minutes`: Monday to Sunday."""

    person_id: str
    week: str
    first: date
    last: date
    locked_until: date | None
    day_minutes: list[int]
    minutes: int
    entries: list[TimeOut]
    engagements: list[WeekEngagementOut]
