"""`sixfold runs resume`: go on with a run that was paused or cut off.

--json   as `sixfold train`
"""

from pathlib import Path

import click

from backends.events import RunState
from backends.protocol import Pausable
from engagements.cli.output import answers, json_option
from engagements.cli.training.folder import RunFolder
from engagements.cli.training.places import refusals
from engagements.cli.training.running import answer, look_after, opened, poll_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@poll_option
@json_option
@answers
@refusals
def command(folder: Path, poll_s: float | None, as_json: bool) -> None:
    """Go on with the run in FOLDER where it was, and look after it. Exit code 1 as of `sixfold train`."""
    run = RunFolder(path=folder)
    backend, standing = opened(run), run.standing()
    if standing and isinstance(backend, Pausable) and backend.poll(standing.handle).state is RunState.PAUSED:
        backend.resume(standing.handle)
    answer(run, look_after(run, backend, wait_s=poll_s), as_json=as_json)
