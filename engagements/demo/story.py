"""When the demo happens: it begins weeks before its day, so that there is delivery to look at on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from engagements.core.clock import FixedClock, SystemClock

STORY: Final = timedelta(weeks=15)


@dataclass(kw_only=True)
class StoryClock(FixedClock):
    """Stands still until it is moved, and goes from the moment on from which a machine works by itself."""

    _went_at: datetime | None = None

    def now(self) -> datetime:
        return self.at if self._went_at is None else self.at + (SystemClock().now() - self._went_at)

    def go(self) -> None:
        self._went_at = SystemClock().now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`clock` stands still but where the story goes on to another day; `ends` is its last told moment."""

    clock: StoryClock
    ends: datetime

    @classmethod
    def until(cls, on: date) -> "Story":
        now = SystemClock().now()
        ends = now if on == now.date() else datetime.combine(on, time(15), UTC)
        return cls(clock=StoryClock(at=datetime.combine(on - STORY, time(9), UTC)), ends=ends)

    @property
    def today(self) -> date:
        return self.clock.now().date()

    def go_to(self, day: date) -> None:
        """Nine in the morning of a day, or the end of the story if that comes first."""
        self.clock.at = max(self.clock.at, min(datetime.combine(day, time(9), UTC), self.ends))

    def end(self) -> None:
        self.clock.at = self.ends

    def live(self) -> None:
        """From here on time goes by: what trains is looked after by the clock."""
        self.end()
        self.clock.go()

    def earlier(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The same data with every day in it as many weeks earlier as the story begins."""
        return {name: self._earlier(value) for name, value in data.items()}

    def _earlier(self, value: object) -> object:
        match value:
            case date():
                return value - STORY
            case dict():
                return self.earlier(value)
            case list():
                return [self._earlier(each) for each in value]
            case _:
                return value
