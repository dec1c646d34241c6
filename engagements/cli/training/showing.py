"""What a person sees of a run: what it will take, how far it is, what came out; and the same as JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from backends.events import Metrics, RunState
from engagements.cli.output import console, number, plain_text, table_of, to_stderr
from engagements.cli.training.finishing import BASE, Outcome, Scoring
from engagements.cli.training.folder import RunFolder
from engagements.cli.training.following import Progress
from engagements.phases.training.judging.scoring import OnScored, Scored
from engagements.phases.training.judging.selection import Candidate
from engagements.phases.training.judging.verdicts import SPOILT, VerdictKind
from engagements.phases.training.plans.prediction import Prediction

_GOOD: Final = frozenset({VerdictKind.HEALTHY, VerdictKind.PLATEAU, VerdictKind.TOO_EARLY})


def predicted_as_plain(prediction: Prediction) -> dict[str, Any]:
    """JSON: ranges as low, likely, high; amounts of money as text; what is unknown is null, its reason in `unknown`."""
    hours, cost = prediction.hours, prediction.cost
    return {
        "tokens": prediction.tokens, "epochs": prediction.epochs, "steps": prediction.steps,
        "hours": asdict(hours) if hours else None, "memory_gib": prediction.memory_gib, "fits": prediction.fits,
        "cost": {name: f"{getattr(cost, name):.4f}" for name in ("low", "likely", "high")} if cost else None,
        "currency": cost.currency if cost else None,
        "unknown": dict(prediction.unknown), "sources": dict(prediction.sources),
    }  # fmt: skip


def show_prediction(prediction: Prediction) -> None:
    """On standard error: it is said before the result."""
    hours, cost, memory = prediction.hours, prediction.cost, prediction.memory_gib
    told = {
        "tokens": number(prediction.tokens) if prediction.tokens is not None else "",
        "steps": f"{number(prediction.steps)} in {prediction.epochs} epochs" if prediction.steps else "",
        "hours": f"{hours.likely:.2f} ({hours.low:.2f}-{hours.high:.2f})" if hours else "",
        "memory_gib": f"{memory:.1f} GiB, {'fits' if prediction.fits else 'does not fit'}" if memory else "",
        "cost": f"{cost.likely:.2f} {cost.currency} ({cost.low:.2f}-{cost.high:.2f})" if cost else "",
    }
    labels = {"memory_gib": "memory", "hours": "hours"}
    rows = [
        (labels.get(name, name), value or "unknown", plain_text(_why(prediction, name, known=bool(value))))
        for name, value in told.items()
    ]
    to_stderr.print(table_of("What it will take", ("", "", "why"), rows))


def _why(prediction: Prediction, name: str, *, known: bool) -> str:
    return prediction.sources.get(name, "") if known else prediction.unknown.get(name, "")


@contextmanager
def watching(title: str) -> Iterator[tuple["Shown", Scoring]]:
    """A bar on standard error: the run first, then each checkpoint that is scored."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with RichProgress(*columns, console=to_stderr, transient=True, disable=not to_stderr.is_interactive) as bar:
        task = bar.add_task(plain_text(title), total=None, told="")

        def scoring(name: str) -> OnScored:
            bar.reset(task, total=None, description=f"Scoring {name}", told="")

            def answered(done: int, whole: int) -> None:
                bar.update(task, completed=done, total=whole)

            return answered

        yield Shown(bar, task), scoring


class Shown:
    """The bar of one run; a change of its state, and each new verdict, is a line of its own."""

    def __init__(self, bar: RichProgress, task: TaskID) -> None:
        self._bar, self._task = bar, task
        self._said = ""

    def __call__(self, progress: Progress) -> None:
        poll, last = progress.standing.poll, _last(progress.points)
        state = "no answer" if progress.standing.silent else (poll.provider_state or poll.state.value)
        self._bar.update(
            self._task, description=plain_text(state), completed=last.step if last else 0,
            total=last.total_steps if last else None, told=_told(progress.points),
        )  # fmt: skip
        if state != self._said:
            self._said = state
            to_stderr.print(plain_text(state))

    def say(self, text: str) -> None:
        to_stderr.print(plain_text(text))


def _last(points: list[Metrics]) -> Metrics | None:
    return max(points, key=lambda point: point.step, default=None)


