"""How many whole months lie between two days. Pure."""

from datetime import date


def months_over(began: date, today: date) -> int:
    """A month from the 31st is over on the last day of a shorter one; 0 where today comes first."""
    whole = 12 * (today.year - began.year) + today.month - began.month
    if today.day < began.day and not _is_last_of_month(today):
        whole -= 1
    return max(0, whole)


def _is_last_of_month(day: date) -> bool:
    return date.fromordinal(day.toordinal() + 1).month != day.month
