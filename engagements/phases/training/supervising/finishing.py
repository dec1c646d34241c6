"""How a run is closed: what it cost is posted, what repeats it is kept, a model that it gave gets its number."""

from datetime import datetime
from hashlib import sha256
from importlib.metadata import version as installed
from math import isfinite
from typing import Final

from sqlmodel import Session, col, func, select

from backends.events import Usage
from backends.spec import TrainingSpec
from engagements.actuals.costs import log_cost
from engagements.actuals.models import CostKind
from engagements.actuals.schemas import CostIn
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.errors import EngagementError
from engagements.core.models import Engagement, Organisation
from engagements.core.service import claim
from engagements.db.columns import new_id
from engagements.phases.training.judging.record import ChosenCheckpoint, RunRecord, canonical, digest_of
from engagements.phases.training.models import (
    Experiment,
    ModelVersion,
    RunCheckpoint,
    RunMemory,
    TrainingRun,
    TrainingState,
)
from engagements.phases.training.plans.pricing import Charge, charged
from engagements.phases.training.supervising.before_training import base_of
from engagements.phases.training.supervising.hearing import judge_now
from engagements.phases.training.supervising.holding import Held
from engagements.phases.training.supervising.measures import usage_of
from engagements.phases.training.supervising.moving import incident, move, trainer_actor
from engagements.phases.training.supervising.parts import Parts
from engagements.proposals.agency import agency_of
from estimator.phases import Phase

_MODEL_NAME: Final = 200
_SOFTWARE: Final = "sixfold"


def close(held: Held, parts: Parts, *, at: datetime) -> None:
    """Once, when a run has ended: verdict, cost, record and, where it succeeded, its model version."""
    run, session = held.run, held.session
    verdict = judge_now(held, ended=True, at=at)
    _post_cost(held, parts, at=at)
    chosen = session.get(RunCheckpoint, (run.id, run.checkpoint_id)) if run.checkpoint_id else None
    record = _record_of(session, held, chosen, verdict.said)
    run.record, run.record_sha256 = canonical(record).decode(), digest_of(record)
    move(held, "training_run.recorded", at=at)
    if run.state is TrainingState.SUCCEEDED and chosen is not None:
        _number(session, held, chosen, record, at=at)


def sha256_of(checkpoint: RunCheckpoint) -> str:
    """Of its weights; where nobody is given them, of the provider's name for it."""
    return checkpoint.sha256 or sha256(checkpoint.model.encode()).hexdigest()


def parent_of(session: Session, run: TrainingRun) -> ModelVersion | None:
    """The version whose model this run went on from, where it is one of ours."""
    found = select(ModelVersion).where(
        col(ModelVersion.engagement_id) == run.engagement_id, col(ModelVersion.model) == run.model
    )
    return session.exec(found.order_by(col(ModelVersion.number).desc()).limit(1)).first()


def _record_of(session: Session, held: Held, chosen: RunCheckpoint | None, verdict: str) -> RunRecord:
    run = held.run
    experiment, spec = session.get_one(Experiment, run.experiment_id), TrainingSpec.model_validate(run.spec)
    parent = parent_of(session, run)
    score = (chosen.score or {}) if chosen else {}
    numbers = {name: value for name, value in held.progress.latest.items() if isinstance(value, int | float)}
    scored = {f"validation_{score['metric']}": score["value"]} if score else {}
    base = base_of(session, run, experiment.metric)
    if base is not None and base.value is not None:
        scored[f"validation_{base.metric}_base"] = base.value
    return RunRecord(
        spec=spec, spec_sha256=spec.digest, dataset_sha256=experiment.dataset_sha256,
        environment={str(name): str(value) for name, value in run.environment.items()},
        metrics={name: float(value) for name, value in (numbers | scored).items() if isfinite(value)},
        checkpoint=None if chosen is None else ChosenCheckpoint(
            id=chosen.checkpoint_id, step=chosen.step, model=chosen.model, sha256=chosen.sha256,
            metric=experiment.metric, value=score.get("value"), reason=(run.choice or {}).get("reason", ""),
        ),
        verdict=verdict, parent=parent.record_sha256 if parent else None, software={_SOFTWARE: installed(_SOFTWARE)},
    )  # fmt: skip


