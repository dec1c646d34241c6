"""Planning an experiment: which runs, what each takes, what speaks against them. Nothing is sent or spent."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from backends.errors import Problem as BackendProblem
from backends.errors import Severity
from backends.spec import TrainingSpec
from engagements.actuals.rates import agreed_baseline, currency_of
from engagements.core import audit
from engagements.core.errors import Invalid, NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training.judging.scoring import metric_of_task
from engagements.phases.training.models import Experiment, TrainingProgress, TrainingRun
from engagements.phases.training.plans import pricing
from engagements.phases.training.plans.budgeting import Asked, Caps, left_of_the_agreed, overruns
from engagements.phases.training.plans.expanding import Expanded, Expander, names_in, wants_the_best
from engagements.phases.training.plans.exporting import best_records
from engagements.phases.training.plans.measured_runs import Measurements
from engagements.phases.training.plans.own_hours import at_our_price
from engagements.phases.training.plans.pricing import Priced
from engagements.phases.training.schemas import RUNS_MAX, ExperimentIn
from engagements.phases.training.supervising.parts import Parts
from engagements.phases.training.trainers import Trainers
from estimator.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """`priced`: in the currency of the engagement."""

    run: Expanded
    priced: Priced

    @property
    def reserved_minor(self) -> int | None:
        return self.priced.range.high if self.priced.range else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A plan, ready to be shown or kept. `problems`: of the whole, each run's own are its own."""

    data: ExperimentIn
    version_id: str
    version_sha256: str
    metric: str
    currency: str
    curated: list[str] | None
    runs: tuple[PlannedRun, ...]
    problems: tuple[Problem, ...]
    left_of_cap_minor: int | None

    @property
    def can_start(self) -> bool:
        return not self.problems and all(each.run.can_run for each in self.runs)


def draft(
    session: Session, actor: Actor, engagement_id: str, data: ExperimentIn, *, at: datetime, parts: Parts
) -> Drafted:
    """Reads the database only, and writes files of data that its runs would read.

    Raises `NotFound`, `NothingAgreed`, `NotConfigured`, `Invalid`, `MatrixInvalid`, `ScoresMissing`, `NoSuchSplit`,
    `VersionIncomplete` and `BlobDamaged`.
    """
    engagement = find(session, actor, Engagement, engagement_id)
    version = find(session, actor, DatasetVersion, data.dataset_version_id)
    if version.engagement_id != engagement.id:
        raise NotFound
    currency = currency_of(agreed_baseline(session, engagement.id))
    curated = best_records(session, version.id, data.curated_share) if wants_the_best(data) else None
    expander = Expander(
        trainers=parts.trainers, book=parts.book, storage=parts.storage, folder=parts.folder,
        version=version, curated=frozenset(curated) if curated is not None else None, today=at.date(),
        once=parts.once,
    )  # fmt: skip
    measurements = Measurements(session=session, actor=actor)
    runs = tuple(_planned(measurements, engagement.id, run, parts.trainers, currency) for run in expander.expand(data))
    left = left_of_the_agreed(session, engagement.id, currency=currency)
    problems = tuple(_problems(data, runs, parts.trainers, currency=currency, left=left))
    return Drafted(
        data=data, version_id=version.id, version_sha256=version.sha256, currency=currency, curated=curated, runs=runs,
        metric=data.metric or metric_of_task(version.policy.get("task")), problems=problems, left_of_cap_minor=left,
    )  # fmt: skip


