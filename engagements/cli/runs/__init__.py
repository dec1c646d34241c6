"""`sixfold runs`: runs in folders, as `sixfold train -o` makes them, and runs of experiments on a Sixfold server.

Each subcommand is a module of its own. Which server: --url and --key, or SIXFOLD_URL and SIXFOLD_API_KEY.

server      which server, its key, ids; its refusals as problems
served      what a server's runs look like, as JSON and as tables
following   a run of a server, watched to its end
"""

from typing import Final

import click

from engagements.cli import Entry, LazyGroup

_COMMANDS: Final = {
    "list": Entry(module="runs.list_", help="The runs in some folders, as they stood when somebody last looked."),
    "show": Entry(module="runs.show", help="One run: where it stands, its curves' verdict, what was chosen and why."),
    "watch": Entry(module="runs.watch", help="Look after a run until its end, and choose its best checkpoint."),
    "cancel": Entry(module="runs.cancel", help="Ask a run to stop."),
    "resume": Entry(module="runs.resume", help="Go on with a run that was paused or cut off."),
    "export": Entry(module="runs.export", help="The chosen weights: adapter, merged, for vLLM, or GGUF."),
    "compare": Entry(module="runs.compare", help="What differs between runs, and what it led to."),
}


@click.group(cls=LazyGroup, entries=_COMMANDS)
def command() -> None:
    """Look at and steer runs that `sixfold train` began in folders, and those of a Sixfold server by their ids."""