def _number(session: Session, held: Held, chosen: RunCheckpoint, record: RunRecord, *, at: datetime) -> None:
    run, ours = held.run, trainer_actor(held.run.organisation_id)
    experiment = session.get_one(Experiment, run.experiment_id)
    claim(session, ours, Engagement, run.engagement_id)
    last = session.exec(
        select(func.max(ModelVersion.number)).where(col(ModelVersion.engagement_id) == run.engagement_id)
    ).one()
    number, parent = (last or 0) + 1, parent_of(session, run)
    row = ModelVersion(
        id=new_id(ModelVersion.PREFIX), organisation_id=run.organisation_id, engagement_id=run.engagement_id,
        client_id=run.client_id, number=number, name=f"{experiment.name}: {run.name}"[:_MODEL_NAME],
        experiment_id=experiment.id, run_id=run.id, backend=run.backend, base_model=run.model, model=chosen.model,
        checkpoint_id=chosen.checkpoint_id, checkpoint_sha256=sha256_of(chosen), step=chosen.step,
        reason=(run.choice or {}).get("reason", ""), dataset_version_id=experiment.dataset_version_id,
        dataset_sha256=experiment.dataset_sha256, spec=run.spec, config_sha256=run.digest, seed=record.spec.seed,
        environment=record.environment, metrics=record.metrics, parent_id=parent.id if parent else None,
        record_sha256=run.record_sha256 or "", created_at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, ours, "model_version.made", row, at=at)


def _post_cost(held: Held, parts: Parts, *, at: datetime) -> None:
    """One entry a run, named by its id; none where nothing was begun and nothing can have been used."""
    run, session = held.run, held.session
    usage = usage_of(held.progress.usage)
    begun = session.exec(select(RunMemory.key).where(col(RunMemory.run_id) == run.id).limit(1)).first() is not None
    if run.cost_id is not None:
        return
    if not begun and not run.reference:
        run.spent_minor = 0
        move(held, "training_run.cost_nothing", at=at)
        return
    experiment = session.get_one(Experiment, run.experiment_id)
    organisation = session.get_one(Organisation, run.organisation_id)
    when = When(at=at, zone=agency_of(organisation, parts.agency).time_zone)
    charge = _charged(session, run, usage, parts, experiment.currency, when)
    entry = CostIn(
        phase=Phase.TRAINING, kind=CostKind.API_USAGE if _is_bought(run, parts) else CostKind.COMPUTE, day=when.today,
        amount_minor=charge.minor, currency=experiment.currency, quantity=charge.quantity, unit=charge.unit,
        price=charge.price, machine=True, external_id=run.id,
        note=f"Training run {run.number} of {experiment.name[:200]}: {run.model[:200]}. {charge.said}".strip()[:2000],
    )  # fmt: skip
    run.spent_minor = charge.minor
    try:
        run.cost_id = log_cost(session, trainer_actor(run.organisation_id), run.engagement_id, entry, when=when).id
    except EngagementError as refused:
        incident(held, "cost_not_recorded", refused.message, at=at)
    move(held, "training_run.cost_posted", at=at)


def _charged(session: Session, run: TrainingRun, usage: Usage, parts: Parts, currency: str, when: When) -> Charge:
    try:
        said = parts.trainers.said(run.backend)
    except EngagementError:
        why = f"the settings name no backend {run.backend} any more"
        return Charge(minor=None, quantity="", unit="", price=None, said=why)
    return charged(
        session, run.engagement_id, TrainingSpec.model_validate(run.spec), usage, said, book=parts.book,
        currency=currency, on=when.today,
    )  # fmt: skip


def _is_bought(run: TrainingRun, parts: Parts) -> bool:
    said = parts.trainers.by_name.get(run.backend)
    return said is not None and bool(said.provider)
