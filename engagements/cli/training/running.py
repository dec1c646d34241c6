"""Looking after one run at a terminal: a bar while it works, its end, and what Ctrl-C means."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import click

from backends.protocol import Backend, Handle
from engagements.cli.output import NO, leave, print_json, say_at_once
from engagements.cli.training.finishing import Outcome, finish
from engagements.cli.training.folder import RunBusy, RunFolder, metrics_of
from engagements.cli.training.following import LOCAL_EVERY_S, Progress, begin, every_s, follow
from engagements.cli.training.places import made
from engagements.cli.training.showing import outcome_as_plain, show_outcome, watching
from estimator.errors import Problem

CANCEL_WITHIN_S: Final = 3.0

poll_option = click.option(
    "--poll", "poll_s", type=click.FloatRange(0, 3600), metavar="SECONDS", help="How often to look."
)


@dataclass(slots=True)
class _Started:
    """The job, once it is known."""

    handle: Handle | None = None


def opened(folder: RunFolder) -> Backend:
    """The backend of a run that has begun. Raises `NoRun` and `BackendRefused`."""
    return made(folder.spec().backend, folder.plan().backend, folder.path)


def look_after(folder: RunFolder, backend: Backend, *, wait_s: float | None, waits: bool = False) -> Outcome:
    """Begins it or finds it begun, follows it to its end, and finishes it.

    Where another process does that, it is watched until it is done or dies (`waits`), else `RunBusy` is raised. Raises
    `click.Abort` where a person leaves.
    """
    started = _Started()
    with _leaving(folder, backend, started), watching(folder.spec().model) as (show, scoring):
        while True:
            with folder.held() as ours:
                if ours:
                    folder.sweep()
                    started.handle = begin(folder, backend, told=show.say)
                    ended = follow(folder, backend, started.handle, wait_s=every_s(backend, wait_s), show=show)
                    return finish(folder, backend, ended.standing.poll, scoring=scoring)
            if not waits:
                raise _busy(folder)
            if standing := folder.standing():
                show(Progress(standing=standing, points=metrics_of(folder.events())))
            time.sleep(LOCAL_EVERY_S)


def answer(folder: RunFolder, outcome: Outcome, *, as_json: bool) -> None:
    """What every command that looks after a run ends with."""
    if as_json:
        print_json(outcome_as_plain(folder, outcome))
    else:
        show_outcome(folder, outcome)
    if not outcome.is_good:
        leave(NO)


@contextmanager
def _leaving(folder: RunFolder, backend: Backend, started: _Started) -> Iterator[None]:
    """Ctrl-C leaves the run going; a second one, soon after, cancels it."""
    try:
        yield
    except KeyboardInterrupt:
        where = folder.path
        say_at_once(f"Left as it is. sixfold runs watch {where} looks after it again, sixfold runs cancel {where}")
        say_at_once(f"stops it; so does Ctrl-C once more, within {CANCEL_WITHIN_S:.0f} seconds.")
        try:
            time.sleep(CANCEL_WITHIN_S)
        except KeyboardInterrupt:
            if started.handle is not None:
                backend.cancel(started.handle)
                say_at_once("It was asked to stop.")
        raise click.Abort from None


def _busy(folder: RunFolder) -> RunBusy:
    remedy = f"wait for it, or see how far it is: sixfold runs show {folder.path}"
    message = "another process looks after this run"
    return RunBusy(Problem(code=RunBusy.code, where=str(folder.path), message=message, remedy=remedy))
