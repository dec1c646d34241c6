"""Time, costs, budgets and invoices of engagements."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TypedDict, Unpack

from engagements.client.actuals_models import (
    Alert,
    AlertList,
    Budget,
    Cost,
    CostEntries,
    EarnedValue,
    Forecast,
    Imported,
    Invoice,
    InvoiceList,
    LoggedCost,
    LoggedTime,
    Rate,
    RateList,
    TimeEntries,
    TimeEntry,
    TimeLock,
    Week,
)
from engagements.client.transport import Transport


class TimeFields(TypedDict, total=False):
    """`person_id`: whose time, where it is not one's own; a key has to say. `external_id`: one's own name of it."""

    person_id: str
    note: str
    billable: bool
    external_id: str


class TimeChanges(TypedDict, total=False):
    phase: str
    role: str
    day: str
    minutes: int
    note: str
    billable: bool


class CostFields(TypedDict, total=False):
    """`price`: the dated price it rests on. `machine`: posted by the program that used it; names an `external_id`."""

    quantity: str
    unit: str
    price: Mapping[str, str]
    note: str
    billable: bool
    machine: bool
    external_id: str


class CostChanges(TypedDict, total=False):
    phase: str
    kind: str
    day: str
    amount_minor: int | None
    quantity: str
    unit: str
    note: str
    billable: bool


class Chosen(TypedDict, total=False):
    """These `ids`, or a person's `week`, such as 2026-W48."""

    ids: Sequence[str]
    week: str
    person_id: str


class Time:
    """Hours of people on phases: open, submitted, approved, invoiced."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(
        self, engagement_id: str, *, person: str | None = None, phase: str | None = None, state: str | None = None
    ) -> Iterator[TimeEntry]:
        query = {"person": person, "phase": phase, "state": state}
        return self._calls.pages(TimeEntry, "/api/v1/engagements/{}/time", engagement_id, query=query)

    def log(
        self, engagement_id: str, *, phase: str, role: str, day: date, minutes: int, **fields: Unpack[TimeFields]
    ) -> LoggedTime:
        """`warnings` of the answer says which budgets this brought to 80 % or over. Raises `Conflict` and `Invalid`."""
        whole = {"phase": phase, "role": role, "day": day.isoformat(), "minutes": minutes, **fields}
        return self._calls.post(LoggedTime, "/api/v1/engagements/{}/time", engagement_id, fields=whole)

    def get(self, entry_id: str) -> TimeEntry:
        return self._calls.get(TimeEntry, "/api/v1/time/{}", entry_id)

    def change(self, entry: TimeEntry, **changes: Unpack[TimeChanges]) -> LoggedTime:
        return self._calls.patch(LoggedTime, "/api/v1/time/{}", entry.id, etag=entry.etag, fields=changes)

    def remove(self, entry: TimeEntry) -> None:
        self._calls.delete("/api/v1/time/{}", entry.id, etag=entry.etag)

    def adjust(self, entry_id: str, *, minutes: int, note: str) -> LoggedTime:
        """Add minutes to an invoiced entry, or below 0 take some back."""
        fields = {"minutes": minutes, "note": note}
        return self._calls.post(LoggedTime, "/api/v1/time/{}/adjust", entry_id, fields=fields)

    def submit(self, engagement_id: str, **chosen: Unpack[Chosen]) -> TimeEntries:
        return self._calls.post(TimeEntries, "/api/v1/engagements/{}/time/submit", engagement_id, fields=chosen)

    def approve(self, engagement_id: str, **chosen: Unpack[Chosen]) -> TimeEntries:
        """Raises `Forbidden` for one's own."""
        return self._calls.post(TimeEntries, "/api/v1/engagements/{}/time/approve", engagement_id, fields=chosen)

    def reject(self, engagement_id: str, *, reason: str, **chosen: Unpack[Chosen]) -> TimeEntries:
        fields = {"reason": reason, **chosen}
        return self._calls.post(TimeEntries, "/api/v1/engagements/{}/time/reject", engagement_id, fields=fields)

    def reopen(self, engagement_id: str, *, reason: str, **chosen: Unpack[Chosen]) -> TimeEntries:
        fields = {"reason": reason, **chosen}
        return self._calls.post(TimeEntries, "/api/v1/engagements/{}/time/reopen", engagement_id, fields=fields)

    def from_csv(self, engagement_id: str, text: str, *, dry_run: bool = False) -> Imported:
        """All of the file or nothing; `Invalid` lists every fault with its line."""
        fields = {"csv": text, "dry_run": dry_run}
        return self._calls.post(Imported, "/api/v1/engagements/{}/time/import", engagement_id, fields=fields)

    def as_csv(self, engagement_id: str) -> bytes:
        return self._calls.get_bytes("/api/v1/engagements/{}/time.csv", engagement_id)

    def my_week(self, day: date | None = None) -> Week:
        """The ISO week of a day. Raises `Conflict` for a key, which has no week of its own."""
        return self._calls.get(Week, "/api/v1/me/week", query={"day": day.isoformat() if day else None})

    def lock(self) -> TimeLock:
        return self._calls.get(TimeLock, "/api/v1/time-lock")

    def set_lock(self, lock: TimeLock, *, until: date | None, reason: str) -> TimeLock:
        """Close the days up to `until`, or with None open all."""
        fields = {"until": until.isoformat() if until else None, "reason": reason}
        return self._calls.put(TimeLock, "/api/v1/time-lock", etag=lock.etag, fields=fields)


