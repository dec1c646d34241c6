"""A complete, commented brief to start from."""

from datetime import date, timedelta
from importlib import resources
from typing import Final

_WEEKS_TO_START: Final = 7
_DAYS_TO_DECIDE: Final = 18


def example_brief(today: date) -> str:
    """The example as TOML text, its dates set from today: work starts on a Monday about seven weeks ahead."""
    text = (resources.files("estimator.brief") / "example.toml").read_text("utf-8")
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=_WEEKS_TO_START)
    dates = {"@start@": monday, "@decision_by@": today + timedelta(days=_DAYS_TO_DECIDE), "@today@": today}
    for mark, day in dates.items():
        text = text.replace(mark, day.isoformat())
    return text
