"""Change requests, what an engagement is worth, versions of what was agreed, the register, and calibration."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypedDict, Unpack

from pydantic import AwareDatetime

from engagements.client.models import Answer, Content, Versioned
from engagements.client.transport import Transport


class PriceLine(Answer):
    label: str
    phase: str | None
    net_minor: int


class Asked(Answer):
    path: str
    before: str
    after: str


class HoursChange(Answer):
    phase: str
    role: str
    before: float
    after: float


class CostChange(Answer):
    mean_before_minor: int
    mean_after_minor: int
    p80_before_minor: int
    p80_after_minor: int


class DatesChange(Answer):
    phase: str
    begin_before: date
    begin_after: date
    gate_before: date
    gate_after: date


class CriterionChange(Answer):
    code: str
    before: str | None
    after: str | None


class Impact(Answer):
    """Before and after. `hours` and `cost` are None for a client, `cost` for who may not see it."""

    day: date
    currency: str
    asked: list[Asked]
    lines: list[PriceLine]
    net_before_minor: int
    net_after_minor: int
    gross_before_minor: int
    gross_after_minor: int
    dates: list[DatesChange]
    late_before: date | None
    late_after: date | None
    criteria: list[CriterionChange]
    rounds_before: int
    rounds_after: int
    hours: list[HoursChange] | None
    cost: CostChange | None


class Change(Versioned):
    """`net_minor`, `gross_minor` and `days` are differences; None until it is assessed."""

    engagement_id: str
    number: int
    title: str
    reason: str
    origin: str | None
    raid_id: str | None
    asks: Content | None
    state: str
    state_reason: str | None
    on_baseline: int
    stale: bool
    impact: Impact | None
    net_minor: int | None
    gross_minor: int | None
    currency: str
    days: int | None
    created_by: str | None
    created_at: AwareDatetime
    changed_at: AwareDatetime
    assessed_by: str | None
    approved_by: str | None
    sent_at: AwareDatetime | None
    sha256: str
    decided_at: AwareDatetime | None
    signer_name: str
    signer_email: str
    evidence: str | None
    baseline_id: str | None


class Value(Answer):
    """Net. `forecast_minor`: if the client agrees to all that is pending."""

    currency: str
    original_minor: int
    approved_minor: int
    agreed_minor: int
    pending_minor: int
    pending_unknown: int
    forecast_minor: int
    approved_count: int
    pending_count: int


class BaselineVersion(Versioned):
    """Never edited. `change_number`: what made it; None for an acceptance."""

    number: int
    change_id: str | None
    change_number: int | None
    change_title: str | None
    net_minor: int
    gross_minor: int
    currency: str
    last_gate: date | None
    created_at: AwareDatetime


class BaselineVersions(Answer):
    baselines: list[BaselineVersion]


class WholeBaseline(BaselineVersion):
    plan: Content


class Trigger(Answer):
    measure: str
    operator: str
    value: float


class Item(Versioned):
    """A risk, an assumption, an issue or a decision. `score`: 1 to 9; None where it is not rated."""

    engagement_id: str
    kind: str
    code: str
    title: str
    text: str
    probability: str
    impact: str
    score: int | None
    response: str
    owner_id: str | None
    owner_name: str
    due: date | None
    trigger: Trigger | None
    client_sees: bool
    state: str
    outcome: str
    change_id: str | None
    created_at: AwareDatetime
    changed_at: AwareDatetime


class RegisterItems(Answer):
    items: list[Item]


class Ratio(Answer):
    mean: float
    low: float
    high: float


class Coverage(Answer):
    nominal: float
    hits: int
    n: int
    low: float | None
    high: float | None


class Measure(Answer):
    """`ratio` None below five engagements; `suggested`: a multiplier, None where none is due."""

    key: str
    label: str
    n: int
    ratio: Ratio | None
    within_p10_p90: Coverage
    below_p80: Coverage
    crps: float | None
    suggested: float | None
    why: str


class DriverAdvice(Answer):
    driver: str
    level: str
    n: int
    others: int
    factor: float
    suggested: float | None
    why: str


class Calibration(Answer):
    engagements: int
    needed: int
    changed: int
    unread: int
    measures: list[Measure]
    drivers: list[DriverAdvice]


class ChangeEdits(TypedDict, total=False):
    """`asks` replaces all of it."""

    title: str
    reason: str
    asks: Mapping[str, Any]


class ItemFields(TypedDict, total=False):
    """Days as dates; `trigger`: {"measure", "operator", "value"}, of an assumption."""

    text: str
    probability: str
    impact: str
    response: str
    owner_id: str | None
    owner_name: str
    due: date | None
    trigger: Mapping[str, Any] | None
    client_sees: bool


class ItemEdits(ItemFields, total=False):
    title: str


class Changes:
    """From the draft to the next baseline: draft, assessed, approved, sent, then agreed, declined or withdrawn."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Iterator[Change]:
        """Newest first; a client's key sees what was sent."""
        return self._calls.pages(Change, "/api/v1/engagements/{}/changes", engagement_id)

    def get(self, change_id: str) -> Change:
        return self._calls.get(Change, "/api/v1/changes/{}", change_id)

    def draft(self, engagement_id: str, *, title: str, reason: str, asks: Mapping[str, Any]) -> Change:
        """`asks`: {"brief": {path: value}, "lines": [...], "days": {phase: n}, "criteria": [...]}, any of them."""
        fields = {"title": title, "reason": reason, "asks": asks}
        return self._calls.post(Change, "/api/v1/engagements/{}/changes", engagement_id, fields=fields)

    def edit(self, change: Change, **edits: Unpack[ChangeEdits]) -> Change:
        """What was assessed is a draft again. Raises `Frozen` once it was sent."""
        return self._calls.patch(Change, "/api/v1/changes/{}", change.id, etag=change.etag, fields=edits)

    def assess(self, change_id: str) -> Change:
        return self._calls.post(Change, "/api/v1/changes/{}/assess", change_id)

    def approve(self, change_id: str) -> Change:
        """Raises `Forbidden` for whoever wrote or assessed it, `Conflict` where it is stale."""
        return self._calls.post(Change, "/api/v1/changes/{}/approve", change_id)

    def reject(self, change_id: str, reason: str) -> Change:
        return self._calls.post(Change, "/api/v1/changes/{}/reject", change_id, fields={"reason": reason})

    def send(self, change_id: str) -> Change:
        return self._calls.post(Change, "/api/v1/changes/{}/send", change_id)

    def agree(self, change: Change, *, name: str, email: str) -> Change:
        """For the client, over what `change` shows. Raises `Conflict` for the second of two, or a stale one."""
        fields = {"name": name, "email": email, "sha256": change.sha256, "agree": True}
        return self._calls.post(Change, "/api/v1/changes/{}/agree", change.id, fields=fields)

    def decline(self, change_id: str, reason: str, *, name: str, email: str) -> Change:
        fields = {"name": name, "email": email, "reason": reason}
        return self._calls.post(Change, "/api/v1/changes/{}/decline", change_id, fields=fields)

    def decided_elsewhere(
        self, change_id: str, verdict: str, *, name: str, email: str, evidence: str, reason: str = ""
    ) -> Change:
        """Record, as the agency, what the client decided; `verdict`: agreed, or declined with a reason."""
        fields = {"verdict": verdict, "name": name, "email": email, "evidence": evidence, "reason": reason}
        return self._calls.post(Change, "/api/v1/changes/{}/on-behalf", change_id, fields=fields)

    def withdraw(self, change_id: str, reason: str) -> Change:
        return self._calls.post(Change, "/api/v1/changes/{}/withdraw", change_id, fields={"reason": reason})

    def value(self, engagement_id: str) -> Value:
        """Raises `NotFound` before anything was agreed."""
        return self._calls.get(Value, "/api/v1/engagements/{}/value", engagement_id)

    def baselines(self, engagement_id: str) -> Sequence[BaselineVersion]:
        """The latest first."""
        return self._calls.get(BaselineVersions, "/api/v1/engagements/{}/baselines", engagement_id).baselines

    def baseline(self, engagement_id: str, number: int) -> WholeBaseline:
        return self._calls.get(WholeBaseline, "/api/v1/engagements/{}/baselines/{}", engagement_id, str(number))

    def calibration(self) -> Calibration:
        """What finished engagements say about estimates."""
        return self._calls.get(Calibration, "/api/v1/calibration")


