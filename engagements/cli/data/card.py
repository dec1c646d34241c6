"""`sixfold data card`: the datasheet of a prepared dataset, made of its records and of its report.

--html   the page card.html as it lies in the folder
--json   name, sha256, made_on, examples, sections (answers of null are unknown)
"""

from datetime import datetime
from pathlib import Path

import click

from engagements.cli.output import answers, console, json_option, number, plain_text, print_json, table_of
from engagements.phases.data_preparation.preparing.datasheet import datasheet_of
from engagements.phases.data_preparation.preparing.sheet import UNKNOWN, Cell, Datasheet, Section, Table
from engagements.phases.data_preparation.versions.folders import FolderUnreadable, facts_of, read_folder
from estimator.errors import Problem

_DIGEST_LENGTH = 64
_DIGEST_SHOWN = 16


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--html", "as_html", is_flag=True, help="Print the page card.html of the folder.")
@json_option
@answers
def command(folder: Path, as_html: bool, as_json: bool) -> None:
    """Describe the dataset that lies in FOLDER."""
    if as_html:
        click.echo(_page(folder), nl=False)
        return
    found = read_folder(folder)
    written = max((folder / f"{split.value}.jsonl").stat().st_mtime for split in found.splits)
    made_on = datetime.fromtimestamp(written).astimezone().date().isoformat()  # made aware at once
    sheet = datasheet_of(facts_of(found, made_on=made_on))
    if as_json:
        print_json(sheet.as_json())
    else:
        _show(sheet)


def _page(folder: Path) -> str:
    try:
        return (folder / "card.html").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message, remedy = f"cannot be read: {why}", "`sixfold data prepare -o` writes it"
        where = str(folder / "card.html")
        raise FolderUnreadable(
            Problem(code=FolderUnreadable.code, where=where, message=message, remedy=remedy)
        ) from error


def _show(sheet: Datasheet) -> None:
    console.print(f"[bold]{plain_text(sheet.name)}[/], {sheet.examples:,} examples, made on {sheet.made_on}")
    console.print(f"digest {sheet.sha256}; questions without an answer on record: {sheet.unanswered}")
    for section in sheet.sections:
        _show_section(section)


def _show_section(section: Section) -> None:
    rows = [
        (plain_text(answer.question), plain_text(answer.text) if answer.text else f"[dim]{UNKNOWN}[/]")
        for answer in section.answers
    ]
    answered = table_of("", ("", ""), rows)
    answered.show_header = False
    console.print()
    console.print(f"[bold]{section.title}[/]")
    console.print(answered)
    for table in section.tables:
        _show_table(table)


def _show_table(table: Table) -> None:
    numeric = [index for index, cell in enumerate(table.rows[0]) if isinstance(cell, int | float)] if table.rows else []
    rows = [tuple(_cell(cell, is_share=index in table.shares) for index, cell in enumerate(row)) for row in table.rows]
    console.print()
    console.print(table_of(table.caption, table.columns, rows, numeric=numeric))


def _cell(cell: Cell, *, is_share: bool) -> str:
    match cell:
        case None:
            return f"[dim]{UNKNOWN}[/]"
        case str(text):
            return plain_text(text[:_DIGEST_SHOWN] if len(text) == _DIGEST_LENGTH else text)
        case share if is_share:
            return f"{share:.1%}"
        case count:
            return number(count)
