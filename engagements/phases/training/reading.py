"""Experiments, runs and model versions as they are read: whole, in lines, side by side, and followed to their end."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

from litestar.response.sse import ServerSentEventMessage
from sqlmodel import Session, col, select

from backends.events import EventKind
from backends.spec import TrainingSpec
from engagements.core.errors import Invalid
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find, scoped
from engagements.db.store import Store
from engagements.phases.training.models import (
    ENDED,
    BaseScore,
    Experiment,
    ModelVersion,
    RunCheckpoint,
    RunEvent,
    TrainingProgress,
    TrainingRun,
)
from engagements.phases.training.plans.budgeting import taken
from engagements.phases.training.plans.starting import runs_of
from engagements.phases.training.schemas import (
    BaseOut,
    CheckpointOut,
    ChoiceOut,
    CompareOut,
    CurveOut,
    EventOut,
    EventsOut,
    ExperimentOut,
    FailureOut,
    IncidentOut,
    ModelVersionOut,
    NowOut,
    PointOut,
    PredictionOut,
    RangeOut,
    RunLineOut,
    RunOut,
    ScoreOut,
    UsageOut,
    VerdictOut,
)
from engagements.phases.training.supervising.measures import NOT_FINITE, usage_of
from engagements.phases.training.trainers import Trainers
from engagements.web.following import followed
from estimator.errors import Problem

POINTS_MAX: Final = 2_000
"""Of a curve: more than a picture of it has columns."""
_HOUR_S: Final = 3600


def experiment_out(session: Session, row: Experiment) -> ExperimentOut:
    runs = runs_of(session, row.id)
    lines = lines_of(session, runs, {row.id: row})
    ended = [run for run in runs if run.state in ENDED]
    fields: dict[str, Any] = {name: getattr(row, name) for name in ExperimentOut.model_fields if hasattr(row, name)}
    return ExperimentOut(**fields | {
        "design": row.matrix["design"], "bases": list(_bases(session, row)), "runs": lines,
        "choice": _choice(row.choice),
        "reserved_minor": sum(taken(run) for run in runs if run not in ended),
        "spent_minor": sum(run.spent_minor or 0 for run in ended),
        "unknown_costs": sum(run.spent_minor is None for run in ended),
    })  # fmt: skip


def one_experiment(session: Session, actor: Actor, experiment_id: str) -> ExperimentOut:
    """Raises `NotFound`."""
    return experiment_out(session, find(session, actor, Experiment, experiment_id))


def run_out(session: Session, row: TrainingRun, trainers: Trainers) -> RunOut:
    progress = session.get_one(TrainingProgress, row.id)
    spec = TrainingSpec.model_validate(row.spec)
    experiment = session.get_one(Experiment, row.experiment_id)
    fields: dict[str, Any] = {name: getattr(row, name) for name in RunOut.model_fields if hasattr(row, name)}
    return RunOut(**fields | {
        "method": spec.method, "hyperparameters": spec.hyperparameters.given(), "seed": spec.seed,
        "examples": spec.train.rows, "wish": row.wish.value, "can_pause": _can_pause(row, trainers),
        "said": progress.said, "provider_state": progress.provider_state,
        "failure": FailureOut(**row.failure) if row.failure else None,
        "incidents": [IncidentOut(**each) for each in row.incidents],
        "prediction": prediction_out(row.prediction, experiment.currency), "now": now_out(progress),
        "usage": UsageOut(**{name: progress.usage.get(name) for name in UsageOut.model_fields}),
        "currency": experiment.currency, "verdict": VerdictOut(**progress.verdict) if progress.verdict else None,
        "base": _base_of(session, experiment, row), "checkpoints": list(_checkpoints(session, row)),
        "choice": _choice(row.choice),
        "environment": row.environment, "model_version_id": _version_ids(session, [row.id]).get(row.id),
    })  # fmt: skip


def one_run(session: Session, actor: Actor, run_id: str, trainers: Trainers) -> RunOut:
    """Raises `NotFound`."""
    return run_out(session, find(session, actor, TrainingRun, run_id), trainers)


def lines_of(session: Session, runs: Sequence[TrainingRun], experiments: Mapping[str, Experiment]) -> list[RunLineOut]:
    ids = [run.id for run in runs]
    far = {row.run_id: row for row in session.exec(
        select(TrainingProgress).where(col(TrainingProgress.run_id).in_(ids))
    )}  # fmt: skip
    versions, scores = _version_ids(session, ids), _best_scores(session, runs)
    return [
        _line(run, experiments[run.experiment_id], far[run.id], scores.get(run.id), versions.get(run.id))
        for run in runs
    ]


def compare(session: Session, actor: Actor, run_ids: Sequence[str]) -> CompareOut:
    """In the order in which they are named. Raises `NotFound`, and `Invalid` for runs of several engagements."""
    runs = [find(session, actor, TrainingRun, run_id) for run_id in dict.fromkeys(run_ids)]
    if len({run.engagement_id for run in runs}) > 1:
        message, remedy = "these runs are of several engagements", "compare runs of one"
        raise Invalid.of(Problem(code="engagements_mixed", where="runs", message=message, remedy=remedy))
    experiments = {run.experiment_id: session.get_one(Experiment, run.experiment_id) for run in runs}
    return CompareOut(runs=lines_of(session, runs, experiments), differs=_differs(runs))


def events_after(session: Session, actor: Actor, run_id: str, *, after: int, limit: int) -> EventsOut:
    """Events of a run with a number above `after`, in order. Raises `NotFound`."""
    run = find(session, actor, TrainingRun, run_id)
    chosen = select(RunEvent).where(col(RunEvent.run_id) == run.id, col(RunEvent.number) > after)
    rows = session.exec(chosen.order_by(col(RunEvent.number)).limit(limit)).all()
    return EventsOut(items=[event_out(row) for row in rows], next=rows[-1].number if rows else after)


def event_out(row: RunEvent) -> EventOut:
    metrics = dict(row.metrics) if row.metrics is not None else None
    broken = metrics.pop(NOT_FINITE, []) if metrics else []
    return EventOut(
        number=row.number, id=row.event_id, at=row.at, kind=row.kind, level=row.level, message=row.message,
        step=row.step, metrics=metrics, not_finite=broken, data=row.data,
    )  # fmt: skip


def curve_of(session: Session, actor: Actor, run_id: str) -> CurveOut:
    """Raises `NotFound`."""
    run = find(session, actor, TrainingRun, run_id)
    rows = session.exec(
        select(RunEvent.metrics)
        .where(col(RunEvent.run_id) == run.id, col(RunEvent.kind) == EventKind.METRICS, col(RunEvent.step).is_not(None))
        .order_by(col(RunEvent.step), col(RunEvent.number))
    ).all()
    points = [_point(each) for each in rows if each is not None]
    return CurveOut(run_id=run.id, points=_thinned(points), measured=len(points))


def model_version_out(row: ModelVersion) -> ModelVersionOut:
    fields: dict[str, Any] = {name: getattr(row, name) for name in ModelVersionOut.model_fields if hasattr(row, name)}
    return ModelVersionOut(**fields | {"command": "sixfold train --from record.json --data DATA -o RUN"})


def record_of_version(session: Session, actor: Actor, version_id: str) -> tuple[str, str]:
    """The record as it is kept, and its sha256. Raises `NotFound`."""
    version = find(session, actor, ModelVersion, version_id)
    run = find(session, actor, TrainingRun, version.run_id)
    return run.record, version.record_sha256


def events_of(store: Store, actor: Actor, run_id: str, trainers: Trainers) -> AsyncIterator[ServerSentEventMessage]:
    """The run followed to its end."""

    def look() -> RunOut:
        with store.read() as session:
            return one_run(session, actor, run_id, trainers)

    return followed(look, lambda run: run.state in ENDED)


def prediction_out(said: Mapping[str, Any], currency: str) -> PredictionOut:
    fields = {name: value for name, value in said.items() if name in PredictionOut.model_fields}
    ranges = {name: RangeOut(**said[name]) for name in ("hours", "cost_minor") if said.get(name)}
    return PredictionOut(**fields | ranges | {"currency": currency})


def now_out(progress: TrainingProgress) -> NowOut:
    latest = progress.latest
    return NowOut(
        step=progress.step, total_steps=progress.total_steps, epoch=latest.get("epoch"),
        train_loss=latest.get("train_loss"), valid_loss=latest.get("full_valid_loss", latest.get("valid_loss")),
        learning_rate=latest.get("learning_rate"), grad_norm=latest.get("grad_norm"),
        tokens_per_second=latest.get("tokens_per_second"), memory_bytes=latest.get("memory_bytes"),
        trained_tokens=latest.get("tokens"), seconds_left=_seconds_left(progress),
    )  # fmt: skip


def experiments_in(session: Session, actor: Actor, engagement_id: str) -> Any:
    """The query of an engagement's experiments. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    return scoped(Experiment, actor).where(col(Experiment.engagement_id) == engagement_id)


