"""`sixfold data import`: raw files into canonical records, one JSON line each; every dropped row has its reason.

--json             output, rows_in, kept, dropped (by reason), files (of each: file, format, encoding, size_bytes,
                   sha256, mapping, rows_in, kept, dropped, warnings by code), problems (up to 100 of a code and file)
--preview --json   files (of each: file, format, encoding, columns, mapping, rows: number, records, problems)
"""

import dataclasses
import json
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from engagements.cli.data.problems import dropped_table, show_first_problems
from engagements.cli.output import (
    answers,
    console,
    json_option,
    number,
    plain_text,
    print_json,
    problem_as_plain,
    show_problems,
    table_of,
    to_stderr,
)
from engagements.files import FileUnwritable, check_targets
from engagements.phases.data_preparation.collecting.databases import fetch_query
from engagements.phases.data_preparation.collecting.encodings import DETECT
from engagements.phases.data_preparation.collecting.examples import Ids
from engagements.phases.data_preparation.collecting.findings import MappingInvalid, finding
from engagements.phases.data_preparation.collecting.importing import Import, RowAccount, preview
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.collecting.places import fetch, without_secrets
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.collecting.recognising import mapping_of
from engagements.phases.data_preparation.collecting.rows import FileFormat
from engagements.phases.data_preparation.records import Origin, Provenance, Task
from estimator.errors import EstimatorError, Problem

_PREVIEWED_ROWS: Final = 20
_SHOWN_CHARS: Final = 70


