"""`sixfold runs cancel`: ask a run to stop.

--json   folder, run_id, state (right after it was asked)
         of a server   server, run_id, state, wish (cancel: the server tells its backend)
"""

from pathlib import Path

import click

from engagements.cli.output import answers, console, json_option, plain_text, print_json, to_stderr
from engagements.cli.runs.served import steered_as_plain
from engagements.cli.runs.server import Server, id_of, server_options
from engagements.cli.training.folder import NoRun, RunFolder
from engagements.cli.training.following import begin
from engagements.cli.training.places import refusals
from engagements.cli.training.running import opened
from estimator.errors import Problem


@click.command()
@click.argument("folder", metavar="FOLDER|RUN", type=click.Path(path_type=Path, file_okay=False))
@server_options
@json_option
@answers
@refusals
def command(folder: Path, server: Server, as_json: bool) -> None:
    """Ask the run in FOLDER, or RUN (an id such as trn_...) on a server, to stop. Its checkpoints stay."""
    if run_id := id_of(folder, server):
        _cancel_served(server, run_id, as_json=as_json)
        return
    run = RunFolder(path=folder)
    backend, spec = opened(run), run.spec()
    if not run.has_begun():
        message, remedy = "nothing of it was sent: there is nothing to stop", "leave it, or remove the folder"
        raise NoRun(Problem(code="not_begun", where=str(folder), message=message, remedy=remedy))
    standing = run.standing()
    handle = standing.handle if standing else begin(run, backend, told=lambda text: to_stderr.print(plain_text(text)))
    backend.cancel(handle)
    state = backend.poll(handle).state
    if as_json:
        print_json({"folder": str(folder), "run_id": spec.run_id, "state": state.value})
    else:
        console.print(f"asked to stop; it is {state}")


def _cancel_served(server: Server, run_id: str, *, as_json: bool) -> None:
    with server.opened(run_id) as sixfold:
        run = sixfold.training_runs.cancel(run_id)
    if as_json:
        print_json(steered_as_plain(server.url, run))
    else:
        console.print(f"asked to stop; it is {run.state.replace('_', ' ')} until its backend has done so")
