"""Gates of the phases: evidence that tools post, decisions, the client's signature, acceptance criteria."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypedDict, Unpack

from pydantic import AwareDatetime

from engagements.client.models import Answer, Content, Versioned
from engagements.client.transport import Transport


class Evidence(Versioned):
    """One measurement. `sha256`: of its content as it was recorded."""

    engagement_id: str
    phase: str
    round: int
    kind: str
    external_id: str
    content: Content
    sha256: str
    source: str
    measured_at: AwareDatetime
    supersedes: str | None
    superseded_by: str | None
    recorded_by: str | None
    created_at: AwareDatetime


class Requirement(Answer):
    """`status`: met, missing, failed, inconclusive or unknown. `must` False: advice."""

    code: str
    title: str
    status: str
    must: bool
    said: str
    inside: str
    remedy: str
    evidence: list[str]
    overridden: bool


class Blocker(Answer):
    """`requirement` is what an override names."""

    code: str
    requirement: str
    message: str
    remedy: str


class Condition(Versioned):
    engagement_id: str
    gate_id: str
    phase: str
    text: str
    owner_id: str | None
    owner_name: str
    due: date
    met_at: AwareDatetime | None
    note: str


class Sitting(Versioned):
    """One decision. `state`: awaiting_client, final or refused."""

    engagement_id: str
    phase: str
    round: int
    sitting: int
    verdict: str
    state: str
    reason: str
    findings: list[Requirement]
    overridden: list[str]
    override_reason: str
    review_on: date | None
    decided_by_name: str
    at: AwareDatetime
    cosigned_at: AwareDatetime | None
    cosigned_by_name: str
    cosign_evidence: str
    cosign_reason: str


class ChecklistItem(Answer):
    key: str
    text: str
    done: bool
    applies: bool
    note: str
    by_name: str
    at: AwareDatetime | None


class Gate(Answer):
    """What a gate asks for now, or what was found when it was decided for good."""

    engagement_id: str
    phase: str
    number: int
    label: str
    name: str
    state: str
    round: int
    cosigned: bool
    planned_gate: date | None
    actual_begin: date | None
    actual_end: date | None
    requirements: list[Requirement]
    blockers: list[Blocker]
    conditions: list[Condition]
    sittings: list[Sitting]
    checklist: list[ChecklistItem]
    next_sitting: int
    awaiting: str | None


class GateList(Answer):
    gates: list[Gate]


class Criterion(Answer):
    """`outcome`: pass, fail, inconclusive, or None before it was measured."""

    id: str
    code: str
    tier: str
    metric: str
    set_name: str
    set_digest: str
    operator: str
    threshold: str
    items: int
    rule: str
    baseline: str | None
    paired: bool
    outcome: str | None
    said: str
    remedy: str
    evidence: list[str]


class CriterionList(Answer):
    criteria: list[Criterion]


class SampleSize(Answer):
    """Rates from 0 to 1; None where nobody can say."""

    baseline: float
    target: float | None
    items: int | None
    needed: int | None
    gain: float | None
    low: float | None
    high: float | None
    unseen_max: float | None


class WantedCondition(TypedDict, total=False):
    text: str
    due: date
    owner_id: str


class DecisionFields(TypedDict, total=False):
    """`overridden`: codes of requirements. `sitting`: as `Gate.next_sitting` said; another decision is refused."""

    reason: str
    overridden: Sequence[str]
    override_reason: str
    conditions: Sequence[WantedCondition]
    review_on: date
    sitting: int


class EvidenceRecords:
    """What gates stand on, newest first. Recorded once and never edited."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def record(
        self,
        engagement_id: str,
        content: Mapping[str, object],
        *,
        external_id: str,
        source: str,
        measured_at: datetime,
        phase: str | None = None,
        supersedes: str | None = None,
    ) -> Evidence:
        """`content` with its `kind`, such as `{"kind": "dataset_version", …}`. The same again is the first again.

        Raises `Conflict` for another content of that `external_id`, `Invalid` with all that contradicts itself.
        """
        fields = {
            "content": dict(content), "external_id": external_id, "source": source,
            "measured_at": measured_at.isoformat(), "phase": phase, "supersedes": supersedes,
        }  # fmt: skip
        return self._calls.post(Evidence, "/api/v1/engagements/{}/evidence", engagement_id, fields=fields)

    def list(self, engagement_id: str, *, kind: str | None = None, phase: str | None = None) -> Iterator[Evidence]:
        query = {"kind": kind, "phase": phase}
        return self._calls.pages(Evidence, "/api/v1/engagements/{}/evidence", engagement_id, query=query)

    def get(self, evidence_id: str) -> Evidence:
        return self._calls.get(Evidence, "/api/v1/evidence/{}", evidence_id)


