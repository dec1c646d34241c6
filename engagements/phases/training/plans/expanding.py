"""What was asked for becomes specs: each with its data file in its backend's format, its prediction, its problems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from backends.errors import Problem, Severity
from backends.peft_local.defaults import FULL_LEARNING_RATE, LEARNING_RATE
from backends.protocol import Backend, Capabilities
from backends.spec import Adapter, DataFile, Method, TrainingSpec
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.storage import Storage
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training.plans import matrix
from engagements.phases.training.plans.data_tokens import at_its_folder
from engagements.phases.training.plans.exporting import Source, has_split, placed, source_of
from engagements.phases.training.plans.matrix import Variant
from engagements.phases.training.plans.prediction import Prediction, predict
from engagements.phases.training.plans.reading_once import ReadOnce
from engagements.phases.training.schemas import Design, ExperimentIn, RunIn
from engagements.phases.training.trainers import Trainers
from estimator.prices import PriceBook

_OPENAI_CHAT: Final = "openai_chat"
"""What data is written in to be looked at, where the backend takes no data of this method at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """One run of the matrix. `spec`: its paths are relative to the folder of data."""

    name: str
    why: str
    spec: TrainingSpec
    is_curated: bool
    prediction: Prediction
    problems: tuple[Problem, ...]

    @property
    def can_run(self) -> bool:
        return all(each.severity is not Severity.ERROR for each in self.problems)


@dataclass(kw_only=True)
class Expander:
    """Of one experiment over one version. `curated`: ids of the records of the best subset, where one is asked for.

    Files are written once for each format and subset, and counted once for each model; `once` keeps both.
    """

    trainers: Trainers
    book: PriceBook
    storage: Storage
    folder: Path
    version: DatasetVersion
    curated: frozenset[str] | None
    today: date
    once: ReadOnce

    def expand(self, data: ExperimentIn) -> list[Expanded]:
        """In order. Raises `MatrixInvalid`, `NotConfigured`, `Invalid`, `BlobDamaged` and `NoSuchSplit`."""
        return [self._run(variant, is_curated=is_curated) for variant, is_curated in self._variants(data)]

    def _variants(self, data: ExperimentIn) -> Iterator[tuple[Variant, bool]]:
        if data.base is not None:
            base = self._skeleton(data.base)
            for variant in self._designed(data, base):
                yield variant, data.base.curated or variant.spec.train.sha256 != base.train.sha256
        for number, run in enumerate(data.more, start=1):
            why = "as it was asked for"
            yield Variant(name=run.name or f"more-{number}", why=why, spec=self._skeleton(run)), run.curated

    def _designed(self, data: ExperimentIn, base: TrainingSpec) -> Sequence[Variant]:
        assert data.base is not None, "a design has a base"
        match data.design:
            case Design.ONE:
                return (Variant(name=data.base.name or "only", why="as it was asked for", spec=base),)
            case Design.GRID:
                return matrix.grid(base, data.axes)
            case Design.THREE:
                field, rate = rate_of(self.trainers.named(base.backend).capabilities, base)
                best = self._file(SplitName.TRAIN, base.train.format, is_curated=True)
                return matrix.three(base, rate_field=field, default_rate=rate, curated=best)

    def _skeleton(self, run: RunIn) -> TrainingSpec:
        form = self._form(run.backend, run.method)
        return TrainingSpec(
            run_id="planned", backend=run.backend, method=run.method, model=run.model,
            train=self._file(SplitName.TRAIN, form, is_curated=run.curated),
            hyperparameters=run.hyperparameters, grader=run.grader, seed=run.seed, suffix=run.suffix,
        )  # fmt: skip

    def _run(self, variant: Variant, *, is_curated: bool) -> Expanded:
        backend, form = self.trainers.named(variant.spec.backend), self._form(variant.spec.backend, variant.spec.method)
        validation = SplitName.VALIDATION if has_split(self.version, SplitName.VALIDATION) else None
        spec = variant.spec.model_copy(update={
            "train": self._file(SplitName.TRAIN, form, is_curated=is_curated),
            "validation": self._file(validation, form, is_curated=False) if validation else None,
        })  # fmt: skip
        here = placed(spec, self.folder)
        return Expanded(
            name=variant.name, why=variant.why, spec=spec, is_curated=is_curated,
            problems=tuple(backend.problems(here, today=self.today)), prediction=self._predicted(backend, here),
        )  # fmt: skip

    def _form(self, backend: str, method: Method) -> str:
        return self.trainers.named(backend).capabilities.data_format.get(method, _OPENAI_CHAT)

    def _predicted(self, backend: Backend, here: TrainingSpec) -> Prediction:
        said, looked_at = self.trainers.said(here.backend), at_its_folder(here, backend)
        return predict(
            looked_at, today=self.today, book=self.book, tokens=self.once.tokens(looked_at), gpu=said.gpu or None,
            provider=said.provider or None,
        )  # fmt: skip

    def _file(self, split: SplitName, form: str, *, is_curated: bool) -> DataFile:
        return self.once.file(self.storage, self.source(split, is_curated=is_curated), form, self.folder)

    def source(self, split: SplitName, *, is_curated: bool) -> Source:
        return source_of(self.version, split, only=self.curated if is_curated else None)


def rate_of(capabilities: Capabilities, spec: TrainingSpec) -> tuple[str, float]:
    """The knob that sets how fast it learns, and what it stands at where nobody turned it."""
    given = spec.hyperparameters
    if "learning_rate" in capabilities.hyperparameters:
        usual = FULL_LEARNING_RATE if given.adapter is Adapter.FULL else LEARNING_RATE
        return "learning_rate", given.learning_rate or usual
    return "learning_rate_multiplier", given.learning_rate_multiplier or 1.0


def wants_the_best(data: ExperimentIn) -> bool:
    """Whether any run is to be of the best examples alone."""
    runs = (data.base, *data.more)
    return data.design is Design.THREE or any(run.curated for run in runs if run is not None)


def names_in(expanded: Sequence[Expanded]) -> Mapping[str, int]:
    """How often each name stands in the matrix."""
    return {each.name: sum(other.name == each.name for other in expanded) for each in expanded}
