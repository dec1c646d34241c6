"""A prepared dataset, written in the format that a backend takes. Of the test split only the digest is looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from backends.spec import DataFile
from engagements.phases.data_preparation.formats.exporting import Export, read_records
from engagements.phases.data_preparation.formats.registry import format_named
from engagements.phases.data_preparation.splitting.policy import Split
from engagements.phases.data_preparation.versions.folders import read_folder
from estimator.errors import EstimatorError, Problem

CHAT: Final = "openai_chat"
SCORED: Final = "scored.jsonl"


class DatasetUnusable(EstimatorError):
    """A folder that holds no dataset to train on, or one that was changed since it was prepared."""

    code = "dataset_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """`sha256`: the digest that its report names. `task`: what it is for, where the report says."""

    folder: Path
    sha256: str
    task: str | None
    has_validation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a run reads. `scored`: the validation rows as chat, which every checkpoint answers; None without a split."""

    train: DataFile
    validation: DataFile | None
    scored: Path | None


def dataset_in(folder: Path) -> Dataset:
    """Raises `FolderUnreadable` and `DatasetUnusable`, with all that is amiss."""
    found = read_folder(folder)
    report: dict[str, Any] = dict(found.report)
    problems = []
    if "digest" not in report:
        message = "report.json is missing, or is of other files than those that lie beside it"
        problems.append(_problem(folder, message, "prepare the dataset again: sixfold data prepare"))
    if not (train := found.splits.get(Split.TRAIN)) or not train.examples:
        problems.append(_problem(folder, "there is nothing in its training split", "prepare it with more examples"))
    if problems:
        raise DatasetUnusable(*problems)
    validation = found.splits.get(Split.VALIDATION)
    return Dataset(
        folder=folder, sha256=report["digest"], task=report.get("policy", {}).get("task"),
        has_validation=bool(validation and validation.examples),
    )  # fmt: skip


def write_files(dataset: Dataset, form: str, folder: Path) -> Files:
    """Writes into a folder that is there. Raises `ExportRefused` where the format cannot hold what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    train, validation, scored = folder / "train.jsonl", folder / "validation.jsonl", folder / SCORED
    _write(dataset, Split.TRAIN, form, train)
    if dataset.has_validation:
        _write(dataset, Split.VALIDATION, form, validation)
        _write(dataset, Split.VALIDATION, CHAT, scored)
    return Files(
        train=DataFile.of(train, format=form), scored=scored if dataset.has_validation else None,
        validation=DataFile.of(validation, format=form) if dataset.has_validation else None,
    )  # fmt: skip


def _write(dataset: Dataset, split: Split, form: str, path: Path) -> None:
    # What a provider would refuse is the backend's to say; it knows its own limits of today.
    export = Export(format_named(form), anyway=True)
    with path.open("wb") as file:
        file.writelines(export.pieces(read_records(dataset.folder / f"{split.value}.jsonl")))


def _problem(folder: Path, message: str, remedy: str) -> Problem:
    return Problem(code=DatasetUnusable.code, where=str(folder), message=message, remedy=remedy)
