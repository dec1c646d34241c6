"""A run of a server, watched at a terminal: a bar with its loss, the time that is left and the money, to its end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from engagements.cli.output import plain_text, say_at_once, to_stderr
from engagements.cli.runs.served import LOST, money
from engagements.client import Sixfold, Unreachable
from engagements.client.training_models import TrainingRun

PATIENCE_S: Final = 600.0
"""How long a server may be silent that has answered before: longer than it takes to move it to another machine."""
_ASKED_AGAIN_S: Final = 2.0


def watch(sixfold: Sixfold, run_id: str, *, patience_s: float) -> TrainingRun:
    """The run at its end, or where its backend has lost it, which ends nothing by itself.

    A line that breaks is taken up again: what is sent is the whole run, so nothing is missed. Raises `Unreachable`
    for a server that never answered, or has not for `patience_s`; and what else the client raises.
    """
    with _leaving(run_id), _watching(run_id) as shown:
        run = sixfold.training_runs.get(run_id)
        shown(run)
        for run in _followed(sixfold, run_id, shown, patience_s=patience_s):
            shown(run)
            if run.state == LOST:
                break
        return run


def _followed(sixfold: Sixfold, run_id: str, shown: "_Shown", *, patience_s: float) -> Iterator[TrainingRun]:
    lost_at: float | None = None
    while True:
        try:
            for run in sixfold.training_runs.follow(run_id):
                lost_at = None
                yield run
        except Unreachable as error:
            now = time.monotonic()
            lost_at = now if lost_at is None else lost_at
            if now - lost_at + _ASKED_AGAIN_S > patience_s:
                raise
            shown.say(f"no answer ({error}); asking again")
            time.sleep(_ASKED_AGAIN_S)
        else:
            return


class _Shown:
    """The bar of one run; a change of its state, or of what it waits for, is a line of its own."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task, self._said = bar, task, ""

    def __call__(self, run: TrainingRun) -> None:
        state = run.state.replace("_", " ") + (f": {run.said}" if run.said else "")
        self._bar.update(
            self._task, description=plain_text(run.state.replace("_", " ")), completed=run.now.step,
            total=run.now.total_steps, told=told(run),
        )  # fmt: skip
        if state != self._said:
            self.say(state)
            self._said = state

    def say(self, text: str) -> None:
        to_stderr.print(plain_text(text))


def told(run: TrainingRun) -> str:
    """The latest of what is known: losses, how long it will go on at this pace, what it cost or is said to cost."""
    now, cost = run.now, run.prediction.cost_minor
    spent, likely = money(run.spent_minor, run.currency), money(cost.likely if cost else None, run.currency)
    predicted = f"{likely} {run.currency} predicted" if likely is not None else "cost unknown"
    parts = [
        f"loss {now.train_loss:.3f}" if now.train_loss is not None else "",
        f"valid {now.valid_loss:.3f}" if now.valid_loss is not None else "",
        f"{timedelta(seconds=round(now.seconds_left))} left" if now.seconds_left is not None else "",
        f"{spent} {run.currency}" if spent is not None else predicted,
    ]
    return ", ".join(part for part in parts if part)


@contextmanager
def _watching(run_id: str) -> Iterator[_Shown]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=to_stderr, transient=True, disable=not to_stderr.is_interactive) as bar:
        yield _Shown(bar, bar.add_task(run_id, total=None, told=""))


@contextmanager
def _leaving(run_id: str) -> Iterator[None]:
    """Ctrl-C leaves the run going: the server looks after it."""
    try:
        yield
    except KeyboardInterrupt:
        say_at_once(f"The server goes on with it. sixfold runs watch {run_id} shows it again,")
        say_at_once(f"sixfold runs cancel {run_id} stops it.")
        raise click.Abort from None
