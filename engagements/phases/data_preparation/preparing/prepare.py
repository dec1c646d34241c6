"""From raw files to a divided, proven dataset, without a database: read, check, deduplicate, divide, prove."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from engagements.phases.data_preparation.collecting.examples import Ids
from engagements.phases.data_preparation.collecting.importing import Import
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.collecting.recognising import mapping_of
from engagements.phases.data_preparation.preparing.examining import examined
from engagements.phases.data_preparation.preparing.gathering import Gathered, place
from engagements.phases.data_preparation.preparing.options import PrepareOptions
from engagements.phases.data_preparation.preparing.prepared import Prepared
from engagements.phases.data_preparation.records import Origin, Record
from engagements.phases.data_preparation.splitting.dividing import divide
from engagements.phases.data_preparation.splitting.leaks import Embedder
from estimator.errors import EstimatorError, Problem

_TOLD_EVERY: Final = 500
_UNANSWERED: Final = "no_target_column"

Progress = Callable[[str, int, int | None], None]
"""What is being done, how far it is, of how much if that is known. Whatever it raises ends the work."""


class NothingToPrepare(EstimatorError):
    """No file holds a record that could be used."""

    code = "nothing_to_prepare"


def prepare(
    files: Sequence[Path],
    options: PrepareOptions,
    *,
    on_progress: Progress = lambda *_: None,
    embed: Embedder | None = None,
) -> Prepared:
    """Read, check, deduplicate and divide. The same files and options give the same splits, whatever the machine.

    Raises `FileUnreadable`, `DatasetUnreadable`, `MappingInvalid` and `NothingToPrepare`, and leaves nothing behind.
    """
    imports = _opened(files, options, on_progress)
    with ExitStack() as until_done:
        gathered = Gathered(options, until_done)
        for each in examined(_records(imports), options.check, processes=options.processes):
            gathered.take(each)
            if gathered.rows % _TOLD_EVERY == 0:
                on_progress("checking", gathered.rows, None)
        for opened in imports:
            gathered.account(opened)
        if not len(gathered.material):
            raise NothingToPrepare(_nothing(gathered), *gathered.problems.listed)
        division = divide(gathered.material, options.split, embed=embed, tell=lambda step: on_progress(step, 0, None))
        on_progress("describing", 0, None)
        return gathered.prepared(division)


def _opened(files: Sequence[Path], options: PrepareOptions, on_progress: Progress) -> list[Import]:
    """All files, opened; every file that cannot be is said at once."""
    opened, problems, ids = [], [], Ids()
    for path in files:
        try:
            opened.append(_import(path, options, ids, on_progress))
        except EstimatorError as error:
            problems += [replace(each, where=place(path.name, each.where)) for each in error.problems]
            refused = type(error)
    if problems:
        raise refused(*problems)
    return opened


def _import(path: Path, options: PrepareOptions, ids: Ids, on_progress: Progress) -> Import:
    origin = Origin(kind=options.kind, source=path.name, author=options.author, licence=options.licence)
    named = options.columns.named()
    table = open_table(path, encoding=options.encoding) if named else None
    mapping = mapping_of(table, task=options.task, **named) if table else None
    return Import(
        path, mapping=mapping, task=options.task, encoding=options.encoding, origin=origin, ids=ids,
        on_progress=lambda done, whole: on_progress(f"reading {path.name}", done, whole),
    )  # fmt: skip


def _records(imports: Sequence[Import]) -> Iterator[Record]:
    for each in imports:
        yield from each


def _nothing(gathered: Gathered) -> Problem:
    unanswered = _UNANSWERED in gathered.problems.counts
    remedy = "name the columns of the text and of its answer" if unanswered else "see why each was left out"
    message = f"none of {gathered.rows_in:,} rows can be used"
    return Problem(code=NothingToPrepare.code, message=message, remedy=remedy)
