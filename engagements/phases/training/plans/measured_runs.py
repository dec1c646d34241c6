"""Finished runs of a backend as measurements, newest first: what a prediction is made of where no table helps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlmodel import Session, col, select

from backends.events import EventKind
from engagements.core.roles import Actor
from engagements.core.service import scoped
from engagements.phases.training.models import RunEvent, TrainingProgress, TrainingRun, TrainingState
from engagements.phases.training.plans.measured import MeasuredRun, as_measured, runs_alike
from engagements.phases.training.plans.prediction import Prediction, Shape

_RUNS_MOST: Final = 30
_SPEEDS_MOST: Final = 300
"""Steps whose speeds are looked at: the last ones, for tenths of them are known well enough then."""


@dataclass(kw_only=True)
class Measurements:
    """What one actor may see of finished runs; each is read once, for runs of one plan ask for the same."""

    session: Session
    actor: Actor
    _runs: dict[tuple[str, str], list[MeasuredRun]] = field(default_factory=dict)
    _speeds: dict[str, list[float]] = field(default_factory=dict)

    def completed(self, found: Prediction, *, backend: str, model: str, device: str) -> Prediction:
        """What the prediction leaves open, as runs of this backend and base model took before; `device`: what the
        backend says that it computes on, empty where it does not."""
        if found.shape is None or found.needs_no_measurement:
            return found
        key = (backend, model)
        if key not in self._runs:
            self._runs[key] = list(_measured(self.session, self.actor, backend, model))
        alike = runs_alike(self._runs[key], found.shape, device=device)
        return as_measured(found, alike, self._speeds_of(alike[0].run_id) if alike else (), device=device)

    def _speeds_of(self, run_id: str) -> list[float]:
        if run_id not in self._speeds:
            self._speeds[run_id] = _speeds_of(self.session, run_id)
        return self._speeds[run_id]


def _measured(session: Session, actor: Actor, backend: str, model: str) -> Iterator[MeasuredRun]:
    chosen = (
        scoped(TrainingRun, actor)
        .where(
            col(TrainingRun.backend) == backend, col(TrainingRun.model) == model,
            col(TrainingRun.state) == TrainingState.SUCCEEDED,
        )
        .order_by(col(TrainingRun.ended_at).desc(), col(TrainingRun.id).desc())
        .limit(_RUNS_MOST)
    )  # fmt: skip
    rows = session.exec(chosen).all()
    far = select(TrainingProgress).where(col(TrainingProgress.run_id).in_([row.id for row in rows]))
    progress = {each.run_id: each for each in session.exec(far)}
    for row in rows:
        if (found := _of_row(row, progress[row.id])) is not None:
            yield found


def _of_row(run: TrainingRun, progress: TrainingProgress) -> MeasuredRun | None:
    """None where the backend did not say on what it ran or for how long, or nobody counted its tokens."""
    usage, said = progress.usage, run.prediction
    device, seconds, tokens, kept = usage.get("device"), usage.get("seconds"), said.get("tokens"), said.get("shape")
    if not (device and seconds and tokens and kept and run.ended_at):
        return None
    share = progress.step / progress.total_steps if progress.total_steps else 1.0
    if not share:
        return None
    return MeasuredRun(
        run_id=run.id, name=run.name, on=run.ended_at.date(), device=device, devices=usage.get("devices") or 1,
        shape=_as_it_ran(Shape(**kept), run.environment), tokens=tokens * share, seconds=seconds,
        memory_bytes=usage.get("peak_memory_bytes"),
    )  # fmt: skip


def _as_it_ran(planned: Shape, environment: Mapping[str, Any]) -> Shape:
    """A run that was short of memory went on with smaller micro batches than it was planned with."""
    told = str(environment.get("micro_batch_size", ""))
    return replace(planned, micro_batch_size=int(told)) if told.isdigit() and int(told) else planned


def _speeds_of(session: Session, run_id: str) -> list[float]:
    """Tokens a second of the last steps that told them."""
    rows = session.exec(
        select(RunEvent.metrics)
        .where(col(RunEvent.run_id) == run_id, col(RunEvent.kind) == EventKind.METRICS)
        .order_by(col(RunEvent.number).desc())
        .limit(_SPEEDS_MOST)
    ).all()
    return [speed for each in rows if each and isinstance(speed := each.get("tokens_per_second"), int | float)]
