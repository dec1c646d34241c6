"""What is shown of experiments: those of an engagement, and one with its runs beside each other.

A client's people see how far it is and how good it became, never money.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col

from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor, Permission
from engagements.core.schemas import EngagementOut
from engagements.core.service import find, scoped
from engagements.delivery.standing import latest_baseline
from engagements.documents.charts.drawing import Drawing
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training import reading
from engagements.phases.training.models import ENDED, Experiment, ExperimentState, ModelVersion
from engagements.phases.training.schemas import ExperimentOut, ModelVersionOut, RunLineOut
from engagements.phases.training.showing import knobs, parallel_chart, words
from engagements.phases.training.showing.parallel_chart import Thread, Upright
from engagements.phases.training.trainers import Trainers
from engagements.rendering import UNKNOWN, Formats
from estimator.money import Money

_SHOWN: Final = 50
OVER: Final = frozenset({ExperimentState.DONE, ExperimentState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """On validation, with its 95% interval."""

    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`spent` and what runs hold back, of a cap in money; the other caps in words. `unknown`: ended runs whose cost
    nobody knows; `spent` None where it is that of all."""

    spent: Money | None
    held_back: Money
    cap: Money | None
    others: str
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An experiment in the list. `best`: of the chosen run, else the best so far."""

    experiment: ExperimentOut
    ended: int
    best: Score | None
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    version: ModelVersionOut
    score: Score | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What has to be there before a model can be trained, and where to see to it."""

    said: str
    label: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    engagement: EngagementOut
    lines: tuple[Line, ...]
    versions: tuple[VersionLine, ...]
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A knob in which the runs are not alike: its value in each, in their order."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPage:
    engagement: EngagementOut
    experiment: ExperimentOut
    dataset: str
    budget: Budget
    settings: tuple[Setting, ...]
    chosen: RunLineOut | None
    chart: Drawing | None
    names: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        return self.experiment.state in OVER

    @property
    def ended(self) -> int:
        return sum(run.state in ENDED for run in self.experiment.runs)


def overview(session: Session, actor: Actor, engagement_id: str, trainers: Trainers) -> Overview:
    """Raises `NotFound`."""
    engagement = find(session, actor, Engagement, engagement_id)
    rows = reading.experiments_in(session, actor, engagement_id).order_by(col(Experiment.id).desc()).limit(_SHOWN)
    return Overview(
        engagement=EngagementOut.of(engagement),
        lines=tuple(line(reading.experiment_out(session, row)) for row in session.exec(rows).all()),
        versions=tuple(_versions(session, actor, engagement_id)),
        needs=tuple(_needs(session, actor, engagement, trainers)) if actor.may(Permission.RUN_TRAINING) else (),
    )


def line(experiment: ExperimentOut) -> Line:
    scored = [run for run in experiment.runs if run.score is not None]
    chosen = [run for run in scored if run.id == experiment.chosen_run_id]
    best = max(chosen or scored, key=lambda run: run.score or 0.0, default=None)
    return Line(
        experiment=experiment, ended=sum(run.state in ENDED for run in experiment.runs),
        best=score_of(best) if best else None, budget=budget_of(experiment),
    )  # fmt: skip


def score_of(run: RunLineOut) -> Score | None:
    if run.score is None or run.score_low is None or run.score_high is None:
        return None
    return Score(metric=words.metric(run.metric), value=run.score, low=run.score_low, high=run.score_high)


def budget_of(experiment: ExperimentOut) -> Budget:
    currency, ended = experiment.currency, [run for run in experiment.runs if run.state in ENDED]
    is_unknown = bool(ended) and experiment.unknown_costs == len(ended)
    others = [
        f"{experiment.cap_tokens:,} tokens" if experiment.cap_tokens else "",
        f"{experiment.cap_hours:g} h" if experiment.cap_hours else "",
    ]
    return Budget(
        spent=None if is_unknown else Money(experiment.spent_minor, currency),
        held_back=Money(experiment.reserved_minor, currency),
        cap=None if experiment.cap_minor is None else Money(experiment.cap_minor, currency),
        others=" and ".join(filter(None, others)), unknown=experiment.unknown_costs,
    )  # fmt: skip


def experiment_page(session: Session, actor: Actor, experiment_id: str, formats: Formats) -> ExperimentPage:
    """Raises `NotFound`."""
    experiment = reading.one_experiment(session, actor, experiment_id)
    engagement = find(session, actor, Engagement, experiment.engagement_id)
    version = session.get(DatasetVersion, experiment.dataset_version_id)
    compared = reading.compare(session, actor, [run.id for run in experiment.runs])
    settings = tuple(_settings(compared.runs, compared.differs))
    return ExperimentPage(
        engagement=EngagementOut.of(engagement), experiment=experiment, dataset=version.name if version else "",
        budget=budget_of(experiment), settings=settings, names={run.id: run.name for run in experiment.runs},
        chosen=next((run for run in experiment.runs if run.id == experiment.chosen_run_id), None),
        chart=_chart(experiment, compared.differs, formats, with_money=actor.is_staff),
    )  # fmt: skip


