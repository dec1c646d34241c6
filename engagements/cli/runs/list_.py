"""`sixfold runs list`: the runs in some folders, or of an engagement or experiment on a server.

--json   runs (each with folder, run_id, backend, model, state, step, total_steps, train_loss, valid_loss, metric,
         value, verdict, begun_at, looked_at, record_sha256)
         of a server   server, runs (each as `engagements.cli.runs.served` has a line of a list)
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.table import Table

from engagements.cli.output import answers, console, json_option, number, plain_text, print_json, table_of
from engagements.cli.runs.served import listed_as_plain, show_list
from engagements.cli.runs.server import ENGAGEMENT, EXPERIMENT, Server, require, server_options
from engagements.cli.training.folder import NoRun, RunFolder
from engagements.cli.training.summary import Summary, as_plain, summary_of
from estimator.errors import Problem


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@click.option("--engagement", metavar="ID", help="Of an engagement on a server: newest experiment first.")
@click.option("--experiment", metavar="ID", help="Of one experiment on a server.")
@server_options
@json_option
@answers
def command(
    folders: tuple[Path, ...], engagement: str | None, experiment: str | None, server: Server, as_json: bool
) -> None:
    """List the runs in FOLDERS and right below them (default: here), as they were last seen; or those of a server."""
    if engagement or experiment:
        if folders or (engagement and experiment):
            raise click.UsageError("name folders, or an engagement, or an experiment: one of the three")
        _list_served(server, engagement, experiment, as_json=as_json)
        return
    if server.named:
        raise click.UsageError("--url goes with --engagement ID or --experiment ID")
    found = [summary_of(folder) for folder in _runs(folders or (Path(),))]
    found.sort(key=lambda each: each.plan.begun_at)
    if as_json:
        print_json({"runs": [as_plain(each) for each in found]})
    else:
        console.print(_table(found) if found else "no run lies there")


def _list_served(server: Server, engagement: str | None, experiment: str | None, *, as_json: bool) -> None:
    wanted = engagement or experiment or ""
    require(wanted, ENGAGEMENT if engagement else EXPERIMENT)
    with server.opened(wanted) as sixfold:
        found = [sixfold.experiments.get(wanted)] if experiment else list(sixfold.experiments.of_engagement(wanted))
    told = listed_as_plain(server.url, found)
    if as_json:
        print_json(told)
    else:
        show_list(told)


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
