"""`sixfold data review`: hand records out to reviewers as sheets, and collect what they say.

--json of --hand-out   folder, records, overlap, seed, sheets (by reviewer: file, rows)
--json of --collect    output, accepted, rejected (ids), disputed (each with id, why, answers), missing (empty rows by
                       reviewer), measures (each with about, measure, value, low, high, raw, items, unmeasured, reading,
                       said, remedy); the first measure is the one that --target is held against; target, reached
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from engagements.cli.data.folder import folder_to_write
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
)
from engagements.evals.agreement import DEPENDABLE, read
from engagements.files import check_targets, write_together, write_whole
from engagements.phases.data_preparation.formats.exporting import read_records
from engagements.phases.data_preparation.review.measuring import Measure
from engagements.phases.data_preparation.review.sheets import Collected, Dispute, collect, hand_out

_SHOWN: Final = 20
_REACHED: Final = {True: "at the target", False: "below the target", None: "unknown"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--hand-out", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write the sheets here.")
@click.option("--reviewers", default="", metavar="ANA,BO", help="Who looks at them.")
@click.option("--overlap", type=click.IntRange(min=1), default=2, show_default=True, help="Reviewers of each record.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Draws the same again.")
@click.option(
    "--collect", "sheets", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Read them back."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where accepted records go.")
@click.option(
    "--target", type=click.FloatRange(0, 1), default=DEPENDABLE, show_default=True, help="Agreement to reach."
)
@json_option
@answers
def command(
    file: Path, folder: Path | None, reviewers: str, overlap: int, seed: int, sheets: Path | None,
    output: Path | None, target: float, as_json: bool,
) -> None:  # fmt: skip
    """Hand the records of FILE (canonical JSON Lines) out, or collect what was said of them.

    Exit code 1: not everything is agreed yet.
    """
    if (folder is None) == (sheets is None):
        raise click.UsageError("say --hand-out DIR, or --collect DIR")
    if folder is not None:
        names = [name.strip() for name in reviewers.split(",") if name.strip()]
        _hand_out(file, folder, names, overlap=overlap, seed=seed, as_json=as_json)
        return
    assert sheets is not None
    if output is None:
        raise click.UsageError("--collect needs -o, for the records that were accepted")
    _collect(file, sheets, output, target=target, seed=seed, as_json=as_json)


def _hand_out(file: Path, folder: Path, reviewers: Sequence[str], *, overlap: int, seed: int, as_json: bool) -> None:
    records = list(read_records(file))
    made = hand_out(records, reviewers, overlap=overlap, seed=seed)
    files = {folder / f"{reviewer}.csv": sheet.content for reviewer, sheet in made.items()}
    with folder_to_write(folder, [each.name for each in files], read=[file]):
        write_together(files)
    if as_json:
        sheets = {name: {"file": str(folder / f"{name}.csv"), "rows": sheet.rows} for name, sheet in made.items()}
        print_json({"folder": str(folder), "records": len(records), "overlap": overlap, "seed": seed, "sheets": sheets})
        return
    lines = [(name, f"{folder / f'{name}.csv'}", f"{sheet.rows:,}") for name, sheet in made.items()]
    console.print(table_of("Sheets", ("reviewer", "file", "rows"), lines, numeric=(2,)))


def _collect(file: Path, sheets: Path, output: Path, *, target: float, seed: int, as_json: bool) -> None:
    check_targets(output, read=[file])
    found = collect(list(read_records(file)), sheets, seed=seed)
    write_whole(output, b"".join(record.as_line() for record in found.accepted))
    reached = _reached(found, target)
    if as_json:
        print_json(_as_plain(found, output, target, reached=reached))
    else:
        _show(found, output, target, reached=reached)
    if found.disputed or any(found.missing.values()) or reached is False:
        leave(NO)


def _reached(found: Collected, target: float) -> bool | None:
    value = found.measures[0].found.value
    return None if value is None else value >= target


def _as_plain(found: Collected, output: Path, target: float, *, reached: bool | None) -> dict[str, object]:
    return {
        "output": str(output),
        "accepted": len(found.accepted),
        "rejected": list(found.rejected),
        "disputed": [_dispute(each) for each in found.disputed],
        "missing": dict(found.missing),
        "measures": [_measure(each) for each in found.measures],
        "target": target,
        "reached": reached,
    }


def _dispute(each: Dispute) -> dict[str, object]:
    said = [
        {"reviewer": answer.reviewer, "decision": answer.decision.value, "label": answer.label,
         "comment": answer.comment, "answer": answer.after.answer}
        for answer in each.answers
    ]  # fmt: skip
    return {"id": each.id, "why": each.why, "answers": said}


def _measure(each: Measure) -> dict[str, object]:
    found, verdict = each.found, read(each.found)
    return {
        "about": each.about, "measure": found.measure, "value": found.value,
        "low": found.interval.low if found.interval else None, "high": found.interval.high if found.interval else None,
        "raw": found.raw, "items": found.items, "unmeasured": found.unmeasured, "reading": verdict.reading.value,
        "said": verdict.said, "remedy": verdict.remedy,
    }  # fmt: skip


def _show(found: Collected, output: Path, target: float, *, reached: bool | None) -> None:
    lines = [
        (each.about.replace("_", " "), number(each.found.value, 2), number(each.found.raw, 2),
         f"{each.found.items:,}", read(each.found).reading.replace("_", " "))
        for each in found.measures
    ]  # fmt: skip
    console.print(table_of("Agreement", ("about", "alpha", "raw", "records", "reading"), lines, numeric=(1, 2, 3)))
    first = read(found.measures[0].found)
    console.print(plain_text(f"{first.said}; target {target:.2f}" + (f" ({first.remedy})" if first.remedy else "")))
    if found.disputed:
        listed = [(plain_text(each.id), plain_text(each.why)) for each in found.disputed[:_SHOWN]]
        console.print(table_of(f"{len(found.disputed):,} disagreements", ("id", "what they differ in"), listed))
    for reviewer, rows in found.missing.items():
        if rows:
            console.print(plain_text(f"{reviewer} has {rows:,} rows left"))
    console.print(
        plain_text(
            f"{len(found.accepted):,} accepted, in {output}; rejected: {len(found.rejected):,}; disputed: "
            f"{len(found.disputed):,}; agreement is {_REACHED[reached]}"
        )
    )
