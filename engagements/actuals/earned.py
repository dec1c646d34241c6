"""Earned value: what was planned by now, what was earned, what it cost (PMI, Practice Standard for EVM, 2nd edition).

A phase earns its whole budget when its gate passes and nothing before: progress is never self-reported. So within a
phase the indices fall and recover at its gate; they are judged as of the last gate, where no work is half done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from estimator.calendar import WorkCalendar

_GREEN: Final = Decimal("0.95")
_AMBER: Final = Decimal("0.85")


class Tone(StrEnum):
    """Agency practice, section 9: green from .95, amber from .85, red below."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedValue:
    """Money of one unit. None: not defined, because nothing was planned, earned or spent to divide by.

    `eac_typical`: BAC / CPI; `eac_one_off`: AC + (BAC - EV); `eac_both`: AC + (BAC - EV) / (CPI x SPI). ETC and VAC go
    with the typical one. TCPI is not defined once the budget is used up.
    """

    bac: Decimal
    pv: Decimal
    ev: Decimal
    ac: Decimal

    @property
    def cv(self) -> Decimal:
        return self.ev - self.ac

    @property
    def sv(self) -> Decimal:
        return self.ev - self.pv

    @property
    def cpi(self) -> Decimal | None:
        return self.ev / self.ac if self.ac > 0 else None

    @property
    def spi(self) -> Decimal | None:
        return self.ev / self.pv if self.pv > 0 else None

    @property
    def eac_typical(self) -> Decimal | None:
        return self.bac / self.cpi if self.cpi else None

    @property
    def eac_one_off(self) -> Decimal:
        return self.ac + self.bac - self.ev

    @property
    def eac_both(self) -> Decimal | None:
        return self.ac + (self.bac - self.ev) / (self.cpi * self.spi) if self.cpi and self.spi else None

    @property
    def etc(self) -> Decimal | None:
        return None if self.eac_typical is None else self.eac_typical - self.ac

    @property
    def vac(self) -> Decimal | None:
        return None if self.eac_typical is None else self.bac - self.eac_typical

    @property
    def tcpi(self) -> Decimal | None:
        return (self.bac - self.ev) / (self.bac - self.ac) if self.ac < self.bac else None

    @property
    def is_used_up(self) -> bool:
        return self.ac >= self.bac


def earned_value(*, bac: Decimal, pv: Decimal, ev: Decimal, ac: Decimal) -> EarnedValue:
    """BAC the whole budget, PV planned by now, EV earned, AC spent, compute and other costs included."""
    assert 0 <= pv <= bac, "no more is planned than the budget"
    assert 0 <= ev <= bac, "no more is earned than the budget"
    return EarnedValue(bac=bac, pv=pv, ev=ev, ac=ac)


def tone(index: Decimal | None) -> Tone | None:
    """Of CPI or SPI; None where it is not defined."""
    if index is None:
        return None
    return Tone.GREEN if index >= _GREEN else Tone.AMBER if index >= _AMBER else Tone.RED


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """A phase of the agreed plan: its budget, spent evenly over the working days from `begin` to `gate`."""

    budget: Decimal
    begin: date
    gate: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What the plan has spent at the end of each working day. `days` and `planned` go together, both rising."""

    days: tuple[date, ...]
    planned: tuple[Decimal, ...]

    def at(self, day: date) -> Decimal:
        """0 before the plan begins."""
        passed = [value for when, value in zip(self.days, self.planned, strict=True) if when <= day]
        return passed[-1] if passed else Decimal(0)


def planned_curve(work: Sequence[PlannedWork], calendar: WorkCalendar) -> Curve:
    """By working day of the agreed plan; days off plan nothing."""
    shares: dict[date, Decimal] = {}
    for each in work:
        days = _working_days(calendar, each.begin, each.gate)
        for day in days:
            shares[day] = shares.get(day, Decimal(0)) + each.budget / len(days)
    whole, summed, points = sum((each.budget for each in work), Decimal(0)), Decimal(0), []
    for day in sorted(shares):
        summed += shares[day]
        # Shares of thirds fall short by their last digit.
        points.append((day, min(summed, whole) if day != max(shares) else whole))
    return Curve(days=tuple(day for day, _ in points), planned=tuple(value for _, value in points))


def _working_days(calendar: WorkCalendar, begin: date, gate: date) -> list[date]:
    days = [begin + timedelta(days=number) for number in range((gate - begin).days + 1)]
    return [day for day in days if calendar.is_working_day(day)] or [gate]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedSchedule:
    """In working days of the plan: after how many it had planned what is earned now, and how many have passed."""

    earned_days: Decimal
    passed_days: int

    @property
    def spi_t(self) -> Decimal | None:
        """None before the plan began."""
        return self.earned_days / self.passed_days if self.passed_days else None


def earned_schedule(curve: Curve, ev: Decimal, day: date) -> EarnedSchedule:
    """ES = C + (EV - PV_C) / (PV_{C+1} - PV_C), C the last day whose plan is earned (Lipke, Schedule is Different)."""
    passed = sum(1 for when in curve.days if when <= day)
    whole = sum(1 for value in curve.planned if value <= ev)
    earned = Decimal(whole)
    if whole < len(curve.planned):
        before = curve.planned[whole - 1] if whole else Decimal(0)
        earned += (ev - before) / (curve.planned[whole] - before)
    return EarnedSchedule(earned_days=earned, passed_days=passed)
