"""Working days of a country: weekdays without its public holidays."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final

import holidays

from estimator.errors import UnknownName

_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    day: date
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """The working days of a country (ISO 3166 alpha-2) and, where it has its own holidays, a region of it."""

    country: str
    region: str | None = None

    def __post_init__(self) -> None:
        supported = holidays.list_supported_countries()
        if self.country not in supported:
            raise UnknownName("country", self.country, known=supported, add="use an ISO 3166 code such as DE or US")
        if self.region is not None and self.region not in supported[self.country]:
            raise UnknownName("region", self.region, known=supported[self.country], add="leave the region out")

    def is_working_day(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in _holidays_of(self.country, self.region, day.year)

    def working_days(self, start: date) -> Iterator[date]:
        """Every working day from a day on, without end."""
        day = start
        while True:
            if self.is_working_day(day):
                yield day
            day += _DAY

    def first_working_day(self, day: date) -> date:
        """The day itself, or the next one on which people work."""
        return next(self.working_days(day))

    def after(self, start: date, working_days: int) -> date:
        """The day on which so many working days are done, the first of them on or after `start`."""
        assert working_days >= 0, "time does not run backwards"
        return next(islice(self.working_days(start), max(0, working_days - 1), None))

    def shifted(self, day: date, working_days: int) -> date:
        """So many working days later, or earlier where the number is below 0; for 0 the day itself."""
        step, left = (_DAY if working_days > 0 else -_DAY), abs(working_days)
        while left:
            day += step
            left -= self.is_working_day(day)
        return day

    def count(self, start: date, end: date) -> int:
        """Working days from `start` to `end`, both included."""
        return sum(self.is_working_day(start + n * _DAY) for n in range((end - start).days + 1))

    def holidays_between(self, start: date, end: date) -> Iterator[Holiday]:
        """Public holidays on weekdays from `start` to `end`, in order."""
        for year in range(start.year, end.year + 1):
            for day, name in sorted(_holidays_of(self.country, self.region, year).items()):
                if start <= day <= end and day.weekday() < _SATURDAY:
                    yield Holiday(day=day, name=name)


@lru_cache(maxsize=256)
def _holidays_of(country: str, region: str | None, year: int) -> dict[date, str]:
    return dict(holidays.country_holidays(country, subdiv=region, years=year, language="en_US"))
