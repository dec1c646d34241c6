"""`sixfold runs watch`: look after a run until its end, and choose its best checkpoint; or watch one of a server.

--json   as `sixfold train`
         of a server   as `sixfold runs show`, once it has ended
"""

from pathlib import Path

import click

from engagements.cli.output import NO, answers, json_option, leave, print_json
from engagements.cli.runs.following import PATIENCE_S, watch
from engagements.cli.runs.served import is_good, run_as_plain, show_run
from engagements.cli.runs.server import Server, id_of, refuse_for_ids, server_options
from engagements.cli.training.folder import RunFolder
from engagements.cli.training.places import refusals
from engagements.cli.training.running import answer, look_after, opened, poll_option


@click.command()
@click.argument("folder", metavar="FOLDER|RUN", type=click.Path(path_type=Path, file_okay=False))
@poll_option
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(0, 86_400),
    metavar="SECONDS",
    default=PATIENCE_S,
    show_default=True,
    help="How long a server may be silent before the watching ends; the run goes on all the same.",
)
@server_options
@json_option
@answers
@refusals
def command(folder: Path, poll_s: float | None, patience_s: float, server: Server, as_json: bool) -> None:
    """Watch the run in FOLDER, or RUN (an id such as trn_...) on a server, to its end.

    Exit code 1: it failed, was cancelled, came to nothing, or its backend has lost it.
    """
    if run_id := id_of(folder, server):
        refuse_for_ids(poll=poll_s)
        _watch_served(server, run_id, patience_s=patience_s, as_json=as_json)
        return
    run = RunFolder(path=folder)
    answer(run, look_after(run, opened(run), wait_s=poll_s, waits=True), as_json=as_json)


def _watch_served(server: Server, run_id: str, *, patience_s: float, as_json: bool) -> None:
    with server.opened(run_id) as sixfold:
        run = watch(sixfold, run_id, patience_s=patience_s)
        told = run_as_plain(server.url, run, sixfold.experiments.get(run.experiment_id))
    if as_json:
        print_json(told)
    else:
        show_run(told)
    if not is_good(run):
        leave(NO)