class ImportRefused(EstimatorError):
    """A file of several that cannot be imported; nothing was written."""

    code = "import_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """How every file is read. `named`: columns by their role; `joined`: a file with more of each row."""

    task: Task | None
    mapping: ColumnMapping | None
    named: Mapping[str, Any]
    format: FileFormat | None
    encoding: str | None
    sheets: Sequence[str] | None
    joined: Path | None
    origin: Origin

    def mapped(self, path: Path) -> ColumnMapping | None:
        """The mapping where one was given, or columns were named; None where it is to be found."""
        if self.mapping or not any(self.named.values()):
            return self.mapping
        table = open_table(path, format=self.format, encoding=self.encoding, sheets=self.sheets)
        return mapping_of(table, task=self.task, **self.named)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Imported:
    file: str
    reading: Import
    account: RowAccount


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where the records are written.")
@click.option("--preview", "previewing", is_flag=True, help="Show what the first rows would become; write nothing.")
@click.option("--task", type=click.Choice([each.value for each in Task]), help="What is to be learnt (default: found).")
@click.option("--input", "inputs", multiple=True, metavar="COLUMN", help="The text; several are joined.")
@click.option("--target", metavar="COLUMN", help="The label, object or answer.")
@click.option("--id", "identity", metavar="COLUMN", help="What a row is called.")
@click.option("--group", metavar="COLUMN", help="What must not straddle a split: a customer, a conversation.")
@click.option("--system", metavar="COLUMN", help="The system prompt, row by row.")
@click.option("--system-prompt", default="", metavar="TEXT", help="The system prompt of rows without one.")
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path, dir_okay=False), help="All of it as JSON.")
@click.option("--format", "file_format", type=click.Choice([each.value for each in FileFormat]), help="Default: found.")
@click.option("--encoding", metavar="NAME", help=f"Of files that are not UTF-8; {DETECT!r} takes the likely one.")
@click.option("--sheet", "sheets", multiple=True, metavar="NAME", help="Of a workbook (default: the first with rows).")
@click.option("--join", "joined", type=click.Path(path_type=Path, dir_okay=False), help="More of each row, by its id.")
@click.option("--query", metavar="SQL", help="FILES is the address of a database; import the rows of this query.")
@click.option(
    "--kind", type=click.Choice([each.value for each in Provenance]), default="existing_work", show_default=True
)
@click.option("--author", default="", metavar="NAME", help="Who wrote the examples.")
@click.option("--licence", default="", metavar="NAME", help="What allows their use.")
@json_option
@answers
def command(
    files: tuple[str, ...], output: Path | None, previewing: bool, task: str | None, inputs: tuple[str, ...],
    target: str | None, identity: str | None, group: str | None, system: str | None, system_prompt: str,
    mapping_file: Path | None, file_format: str | None, encoding: str | None, sheets: tuple[str, ...],
    joined: Path | None, query: str | None, kind: str, author: str, licence: str, as_json: bool,
) -> None:  # fmt: skip
    """Read FILES (files, folders, s3:// and hf:// addresses) into records. Exit code 2: nothing was written."""
    if (output is None) != previewing:
        raise click.UsageError("say where to write with -o, or look at the first rows with --preview")
    settings = _Settings(
        task=Task(task) if task else None, mapping=_read_mapping(mapping_file), format=_format(file_format),
        named={
            "input": inputs, "target": target, "id": identity, "group": group, "system": system,
            "system_prompt": system_prompt,
        },
        encoding=encoding, sheets=sheets or None, joined=joined,
        origin=Origin(kind=Provenance(kind), author=author, licence=licence),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="sixfold-") as folder:
        sources = _fetched(files, query, Path(folder))
        if output is None:
            _preview(sources, settings, as_json=as_json)
        else:
            _import(sources, settings, output, as_json=as_json)


def _format(name: str | None) -> FileFormat | None:
    return FileFormat(name) if name else None


def _read_mapping(path: Path | None) -> ColumnMapping | None:
    """Raises `MappingInvalid` for a file that is no mapping."""
    if path is None:
        return None
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MappingInvalid(
            finding("mapping_invalid", f"the mapping cannot be read: {error}", where=str(path))
        ) from error
    if not isinstance(plain, dict):
        raise MappingInvalid(finding("mapping_invalid", "the mapping is no JSON object", where=str(path)))
    return ColumnMapping.from_json(plain)


def _fetched(addresses: Sequence[str], query: str | None, folder: Path) -> dict[Path, str]:
    """Every file with the name it is spoken of. Raises the problems of all addresses together."""
    found: dict[Path, str] = {}
    problems: list[Problem] = []
    for number_, address in enumerate(addresses, 1):
        into = folder / str(number_)
        try:
            paths = [fetch_query(address, query, into)] if query else fetch(address, into)
        except EstimatorError as error:
            problems += error.problems
            continue
        for path in paths:
            is_here = not path.is_relative_to(folder)
            found[path] = path.name if is_here else f"{without_secrets(address)} {path.relative_to(into)}"
    if problems:
        raise ImportRefused(*problems)
    return found


def _import(sources: Mapping[Path, str], settings: _Settings, output: Path, *, as_json: bool) -> None:
    check_targets(output, read=sources)
    with _bar() as progress, _written_whole(output) as out:
        done = _import_all(sources, settings, out, progress)
    if as_json:
        print_json(_as_plain(done, output))
    else:
        _show(done, output)


def _import_all(sources: Mapping[Path, str], settings: _Settings, out: BinaryIO, progress: Progress) -> list[_Imported]:
    """Raises `ImportRefused` with what is wrong with each file that cannot be imported; all of them are read."""
    ids, done, refused = Ids(), list[_Imported](), list[Problem]()
    for path, name in sources.items():
        task = progress.add_task(f"Reading {plain_text(name)[:_SHOWN_CHARS]}", total=None)
        try:
            reading = _opened(path, name, settings, ids, progress, task)
            out.writelines(record.as_line() for record in reading)
            account = reading.account
            if not account.kept:
                raise ImportRefused(*account.problems)
            done.append(_Imported(file=name, reading=reading, account=account))
        except EstimatorError as error:
            refused += [_of_file(each, name) for each in error.problems]
    if refused:
        raise ImportRefused(*refused)
    return done


def _opened(path: Path, name: str, settings: _Settings, ids: Ids, progress: Progress, task: TaskID) -> Import:
    def show(done: int, whole: int) -> None:
        progress.update(task, completed=done, total=whole)

    return Import(
        path, mapping=settings.mapped(path), task=settings.task, format=settings.format, encoding=settings.encoding,
        origin=dataclasses.replace(settings.origin, source=name), sheets=settings.sheets, joined=settings.joined,
        ids=ids, on_progress=show,
    )  # fmt: skip


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=to_stderr, transient=True, disable=not to_stderr.is_interactive)