class Gates:
    """One a phase. Raises `Conflict` (`phase_blocked`, with all blockers) where one cannot be passed."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def all(self, engagement_id: str) -> Sequence[Gate]:
        """In the order of the phases."""
        return self._calls.get(GateList, "/api/v1/engagements/{}/gates", engagement_id).gates

    def get(self, engagement_id: str, phase: str) -> Gate:
        return self._calls.get(Gate, "/api/v1/engagements/{}/gates/{}", engagement_id, phase)

    def decide(self, engagement_id: str, phase: str, verdict: str, **fields: Unpack[DecisionFields]) -> Sitting:
        """`verdict`: go, go_with_conditions, hold, recycle or stop."""
        written = {"verdict": verdict, **fields}
        if "review_on" in fields:
            written["review_on"] = fields["review_on"].isoformat()
        if "conditions" in fields:
            written["conditions"] = [{**each, "due": each["due"].isoformat()} for each in fields["conditions"]]
        path = "/api/v1/engagements/{}/gates/{}/decide"
        return self._calls.post(Sitting, path, engagement_id, phase, fields=written)

    def sign(self, gate_id: str) -> Sitting:
        """For the client, by their approver."""
        return self._calls.post(Sitting, "/api/v1/gates/{}/sign", gate_id, fields={"agree": True})

    def refuse(self, gate_id: str, reason: str) -> Sitting:
        return self._calls.post(Sitting, "/api/v1/gates/{}/refuse", gate_id, fields={"reason": reason})

    def answer_on_behalf(self, gate_id: str, *, signed: bool, name: str, evidence: str, reason: str = "") -> Sitting:
        """What the client's approver decided another way. `evidence`: where it can be seen."""
        fields = {"signed": signed, "name": name, "evidence": evidence, "reason": reason}
        return self._calls.post(Sitting, "/api/v1/gates/{}/on-behalf", gate_id, fields=fields)

    def meet(self, condition_id: str, note: str) -> Condition:
        return self._calls.post(Condition, "/api/v1/conditions/{}/meet", condition_id, fields={"note": note})

    def mark(
        self, engagement_id: str, phase: str, item: str, *, done: bool = True, applies: bool = True, note: str = ""
    ) -> ChecklistItem:
        """A mark opens no gate."""
        fields = {"done": done, "applies": applies, "note": note}
        return self._calls.put(
            ChecklistItem, "/api/v1/engagements/{}/checklist/{}/{}", engagement_id, phase, item, fields=fields
        )

    def criteria(self, engagement_id: str) -> Sequence[Criterion]:
        """With their verdicts on the evidence there is now."""
        return self._calls.get(CriterionList, "/api/v1/engagements/{}/criteria", engagement_id).criteria

    def sample_size(self, baseline: float, *, target: float | None = None, items: int | None = None) -> SampleSize:
        """Rates from 0 to 1."""
        query = {"baseline": str(baseline), "target": None if target is None else str(target), "items": items}
        return self._calls.get(SampleSize, "/api/v1/sample-size", query=query)
