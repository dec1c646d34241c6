"""What is shown of one run, live: its curves, where it stands, its checkpoints, what was audited, what it told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from sqlmodel import Session, col, select

from backends.events import EventKind
from backends.spec import TrainingSpec
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.schemas import EngagementOut
from engagements.core.service import find
from engagements.documents.charts.drawing import Drawing
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training import reading
from engagements.phases.training.judging.verdicts import VerdictKind
from engagements.phases.training.models import (
    AT_WORK,
    ENDED,
    Experiment,
    ModelVersion,
    RunEvent,
    TrainingProgress,
    TrainingRun,
    TrainingState,
)
from engagements.phases.training.plans.pricing import charged
from engagements.phases.training.schemas import CheckpointOut, EventOut, ModelVersionOut, PointOut, RunOut
from engagements.phases.training.showing import curve_chart, knobs, words
from engagements.phases.training.showing.curve_chart import SMALL, WIDE, At, Chart, Mark, Series
from engagements.phases.training.supervising.measures import usage_of
from engagements.phases.training.supervising.parts import Parts
from engagements.rendering import Formats
from estimator.money import Money, minor_digits

_TOLD: Final = 12
_AUDIT_LINES: Final = 40
_AUDIT: Final = "audit"
"""How the names of the events begin in which a backend shows what is trained (`backends.peft_local.worker.audit`)."""
_LAST: Final = "last"
_UNMEASURED: Final = 3
"""Checkpoints without a score that are listed; those with one all are."""
_HOUR_S: Final = 3600
_GIB: Final = 2**30
_SINCE: Final = frozenset({VerdictKind.OVERFITTING, VerdictKind.MEMORISING, VerdictKind.DIVERGED})
_RETRIED: Final = frozenset({TrainingState.FAILED, TrainingState.CANCELLED, TrainingState.PROVIDER_LOST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    caption: str
    drawing: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """`loss` twice: for a desk and for a phone. Nothing measured: nothing drawn."""

    wide: Drawing | None
    narrow: Drawing | None
    others: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What a backend showed of its data before the first step: a sentence, decoded spans, warnings and refusals."""

    said: str
    spans: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What may be done about it in this state."""

    cancel: bool
    pause: bool
    resume: bool
    retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """`spent_minor` of what is used so far; None where nobody knows. `left`: how long it still takes, said."""

    engagement: EngagementOut
    experiment_id: str
    experiment: str
    metric: str
    run: RunOut
    settings: str
    curves: Curves
    spent: Money | None
    left: str | None
    share: float | None
    audit: Audit | None
    told: tuple[EventOut, ...]
    steps: Steps

    @property
    def has_ended(self) -> bool:
        return self.run.state in ENDED

    @property
    def checkpoints(self) -> tuple[CheckpointOut, ...]:
        """Newest first: those that were scored, and of the others the last few."""
        newest = self.run.checkpoints[::-1]
        scored = [each for each in newest if each.score or each.failure or each.is_chosen]
        return tuple(scored or newest[:_UNMEASURED])

    @property
    def standing(self) -> str:
        """Changes when what may be done does."""
        return f"{self.run.state.value}.{self.run.wish}"

    @property
    def is_live(self) -> bool:
        return self.run.state not in ENDED | {TrainingState.PLANNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPage:
    """`parent`: the version that this one went on from."""

    engagement: EngagementOut
    version: ModelVersionOut
    dataset: str
    experiment: str
    run: RunOut
    parent: ModelVersionOut | None
    settings: str


def run_page(session: Session, actor: Actor, run_id: str, parts: Parts, formats: Formats) -> RunPage:
    """Raises `NotFound`."""
    row = find(session, actor, TrainingRun, run_id)
    run = reading.run_out(session, row, parts.trainers)
    experiment = session.get_one(Experiment, row.experiment_id)
    spent = _so_far(session, row, parts, experiment.currency)
    return RunPage(
        engagement=EngagementOut.of(find(session, actor, Engagement, row.engagement_id)), experiment_id=experiment.id,
        experiment=experiment.name, metric=words.metric(experiment.metric), run=run,
        settings=knobs.listed(run.hyperparameters), spent=spent,
        curves=curves_of(run, reading.curve_of(session, actor, run_id).points, spent, formats),
        left=None if run.now.seconds_left is None or run.state in ENDED
        else words.duration(run.now.seconds_left / _HOUR_S),
        share=min(1.0, run.now.step / run.now.total_steps) if run.now.total_steps else None,
        audit=_audit(session, run_id), told=tuple(_told(session, run_id)), steps=steps_of(run, experiment),
    )  # fmt: skip


def model_page(session: Session, actor: Actor, version_id: str, parts: Parts) -> ModelPage:
    """Raises `NotFound`."""
    row = find(session, actor, ModelVersion, version_id)
    run = reading.one_run(session, actor, row.run_id, parts.trainers)
    experiment = session.get_one(Experiment, row.experiment_id)
    parent = find(session, actor, ModelVersion, row.parent_id) if row.parent_id else None
    return ModelPage(
        engagement=EngagementOut.of(find(session, actor, Engagement, row.engagement_id)),
        version=reading.model_version_out(row), dataset=_dataset(session, row.dataset_version_id),
        experiment=experiment.name, run=run, parent=reading.model_version_out(parent) if parent else None,
        settings=knobs.listed(run.hyperparameters),
    )  # fmt: skip


def steps_of(run: RunOut, experiment: Experiment) -> Steps:
    works = run.state in AT_WORK or run.state is TrainingState.WAITING
    return Steps(
        cancel=run.state not in ENDED | {TrainingState.PLANNED} and run.wish != "cancel",
        pause=works and run.can_pause and run.wish == "none",
        resume=run.state in {TrainingState.PAUSED, TrainingState.PROVIDER_LOST} and run.wish == "none",
        retry=run.state in _RETRIED and experiment.chosen_run_id is None,
    )


def curves_of(run: RunOut, points: Sequence[PointOut], spent: Money | None, formats: Formats) -> Curves:
    """The losses large, with the checkpoint that was chosen and where a verdict begins; the rest small."""
    steps = run.now.total_steps or 0
    whole = _line("Validation", points, lambda each: each.full_valid_loss, every=True)
    batches = _line("Validation, one batch", points, lambda each: each.valid_loss)
    loss = Chart(
        title="Loss by step", steps=steps, number=lambda value: f"{value:.3f}", tick=_short, marks=tuple(_marks(run)),
        series=(_line("Training", points, lambda each: each.train_loss), whole if whole.points else batches),
        checkpoints=tuple(each.step for each in run.checkpoints),
    )  # fmt: skip
    has_loss = any(each.points for each in loss.series)
    return Curves(
        wide=curve_chart.draw(loss, WIDE) if has_loss else None,
        narrow=curve_chart.draw(loss, SMALL) if has_loss else None,
        others=tuple(_others(points, steps, spent, formats)),
    )


def _others(points: Sequence[PointOut], steps: int, spent: Money | None, formats: Formats) -> Iterator[Figure]:
    measures: list[tuple[str, Series, Callable[[float], str], Callable[[float], str]]] = [
        ("Learning rate", _line(_LAST, points, lambda each: each.learning_rate), words.short, words.short),
        ("Gradient norm", _line(_LAST, points, lambda each: each.grad_norm), lambda value: f"{value:.2f}", _short),
        ("Tokens a second", _line(_LAST, points, lambda each: each.tokens_per_second), formats.number, _short),
        ("Memory, GiB", _line(_LAST, points, _gib), lambda value: formats.number(value, 2), _short),
    ]
    if spent is not None:
        digits = minor_digits(spent.currency)
        title = f"Spent, {spent.currency}, spread by trained tokens"
        measures.append((title, _money(points, spent), lambda value: formats.number(value, digits), _short))
    for caption, series, number, tick in measures:
        if series.points:
            chart = Chart(title=caption, series=(series,), steps=steps, number=number, tick=tick)
            yield Figure(caption=caption, drawing=curve_chart.draw(chart, SMALL))


def _line(
    name: str, points: Sequence[PointOut], measure: Callable[[PointOut], float | None], *, every: bool = False
) -> Series:
    """What is no number has no place on an axis."""
    found = {each.step: value for each in points if (value := measure(each)) is not None and isfinite(value)}
    return Series(name=name, points=tuple(At(step, value) for step, value in found.items()), every=every)


def _short(value: float) -> str:
    return f"{value:,.6g}"


def _gib(point: PointOut) -> float | None:
    return None if point.memory_bytes is None else point.memory_bytes / _GIB


def _money(points: Sequence[PointOut], spent: Money) -> Series:
    """What was spent so far, over the steps as the tokens were trained; by steps where nobody counts tokens."""
    done = [(each.step, each.tokens if each.tokens is not None else each.step) for each in points]
    whole = max((amount for _, amount in done), default=0)
    if not whole:
        return Series(name=_LAST, points=())
    amount = float(spent.amount)
    return Series(name=_LAST, points=tuple(At(step, amount * part / whole) for step, part in dict(done).items()))


def _marks(run: RunOut) -> Iterator[Mark]:
    if run.verdict and run.verdict.since_step is not None and run.verdict.kind in _SINCE:
        said = words.VERDICTS[run.verdict.kind].label.lower()
        yield Mark(step=run.verdict.since_step, text=f"{said} since step {run.verdict.since_step}")
    for each in run.checkpoints:
        if each.is_chosen:
            yield Mark(step=each.step, text=f"chosen: step {each.step}")


def _so_far(session: Session, run: TrainingRun, parts: Parts, currency: str) -> Money | None:
    """What it cost, or what it has used so far at the price of today."""
    if run.spent_minor is not None:
        return Money(run.spent_minor, currency)
    said, progress = parts.trainers.by_name.get(run.backend), session.get_one(TrainingProgress, run.id)
    if said is None or not progress.usage or run.state in ENDED:
        return None
    found = charged(
        session, run.engagement_id, TrainingSpec.model_validate(run.spec), usage_of(progress.usage), said,
        book=parts.book, currency=currency, on=parts.clock.now().date(),
    )  # fmt: skip
    return None if found.minor is None else Money(found.minor, currency)


def _told(session: Session, run_id: str) -> Iterator[EventOut]:
    """The last of what it said in words, newest first."""
    mine = select(RunEvent).where(
        col(RunEvent.run_id) == run_id, col(RunEvent.kind) != EventKind.METRICS,
        col(RunEvent.event_id).not_like(f"{_AUDIT}%"),
    )  # fmt: skip
    for row in session.exec(mine.order_by(col(RunEvent.number).desc()).limit(_TOLD)):
        yield reading.event_out(row)


def _audit(session: Session, run_id: str) -> Audit | None:
    mine = select(RunEvent).where(
        col(RunEvent.run_id) == run_id, col(RunEvent.kind) == EventKind.MESSAGE,
        col(RunEvent.event_id).like(f"{_AUDIT}%"),
    )  # fmt: skip
    rows = session.exec(mine.order_by(col(RunEvent.number)).limit(_AUDIT_LINES)).all()
    if not rows:
        return None
    return Audit(
        said=next((row.message for row in rows if row.event_id == _AUDIT), ""),
        spans=tuple(row.message for row in rows if row.event_id.startswith(f"{_AUDIT}-line-")),
        warnings=tuple(row.message for row in rows if row.level.value != "info"),
    )


def _dataset(session: Session, version_id: str) -> str:
    version = session.get(DatasetVersion, version_id)
    return version.name if version else ""