def _seconds_left(progress: TrainingProgress) -> float | None:
    """At the pace so far, by the seconds that the backend counts itself."""
    seconds, total = progress.usage.get("seconds"), progress.total_steps
    if not seconds or not total or not progress.step:
        return None
    return float(seconds) / progress.step * max(0, total - progress.step)


def _line(
    run: TrainingRun, experiment: Experiment, progress: TrainingProgress, score: Mapping[str, Any] | None,
    version_id: str | None,
) -> RunLineOut:  # fmt: skip
    spec, now, found = TrainingSpec.model_validate(run.spec), now_out(progress), score or {}
    prediction, seconds = run.prediction, progress.usage.get("seconds")
    hours, cost = prediction.get("hours"), prediction.get("cost_minor")
    return RunLineOut(
        id=run.id, number=run.number, name=run.name, backend=run.backend, model=run.model, method=spec.method,
        is_curated=run.is_curated, hyperparameters=spec.hyperparameters.given(), seed=spec.seed, state=run.state,
        said=progress.said, step=progress.step, total_steps=progress.total_steps, train_loss=now.train_loss,
        valid_loss=now.valid_loss, verdict=progress.verdict["kind"] if progress.verdict else None,
        metric=experiment.metric, score=found.get("value"), score_low=found.get("low"), score_high=found.get("high"),
        predicted_tokens=prediction.get("tokens"),
        trained_tokens=usage_of(progress.usage).counted_tokens,
        predicted_hours=hours["likely"] if hours else None, hours=seconds / _HOUR_S if seconds is not None else None,
        predicted_minor=cost["likely"] if cost else None, spent_minor=run.spent_minor, currency=experiment.currency,
        model_version_id=version_id,
    )  # fmt: skip


