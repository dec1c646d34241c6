"""`sixfold runs cancel`: ask a run to stop.

--json   folder, run_id, state (right after it was asked)
"""

from pathlib import Path

import click

from engagements.cli.output import answers, console, json_option, plain_text, print_json, to_stderr
from engagements.cli.training.folder import NoRun, RunFolder
from engagements.cli.training.following import begin
from engagements.cli.training.places import refusals
from engagements.cli.training.running import opened
from estimator.errors import Problem


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
@answers
@refusals
def command(folder: Path, as_json: bool) -> None:
    """Ask the run in FOLDER to stop. Its checkpoints stay."""
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
