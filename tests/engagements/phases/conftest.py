"""What the tests of the gates share: evidence that every gate is content with, as a team's tools would post it."""

import copy
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from engagements.core.roles import Role
from engagements.evals.intervals import mcnemar_p, paired_difference, wilson
from estimator.phases import Phase

SEALED, MODEL, DATA = "c" * 64, "e" * 64, "d" * 64
METRIC = "drafts sent without edits"
CHECK = {"passed": True, "by": "Ines Roth", "on": "2026-11-19"}


def rate(metric: str, hits: int, items: int = 540) -> dict[str, Any]:
    between = wilson(hits, items)
    return {
        "metric": metric, "value": hits / items, "items": items, "hits": hits, "low": between.low,
        "high": between.high, "method": "wilson",
    }  # fmt: skip


def dataset(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "dataset_version", "name": "tickets@v3", "sha256": DATA, "sealed_at": "2026-11-19T10:00:00Z",
        "splits": [
            {"name": "train", "examples": 2240, "sha256": "a" * 64},
            {"name": "validation", "examples": 420, "sha256": "b" * 64},
            {"name": "test", "examples": 540, "sha256": SEALED},
        ],
        "leakage": {"exact": 0, "normalised": 0, "near": 0, "near_rule": "MinHash 5-grams, Jaccard 0.8"},
        "agreement": {"measure": "Cohen's kappa", "value": 0.86, "target": 0.8, "items": 200},
        "licence": CHECK, "personal_data": CHECK, "card_sha256": "1" * 64,
    } | changes  # fmt: skip


def evaluation(subject: str, hits: int = 367, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "evaluation_run", "subject": subject, "name": subject, "set_name": "acceptance-test@v1",
        "set_sha256": SEALED, "items": 540, "scorer": "sent_as_is@1.2", "per_item_sha256": "2" * 64,
        "results": [rate(METRIC, hits)],
    } | changes  # fmt: skip


def comparison(won: int = 120, lost: int = 15, **changes: Any) -> dict[str, Any]:
    between = paired_difference(won, lost, 540)
    return {
        "kind": "comparison", "metric": METRIC, "candidate": "tickets-7", "candidate_sha256": MODEL,
        "baseline": "prompt-12", "baseline_subject": "best_prompt", "set_name": "acceptance-test@v1",
        "set_sha256": SEALED, "items": 540, "only_candidate": won, "only_baseline": lost,
        "difference": (won - lost) / 540, "low": between.low, "high": between.high, "p": mcnemar_p(won, lost),
        "scorer": "sent_as_is@1.2", "per_item_sha256": "2" * 64,
    } | changes  # fmt: skip


def regression(won: int = 8, lost: int = 6, **changes: Any) -> dict[str, Any]:
    told = {
        "purpose": "regression", "metric": "general questions", "baseline_subject": "base_model",
        "set_name": "general@v1", "set_sha256": "7" * 64, "loss_max": 0.03,
    }  # fmt: skip
    return comparison(won, lost, **(told | changes))


def training(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "training_run", "run": "run-7", "base_model": "qwen3-8b", "config_sha256": "3" * 64,
        "dataset_sha256": DATA, "seed": 7, "epochs": 3, "cost": {"amount": "21.40", "currency": "EUR"},
        "checkpoint": {
            "name": "run-7/400", "sha256": MODEL, "chosen_by": "validation", "step": 400, "metric": "loss",
            "value": 0.61,
        },
        "curves": {
            "steps": 600, "best_step": 400, "training_last": 0.44, "validation_best": 0.61, "validation_last": 0.66,
        },
        "record_sha256": "4" * 64,
    } | changes  # fmt: skip


def candidate(**changes: Any) -> dict[str, Any]:
    told = {
        "model_sha256": MODEL,
        "results": [
            rate(METRIC, 472), rate("replies that follow the required structure", 540),
            rate("tone rated as ours by two agents, blind", 275, 300),
        ],
        "failures": [{"name": "tariff mixed up", "items": 9, "severity": "high", "cause": "two of one name"}],
        "client_review": {"passed": True, "by": "Ana Brandt", "on": "2026-11-20"},
    }  # fmt: skip
    return evaluation("candidate", **(told | changes))