class Costs:
    """What was spent beside time: compute, labelling, API usage, licences."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str, *, phase: str | None = None, state: str | None = None) -> Iterator[Cost]:
        query = {"phase": phase, "state": state}
        return self._calls.pages(Cost, "/api/v1/engagements/{}/costs", engagement_id, query=query)

    def log(
        self, engagement_id: str, *, phase: str, kind: str, day: date, amount_minor: int | None, currency: str,
        **fields: Unpack[CostFields],
    ) -> LoggedCost:  # fmt: skip
        """`amount_minor` None: not known yet. The same `external_id` again is answered with the first entry."""
        whole: dict[str, object] = {"phase": phase, "kind": kind, "day": day.isoformat(), "amount_minor": amount_minor}
        whole |= {"currency": currency, **fields}
        return self._calls.post(LoggedCost, "/api/v1/engagements/{}/costs", engagement_id, fields=whole)

    def get(self, cost_id: str) -> Cost:
        return self._calls.get(Cost, "/api/v1/costs/{}", cost_id)

    def change(self, cost: Cost, **changes: Unpack[CostChanges]) -> LoggedCost:
        return self._calls.patch(LoggedCost, "/api/v1/costs/{}", cost.id, etag=cost.etag, fields=changes)

    def remove(self, cost: Cost) -> None:
        self._calls.delete("/api/v1/costs/{}", cost.id, etag=cost.etag)

    def submit(self, engagement_id: str, ids: Sequence[str]) -> CostEntries:
        fields = {"ids": ids}
        return self._calls.post(CostEntries, "/api/v1/engagements/{}/costs/submit", engagement_id, fields=fields)

    def approve(self, engagement_id: str, ids: Sequence[str]) -> CostEntries:
        fields = {"ids": ids}
        return self._calls.post(CostEntries, "/api/v1/engagements/{}/costs/approve", engagement_id, fields=fields)

    def reject(self, engagement_id: str, ids: Sequence[str], *, reason: str) -> CostEntries:
        fields = {"ids": ids, "reason": reason}
        return self._calls.post(CostEntries, "/api/v1/engagements/{}/costs/reject", engagement_id, fields=fields)

    def reopen(self, engagement_id: str, ids: Sequence[str], *, reason: str) -> CostEntries:
        fields = {"ids": ids, "reason": reason}
        return self._calls.post(CostEntries, "/api/v1/engagements/{}/costs/reopen", engagement_id, fields=fields)

    def from_csv(self, engagement_id: str, text: str, *, dry_run: bool = False) -> Imported:
        fields = {"csv": text, "dry_run": dry_run}
        return self._calls.post(Imported, "/api/v1/engagements/{}/costs/import", engagement_id, fields=fields)

    def as_csv(self, engagement_id: str) -> bytes:
        return self._calls.get_bytes("/api/v1/engagements/{}/costs.csv", engagement_id)


class Budgets:
    """How budgets burn and where they will end; alerts; what an hour costs."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def get(self, engagement_id: str) -> Budget:
        return self._calls.get(Budget, "/api/v1/engagements/{}/budget", engagement_id)

    def earned_value(self, engagement_id: str) -> EarnedValue:
        return self._calls.get(EarnedValue, "/api/v1/engagements/{}/earned-value", engagement_id)

    def forecast(self, engagement_id: str) -> Forecast:
        return self._calls.get(Forecast, "/api/v1/engagements/{}/forecast", engagement_id)

    def alerts(self, engagement_id: str) -> Sequence[Alert]:
        return self._calls.get(AlertList, "/api/v1/engagements/{}/alerts", engagement_id).items

    def acknowledge(self, alert_id: str) -> Alert:
        return self._calls.post(Alert, "/api/v1/alerts/{}/acknowledge", alert_id)

    def rates(self, engagement_id: str) -> Sequence[Rate]:
        return self._calls.get(RateList, "/api/v1/engagements/{}/rates", engagement_id).items

    def add_rate(
        self, engagement_id: str, *, role: str, from_day: date, cost_minor: int, price_minor: int, source: str
    ) -> Rate:
        """From a day on. Time that has a rate keeps it."""
        fields = {
            "role": role, "from_day": from_day.isoformat(), "cost_minor": cost_minor, "price_minor": price_minor,
            "source": source,
        }  # fmt: skip
        return self._calls.post(Rate, "/api/v1/engagements/{}/rates", engagement_id, fields=fields)


class Invoices:
    """Lines for the accounts. No payment is known here."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> InvoiceList:
        """What was handed over, and what would be next."""
        return self._calls.get(InvoiceList, "/api/v1/engagements/{}/invoices", engagement_id)

    def make(self, engagement_id: str) -> Invoice:
        """Hand over what is due. Raises `Conflict` where nothing is."""
        return self._calls.post(Invoice, "/api/v1/engagements/{}/invoices", engagement_id)

    def get(self, invoice_id: str) -> Invoice:
        return self._calls.get(Invoice, "/api/v1/invoices/{}", invoice_id)

    def lines_as_csv(self, invoice_id: str) -> bytes:
        return self._calls.get_bytes("/api/v1/invoices/{}/lines.csv", invoice_id)