def _bases(session: Session, experiment: Experiment) -> Iterable[BaseOut]:
    mine = select(BaseScore).where(col(BaseScore.experiment_id) == experiment.id)
    for row in session.exec(mine.order_by(col(BaseScore.backend), col(BaseScore.model))):
        yield BaseOut(backend=row.backend, model=row.model, score=_score(row.score), failure=row.failure)


def _base_of(session: Session, experiment: Experiment, run: TrainingRun) -> BaseOut | None:
    of_run = (run.backend, run.model)
    return next((each for each in _bases(session, experiment) if (each.backend, each.model) == of_run), None)


def _score(said: Mapping[str, Any] | None) -> ScoreOut | None:
    return ScoreOut(**{name: said[name] for name in ScoreOut.model_fields}) if said else None


def _checkpoints(session: Session, run: TrainingRun) -> Iterable[CheckpointOut]:
    mine = select(RunCheckpoint).where(col(RunCheckpoint.run_id) == run.id)
    for row in session.exec(mine.order_by(col(RunCheckpoint.step), col(RunCheckpoint.checkpoint_id))):
        metrics = row.metrics or {}
        yield CheckpointOut(
            id=row.checkpoint_id, step=row.step, model=row.model, sha256=row.sha256,
            valid_loss=metrics.get("full_valid_loss", metrics.get("valid_loss")), score=_score(row.score),
            failure=row.failure, is_chosen=row.checkpoint_id == run.checkpoint_id,
        )  # fmt: skip


def _best_scores(session: Session, runs: Sequence[TrainingRun]) -> dict[str, Mapping[str, Any]]:
    """Of the chosen checkpoint of each run; while none is chosen, of the best that was measured."""
    chosen = {run.id: run.checkpoint_id for run in runs}
    rows = session.exec(select(RunCheckpoint).where(col(RunCheckpoint.run_id).in_(chosen))).all()
    best: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        wanted = chosen[row.run_id]
        if row.score is None or (wanted is not None and row.checkpoint_id != wanted):
            continue
        if row.run_id not in best or row.score["value"] > best[row.run_id]["value"]:
            best[row.run_id] = row.score
    return best


def _version_ids(session: Session, run_ids: Sequence[str]) -> dict[str, str]:
    rows = session.exec(select(ModelVersion.run_id, ModelVersion.id).where(col(ModelVersion.run_id).in_(run_ids)))
    return dict(rows.all())


def _can_pause(run: TrainingRun, trainers: Trainers) -> bool:
    """As far as it is known without making the backend anew."""
    made = trainers.made(run.backend)
    return made is not None and made.capabilities.pausable


def _choice(said: Mapping[str, Any] | None) -> ChoiceOut | None:
    return ChoiceOut(**said) if said else None


def _differs(runs: Sequence[TrainingRun]) -> list[str]:
    """Names of the knobs in which the runs are not alike; one that is not set is another than any that is."""
    told = [_knobs(run) for run in runs]
    names = sorted({name for each in told for name in each})
    return [name for name in names if len({repr(each.get(name)) for each in told}) > 1]


def _knobs(run: TrainingRun) -> dict[str, object]:
    spec = TrainingSpec.model_validate(run.spec)
    fixed = {
        "backend": run.backend, "model": run.model, "method": spec.method.value, "seed": spec.seed,
        "train": spec.train.sha256,
    }  # fmt: skip
    return fixed | spec.hyperparameters.given()


def _point(metrics: Mapping[str, Any]) -> PointOut:
    told: dict[str, Any] = {name: metrics.get(name) for name in PointOut.model_fields}
    return PointOut(**told)


def _thinned(points: Sequence[PointOut]) -> list[PointOut]:
    """Every point with a validation loss, and of the others as many as leave no more than `POINTS_MAX` or so."""
    every = len(points) // POINTS_MAX + 1
    return [
        each for place, each in enumerate(points)
        if place % every == 0 or place == len(points) - 1 or each.valid_loss is not None
        or each.full_valid_loss is not None
    ]  # fmt: skip
