"""`sixfold data prepare`: from raw files to a divided dataset with its proof and its card, in one folder.

Writes train.jsonl, validation.jsonl, test.jsonl (canonical records with their id), report.json and card.html, all of
them or none.

--json   what report.json holds, with `output` and without `check`
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import orjson
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from engagements.cli.data.folder import folder_to_write, policy_of, split_options
from engagements.cli.data.problems import dropped_table, show_first_problems
from engagements.cli.output import (
    NO,
    answers,
    console,
    json_option,
    leave,
    number,
    plain_text,
    print_json,
    table_of,
    to_stderr,
    today,
)
from engagements.files import write_together
from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.collecting.encodings import DETECT
from engagements.phases.data_preparation.preparing.options import Columns, NearDuplicates, PrepareOptions
from engagements.phases.data_preparation.preparing.page import card_of
from engagements.phases.data_preparation.preparing.prepare import Progress, prepare
from engagements.phases.data_preparation.preparing.prepared import Listing, Prepared
from engagements.phases.data_preparation.preparing.report import file_name, report_of
from engagements.phases.data_preparation.records import Provenance, Task
from engagements.phases.data_preparation.splitting.policy import SPLITS

_FILES: Final = (*map(file_name, SPLITS), "report.json", "card.html")


@click.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write."
)
@click.option("--task", type=click.Choice([each.value for each in Task]), help="What a model is to learn from it.")
@click.option("--input", "input_column", metavar="COLUMN", help="The column with the text.")
@click.option("--target", metavar="COLUMN", help="The column with the label, object or answer.")
@click.option("--id", "id_column", metavar="COLUMN", help="The column with a name for each row.")
@click.option("--group", metavar="COLUMN", help="What must not straddle a split: a customer, a conversation.")
@click.option("--encoding", metavar="NAME", help=f"Of files that are not UTF-8; {DETECT!r} takes the likely one.")
@split_options
@click.option(
    "--keep-near-duplicates/--drop-near-duplicates",
    "keep_near",
    default=True,
    help="Keep near copies together in one split, or only the first of each.",
)
@click.option(
    "--personal-data",
    type=click.Choice([each.value for each in PersonalDataRule]),
    default="keep",
    show_default=True,
    help="Keep and report it, replace it, or refuse its rows.",
)
@click.option("--model", metavar="NAME", help="The model to be tuned; longer examples are refused.")
@click.option(
    "--kind", type=click.Choice([each.value for each in Provenance]), default="existing_work", help="Where it is from."
)
@click.option("--author", default="", metavar="NAME", help="Who wrote it.")
@click.option("--licence", default="", metavar="NAME", help="Under which right it may be used.")
@click.option(
    "--processes", type=click.IntRange(0, 64), default=2, show_default=True, help="That check rows beside this one."
)
@json_option
@answers
def command(
    files: tuple[Path, ...], output: Path, task: str | None, seed: int, input_column: str | None, target: str | None,
    id_column: str | None, group: str | None, encoding: str | None, shares: str, hold_out: float | None,
    stratify: bool, previous: Path | None, keep_near: bool, personal_data: str, model: str | None, kind: str,
    author: str, licence: str, processes: int, as_json: bool,
) -> None:  # fmt: skip
    """Prepare FILES for training. Exit code 2: nothing was written; 1: written, and something leaks."""
    options = PrepareOptions(
        task=Task(task) if task else None,
        columns=Columns(input=input_column, target=target, id=id_column, group=group),
        check=CheckPolicy(
            task=Task(task) if task else None, model=model, personal_data=PersonalDataRule(personal_data),
            licence_required=False,
        ),
        split=policy_of(seed=seed, shares=shares, hold_out=hold_out, stratify=stratify, previous=previous),
        near_duplicates=NearDuplicates.KEEP if keep_near else NearDuplicates.DROP, encoding=encoding,
        kind=Provenance(kind), author=author, licence=licence, processes=processes,
    )  # fmt: skip
    with (
        folder_to_write(output, _FILES, read=files),
        _progress() as show,
        prepare(files, options, on_progress=show) as prepared,
    ):
        show("writing", 0, None)
        report = report_of(prepared)
        _write(prepared, report, output)
    if as_json:
        print_json({"output": str(output)} | {key: value for key, value in report.items() if key != "check"})
    else:
        _show(report, prepared.problems, output)
    if prepared.division.leaks.total:
        leave(NO)


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=to_stderr, transient=True, disable=not to_stderr.is_interactive) as bar:
        task = bar.add_task("reading", total=None)

        def show(step: str, done: int, whole: int | None) -> None:
            bar.update(task, description=plain_text(step), completed=done, total=whole)

        yield show


def _write(prepared: Prepared, report: Mapping[str, Any], output: Path) -> None:
    """All five, or none: what stood there before stands there still if one cannot be written."""
    contents: dict[Path, bytes | Iterable[bytes]] = {
        output / file_name(split): prepared.lines_of(split) for split in SPLITS
    }
    contents[output / "report.json"] = orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    card = card_of(prepared, report, name=output.resolve().name, made_on=today().isoformat())
    contents[output / "card.html"] = card.encode(errors="replace")
    write_together(contents)


def _show(report: Mapping[str, Any], problems: Listing, output: Path) -> None:
    console.print(f"[bold]{report['kept']:,} of {report['rows_in']:,} rows prepared[/] in {plain_text(str(output))}")
    rows = [
        (name, number(split["examples"]), f"{split['share']:.1%}", number(len(split["labels"])), split["sha256"][:16])
        for name, split in report["splits"].items()
    ]
    console.print(table_of("", ("split", "examples", "share", "labels", "sha256"), rows, numeric=(1, 2, 3)))
    if report["dropped"]:
        console.print(dropped_table(report["dropped"]))
    console.print(
        f"exact duplicates: {report['exact_duplicates']:,}; clusters of near duplicates: "
        f"{report['near_duplicate_clusters']:,}; label conflicts: {report['label_conflicts']['count']:,}"
    )
    leaks, chance = sum(report["leaks"].values()), report["decontamination"]["by_chance"]["total"]
    console.print(f"[bold]leaks between splits: {leaks:,}[/] (a split by chance would have left {chance:,})")
    console.print(f"digest {report['digest']}")
    if problems.listed:
        console.print()
        show_first_problems(problems.listed, problems.counts)
