"""The engagement of the runs' own tests, whose training has begun, and people of every kind who look at it."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_RUNS = runpy.run_path(str(Path(__file__).parents[1] / "training_runs" / "conftest.py"))
bench, make_bench, work_to_training = (_RUNS[name] for name in ("bench", "make_bench", "work_to_training"))


@pytest.fixture
def home(bench) -> str:
    return f"/engagements/{bench.engagement_id}/training"


@pytest.fixture
def asked(bench) -> Callable[..., dict[str, Any]]:
    """The form of a new experiment, filled in; a field set to ... is left out."""

    def filled(**fields: Any) -> dict[str, Any]:
        form = {
            "name": "First three", "dataset_version_id": bench.version_id, "design": "three", "base.backend": "fake",
            "base.model": "tiny", "base.hyperparameters.epochs": "3", "base.seed": "7", "metric": "exact_match",
            "strategy": "all", "scored_rows_max": "500", "curated_share": "50", "priority": "0", "currency": "EUR",
            "cap": "10.00", "shown_backend": "fake",
        }  # fmt: skip
        told = form | {name.replace("__", "."): value for name, value in fields.items()}
        return {name: value for name, value in told.items() if value is not ...}

    return filled
