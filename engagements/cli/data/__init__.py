"""`sixfold data`: from raw files to a prepared dataset, without a database. Each subcommand is a module of its own."""

from typing import Final

import click

from engagements.cli import Entry, LazyGroup

_COMMANDS: Final = {
    "prepare": Entry(module="data.prepare", help="All at once: import, check, deduplicate, split, prove, describe."),
    "import": Entry(module="data.import_", help="Raw files into canonical records; every dropped row has its reason."),
    "check": Entry(module="data.check", help="What is wrong with the records, and what to mend first."),
    "review": Entry(module="data.review", help="Hand records out to reviewers, and measure how far they agree."),
    "split": Entry(module="data.split", help="Training, validation and test, with the proof that nothing leaked."),
    "export": Entry(module="data.export", help="Write a provider's format; predict what it would refuse."),
    "card": Entry(module="data.card", help="The datasheet of a prepared dataset."),
    "diff": Entry(module="data.diff", help="What was added, removed and edited between two datasets."),
}


@click.group(cls=LazyGroup, entries=_COMMANDS)
def command() -> None:
    """Prepare a dataset from raw files."""
