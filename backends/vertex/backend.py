"""Tuning Gemini on Vertex AI: files go to Cloud Storage, and a tuning job bears the run's name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from google.genai.types import TuningJob

from backends.checks import given_files, missing_settings, not_offered, outside, refuse, seed_ignored, unreadable_rows
from backends.errors import (
    AnswerInvalid,
    Problem,
    ProviderRefused,
    RunLost,
    Severity,
    Unreachable,
)
from backends.events import Poll, RunState
from backends.memory import Memory
from backends.protocol import Capabilities, Handle
from backends.spec import Method, TrainingSpec
from backends.vertex.answers import GeminiPredictor
from backends.vertex.curve import Point, curve_of
from backends.vertex.progress import stats_of, told
from backends.vertex.project import NOT_FOUND, WANTED, Project, Refused, reading
from backends.vertex.submitting import ADAPTERS, Submission, label_fits

# "About supervised fine-tuning for Gemini models": limits for Gemini 2.5.
_ROWS_MAX: Final = 1_000_000
_VALIDATION_ROWS_MAX: Final = 5_000
_FILE_BYTES_MAX: Final = 1024**3
_ROWS_ADVISED: Final = 100
_OFFERED: Final = frozenset({"epochs", "learning_rate_multiplier", "rank"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexBackend:
    """`lacking`: the settings that it cannot do without."""

    name: str
    project: Project
    at_once: int = 4
    thinking_budget: int | None = None
    lacking: tuple[Problem, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            methods=frozenset({Method.SFT}), data_format={Method.SFT: "gemini"}, hyperparameters=_OFFERED
        )

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:  # noqa: ARG002 (the contract's)
        return tuple(self._problems(spec))

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        known = memory.recall("job")
        if not known:
            submission = Submission(project=self.project, spec=spec, memory=memory, now=now)
            if not memory.recall("sent"):
                refuse(self.problems(spec, today=now.date()))
            known = submission.job()
            memory.remember("job", known)
        return Handle(backend=self.name, reference=known)

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        try:
            job = self._job(handle.reference)
            points = self._settled(job)
        except Refused as refusal:
            return Poll(state=RunState.UNKNOWN, cursor=cursor, provider_state=refusal.provider_code)
        except (Unreachable, AnswerInvalid, ProviderRefused) as error:
            return Poll(state=RunState.UNKNOWN, cursor=cursor, provider_state=error.code)
        return told(job, points, cursor=cursor)

    def cancel(self, handle: Handle) -> None:
        if self._job(handle.reference).has_ended:
            return
        with reading():
            self.project.client().tunings.cancel(name=handle.reference)

    def predictor(self, model: str) -> GeminiPredictor:
        return GeminiPredictor(
            project=self.project, model=model, at_once=self.at_once, thinking_budget=self.thinking_budget
        )

    def _problems(self, spec: TrainingSpec) -> Iterator[Problem]:
        yield from self.lacking
        yield from not_offered(spec, self.capabilities)
        if not spec.model.startswith(("gemini-", "projects/")):
            yield Problem(
                code="model_not_offered", message=f"{spec.model} is no Gemini model", where="model",
                remedy="name one as Google does, or a model tuned before by its resource name",
            )  # fmt: skip
        chosen = spec.hyperparameters
        yield from outside(
            "hyperparameters.learning_rate_multiplier", chosen.learning_rate_multiplier, 0.001, 10, "Vertex"
        )
        if chosen.rank and chosen.rank not in ADAPTERS:
            sizes = ", ".join(map(str, ADAPTERS))
            message, remedy = f"no adapter of rank {chosen.rank}", f"choose one of {sizes}"
            yield Problem(code="out_of_range", message=message, remedy=remedy, where="hyperparameters.rank")
        yield from _sizes(spec)
        for where, file in given_files(spec).items():
            yield from unreadable_rows(where, file, wanted=("contents",))
        yield from _left_out(spec)

    def _job(self, name: str) -> TuningJob:
        """Raises `RunLost`, and what `reading` raises."""
        try:
            with reading():
                job = self.project.client().tunings.get(name=name)
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                raise RunLost(f"Vertex knows no job {name}") from refusal
            raise
        if not job.name or not job.state:
            raise AnswerInvalid("Vertex described a job without its name or state")
        return job

    def _settled(self, job: TuningJob) -> list[Point]:
        """All points once the job has ended. Before, those that nothing is added to any more: validation is written
        after training. None where the experiment is not there yet, or not ours to read."""
        if not job.experiment:
            return []
        stats, chosen = stats_of(job), job.supervised_tuning_spec
        try:
            curve = curve_of(self.project, job.experiment, total_steps=stats.tuning_step_count if stats else None)
        except Refused:
            return []
        if job.has_ended:
            return list(curve.points)
        validates = chosen is not None and bool(chosen.validation_dataset_uri)
        settled = min(curve.trained, curve.validated) if validates else curve.trained
        return [each for each in curve.points if each.metrics.step <= settled]


def make(name: str, settings: Mapping[str, object]) -> VertexBackend:
    """Settings: `project`, `location`, `bucket`; `prefix` of everything in the bucket, `access_token` or
    `service_account_file`, `base_url` and `storage_url` in place of Google's own, `timeout_s`, `at_once` (questions
    asked together), `thinking_budget` (tokens).
    """
    budget = settings.get("thinking_budget")
    return VertexBackend(
        name=name, project=Project.of(settings), at_once=int(str(settings.get("at_once", 4))),
        thinking_budget=None if budget is None else int(str(budget)), lacking=tuple(missing_settings(settings, WANTED)),
    )  # fmt: skip


def _sizes(spec: TrainingSpec) -> Iterator[Problem]:
    limits = {"train": _ROWS_MAX, "validation": _VALIDATION_ROWS_MAX}
    for where, file in given_files(spec).items():
        if file.rows > limits[where]:
            message, remedy = f"{file.rows} rows", f"at most {limits[where]} are taken"
            yield Problem(code="too_many_rows", message=message, remedy=remedy, where=where)
        if file.path.exists() and file.path.stat().st_size > _FILE_BYTES_MAX:
            yield Problem(code="file_too_large", message="over 1 GiB", remedy="train on less", where=where)
    if spec.train.rows < _ROWS_ADVISED:
        message, remedy = f"{spec.train.rows} rows", f"Google's guide starts with {_ROWS_ADVISED}"
        yield Problem(code="few_rows", message=message, remedy=remedy, where="train", severity=Severity.WARNING)


def _left_out(spec: TrainingSpec) -> Iterator[Problem]:
    for name, value in spec.labels.items():
        if not label_fits(name, value):
            yield Problem(
                code="label_left_out", message=f"Google takes no label {name}={value}", where=f"labels.{name}",
                remedy="use lower case letters, digits, _ and -, at most 63", severity=Severity.WARNING,
            )  # fmt: skip
    yield from seed_ignored(spec)