def _versions(session: Session, actor: Actor, engagement_id: str) -> Iterator[VersionLine]:
    mine = scoped(ModelVersion, actor).where(col(ModelVersion.engagement_id) == engagement_id)
    rows = session.exec(mine.order_by(col(ModelVersion.number).desc()).limit(_SHOWN)).all()
    runs = {run.id: run for run in reading.compare(session, actor, [row.run_id for row in rows]).runs}
    for row in rows:
        yield VersionLine(version=reading.model_version_out(row), score=score_of(runs[row.run_id]))


def _settings(runs: Sequence[RunLineOut], differs: Sequence[str]) -> Iterator[Setting]:
    for name in differs:
        yield Setting(label=knobs.label_of(name), values=tuple(knobs.written(_knob(run, name)) for run in runs))


def _knob(run: RunLineOut, name: str) -> Any:
    match name:
        case "backend":
            return run.backend
        case "model":
            return run.model
        case "method":
            return run.method.value
        case "seed":
            return run.seed
        case "train":
            return "the best alone" if run.is_curated else "all"
        case _:
            return run.hyperparameters.get(name)


def _needs(session: Session, actor: Actor, engagement: Engagement, trainers: Trainers) -> Iterator[Need]:
    home = f"/engagements/{engagement.id}"
    if latest_baseline(session, engagement.id) is None:
        yield Need(said="A proposal that was accepted: it says what may be spent.", label="Proposals",
                   address=f"{home}/proposals")  # fmt: skip
    elif engagement.state is not EngagementState.ACTIVE:
        yield Need(said="An engagement that is under way.", label="The engagement", address=home)
    sealed = scoped(DatasetVersion, actor).where(
        col(DatasetVersion.engagement_id) == engagement.id, col(DatasetVersion.erased) == 0
    )
    if session.exec(sealed.limit(1)).first() is None:
        yield Need(said="A sealed dataset: a model is trained on one that never changes.", label="Seal a dataset",
                   address=f"{home}/datasets")  # fmt: skip
    if not trainers.by_name:
        yield Need(said="A backend that trains: install the extra “local”, or name a provider in sixfold.toml.")


def _chart(experiment: ExperimentOut, differs: Sequence[str], formats: Formats, *, with_money: bool) -> Drawing | None:
    """Once two runs have come to something that can be compared."""
    runs = [run for run in experiment.runs if run.valid_loss is not None or run.score is not None]
    if len(runs) < 2:
        return None
    axes = [*_set_axes(runs, differs), *_came_of(runs, experiment, formats, with_money=with_money)]
    threads = [
        Thread(
            name=f"Run {run.number}, {run.name}", label=str(run.number), is_chosen=run.id == experiment.chosen_run_id
        )
        for run in runs
    ]
    return parallel_chart.draw(axes, threads) if len(axes) > 1 else None


def _set_axes(runs: Sequence[RunLineOut], differs: Sequence[str]) -> Iterator[Upright]:
    """One that is left open in some runs has words: "left open" is no place on a scale."""
    for name in differs:
        values = [_knob(run, name) for run in runs]
        texts = tuple(map(knobs.written, values))
        if len(set(texts)) < 2:
            continue
        is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        yield Upright(title=knobs.label_of(name), values=tuple(values) if is_number else texts, texts=texts)


def _came_of(
    runs: Sequence[RunLineOut], experiment: ExperimentOut, formats: Formats, *, with_money: bool
) -> Iterator[Upright]:
    yield _measured("Validation loss", [run.valid_loss for run in runs], lambda value: f"{value:.3f}")
    if any(run.score is not None for run in runs):
        yield _measured(
            words.metric(experiment.metric), [run.score for run in runs], lambda value: formats.percent(value, 1)
        )
    if any(run.trained_tokens is not None for run in runs):
        yield _measured("Tokens", [run.trained_tokens for run in runs], formats.number)
    if any(run.hours is not None for run in runs):
        yield _measured("Time", [run.hours for run in runs], words.duration)
    if with_money and any(run.spent_minor is not None for run in runs):
        currency = experiment.currency
        yield _measured(
            "Cost", [run.spent_minor for run in runs],
            lambda value: formats.money(Money(round(value), currency)),
        )  # fmt: skip


def _measured(title: str, values: Sequence[float | None], write: Callable[[float], str]) -> Upright:
    texts = tuple(UNKNOWN if value is None else write(value) for value in values)
    return Upright(title=title, values=tuple(values), texts=texts)
