"""`sixfold data split`: canonical records into training, validation and test, with the proof that nothing leaked.

Writes train.jsonl, validation.jsonl, test.jsonl and split.json, all of them or none. Nothing is checked, nothing is
taken out but what would leak from a former split.

--json   output, records, splits (of each: file, examples, share, sha256), leaks (pairs by kind),
         near_duplicate_clusters, policy (split: seed, shares, stratify, previous), decontamination (rules, pairs,
         rounds, what a split by chance would have left), left_out (ids)
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
import orjson

from engagements.cli.data.folder import folder_to_write, policy_of, split_options
from engagements.cli.output import NO, answers, console, json_option, leave, number, plain_text, print_json, table_of
from engagements.files import write_together
from engagements.phases.data_preparation.deduplication.exact import compared
from engagements.phases.data_preparation.formats.exporting import read_records
from engagements.phases.data_preparation.preparing.report import file_name
from engagements.phases.data_preparation.preparing.spool import Spool, TextSpool
from engagements.phases.data_preparation.splitting.dividing import Division, divide
from engagements.phases.data_preparation.splitting.material import Material
from engagements.phases.data_preparation.splitting.policy import SPLITS, Split, SplitPolicy
from estimator.errors import EstimatorError, Problem

_FILES: Final = (*map(file_name, SPLITS), "split.json")


class RecordsUnreadable(EstimatorError):
    """A file that is not JSON Lines of canonical records."""

    code = "records_unreadable"


@click.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write."
)
@split_options
@json_option
@answers
def command(
    files: tuple[Path, ...], output: Path, seed: int, shares: str, hold_out: float | None, stratify: bool,
    previous: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Split FILES of canonical records, as `import` writes them. Exit code 1: written, and something leaks."""
    policy = policy_of(seed=seed, shares=shares, hold_out=hold_out, stratify=stratify, previous=previous)
    with folder_to_write(output, _FILES, read=files), Spool() as lines, TextSpool() as texts:
        material = _read(files, lines, Material(texts=texts))
        division = divide(material, policy)
        said = _said(material, division, policy, lines, output)
        contents: dict[Path, bytes | Iterable[bytes]] = {
            output / file_name(split): _lines_of(division, split, lines) for split in SPLITS
        }
        contents[output / "split.json"] = orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        write_together(contents)
    if as_json:
        print_json(said)
    else:
        _show(said)
    if division.leaks.total:
        leave(NO)


def _read(files: Iterable[Path], lines: Spool, material: Material) -> Material:
    """Every record of all files. Raises `RecordsUnreadable` with every line that is none."""
    problems = []
    for path in files:
        try:
            for record in read_records(path):
                material.add(record, compared(record))
                lines.append(record.as_line())
        except EstimatorError as error:
            problems += [
                replace(each, where=f"{path}: {each.where}" if each.where else str(path)) for each in error.problems
            ]
    if not problems and not len(material):
        message, remedy = "there are no records", "give files with records"
        problems.append(
            Problem(code=RecordsUnreadable.code, where=", ".join(map(str, files)), message=message, remedy=remedy)
        )
    if problems:
        raise RecordsUnreadable(*problems)
    return material


def _lines_of(division: Division, split: Split, lines: Spool) -> Iterator[bytes]:
    return (lines[row] for row in division.rows_of(split).tolist())


def _said(material: Material, division: Division, policy: SplitPolicy, lines: Spool, output: Path) -> dict[str, Any]:
    leaks = division.leaks_json()
    kinds = ("exact", "normalised", "minhash", "ngram")
    return {
        "output": str(output), "records": len(material), "policy": {"split": policy.as_json()},
        "splits": {split.value: _split(division, split, lines, len(material)) for split in SPLITS},
        "near_duplicate_clusters": division.cluster_count,
        "leaks": {kind: leaks[kind] for kind in kinds}, "decontamination": leaks,
        "left_out": [material.ids[row] for row in division.left_out.tolist()],
    }  # fmt: skip


def _split(division: Division, split: Split, lines: Spool, total: int) -> dict[str, Any]:
    digest, examples = hashlib.sha256(), 0
    for line in _lines_of(division, split, lines):
        digest.update(line)
        examples += 1
    share = round(examples / total, 4)
    return {"file": file_name(split), "examples": examples, "share": share, "sha256": digest.hexdigest()}


def _show(said: dict[str, Any]) -> None:
    console.print(f"[bold]{said['records']:,} records split[/] in {plain_text(said['output'])}")
    rows = [
        (name, number(split["examples"]), f"{split['share']:.1%}", split["sha256"][:16])
        for name, split in said["splits"].items()
    ]
    console.print(table_of("", ("split", "examples", "share", "sha256"), rows, numeric=(1, 2)))
    chance = said["decontamination"]["by_chance"]["total"]
    leaks = sum(said["leaks"].values())
    console.print(f"[bold]leaks between splits: {leaks:,}[/] (a split by chance would have left {chance:,})")