def _told(points: list[Metrics]) -> str:
    """The latest of each number, which need not come together."""
    loss = next((each.train_loss for each in reversed(points) if each.train_loss is not None), None)
    tested = next((each.full_valid_loss for each in reversed(points) if each.full_valid_loss is not None), None)
    speed = next((each.tokens_per_second for each in reversed(points) if each.tokens_per_second is not None), None)
    parts = [
        f"loss {loss:.3f}" if loss is not None else "", f"valid {tested:.3f}" if tested is not None else "",
        f"{speed:,.0f} tokens/s" if speed is not None else "",
    ]  # fmt: skip
    return ", ".join(part for part in parts if part)


def outcome_as_plain(folder: RunFolder, outcome: Outcome) -> dict[str, Any]:
    poll, choice, verdict = outcome.poll, outcome.choice, outcome.verdict
    return {
        "output": str(folder.path), "run_id": outcome.spec.run_id, "state": poll.state.value,
        "failure": asdict(poll.failure) if poll.failure else None,
        "verdict": asdict(verdict) | {"kind": verdict.kind.value, "numbers": dict(verdict.numbers)},
        "metric": outcome.plan.metric,
        "checkpoints": [_candidate_as_plain(each, outcome) for each in outcome.candidates],
        "base": _score_as_plain(outcome.scores.get(BASE), outcome.unscored.get(BASE)),
        "chosen": choice.checkpoint.id if choice else None, "model": choice.checkpoint.model if choice else None,
        "reason": choice.reason if choice else None, "usage": usage_as_plain(outcome),
        "predicted": outcome.plan.predicted, "record": str(folder.path / "record.json"),
        "record_sha256": outcome.record_sha256,
    }  # fmt: skip


def usage_as_plain(outcome: Outcome) -> dict[str, Any]:
    usage = asdict(outcome.poll.usage)
    return usage | {"cost": None if usage["cost"] is None else f"{usage['cost']:f}"}


def _candidate_as_plain(candidate: Candidate, outcome: Outcome) -> dict[str, Any]:
    checkpoint = candidate.checkpoint
    scored = _score_as_plain(outcome.scores.get(checkpoint.id), outcome.unscored.get(checkpoint.id))
    told = {"id": checkpoint.id, "step": checkpoint.step, "model": checkpoint.model}
    return told | {"valid_loss": candidate.valid_loss, "score": scored}


def _score_as_plain(scored: Scored | None, why_not: str | None) -> dict[str, Any] | None:
    if scored is None:
        return {"value": None, "error": why_not} if why_not else None
    told = asdict(scored)
    del told["per_item"]
    return told


def show_outcome(folder: RunFolder, outcome: Outcome) -> None:
    poll, choice, verdict = outcome.poll, outcome.choice, outcome.verdict
    colour = "green" if poll.state is RunState.SUCCEEDED else "red"
    console.print(
        f"[{colour}]{poll.state}[/] [bold]{plain_text(outcome.spec.model)}[/] in {plain_text(str(folder.path))}"
    )
    if poll.failure:
        remedy = f" ({poll.failure.remedy})" if poll.failure.remedy else ""
        console.print(f"[red]{plain_text(poll.failure.code)}: {plain_text(poll.failure.message + remedy)}[/]")
    colour = "red" if verdict.kind in SPOILT else "green" if verdict.kind in _GOOD else "yellow"
    console.print(f"[{colour}]{verdict.kind.replace('_', ' ')}[/]: {plain_text(verdict.said)}")
    if choice:
        console.print(_scores_table(outcome))
        console.print(f"[bold]chosen:[/] {plain_text(choice.reason)}")
        console.print(f"model: {plain_text(choice.checkpoint.model)}", soft_wrap=True)
    for name, why in outcome.unscored.items():
        console.print(f"[yellow]not scored: {plain_text(name)}: {plain_text(why)}[/]")
    console.print(f"record {outcome.record_sha256}")


def _scores_table(outcome: Outcome) -> Table:
    rows = list[tuple[str, ...]]()
    if base := outcome.scores.get(BASE):
        rows.append(("before training", *_cells(base), ""))
    chosen = outcome.choice.checkpoint.id if outcome.choice else None
    for each in outcome.candidates:
        name = f"step {each.checkpoint.step}" + (" *" if each.checkpoint.id == chosen else "")
        loss = "" if each.valid_loss is None else f"{each.valid_loss:.4f}"
        rows.append((name, *_cells(outcome.scores.get(each.checkpoint.id)), loss))
    columns = ("", outcome.plan.metric, "95% interval", "items", "validation loss")
    return table_of("Checkpoints, on validation", columns, rows, numeric=(1, 2, 3, 4))


def _cells(scored: Scored | None) -> tuple[str, str, str]:
    if scored is None:
        return "", "", ""
    return f"{scored.value:.3f}", f"{scored.low:.3f}-{scored.high:.3f}", number(scored.items)
