"""What people type about time and costs, as they type it: hours as 1:30, money as 120.50."""

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from engagements.actuals.models import CostKind
from engagements.actuals.schemas import CostIn, TimeIn
from engagements.core.schemas import In, Line, Text
from estimator.brief.fields import Day, Prose, refusal
from estimator.money import Money
from estimator.phases import Phase

_CLOCK: Final = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)
_HOURS: Final = re.compile(r"\d{1,2}([.,]\d{1,2})?", re.ASCII)


def _minutes(text: str) -> str:
    if minutes_of(text) <= 0:
        raise refusal("number.bad_format", f"{text[:20]!r} is no time", "write hours like 1:30 or 1.5")
    return text


def minutes_of(text: str) -> int:
    """Of 1:30, 1.5 or 1,5; -1 where it is none of these."""
    text = text.strip()
    if found := _CLOCK.fullmatch(text):
        return 60 * int(found[1]) + int(found[2])
    if _HOURS.fullmatch(text):
        return round(60 * Decimal(text.replace(",", ".")))
    return -1


def _place(value: str) -> str:
    engagement_id, _, phase = value.partition("/")
    if not engagement_id or phase not in set(Phase):
        raise refusal("field_missing", "no engagement is chosen", "choose one with its phase")
    return value


class LogForm(In):
    """`phase`: the engagement's id and the phase, with a slash between."""

    phase: Annotated[str, Field(max_length=90), AfterValidator(_place)]
    role: Annotated[str, Field(max_length=60)]
    day: Day
    minutes: Annotated[str, AfterValidator(_minutes)]
    note: Text = ""

    @property
    def engagement_id(self) -> str:
        return self.phase.partition("/")[0]

    def entry(self) -> TimeIn:
        phase = Phase(self.phase.partition("/")[2])
        return TimeIn(phase=phase, role=self.role, day=self.day, minutes=minutes_of(self.minutes), note=self.note)


class WeekForm(In):
    """A person's week of one engagement; `reason` where it is sent back."""

    week: Annotated[str, Field(max_length=8)]
    person_id: Annotated[str | None, Field(max_length=40)] = None


class BackForm(WeekForm):
    reason: Prose


class CostForm(In):
    """`amount` as 120.50; left empty, nobody knows it yet."""

    phase: Phase
    kind: CostKind
    day: Day
    amount: Annotated[str, Field(max_length=30), BeforeValidator(lambda text: str(text).strip())] = ""
    note: Line = ""
    billable: str = ""

    def entry(self, currency: str) -> CostIn:
        """Raises `BriefInvalid` for what is no amount."""
        known = Money.parse(self.amount, currency).minor if self.amount else None
        return CostIn(
            phase=self.phase, kind=self.kind, day=self.day, amount_minor=known, currency=currency, note=self.note,
            billable=self.billable == "yes",
        )  # fmt: skip
