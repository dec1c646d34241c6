"""The `sixfold` command. Each subcommand lives in a module of its own, imported only when it is called.

Exit codes: 0 done, 1 the answer is no, 2 bad input or no room for the output; 130 interrupted, 70 a fault of ours.
Standard output holds the result and nothing else; problems and progress go to standard error. With `--json` the result
is JSON whatever happens: the keys are in the docstring of each command's module, and where there is no result they are

    error      what kind of refusal it is
    problems   each with line, where, code, severity (error or warning), message, remedy
"""

import errno
import io
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import click

import engagements


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where a subcommand lives, and its line in the list of commands."""

    module: str
    help: str


_BAD_INPUT: Final = 2
_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h
_INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell counts
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

_COMMANDS: Final = {
    "brief": Entry(module="brief", help="Start a brief, or check one."),
    "fit": Entry(module="fit", help="Should this client fine-tune at all?"),
    "tokens": Entry(module="tokens", help="Count and check a dataset file, as it will be billed."),
    "data": Entry(module="data", help="From raw files to a sealed dataset: import, check, split, export."),
    "train": Entry(module="train", help="Train a model; its best checkpoint is chosen, with a reason."),
    "runs": Entry(module="runs", help="Look at, steer, compare and export runs, here or on a server."),
    "estimate": Entry(module="estimate", help="Scope and price a brief; explain any number."),
    "hardware": Entry(module="hardware", help="Memory, speed, time and cost of a run on GPUs of your own."),
    "compare": Entry(module="compare", help="Estimates side by side, or one input varied."),
    "propose": Entry(module="propose", help="Write the proposal as PDF."),
    "prices": Entry(module="prices", help="The price book: what is known, since when, from where."),
    "serve": Entry(module="serve", help="Serve the application; an empty machine gets all it needs."),
    "sign-in": Entry(module="sign_in", help="Print a link that signs one person in, once."),
    "db": Entry(module="db", help="Upgrade, check, back up and restore the database."),
    "keys": Entry(module="keys", help="Make, list, rotate and revoke API keys."),
    "audit": Entry(module="audit", help="Find what was changed behind the audit trail."),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when it is called, so that `--help` answers at once."""

    def __init__(self, *, entries: Mapping[str, Entry], **options: Any) -> None:
        super().__init__(**options)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._entries:
            return None
        module = import_module(f"engagements.cli.{self._entries[cmd_name].module}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._entries.items()])


@click.group(
    cls=LazyGroup, entries=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(engagements.__version__, prog_name="sixfold")
def cli() -> None:
    """Scope, price and run fine-tuning engagements.

    Start with `sixfold brief new > brief.toml`, then `sixfold estimate brief.toml`.
    """


def main() -> None:
    """The entry point of the `sixfold` script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a letter, or a file's name that is no text, is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit code, whatever happens."""
    try:
        code = cli.main(arguments, prog_name="sixfold", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return _INTERRUPTED
    except click.ClickException as error:
        _say_usage(error, as_json="--json" in arguments)
        return _BAD_INPUT
    except (BrokenPipeError, SystemExit):
        # The reader of our output has gone, as `| head` does; click leaves then. Closing quietly is what it expects.
        _drop_output()
        return 0
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not end in the 1 that means no
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            # Files are written by engagements.files, which says this itself: what is left is standard output.
            click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
            _drop_output()
            return _BAD_INPUT
        traceback.print_exc()
        return _FAULT
    return code if isinstance(code, int) else 0


def _drop_output() -> None:
    """Let what is still buffered go nowhere, so that nothing is complained of at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _say_usage(error: click.ClickException, *, as_json: bool) -> None:
    if not as_json:
        error.show()
        return
    # Not needed by any other way of calling us that answers before a command is loaded.
    from engagements.cli.output import print_refusal  # noqa: PLC0415
    from estimator.errors import Problem  # noqa: PLC0415

    context = error.ctx if isinstance(error, click.UsageError) else None
    remedy = f"see {context.command_path if context else 'sixfold'} --help"
    print_refusal("usage", [Problem(code="usage", message=error.format_message(), remedy=remedy)])
