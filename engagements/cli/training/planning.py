"""From what is asked for to a run that could begin: its files, its spec, what it will take, what speaks against it."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from backends.protocol import Backend
from backends.spec import DataFile, TrainingSpec
from engagements.cli.training.asked import Asked
from engagements.cli.training.dataset import CHAT, Dataset, Files, dataset_in, write_files
from engagements.cli.training.folder import Plan, RunFolder
from engagements.cli.training.following import now
from engagements.cli.training.places import as_problem, described, made
from engagements.cli.training.showing import predicted_as_plain
from engagements.phases.training.judging.record import RunRecord, digest_of
from engagements.phases.training.judging.scoring import metric_of_task
from engagements.phases.training.plans.data_tokens import at_its_folder, count_tokens
from engagements.phases.training.plans.own_hours import at_our_price
from engagements.phases.training.plans.prediction import Prediction, predict
from engagements.settings import TrainingBackend
from estimator.errors import EstimatorError, Problem, Severity
from estimator.hardware import find_gpu
from estimator.prices import PriceBook

_NAMED: Final = ("backend", "model", "method", "seed", "suffix", "grader", "hyperparameters")


class RunRefused(EstimatorError):
    """The run cannot begin as it is asked for; everything that speaks against it."""

    code = "run_refused"


class RunDiffers(EstimatorError):
    """Another run lies in the folder."""

    code = "run_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """`spec`: its files lie where they were staged. `notes`: what a person should look at before it begins."""

    backend: Backend
    spec: TrainingSpec
    plan: Plan
    prediction: Prediction
    notes: tuple[Problem, ...]


class _Gathered:
    """What is wrong, from steps that each say it by themselves."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @contextmanager
    def here(self) -> Iterator[None]:
        try:
            yield
        except EstimatorError as error:
            self.problems += error.problems

    def close(self) -> None:
        if self.problems:
            raise RunRefused(*self.problems)


def plan_run(
    asked: Asked, folder: RunFolder, staging: Path, *, record: RunRecord | None, base: bool, book: PriceBook,
    today: date,
) -> Planned:  # fmt: skip
    """Writes the files of the run to `staging` and nothing else. Raises `RunRefused` with all that is wrong."""
    gathered = _Gathered()
    with gathered.here():
        said = described(asked.backend, asked.settings, asked.secrets)
        backend = made(asked.backend, said, folder.path)
    with gathered.here():
        dataset = dataset_in(asked.data)
    gathered.close()
    with gathered.here():
        files = write_files(dataset, backend.capabilities.data_format.get(asked.method, CHAT), staging)
    gathered.close()
    spec = _spec(asked, files, folder)
    found = [as_problem(each) for each in backend.problems(spec, today=today)]
    gathered.problems += [each for each in found if each.severity is Severity.ERROR]
    gathered.problems += _not_the_same_data(record, spec, dataset)
    with gathered.here():
        prediction = _predicted(asked, said, at_its_folder(spec, backend), book, today)
    gathered.close()
    plan = Plan(
        backend=said, dataset_sha256=dataset.sha256, metric=asked.metric or metric_of_task(dataset.task),
        max_tokens=asked.max_tokens, scored_rows=asked.scored_rows, score_base=base, begun_at=now(),
        parent=digest_of(record) if record else None, predicted=predicted_as_plain(prediction),
    )  # fmt: skip
    return Planned(backend=backend, spec=spec, plan=plan, prediction=prediction, notes=tuple(found))


def _predicted(asked: Asked, said: TrainingBackend, spec: TrainingSpec, book: PriceBook, today: date) -> Prediction:
    """At the price of an hour that the settings name; a GPU of ours without one at what the price book rents it for.

    Raises `UnknownName` for a GPU that was asked for and is in no table, and what counting raises.
    """
    gpu = find_gpu(asked.gpu).name if asked.gpu else said.gpu
    found = predict(
        spec, today=today, book=book, tokens=count_tokens(spec), gpu=gpu or None, provider=said.provider or None
    )
    is_ours = not said.provider and (said.hour is not None or found.cost is None)
    return at_our_price(found, said.hour) if is_ours else found


def refuse_another(folder: RunFolder, planned: Planned) -> None:
    """Raises `RunDiffers` where the folder holds a run that is not the one asked for, and says in what."""
    there, asked = folder.spec(), planned.spec
    if problems := [*_differences(there, asked, folder.plan(), planned.plan)]:
        raise RunDiffers(*problems)


def _spec(asked: Asked, files: Files, folder: RunFolder) -> TrainingSpec:
    """A run that has begun keeps its id, by which the backend knows it."""
    run_id = folder.spec().run_id if folder.is_planned else f"run-{secrets.token_hex(8)}"
    return TrainingSpec(
        run_id=run_id, train=files.train, validation=files.validation,
        **{name: getattr(asked, name) for name in _NAMED},
    )  # fmt: skip


def _not_the_same_data(record: RunRecord | None, spec: TrainingSpec, dataset: Dataset) -> Iterator[Problem]:
    """A run is repeated on the very bytes that it learnt from."""
    if record is None:
        return
    for name in ("train", "validation"):
        then, here = getattr(record.spec, name), getattr(spec, name)
        if (then and then.sha256) != (here and here.sha256):
            before = then.sha256[:16] if then else "none"
            message = f"the record was trained with {name} {before}, and the dataset gives {_digest(here)}"
            remedy = f"name the dataset {(record.dataset_sha256 or 'of the record')[:16]} with --data"
            yield Problem(code="digest_mismatch", where=str(dataset.folder), message=message, remedy=remedy)


def _digest(file: DataFile | None) -> str:
    return file.sha256[:16] if file else "none"


def _differences(there: TrainingSpec, asked: TrainingSpec, kept: Plan, plan: Plan) -> Iterator[Problem]:
    before, after = _told(there, kept), _told(asked, plan)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            message = f"{before.get(name)!r} there, {after.get(name)!r} asked for"
            remedy = "name another folder with -o, or ask for the same to go on with it"
            yield Problem(code=RunDiffers.code, where=name, message=message, remedy=remedy)


def _told(spec: TrainingSpec, plan: Plan) -> Mapping[str, Any]:
    """All that decides what comes out, flat."""
    told = {name: getattr(spec, name) for name in _NAMED if name != "hyperparameters"}
    files = {name: _digest(getattr(spec, name)) for name in ("train", "validation")}
    return told | files | spec.hyperparameters.given() | {"metric": plan.metric, "where": plan.backend}