def keep(session: Session, actor: Actor, engagement_id: str, drafted: Drafted, *, at: datetime) -> Experiment:
    """Raises `NotUnderWay`, and `Invalid` with everything that speaks against it, of every run."""
    engagement, data = claim_active(session, actor, engagement_id), drafted.data
    if not drafted.can_start:
        raise Invalid.of(*drafted.problems, *_of_runs(drafted.runs))
    row = Experiment(
        id=new_id(Experiment.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, name=data.name, dataset_version_id=drafted.version_id,
        dataset_sha256=drafted.version_sha256, matrix=data.model_dump(mode="json"), curated=drafted.curated,
        metric=drafted.metric, answer_tokens_max=data.answer_tokens_max, scored_rows_max=data.scored_rows_max,
        strategy=data.strategy, priority=data.priority, cap_minor=data.cap_minor, cap_tokens=data.cap_tokens,
        cap_hours=data.cap_hours, currency=drafted.currency, created_by=actor.id, created_at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "experiment.planned", row, at=at)
    session.flush()
    for number, planned in enumerate(drafted.runs, start=1):
        _lay(session, actor, row, number, planned, at=at)
    return row


def _lay(
    session: Session, actor: Actor, experiment: Experiment, number: int, planned: PlannedRun, *, at: datetime
) -> None:
    run, run_id = planned.run, new_id(TrainingRun.PREFIX)
    spec = named(run.spec, run_id, experiment.id)
    row = TrainingRun(
        id=run_id, organisation_id=experiment.organisation_id, engagement_id=experiment.engagement_id,
        client_id=experiment.client_id, experiment_id=experiment.id, number=number, name=run.name, why=run.why,
        backend=spec.backend, model=spec.model, spec=spec.model_dump(mode="json", by_alias=True), digest=spec.digest,
        is_curated=run.is_curated, prediction=predicted_json(planned), reserved_minor=planned.reserved_minor,
        created_at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "training_run.planned", row, at=at)
    session.flush()
    session.add(TrainingProgress(run_id=row.id))


def named(spec: TrainingSpec, run_id: str, experiment_id: str) -> TrainingSpec:
    """The spec under the name that its run has for ever; the job carries both, where the backend can."""
    return spec.model_copy(update={"run_id": run_id, "labels": {"experiment": experiment_id, "run": run_id}})


def asked_of(run: PlannedRun, trainers: Trainers) -> Asked:
    prediction = run.run.prediction
    return Asked(
        run=run.run.name, minor=run.reserved_minor, tokens=prediction.tokens,
        hours=prediction.hours.high if prediction.hours else None,
        is_local=not trainers.said(run.run.spec.backend).provider,
    )  # fmt: skip


def predicted_json(planned: PlannedRun) -> dict[str, Any]:
    """As it is kept with the run, and shown."""
    found = planned.run.prediction
    return {
        "tokens": found.tokens, "epochs": found.epochs, "steps": found.steps,
        "hours": asdict(found.hours) if found.hours else None, "memory_gib": found.memory_gib, "fits": found.fits,
        **pricing.as_json(planned.priced), "unknown": unknown_of(planned), "sources": sources_of(planned),
        "smaller": asdict(found.smaller) if found.smaller else None,
        "shape": asdict(found.shape) if found.shape else None,
    }  # fmt: skip


def unknown_of(planned: PlannedRun) -> dict[str, str]:
    """Why a number is not known, by the name of its field."""
    unknown = {name: said for name, said in planned.run.prediction.unknown.items() if name != "cost"}
    return unknown | ({"cost": planned.priced.unknown} if planned.priced.range is None else {})


def sources_of(planned: PlannedRun) -> dict[str, str]:
    """Where each number is from, by the name of its field."""
    is_priced = planned.priced.range is not None
    return {name: said for name, said in planned.run.prediction.sources.items() if name != "cost" or is_priced}


def _planned(
    measurements: Measurements, engagement_id: str, run: Expanded, trainers: Trainers, currency: str
) -> PlannedRun:
    """With what finished runs say of its hours and memory, and priced."""
    found, spec = run.prediction, run.spec
    said = trainers.said(spec.backend)
    if not said.provider:
        device = trainers.named(spec.backend).capabilities.device
        measured = measurements.completed(found, backend=spec.backend, model=spec.model, device=device)
        found = at_our_price(measured, said.hour)
    priced = pricing.predicted(measurements.session, engagement_id, found, currency=currency)
    return PlannedRun(run=replace(run, prediction=found), priced=priced)


def _problems(
    data: ExperimentIn, runs: Sequence[PlannedRun], trainers: Trainers, *, currency: str, left: int | None
) -> Iterator[Problem]:
    if len(runs) > RUNS_MAX:
        message, remedy = f"these are {len(runs)} runs", f"leave {RUNS_MAX} at most: fewer axes, or fewer values"
        yield Problem(code="too_many_runs", where="axes", message=message, remedy=remedy)
    for name, count in names_in([each.run for each in runs]).items():
        if count > 1:
            message = f"{count} runs are called {name}"
            yield Problem(code="name_twice", where="more", message=message, remedy="give each a name of its own")
    caps = Caps(
        minor=data.cap_minor, tokens=data.cap_tokens, hours=data.cap_hours, accepts_unknown=data.accept_unknown_cost,
        left_minor=left, currency=currency,
    )  # fmt: skip
    yield from overruns(caps, [asked_of(each, trainers) for each in runs])


def _of_runs(runs: Sequence[PlannedRun]) -> Iterator[Problem]:
    """Errors of every run, in the words of the API."""
    for planned in runs:
        for each in planned.run.problems:
            if each.severity is Severity.ERROR:
                yield problem_of(planned.run.name, each)


def problem_of(run: str, found: BackendProblem) -> Problem:
    where = f"runs.{run}.{found.where}" if found.where else f"runs.{run}"
    return Problem(code=found.code, where=where, message=found.message, remedy=found.remedy, line=found.line)
