"""What the demo's team has measured with tools of its own, as it is posted: evidence for two gates."""

import hashlib
from datetime import date
from typing import Any

from estimator.evidence import wilson_interval


def digest(name: str) -> str:
    return hashlib.sha256(f"demo: {name}".encode()).hexdigest()


def evaluation(subject: str, name: str, metric: str, *, hits: int, items: int, set_sha256: str) -> dict[str, Any]:
    """One system over the sealed test set, a rate with its Wilson interval."""
    between = wilson_interval(hits / items, items)
    return {
        "kind": "evaluation_run",
        "subject": subject,
        "name": name,
        "set_name": "sealed test set",
        "set_sha256": set_sha256,
        "items": items,
        "seeds": [1, 2, 3],
        "scorer": "sent_without_edits@4",
        "per_item_sha256": digest(f"items of {name}"),
        "results": [
            {
                "metric": metric, "value": hits / items, "items": items, "hits": hits, "low": between.low,
                "high": between.high, "method": "wilson",
            }
        ],
    }  # fmt: skip


def training_run(number: int, *, cost: str | None, currency: str, is_candidate: bool, dataset: str) -> dict[str, Any]:
    """A run of the plan; the candidate's record is not kept yet, so it cannot be repeated."""
    steps, best = 1_260, 1_050
    checkpoint = {
        "name": f"run-{number}/step-{best}", "sha256": digest(f"checkpoint {number}"), "chosen_by": "validation",
        "step": best, "metric": "validation loss", "value": 0.412,
    }  # fmt: skip
    return {
        "kind": "training_run",
        "run": f"run-{number}",
        "base_model": "Qwen3-8B",
        "config_sha256": digest(f"configuration {number}"),
        "dataset_sha256": dataset,
        "seed": number,
        "epochs": 3,
        "trained_tokens": 1_960_000,
        "cost": None if cost is None else {"amount": cost, "currency": currency},
        "checkpoint": checkpoint if is_candidate else None,
        "curves": {
            "steps": steps, "best_step": best, "training_last": 0.287, "validation_best": 0.412,
            "validation_last": 0.419,
        },
    }  # fmt: skip


def on_day(day: date) -> str:
    return f"{day.isoformat()}T08:00:00Z"