@contextmanager
def _written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside the target that takes its place when all is written; whatever happens before leaves nothing."""
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with ExitStack() as written:
            with partial.open("wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            written.callback(partial.replace, path)
    except OSError as error:
        message, remedy = (
            f"cannot be written: {error.strerror}",
            "name a file in a folder that can be written and has room",
        )
        raise FileUnwritable(
            Problem(code=FileUnwritable.code, where=str(path), message=message, remedy=remedy)
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _of_file(problem: Problem, name: str) -> Problem:
    return dataclasses.replace(problem, where=f"{name}: {problem.where}" if problem.where else name)


def _dropped(done: Sequence[_Imported]) -> dict[str, int]:
    return dict(sum((Counter(each.account.dropped) for each in done), Counter[str]()).most_common())


def _as_plain(done: Sequence[_Imported], output: Path) -> dict[str, object]:
    return {
        "output": str(output),
        "rows_in": sum(each.account.rows_in for each in done),
        "kept": sum(each.account.kept for each in done),
        "dropped": _dropped(done),
        "files": [_file_as_plain(each) for each in done],
        "problems": [
            problem_as_plain(_of_file(problem, each.file)) for each in done for problem in each.account.problems
        ],
    }


def _file_as_plain(imported: _Imported) -> dict[str, object]:
    table, account = imported.reading.table, imported.account
    return {
        "file": imported.file, "format": table.format.value, "encoding": table.encoding,
        "size_bytes": table.size_bytes, "sha256": table.sha256, "mapping": imported.reading.mapping.to_json(),
        "rows_in": account.rows_in, "kept": account.kept, "dropped": dict(account.dropped),
        "warnings": dict(account.warnings),
    }  # fmt: skip


def _show(done: Sequence[_Imported], output: Path) -> None:
    rows = [
        (
            plain_text(each.file), each.reading.table.format.value, plain_text(_mapping_said(each.reading.mapping)),
            number(each.account.rows_in), number(each.account.kept), number(sum(each.account.dropped.values())),
        )
        for each in done
    ]  # fmt: skip
    console.print(table_of("", ("file", "format", "read as", "rows", "kept", "dropped"), rows, numeric=(3, 4, 5)))
    if dropped := _dropped(done):
        console.print(dropped_table(dropped))
    console.print(f"[bold]{sum(each.account.kept for each in done):,} records[/] in {plain_text(str(output))}")
    if problems := [_of_file(problem, each.file) for each in done for problem in each.account.problems]:
        show_first_problems(
            problems, Counter(dropped) + sum((Counter(each.account.warnings) for each in done), Counter())
        )


def _mapping_said(mapping: ColumnMapping) -> str:
    if mapping.shape:
        return mapping.shape
    task = mapping.task or "texts"
    return f"{task}: {' + '.join(mapping.input)}{f' -> {mapping.target}' if mapping.target else ''}"


def _preview(sources: Mapping[Path, str], settings: _Settings, *, as_json: bool) -> None:
    plain = []
    for path, name in sources.items():
        table = open_table(path, format=settings.format, encoding=settings.encoding, sheets=settings.sheets)
        mapping = settings.mapping or mapping_of(table, task=settings.task, **settings.named)
        rows = preview(table, mapping, rows=_PREVIEWED_ROWS)
        if not as_json:
            _show_preview(name, mapping, rows)
        plain.append(
            {
                "file": name, "format": table.format.value, "encoding": table.encoding, "columns": list(table.columns),
                "mapping": mapping.to_json(),
                "rows": [
                    {
                        "number": row.number, "records": [record.as_json() for record in row.records],
                        "problems": [problem_as_plain(problem) for problem in row.problems],
                    }
                    for row in rows
                ],
            }
        )  # fmt: skip
    if as_json:
        print_json({"files": plain})


def _show_preview(name: str, mapping: ColumnMapping, rows: Sequence[Any]) -> None:
    shown = [
        (number(row.number), _short(record.question), _short(record.answer), _short(record.group or ""))
        for row in rows
        for record in row.records
    ]
    console.print(f"[bold]{plain_text(name)}[/]: {plain_text(_mapping_said(mapping))}")
    console.print(table_of("", ("row", "asked", "answered", "group"), shown, numeric=(0,)))
    if problems := [problem for row in rows for problem in row.problems]:
        show_problems(problems)


def _short(text: str) -> str:
    first = " ".join(text[: 2 * _SHOWN_CHARS].split())
    return plain_text(first if len(first) <= _SHOWN_CHARS else f"{first[: _SHOWN_CHARS - 1]}…")
