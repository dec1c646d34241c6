"""`sixfold runs list`: the runs in some folders.

--json   runs (each with folder, run_id, backend, model, state, step, total_steps, train_loss, valid_loss, metric,
         value, verdict, begun_at, looked_at, record_sha256)
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.table import Table

from engagements.cli.output import answers, console, json_option, number, plain_text, print_json, table_of
from engagements.cli.training.folder import NoRun, RunFolder
from engagements.cli.training.summary import Summary, as_plain, summary_of
from estimator.errors import Problem


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@json_option
@answers
def command(folders: tuple[Path, ...], as_json: bool) -> None:
    """List the runs in FOLDERS and right below them (default: here), as they were last seen."""
    found = [summary_of(folder) for folder in _runs(folders or (Path(),))]
    found.sort(key=lambda each: each.plan.begun_at)
    if as_json:
        print_json({"runs": [as_plain(each) for each in found]})
    else:
        console.print(_table(found) if found else "no run lies there")


def _runs(folders: Sequence[Path]) -> Iterator[RunFolder]:
    if missing := [each for each in folders if not each.is_dir()]:
        remedy = "name a folder with runs in it"
        raise NoRun(
            *(Problem(code=NoRun.code, where=str(each), message="is no folder", remedy=remedy) for each in missing)
        )
    for folder in folders:
        yield from (run for each in (folder, *sorted(folder.iterdir())) if (run := RunFolder(path=each)).is_planned)


def _table(found: Sequence[Summary]) -> Table:
    rows = [
        (
            plain_text(str(each.folder)), plain_text(each.spec.backend), plain_text(each.spec.model), each.state,
            str(max((point.step for point in each.points), default=0)), number(each.valid_loss, 4),
            f"{each.chosen.value:.3f}" if each.chosen else "", each.verdict.kind.replace("_", " "),
        )
        for each in found
    ]  # fmt: skip
    columns = ("folder", "backend", "model", "state", "step", "validation loss", "score", "verdict")
    return table_of("", columns, rows, numeric=(4, 5, 6))
