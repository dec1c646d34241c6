"""Before and after, on tickets that nobody imported: read once, when the choice was made."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from backends.protocol import Backend
from engagements.client.training_models import ModelVersion
from engagements.demo.model.weights import NAME
from engagements.demo.routing import HELD_OUT_NAME
from engagements.demo.words import note
from engagements.evals.metrics import METRICS
from engagements.evals.paired import paired
from engagements.phases.training.judging.scoring import Scored, score

_ANSWER_TOKENS: Final = 12


def compare(trainer: Backend, version: ModelVersion) -> None:
    rows = [json.loads(line) for line in Path(HELD_OUT_NAME).read_text("utf-8").splitlines()]
    note("Held out", f"{len(rows)} tickets of which no sentence was imported, opened now: the choice is made")
    before, after = _scored(trainer, NAME, rows), _scored(trainer, version.model, rows)
    note("before", f"{_said(before)}; asked “{_question(rows[0])}” it says “{_answer(trainer, rows[0])}”")
    note("after", _said(after))
    note("difference", str(paired(after.per_item, before.per_item)))


def _scored(trainer: Backend, model: str, rows: list[dict[str, Any]]) -> Scored:
    with closing(trainer.predictor(model)) as predictor:
        return score(predictor, rows, METRICS["label"], max_tokens=_ANSWER_TOKENS)


def _said(found: Scored) -> str:
    return (
        f"{sum(found.per_item):.0f} of {found.items} right, {found.value:.1%} "
        f"(95% interval {found.low:.1%} to {found.high:.1%}, {found.method})"
    )


def _question(row: dict[str, Any]) -> str:
    return str(row["messages"][1]["content"])


def _answer(trainer: Backend, row: dict[str, Any]) -> str:
    with closing(trainer.predictor(NAME)) as predictor:
        (said,) = predictor.predict_many([row["messages"][:-1]], max_tokens=_ANSWER_TOKENS)
    return said.text.strip()
