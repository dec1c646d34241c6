"""A model that came out has to answer before it counts; then its checkpoints are measured on validation, one a step,
and one is chosen with its reason."""

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from backends.errors import AnswerInvalid, BackendError, CheckpointInvalid, ProviderRefused, RunLost
from backends.events import EventKind, Failure
from backends.protocol import Backend
from engagements.delivery.evidence import SplitName
from engagements.evals.metrics import METRICS
from engagements.phases.data_preparation.formats.registry import format_named
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training.judging.scoring import Scored, items_of, score, tokens_for
from engagements.phases.training.judging.selection import choose
from engagements.phases.training.models import (
    BaseScore,
    Experiment,
    RunCheckpoint,
    RunEvent,
    TrainingState,
    Wish,
)
from engagements.phases.training.plans.exporting import has_split, records_of, source_of
from engagements.phases.training.supervising import before_training, lanes
from engagements.phases.training.supervising.before_training import TRIES_MAX, Turn
from engagements.phases.training.supervising.concluding import candidate_of, choice_json
from engagements.phases.training.supervising.finishing import close
from engagements.phases.training.supervising.holding import Held, Hold
from engagements.phases.training.supervising.moving import end, incident, move
from engagements.phases.training.supervising.parts import Parts

SCORED_MAX: Final = 5
"""Checkpoints of one run that are measured: those with the lowest validation loss, and the last."""
_PROBE_TOKENS: Final = 4
_ASKED_AGAIN: Final = timedelta(seconds=15)
_TOLD_EVERY: Final = timedelta(seconds=2)
_CHAT: Final = "openai_chat"

Rows = Sequence[dict[str, Any]]


def probe(parts: Parts, hold: Hold) -> None:
    """One completion of the model that is said to be there. Raises what `dispatch` makes rows of."""
    with hold.write() as held:
        if _is_cancelled(held, parts):
            return
        backend, model = parts.trainers.named(held.run.backend), held.progress.result
        experiment = held.session.get_one(Experiment, held.run.experiment_id)
        rows = _rows(parts, held.session, experiment, SplitName.VALIDATION, 1) or _rows(
            parts, held.session, experiment, SplitName.TRAIN, 1
        )
    try:
        with hold.kept(), closing(backend.predictor(model)) as predictor:
            predictor.predict_many([items_of(rows)[0].conversation], max_tokens=_PROBE_TOKENS)
    except CheckpointInvalid as broken:
        _fail(parts, hold, broken.code, str(broken))
        return
    except (ProviderRefused, AnswerInvalid, RunLost) as refused:
        _not_yet(parts, hold, refused)
        return
    with hold.write() as held:
        at = parts.clock.now()
        lanes.answered(held.session, held.run.backend)
        held.run.state = TrainingState.SCORING
        move(held, "training_run.scoring", at=at)
        held.again(at, said="")


def measure(parts: Parts, hold: Hold) -> None:
    """The base model, then the next checkpoint that was not measured; when all were, one is chosen and the run has
    succeeded."""
    with hold.write() as held:
        if _is_cancelled(held, parts):
            return
        experiment = held.session.get_one(Experiment, held.run.experiment_id)
        rows = _rows(parts, held.session, experiment, SplitName.VALIDATION, experiment.scored_rows_max)
        chosen = to_score(checkpoints_of(held.session, held.run.id))
        due = [row for row in chosen if row.score is None and row.tries < TRIES_MAX] if rows else []
        turn = before_training.turn_of(held, parts) if rows and chosen else Turn.OVER
        if not due and turn is Turn.ANOTHERS:
            held.again(parts.clock.now() + _ASKED_AGAIN, said="waits until the model before training is measured")
            return
        if not due and turn is Turn.OVER:
            _choose(held, experiment, chosen, parts)
            return
        checkpoint = None if turn is Turn.OURS else due[0].checkpoint_id
        model = held.run.model if turn is Turn.OURS else due[0].model
        backend, metric = parts.trainers.named(held.run.backend), experiment.metric
        most = experiment.answer_tokens_max or tokens_for(items_of(rows))
    try:
        with hold.kept():
            scored = _scored(parts, hold, backend, model, rows, metric, most)
    except (ProviderRefused, AnswerInvalid, CheckpointInvalid, RunLost) as refused:
        _tried(parts, hold, checkpoint, refused)
        return
    with hold.write() as held:
        row = _row_of(held, checkpoint)
        row.score, row.failure, row.scored_at = asdict(scored), "", parts.clock.now()
        held.again(parts.clock.now(), said="")


def checkpoints_of(session: Session, run_id: str) -> Sequence[RunCheckpoint]:
    """In the order of their steps."""
    mine = select(RunCheckpoint).where(col(RunCheckpoint.run_id) == run_id)
    return session.exec(mine.order_by(col(RunCheckpoint.step), col(RunCheckpoint.checkpoint_id))).all()