def deployment(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "deployment", "model_sha256": MODEL, "environment": "production", "traffic": 0.1,
        "rollback": {"at": "2026-11-20T08:00:00Z", "seconds": 42},
        "guardrails": [
            {"name": "errors", "operator": "at most", "limit": 0.01, "value": 0.002, "requests": 4000},
            {"name": "p95 in seconds", "operator": "at most", "limit": 2.5, "value": 1.8, "requests": 4000},
        ],
        "monitoring_since": "2026-11-20T08:00:00Z", "card_sha256": "5" * 64, "access": CHECK,
    } | changes  # fmt: skip


def drift(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "drift_check", "model_sha256": MODEL, "window_begin": "2026-10-20", "window_end": "2026-11-19",
        "requests": 61_000, "signals": [{"name": "input length", "value": 0.04, "threshold": 0.2, "p": 0.31}],
        "retraining": {"decision": "not_needed", "reason": "No signal is over.", "by": "Ines Roth"},
        "service_levels": [
            {"name": "availability", "operator": "at least", "limit": 0.995, "value": 0.999, "requests": 61_000},
        ],
        "report_sha256": "6" * 64,
    } | changes  # fmt: skip


GOOD: Mapping[Phase, list[dict[str, Any]]] = {
    Phase.DATA_PREPARATION: [dataset()],
    Phase.BASELINE_EVALUATION: [evaluation("base_model", 240), evaluation("best_prompt", 367)],
    Phase.TRAINING: [training()],
    Phase.EVALUATION: [
        candidate(), comparison(), regression(),
        candidate(purpose="robustness", set_name="hostile@v1", set_sha256="8" * 64),
    ],
    Phase.DEPLOYMENT: [deployment()],
    Phase.MANAGEMENT: [drift()],
}  # fmt: skip


def posted(content: Mapping[str, Any], external_id: str = "one", **more: Any) -> dict[str, Any]:
    return {
        "external_id": external_id, "source": "eval-kit 2.1", "measured_at": "2026-11-20T15:00:00Z",
        "content": copy.deepcopy(dict(content)),
    } | more  # fmt: skip


def begin(lead: Any, home: str, phase: Phase) -> None:
    started = lead.post(f"{home}/phases/{phase}/start")
    assert started.status_code in {200, 201}, started.text


def measure(lead: Any, home: str, phase: Phase, label: str = "") -> None:
    for number, content in enumerate(GOOD[phase]):
        recorded = lead.post(f"{home}/evidence", posted(content, f"{phase}{label}-{number}"))
        assert recorded.status_code == 201, recorded.text


SIGNED = {"signed": True, "name": "Ana Brandt", "evidence": "her e-mail of 20 November"}


@pytest.fixture(scope="session")
def samples() -> SimpleNamespace:
    """The builders of this module, by name."""
    return SimpleNamespace(**globals())


@pytest.fixture
def work_to(house):
    """Works over the API up to a phase, which it starts: each before is started, measured, passed and signed."""

    def worked(engagement_id: str, until: Phase) -> Any:
        lead, home = house.api(Role.ADMINISTRATOR), f"/api/v1/engagements/{engagement_id}"
        for phase in list(Phase)[: until.number - 1]:
            begin(lead, home, phase)
            measure(lead, home, phase)
            decided = lead.post(f"{home}/gates/{phase}/decide", {"verdict": "go"})
            assert decided.status_code == 201, decided.text
            if decided.json()["state"] == "awaiting_client":
                signed = lead.post(f"/api/v1/gates/{decided.json()['id']}/on-behalf", SIGNED)
                assert signed.status_code == 200, signed.text
        begin(lead, home, until)
        return lead

    return worked
