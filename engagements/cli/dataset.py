"""Counting a dataset file with a progress bar, and refusing one with errors."""

from pathlib import Path
from typing import Final

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from engagements.cli.output import plain_text, to_stderr
from estimator.brief import Brief
from estimator.errors import DatasetUnreadable, EstimatorError, Problem, Severity
from estimator.tokens import DatasetCount, Epochs, Tokeniser, count_dataset

_COUNTED_AS: Final = "gpt-4o"
"""A brief's dataset is counted in o200k_base; routes with another tokeniser carry a spread."""


class DatasetInvalid(EstimatorError):
    """The file that a brief names cannot be trained on as it is."""

    code = "dataset_invalid"


def count_with_progress(
    path: Path, *, model: str | None = None, tokeniser: Tokeniser | None = None, epochs: Epochs = "auto"
) -> DatasetCount:
    """Count a file; a bar on standard error shows how far it is when it takes long."""
    text, speed = TextColumn("{task.description}"), TransferSpeedColumn()
    columns = (text, BarColumn(), DownloadColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=to_stderr, transient=True, disable=not to_stderr.is_interactive) as progress:
        task = progress.add_task(f"Counting {plain_text(path.name)}", total=None)

        def show(done: int, whole: int) -> None:
            progress.update(task, completed=done, total=whole)

        return count_dataset(path, model=model, tokeniser=tokeniser, epochs=epochs, on_progress=show)


def dataset_file(brief: Brief, brief_file: Path) -> Path | None:
    """The file that a brief names beside itself; None where it names none. Raises `DatasetUnreadable`."""
    name = brief.data.dataset
    if name is not None and "\0" in name:
        problem = Problem(
            code=DatasetUnreadable.code,
            where="data.dataset",
            message="a NUL character stands in the name of the file",
            remedy="name a file beside the brief",
        )
        raise DatasetUnreadable(problem)
    return None if name is None else brief_file.parent / name


def counted_dataset(brief: Brief, brief_file: Path) -> DatasetCount | None:
    """The count of the file that a brief names beside itself; None where it names none.

    Raises `DatasetInvalid` with the errors of the file.
    """
    path = dataset_file(brief, brief_file)
    if path is None:
        return None
    counted = count_with_progress(path, model=_COUNTED_AS)
    errors = [problem for problem in counted.problems if problem.severity is Severity.ERROR]
    if errors:
        to_stderr.print(f"[bold]{plain_text(str(path))} cannot be trained on as it is[/]")
        raise DatasetInvalid(*errors)
    return counted