def to_score(rows: Sequence[RunCheckpoint]) -> list[RunCheckpoint]:
    """The last, and those with the lowest validation loss; where none is known, the latest. In the order of steps."""
    if len(rows) <= SCORED_MAX:
        return list(rows)
    *before, last = rows
    known = [row for row in before if candidate_of(row, "").valid_loss is not None]
    if known:
        best = sorted(known, key=lambda row: (candidate_of(row, "").valid_loss or 0.0, row.step))[: SCORED_MAX - 1]
    else:
        best = before[1 - SCORED_MAX :]
    return sorted([*best, last], key=lambda row: row.step)


def _scored(parts: Parts, hold: Hold, backend: Backend, model: str, rows: Rows, metric: str, most: int) -> Scored:
    told_at = parts.clock.now()

    def progress(done: int, of: int) -> None:
        nonlocal told_at
        if parts.clock.now() - told_at >= _TOLD_EVERY:
            told_at = parts.clock.now()
            with hold.write() as held:
                held.progress.said = f"measured on {done} of {of} validation examples"

    with closing(backend.predictor(model)) as predictor:
        return score(predictor, rows, METRICS[metric], max_tokens=most, progress=progress)


def _rows(parts: Parts, session: Session, experiment: Experiment, split: SplitName, most: int) -> Rows:
    """Chat rows of a split, always the same ones: those whose ids have the lowest digests; none of a split that is
    not there."""
    version = session.get_one(DatasetVersion, experiment.dataset_version_id)
    if not has_split(version, split):
        return []
    records = sorted(
        records_of(parts.storage, source_of(version, split)), key=lambda each: hashlib.sha256(each.id.encode()).digest()
    )
    written = (format_named(_CHAT).row_of(record) for record in records[:most])
    return [dict(row) for row in written if row is not None]


def _choose(held: Held, experiment: Experiment, chosen: Sequence[RunCheckpoint], parts: Parts) -> None:
    at, session, run = parts.clock.now(), held.session, held.run
    if not chosen:
        end(
            held, TrainingState.FAILED, at=at, failure=Failure(code="artifact_missing", message="it kept no checkpoint")
        )
        close(held, parts, at=at)
        return
    for row in chosen:
        row.metrics = row.metrics or _measured_at(session, run.id, row.step)
    base = before_training.base_of(session, run, experiment.metric)
    choice = choose([candidate_of(row, experiment.metric) for row in chosen], base=base)
    run.checkpoint_id, run.choice = choice.checkpoint.id, choice_json(choice)
    end(held, TrainingState.SUCCEEDED, at=at)
    close(held, parts, at=at)


def _measured_at(session: Session, run_id: str, step: int) -> dict[str, Any] | None:
    """What was measured at a checkpoint's step, where the backend did not say it of the checkpoint itself."""
    found = session.exec(
        select(RunEvent.metrics)
        .where(col(RunEvent.run_id) == run_id, col(RunEvent.step) == step, col(RunEvent.kind) == EventKind.METRICS)
        .order_by(col(RunEvent.number).desc())
    ).all()
    best = next((each for each in found if each and "full_valid_loss" in each), next(iter(found), None))
    return dict(best) if best else None


def _is_cancelled(held: Held, parts: Parts) -> bool:
    """There is nothing left to stop on the other side: it is done."""
    if held.run.wish is not Wish.CANCEL:
        return False
    at = parts.clock.now()
    end(held, TrainingState.CANCELLED, at=at)
    close(held, parts, at=at)
    return True


def _not_yet(parts: Parts, hold: Hold, refused: BackendError) -> None:
    """The model is not to be had: asked again until its deadline."""
    at = parts.clock.now()
    with hold.write() as held:
        deadline = held.progress.wait_until
        if deadline is None or at < deadline:
            held.again(at + _ASKED_AGAIN, said=f"its model does not answer yet: {refused}")
            return
    _fail(parts, hold, "artifact_missing", f"it succeeded, and its model does not answer: {refused}")


def _row_of(held: Held, checkpoint_id: str | None) -> RunCheckpoint | BaseScore:
    """Of the base model where there is no checkpoint."""
    if checkpoint_id is None:
        return before_training.row_of(held.session, held.run)
    return held.session.get_one(RunCheckpoint, (held.run.id, checkpoint_id))


def _tried(parts: Parts, hold: Hold, checkpoint_id: str | None, refused: BackendError) -> None:
    """A backend that fails is no score; after `TRIES_MAX` times the checkpoint has no chance, nor has the base model,
    which may be none that it can answer with."""
    at = parts.clock.now()
    with hold.write() as held:
        row = _row_of(held, checkpoint_id)
        row.tries, row.failure = row.tries + 1, str(refused)[:500]
        if checkpoint_id is None and isinstance(refused, RunLost):
            row.tries = TRIES_MAX
            held.again(at, said="")
            return
        if row.tries >= TRIES_MAX:
            what = f"checkpoint {checkpoint_id}" if checkpoint_id else "the model before training"
            incident(held, "not_scored", f"{what} could not be measured: {refused}", at=at)
        held.again(at + _ASKED_AGAIN * row.tries, said=f"measuring failed: {refused}")


def _fail(parts: Parts, hold: Hold, code: str, message: str) -> None:
    with hold.write() as held:
        at = parts.clock.now()
        end(held, TrainingState.FAILED, at=at, failure=Failure(code=code, message=message))
        close(held, parts, at=at)
