"""`sixfold runs watch`: look after a run until its end, and choose its best checkpoint.

--json   as `sixfold train`
"""

from pathlib import Path

import click

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
    """Watch the run in FOLDER to its end. Exit code 1: it failed, was cancelled, or came to nothing."""
    run = RunFolder(path=folder)
    answer(run, look_after(run, opened(run), wait_s=poll_s, waits=True), as_json=as_json)
