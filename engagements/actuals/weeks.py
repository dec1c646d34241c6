"""ISO weeks, Monday to Sunday. Days are calendar days: a clock change makes none longer than 24 hours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from estimator.brief.fields import refusal

_WRITTEN: Final = re.compile(r"(\d{4})-W(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """Of ISO 8601: `year` is the year of its Thursday."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Week":
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @classmethod
    def parse(cls, text: str) -> "Week":
        """Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is no week")
        date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return cls(int(found[1]), int(found[2]))

    @property
    def first(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6)

    @property
    def days(self) -> Sequence[date]:
        return [self.first + timedelta(days=number) for number in range(7)]

    def plus(self, weeks: int) -> "Week":
        return Week.of(self.first + timedelta(weeks=weeks))

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02}"


def _checked(text: str) -> str:
    try:
        Week.parse(text)
    except ValueError as error:
        raise refusal("date.invalid", f"{text[:40]!r} is no week", "write it like 2026-W48") from error
    return text


WeekText: Any = Annotated[str, Field(max_length=8), AfterValidator(_checked)]
"""A week as 2026-W48."""
