"""Engagements in several states, as facts: what reports about them are written from."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engagements.changes.models import ChangeState
from engagements.delivery.gate_models import GateState, Verdict
from engagements.delivery.health import Health
from engagements.delivery.models import DeliverableState, MilestoneKind, PhaseState, RaidKind, RaidState
from engagements.documents.style import Stage
from engagements.reports.facts import (
    BlockerFact,
    ChangeFact,
    ConditionFact,
    CriterionFact,
    DeliverableFact,
    EvidenceFact,
    Facts,
    GateFact,
    MilestoneFact,
    Overruled,
    PhaseFact,
    PlanMove,
    PriceFact,
    RegisterFact,
)
from engagements.reports.view import Control
from estimator.money import Money
from estimator.phases import Phase

AGREED_ON = date(2026, 11, 23)
FIRST_REPORT, SECOND_REPORT = date(2026, 12, 21), date(2027, 2, 1)
_DAYS = {
    1: (date(2026, 11, 30), date(2026, 12, 16)), 2: (date(2026, 12, 17), date(2027, 1, 13)),
    3: (date(2027, 1, 14), date(2027, 2, 3)), 4: (date(2027, 2, 4), date(2027, 2, 18)),
    5: (date(2027, 2, 19), date(2027, 3, 5)),
}  # fmt: skip


def euros(amount: int) -> Money:
    return Money(100 * amount, "EUR")


def phase(number: int, **changes: Any) -> PhaseFact:
    begin, gate = _DAYS.get(number, (None, None))
    return replace(
        PhaseFact(
            number=number, name=list(Phase)[number - 1].label, state=PhaseState.PLANNED, round=1, owner="Ida Berg",
            cosigned=number in {1, 2, 4}, agreed_begin=begin, agreed_gate=gate,
            late_gate=gate + timedelta(days=9) if gate else None, planned_begin=begin,
            planned_work_end=gate - timedelta(days=3) if gate else None, planned_gate=gate, actual_begin=None,
            actual_end=None, days_late=0 if gate else None, blocked_reason="", blocked_since=None,
        ),
        **changes,
    )  # fmt: skip


def gate(number: int, day: date, **changes: Any) -> GateFact:
    return replace(
        GateFact(
            id=f"gat_{number}_{day}", phase=number, round=1, sitting=1, verdict=Verdict.GO, state=GateState.FINAL,
            day=day, decided_by="Jonas Roth", reason="", overruled=(), override_reason="", review_on=None,
            cosigned_by="", cosigned_on=None, cosign_reason="", evidence=(),
        ),
        **changes,
    )  # fmt: skip


def deliverable(number: int, of_phase: int, name: str, **changes: Any) -> DeliverableFact:
    _, due = _DAYS.get(of_phase, (None, None))
    return replace(
        DeliverableFact(
            code=f"D{number}", phase=of_phase, name=name, state=DeliverableState.DRAFT, edition=1,
            reviewer="Head of Service", due=due, submitted_on=None, decided_on=None, reason="",
        ),
        **changes,
    )  # fmt: skip


def criterion(number: int, metric: str, threshold: str, **changes: Any) -> CriterionFact:
    return replace(
        CriterionFact(
            code=f"C{number}", tier="must" if number < 3 else "should", metric=metric, operator="at least",
            threshold=Decimal(threshold), items=540, outcome="", said="not measured",
            remedy="measure it on 540 items of the sealed set", evidence=(),
        ),
        **changes,
    )  # fmt: skip


def milestone(code: str, name: str, **changes: Any) -> MilestoneFact:
    kind = MilestoneKind.PAYMENT if code.startswith("P") else MilestoneKind.CLIENT_INPUT
    return replace(
        MilestoneFact(
            code=code, kind=kind, name=name, phase=None, agreed_on=None, planned_on=None, reached_on=None, net=None
        ),
        **changes,
    )


def evidence(number: int, kind: str, name: str, of_phase: int) -> EvidenceFact:
    return EvidenceFact(
        id=f"evi_01hx{number:022d}", kind=kind, phase=of_phase, name=name, source="lm-eval 0.4.9",
        sha256=f"{number:x}" * 64, measured_at="2027-01-12 14:05 +0100", superseded=False,
    )  # fmt: skip


_OPENED = Facts(
    day=AGREED_ON,
    baseline=1,
    agreement="P-2026-0007, version 1",
    agreed_on=AGREED_ON,
    health=Health.ON_TRACK,
    reasons=(),
    phases=(phase(1, state=PhaseState.READY), *(phase(number) for number in range(2, 7))),
    gates=(),
    blockers=(),
    conditions=(),
    deliverables=(
        deliverable(1, 1, "Dataset card and sealed test split"),
        deliverable(2, 1, "Labelling guideline"),
        deliverable(3, 2, "Baseline report"),
        deliverable(4, 3, "Model candidate with its run record"),
        deliverable(5, 4, "Results report"),
        deliverable(6, 5, "Model in production, runbook"),
    ),
    criteria=(
        criterion(1, "Replies sent without a change", "0.72"),
        criterion(2, "Replies that name the right tariff", "0.95"),
        criterion(3, "Replies in the customer's language", "0.99"),
    ),
    changes=(),
    price=PriceFact(original=euros(105_234), approved=euros(0), pending=euros(0), pending_unknown=0),
    register=(
        RegisterFact(
            code="A1", kind=RaidKind.ASSUMPTION, title="4,000 solved tickets are there", state=RaidState.OPEN,
            probability="", impact="", response="labelling grows by the number that is missing",
            owner="Head of Service", due=None, outcome="",
        ),
        RegisterFact(
            code="R1", kind=RaidKind.RISK, title="The tariff change brings questions no past reply covers",
            state=RaidState.OPEN, probability="high", impact="normal",
            response="400 edge cases are written anew; coverage is measured at gate 1", owner="Annotation lead",
            due=None, outcome="",
        ),
        RegisterFact(
            code="R2", kind=RaidKind.RISK, title="Reviewers disagree on what a good answer is",
            state=RaidState.OPEN, probability="normal", impact="high",
            response="Guideline and pilot of 50 examples before volume; agreement is measured every week",
            owner="Annotation lead", due=None, outcome="",
        ),
    ),
    milestones=(
        milestone("P1", "Deposit", agreed_on=AGREED_ON, planned_on=AGREED_ON, reached_on=AGREED_ON, net=euros(16_000)),
        milestone("P2", "Dataset sealed", phase=1, agreed_on=_DAYS[1][1], planned_on=_DAYS[1][1], net=euros(20_000)),
        milestone("P3", "Results accepted", phase=4, agreed_on=_DAYS[4][1], planned_on=_DAYS[4][1], net=euros(40_000)),
        *(
            milestone(
                f"P{3 + month}", f"Management, month {month}", month=month, agreed_on=date(2027, 3 + month, 5),
                planned_on=date(2027, 3 + month, 5), net=euros(2_573),
            )
            for month in range(1, 9)
        ),
        milestone(
            "N1", "Access to the sources, a data owner, experts for questions", phase=1, agreed_on=_DAYS[1][0],
            planned_on=_DAYS[1][0],
        ),
        milestone("N4", "Experts who review 540 answers", phase=4, agreed_on=_DAYS[4][0], planned_on=_DAYS[4][0]),
    ),
    evidence=(),
    plan_moves=(),
    holidays=(date(2026, 12, 25), date(2027, 1, 1)),
)  # fmt: skip


def opened() -> Facts:
    """The day the proposal was accepted."""
    return _OPENED


def in_data_preparation() -> Facts:
    """Four weeks on: the first phase is under way, one deliverable waits for the client."""
    return replace(
        _OPENED,
        day=FIRST_REPORT,
        health=Health.LATE,
        reasons=("The gate of data preparation was planned for 16 Dec 2026, 5 days ago.",),
        phases=(
            phase(1, state=PhaseState.IN_PROGRESS, actual_begin=date(2026, 11, 30), days_late=0),
            *_OPENED.phases[1:],
        ),
        blockers=(
            BlockerFact(
                code="leakage.failed", message="7 test examples stand in the training split too",
                remedy="split again by customer, and record the new version",
            ),
            BlockerFact(
                code="licence.missing", message="nobody has looked at the licence of the data",
                remedy="record who looked at it, and what came of it",
            ),
        ),
        deliverables=(
            replace(_OPENED.deliverables[0], state=DeliverableState.REJECTED),
            replace(_OPENED.deliverables[1], state=DeliverableState.SUBMITTED, submitted_on=date(2026, 12, 11)),
            *_OPENED.deliverables[2:],
        ),
        milestones=tuple(
            replace(each, reached_on=date(2026, 11, 30)) if each.code == "N1" else each for each in _OPENED.milestones
        ),
    )  # fmt: skip


def two_gates_passed() -> Facts:
    """Two gates passed, the second by override with a condition; a third held; a change agreed and one pending."""
    first = in_data_preparation()
    found = (
        evidence(1, "Dataset version", "tickets@v3", 1), evidence(2, "Evaluation run", "best-prompt@sealed", 2),
        evidence(3, "Training run", "run-14", 3), evidence(4, "Evaluation run", "run-14@sealed", 4),
        evidence(5, "Comparison", "run-14 against best-prompt", 4),
    )  # fmt: skip
    return replace(
        first,
        day=SECOND_REPORT,
        baseline=2,
        health=Health.AT_RISK,
        reasons=(
            "The next gate is planned 7 days later than agreed.",
            "A condition or a client’s input has been due for 4 days.",
        ),
        phases=(
            phase(
                1, state=PhaseState.DONE, actual_begin=date(2026, 11, 30), actual_end=date(2026, 12, 22), days_late=4
            ),
            phase(
                2, state=PhaseState.DONE, actual_begin=date(2026, 12, 23), actual_end=date(2027, 1, 14), days_late=1
            ),
            phase(
                3, state=PhaseState.IN_PROGRESS, round=2, actual_begin=date(2027, 1, 15),
                planned_gate=date(2027, 2, 10), days_late=5,
            ),
            phase(4, planned_begin=date(2027, 2, 11), planned_gate=date(2027, 2, 25), days_late=5),
            phase(5, planned_begin=date(2027, 2, 26), planned_gate=date(2027, 3, 12), days_late=5),
            phase(6),
        ),
        gates=(
            gate(
                1, date(2026, 12, 21), cosigned_by="Ana Brandt", cosigned_on=date(2026, 12, 22),
                evidence=(found[0].id,),
            ),
            gate(
                2, date(2027, 1, 14), verdict=Verdict.GO_WITH_CONDITIONS,
                reason="the prompt leaves 9 points to win, and the stop condition is not met",
                overruled=(
                    Overruled(
                        code="human_baseline.missing",
                        message="no human baseline was measured; 100 items by two reviewers were asked for",
                    ),
                ),
                override_reason="the reviewers are away until February; the gate does not turn on their score",
                evidence=(found[1].id,), cosigned_by="Ana Brandt", cosigned_on=date(2027, 1, 14),
            ),
            gate(
                3, date(2027, 1, 28), verdict=Verdict.RECYCLE,
                reason="validation loss rose from step 1,200 on; the second round trains with the new edge cases",
                evidence=(found[2].id,),
            ),
        ),
        blockers=(
            BlockerFact(
                code="reproduced.missing", message="no run of this round is recorded",
                remedy="record the training run with its seed and data",
            ),
        ),
        conditions=(
            ConditionFact(
                id="cnd_1", phase=2, text="Two of your reviewers score 100 items of the sealed set",
                owner="Ana Brandt", with_client=True, due=date(2027, 1, 28), met_on=None, note="",
            ),
        ),
        deliverables=(
            replace(
                first.deliverables[0], state=DeliverableState.ACCEPTED, submitted_on=date(2026, 12, 17),
                decided_on=date(2026, 12, 21),
            ),
            replace(
                first.deliverables[1], state=DeliverableState.ACCEPTED_WITH_RESERVATIONS,
                decided_on=date(2026, 12, 22), reason="examples for gas are thin",
            ),
            replace(first.deliverables[2], state=DeliverableState.SUBMITTED, submitted_on=date(2027, 1, 14)),
            *first.deliverables[3:],
        ),
        criteria=(
            criterion(
                1, "Replies sent without a change", "0.72", outcome="inconclusive",
                said="73.1 % (95 % interval 69.3 % to 76.7 %, 540 items); at least 72.0 %",
                remedy="measure more items, or accept it in writing", evidence=(found[3].id, found[4].id),
            ),
            criterion(
                2, "Replies that name the right tariff", "0.95", outcome="pass",
                said="98.0 % (95 % interval 96.4 % to 98.9 %, 540 items); at least 95.0 %", remedy="",
                evidence=(found[3].id,),
            ),
            criterion(
                3, "Replies in the customer's language", "0.99", outcome="fail",
                said="96.1 % (95 % interval 94.1 % to 97.4 %, 540 items); at least 99.0 %",
                remedy="improve the data or the training and come again, or agree another criterion as a change",
                evidence=(found[3].id,),
            ),
        ),
        changes=(
            ChangeFact(
                number=1, title="Gas tariffs as well", reason="The brief named electricity only; gas came in December.",
                state=ChangeState.AGREED, net=euros(8_400), days=5, sent_on=date(2027, 1, 5),
                decided_on=date(2027, 1, 11), signer="Ana Brandt",
            ),
            ChangeFact(
                number=2, title="A third training round", reason="Two rounds are included; the third is not.",
                state=ChangeState.SENT, net=euros(5_150), days=None, sent_on=date(2027, 1, 29), decided_on=None,
                signer="",
            ),
        ),
        price=PriceFact(original=euros(105_234), approved=euros(8_400), pending=euros(5_150), pending_unknown=0),
        register=(
            replace(first.register[0], state=RaidState.BROKEN, outcome="3,200 are there; change 1 covers the rest"),
            *first.register[1:],
        ),
        milestones=tuple(
            replace(each, reached_on=date(2026, 12, 22)) if each.code == "P2" else each for each in first.milestones
        ),
        evidence=found,
        plan_moves=(
            PlanMove(day=date(2027, 1, 28), phase=3, reason="a second round of training", by_client=False),
            PlanMove(day=date(2027, 1, 29), phase=3, reason="the gas tickets came a week late", by_client=True),
        ),
    )  # fmt: skip


def late_and_blocked() -> Facts:
    """Nothing goes on, a gate waits for the client's signature, and the client refused another."""
    before = two_gates_passed()
    current = replace(
        before.phases[2], state=PhaseState.BLOCKED, blocked_reason="the GPU quota of your cloud account is used up",
        blocked_since=date(2027, 2, 3), planned_gate=date(2027, 3, 8), days_late=23,
    )  # fmt: skip
    return replace(
        before,
        day=date(2027, 2, 22),
        health=Health.LATE,
        reasons=(
            "The gate of training is planned 24 days after 12 Feb 2027, the latest day the plan allowed for.",
            "Phase 3, training, is blocked.",
        ),
        phases=(*before.phases[:2], current, *before.phases[3:]),
        gates=(
            *before.gates,
            gate(
                3, date(2027, 2, 19), sitting=2, verdict=Verdict.GO, state=GateState.REFUSED,
                cosign_reason="we have not seen the run of the second round",
            ),
            gate(3, date(2027, 2, 22), sitting=3, verdict=Verdict.GO, state=GateState.AWAITING_CLIENT),
        ),
    )  # fmt: skip


def everything_unknown() -> Facts:
    """A plan whose days, price, criteria and owners nobody knows."""
    bare = {"agreed_begin": None, "agreed_gate": None, "late_gate": None, "planned_begin": None,
            "planned_work_end": None, "planned_gate": None, "days_late": None, "owner": ""}  # fmt: skip
    return replace(
        _OPENED,
        health=Health.UNKNOWN,
        reasons=("Nothing is agreed yet to measure it by.",),
        phases=tuple(replace(each, **bare) for each in _OPENED.phases),
        criteria=(),
        price=None,
        register=(),
        milestones=tuple(replace(each, net=None, planned_on=None, agreed_on=None) for each in _OPENED.milestones[:2]),
        deliverables=(),
    )


def control_of(facts: Facts, number: int, before: Facts | None) -> Control:
    return Control(
        number=number, stage=Stage.FINAL, agency="Halden & Roth", client="Nordwind Energie GmbH",
        engagement="Draft replies for the service desk", since=before.day if before else None,
        prepared_by="Ida Berg", time_zone="Europe/Berlin", address="https://sixfold.example.com/reports/rep_01hx7",
    )  # fmt: skip
