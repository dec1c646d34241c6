"""`sixfold runs resume`: go on with a run that was paused or cut off.

--json   as `sixfold train`
         of a server   as `sixfold runs cancel`: it is the server that goes on with it
"""

from pathlib import Path

import click

from backends.events import RunState
from backends.protocol import Pausable
from engagements.cli.output import answers, console, json_option, print_json
from engagements.cli.runs.served import steered_as_plain
from engagements.cli.runs.server import Server, id_of, refuse_for_ids, server_options
from engagements.cli.training.folder import RunFolder
from engagements.cli.training.places import refusals
from engagements.cli.training.running import answer, look_after, opened, poll_option


@click.command()
@click.argument("folder", metavar="FOLDER|RUN", type=click.Path(path_type=Path, file_okay=False))
@poll_option
@server_options
@json_option
@answers
@refusals
def command(folder: Path, poll_s: float | None, server: Server, as_json: bool) -> None:
    """Go on with the run in FOLDER where it was, and look after it. Exit code 1 as of `sixfold train`.

    RUN (an id such as trn_...) on a server was paused, or lost by its backend; the server goes on with it.
    """
    if run_id := id_of(folder, server):
        refuse_for_ids(poll=poll_s)
        _resume_served(server, run_id, as_json=as_json)
        return
    run = RunFolder(path=folder)
    backend, standing = opened(run), run.standing()
    if standing and isinstance(backend, Pausable) and backend.poll(standing.handle).state is RunState.PAUSED:
        backend.resume(standing.handle)
    answer(run, look_after(run, backend, wait_s=poll_s), as_json=as_json)


def _resume_served(server: Server, run_id: str, *, as_json: bool) -> None:
    with server.opened(run_id) as sixfold:
        run = sixfold.training_runs.resume(run_id)
    if as_json:
        print_json(steered_as_plain(server.url, run))
    else:
        console.print(f"the server goes on with it; sixfold runs watch {run_id} shows how far it is")
