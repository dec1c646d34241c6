"""`sixfold data diff`: what is different between two prepared datasets, by the ids of their records.

--json   before, after, unchanged, added, removed, edited (count and the first hundred ids of each), moved and moves
         between splits, left_test, shifts of labels
"""

from dataclasses import asdict
from pathlib import Path

import click

from engagements.cli.output import answers, console, json_option, number, plain_text, print_json, table_of
from engagements.phases.data_preparation.versions.diffing import Difference, difference
from engagements.phases.data_preparation.versions.folders import read_folder, side_of

_SHIFTS_SHOWN = 20
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("before", type=_FOLDER)
@click.argument("after", type=_FOLDER)
@json_option
@answers
def command(before: Path, after: Path, as_json: bool) -> None:
    """Compare two folders that `sixfold data prepare` wrote."""
    found = difference(side_of(read_folder(before)), side_of(read_folder(after)))
    if as_json:
        print_json(asdict(found))
    else:
        _show(found)


def _show(found: Difference) -> None:
    console.print(f"[bold]{plain_text(found.before)}[/] to [bold]{plain_text(found.after)}[/]")
    rows = [
        (
            name,
            number(ids.count),
            plain_text(", ".join(ids.first[:5])) + (" ..." if ids.count > len(ids.first[:5]) else ""),
        )
        for name, ids in (("added", found.added), ("removed", found.removed), ("edited", found.edited))
    ]
    moves = ", ".join(f"{move.record_id} ({move.before} to {move.after})" for move in found.moves[:5])
    rows += [("moved", number(found.moved), plain_text(moves)), ("unchanged", number(found.unchanged), "")]
    console.print(table_of("", ("", "examples", "the first"), rows, numeric=(1,)))
    if found.left_test:
        console.print(f"[yellow]{found.left_test:,} left the test split: scores on the two are not comparable[/]")
    if found.shifts:
        shifts = [
            (plain_text(shift.label), shift.split, number(shift.before), number(shift.after))
            for shift in found.shifts[:_SHIFTS_SHOWN]
        ]
        console.print(table_of("Labels", ("label", "split", "before", "after"), shifts, numeric=(2, 3)))
