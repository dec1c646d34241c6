"""Training: what can be trained, experiments and their runs, and the models that came out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from engagements.client.training_models import (
    Catalogue,
    Comparison,
    Experiment,
    ExperimentPlan,
    ModelVersion,
    RunCurve,
    RunEvents,
    TrainingRun,
)
from engagements.client.transport import Transport


class ExperimentFields(TypedDict, total=False):
    """What an experiment may say besides its name and its dataset. `base`, and each of `more`: backend, model, method,
    hyperparameters, seed, suffix, curated and name. `design`: one, three or grid, which asks for `axes`. A cap is
    needed: in minor units, tokens or hours.
    """

    base: Mapping[str, Any]
    more: Sequence[Mapping[str, Any]]
    design: str
    axes: Mapping[str, Sequence[Any]]
    metric: str
    curated_share: float
    strategy: str
    priority: int
    answer_tokens_max: int
    scored_rows_max: int
    cap_minor: int
    cap_tokens: int
    cap_hours: float
    accept_unknown_cost: bool


class Experiments:
    """Several runs of one question. Nothing is sent or spent before `start`."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def catalogue(self) -> Catalogue:
        """What can be trained, where, for how much, until when."""
        return self._calls.get(Catalogue, "/api/v1/training/catalogue")

    def of_engagement(self, engagement_id: str) -> Iterator[Experiment]:
        """Newest first."""
        return self._calls.pages(Experiment, "/api/v1/engagements/{}/experiments", engagement_id)

    def preview(
        self, engagement_id: str, *, name: str, dataset_version_id: str, **more: Unpack[ExperimentFields]
    ) -> ExperimentPlan:
        """What it would take, and everything that speaks against it; nothing is kept."""
        fields = {"name": name, "dataset_version_id": dataset_version_id, **more}
        return self._calls.post(
            ExperimentPlan, "/api/v1/engagements/{}/experiments/preview", engagement_id, fields=fields
        )

    def plan(
        self, engagement_id: str, *, name: str, dataset_version_id: str, **more: Unpack[ExperimentFields]
    ) -> Experiment:
        """Raises `Invalid` with everything that speaks against it, of every run."""
        fields = {"name": name, "dataset_version_id": dataset_version_id, **more}
        return self._calls.post(Experiment, "/api/v1/engagements/{}/experiments", engagement_id, fields=fields)

    def get(self, experiment_id: str) -> Experiment:
        return self._calls.get(Experiment, "/api/v1/experiments/{}", experiment_id)

    def change(self, experiment: Experiment, *, name: str | None = None, priority: int | None = None) -> Experiment:
        """Its name, and what goes first. Raises `VersionMismatch`."""
        given = {"name": name, "priority": priority}
        fields = {field: value for field, value in given.items() if value is not None}
        return self._calls.patch(
            Experiment, "/api/v1/experiments/{}", experiment.id, etag=experiment.etag, fields=fields
        )

    def start(self, experiment_id: str) -> Experiment:
        """From here on money is spent, up to the cap."""
        return self._calls.post(Experiment, "/api/v1/experiments/{}/start", experiment_id)

    def cancel(self, experiment_id: str) -> Experiment:
        """With all its runs; what they cost is posted."""
        return self._calls.post(Experiment, "/api/v1/experiments/{}/cancel", experiment_id)


class TrainingRuns:
    """Runs of experiments."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def of_engagement(self, engagement_id: str) -> Iterator[TrainingRun]:
        """Newest first."""
        return self._calls.pages(TrainingRun, "/api/v1/engagements/{}/training-runs", engagement_id)

    def get(self, run_id: str) -> TrainingRun:
        return self._calls.get(TrainingRun, "/api/v1/training-runs/{}", run_id)

    def compare(self, *run_ids: str) -> Comparison:
        """Beside each other, in this order: what differs, what was predicted, what came out."""
        return self._calls.get(Comparison, "/api/v1/training-runs/compare", query={"runs": ",".join(run_ids)})

    def events(self, run_id: str, *, after: int = 0, limit: int = 200) -> RunEvents:
        """Those with a number above `after`; ask again after `next` for what comes then."""
        query = {"after": after, "limit": limit}
        return self._calls.get(RunEvents, "/api/v1/training-runs/{}/events", run_id, query=query)

    def curve(self, run_id: str) -> RunCurve:
        return self._calls.get(RunCurve, "/api/v1/training-runs/{}/curve", run_id)

    def follow(self, run_id: str) -> Iterator[TrainingRun]:
        """The run whenever it has moved, to its end."""
        return self._calls.follow(TrainingRun, "/api/v1/training-runs/{}/follow", run_id, last="ended")

    def cancel(self, run_id: str) -> TrainingRun:
        """It ends when its backend says so."""
        return self._calls.post(TrainingRun, "/api/v1/training-runs/{}/cancel", run_id)

    def pause(self, run_id: str) -> TrainingRun:
        """Raises `Conflict` where its backend cannot."""
        return self._calls.post(TrainingRun, "/api/v1/training-runs/{}/pause", run_id)

    def resume(self, run_id: str) -> TrainingRun:
        return self._calls.post(TrainingRun, "/api/v1/training-runs/{}/resume", run_id)

    def retry(self, run_id: str) -> TrainingRun:
        """A new run of the same specification."""
        return self._calls.post(TrainingRun, "/api/v1/training-runs/{}/retry", run_id)


class Models:
    """Model versions: what a run gave, and what repeats it."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def of_engagement(self, engagement_id: str) -> Iterator[ModelVersion]:
        """Newest first."""
        return self._calls.pages(ModelVersion, "/api/v1/engagements/{}/model-versions", engagement_id)

    def get(self, version_id: str) -> ModelVersion:
        return self._calls.get(ModelVersion, "/api/v1/model-versions/{}", version_id)

    def record(self, version: ModelVersion) -> bytes:
        """The record that repeats it, as canonical JSON. Raises `DigestMismatch`."""
        return self._calls.get_bytes("/api/v1/model-versions/{}/record", version.id, sha256=version.record_sha256)
