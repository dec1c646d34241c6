"""The `sixfold` command. Each subcommand lives in a module of its own, imported only when it is called.

Exit codes: 0 done, 1 the answer is no, 2 bad input. `--json` prints results with stable keys on standard output;
problems and progress go to standard error.
"""

import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import click

import engagements


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where a subcommand lives, and its line in the list of commands."""

    module: str
    help: str


_COMMANDS: Final = {
    "brief": Entry(module="brief", help="Start a brief, or check one."),
    "fit": Entry(module="fit", help="Should this client fine-tune at all?"),
    "tokens": Entry(module="tokens", help="Count and check a dataset file, as it will be billed."),
    "estimate": Entry(module="estimate", help="Scope and price a brief; explain any number."),
    "hardware": Entry(module="hardware", help="Memory, speed, time and cost of a run on GPUs of your own."),
    "compare": Entry(module="compare", help="Estimates side by side, or one input varied."),
    "propose": Entry(module="propose", help="Write the proposal as PDF."),
    "prices": Entry(module="prices", help="The price book: what is known, since when, from where."),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when it is called, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"engagements.cli.{_COMMANDS[cmd_name].module}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(engagements.__version__, prog_name="sixfold")
def cli() -> None:
    """Scope, price and run fine-tuning engagements.

    Start with `sixfold brief new > brief.toml`, then `sixfold estimate brief.toml`.
    """


def main() -> None:
    """The entry point of the `sixfold` script."""
    try:
        cli.main(prog_name="sixfold")
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does; closing quietly is what it expects.
        sys.stderr.close()
        sys.exit(0)