class Register:
    """Risks, assumptions, issues and decisions of an engagement."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Sequence[Item]:
        """The gravest first within each kind; a client's key sees what is meant for it."""
        return self._calls.get(RegisterItems, "/api/v1/engagements/{}/register", engagement_id).items

    def add(self, engagement_id: str, kind: str, title: str, **fields: Unpack[ItemFields]) -> Item:
        given = {**_plain(fields), "kind": kind, "title": title}
        return self._calls.post(Item, "/api/v1/engagements/{}/register", engagement_id, fields=given)

    def edit(self, item: Item, **fields: Unpack[ItemEdits]) -> Item:
        return self._calls.patch(Item, "/api/v1/register/{}", item.id, etag=item.etag, fields=_plain(fields))

    def close(self, item_id: str, outcome: str) -> Item:
        return self._calls.post(Item, "/api/v1/register/{}/close", item_id, fields={"outcome": outcome})

    def hold(self, item_id: str, outcome: str) -> Item:
        return self._calls.post(Item, "/api/v1/register/{}/hold", item_id, fields={"outcome": outcome})

    def break_it(self, item_id: str, outcome: str) -> Change:
        """The change request that follows."""
        return self._calls.post(Change, "/api/v1/register/{}/break", item_id, fields={"outcome": outcome})


def _plain(fields: ItemFields | ItemEdits) -> Mapping[str, object]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in fields.items()}
