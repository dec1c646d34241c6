"""Runs of a server as the command says them. What a run in a folder has too is called the same there and here.

A line of a list   run_id, experiment_id, number, name, backend, model, state, said, step, total_steps, train_loss,
                   valid_loss, metric, value, low, high, verdict, cost, currency, predicted_cost, model_version_id
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engagements.cli.output import console, number, plain_text, table_of
from engagements.client.training_models import Checkpoint, Comparison, Experiment, RunLine, TrainingRun
from engagements.phases.training.judging.verdicts import SPOILT
from estimator.money import Money

LOST: Final = "provider_lost"
"""Nothing is done about such a run until a person decides."""
_HOUR_S: Final = 3600


def money(minor: float | None, currency: str | None) -> str | None:
    """An amount as text, exact; None is unknown."""
    return None if minor is None or not currency else str(Money(round(minor), currency).amount)


def line_as_plain(line: RunLine, experiment_id: str) -> dict[str, Any]:
    return {
        "run_id": line.id, "experiment_id": experiment_id, "number": line.number, "name": line.name,
        "backend": line.backend, "model": line.model, "state": line.state, "said": line.said, "step": line.step,
        "total_steps": line.total_steps, "train_loss": line.train_loss, "valid_loss": line.valid_loss,
        "metric": line.metric, "value": line.score, "low": line.score_low, "high": line.score_high,
        "verdict": line.verdict, "cost": money(line.spent_minor, line.currency), "currency": line.currency,
        "predicted_cost": money(line.predicted_minor, line.currency), "model_version_id": line.model_version_id,
    }  # fmt: skip


def listed_as_plain(url: str, experiments: Sequence[Experiment]) -> dict[str, Any]:
    return {"server": url, "runs": [line_as_plain(run, each.id) for each in experiments for run in each.runs]}


def show_list(told: Mapping[str, Any]) -> None:
    rows = [
        (
            each["run_id"], f"{each['number']} {plain_text(each['name'])}", plain_text(each["model"]),
            each["state"].replace("_", " "), str(each["step"]), number(each["valid_loss"], 4),
            "" if each["value"] is None else f"{each['value']:.3f}", _cost(each),
        )
        for each in told["runs"]
    ]  # fmt: skip
    table = table_of("", ("run", "", "model", "state", "step", "valid", "score", "cost"), rows, numeric=(4, 5, 6, 7))
    table.columns[0].no_wrap = True
    console.print(table if rows else "no run is there")


def run_as_plain(url: str, run: TrainingRun, experiment: Experiment) -> dict[str, Any]:
    chosen = _chosen(run)
    score = chosen.score if chosen else None
    return {
        "server": url, "run_id": run.id, "engagement_id": run.engagement_id, "experiment_id": run.experiment_id,
        "number": run.number, "name": run.name, "backend": run.backend, "model": run.model, "state": run.state,
        "wish": run.wish, "said": run.said, "step": run.now.step, "total_steps": run.now.total_steps,
        "train_loss": run.now.train_loss, "valid_loss": run.now.valid_loss, "seconds_left": run.now.seconds_left,
        "metric": experiment.metric, "value": score.value if score else None,
        "verdict": run.verdict.model_dump() if run.verdict else None,
        "failure": run.failure.model_dump() if run.failure else None, "usage": run.usage.model_dump(),
        "cost": money(run.spent_minor, run.currency), "currency": run.currency,
        "held_back": money(run.reserved_minor, run.currency), "checkpoints": [each.step for each in run.checkpoints],
        "chosen": chosen.step if chosen else None, "model_chosen": chosen.model if chosen else None,
        "reason": run.choice.reason if run.choice else None, "predicted": run.prediction.model_dump(mode="json"),
        "hyperparameters": run.hyperparameters, "seed": run.seed, "dataset_sha256": experiment.dataset_sha256,
        "attempt": run.attempt, "retry_of": run.retry_of, "model_version_id": run.model_version_id,
        "record_sha256": run.record_sha256, "begun_at": run.started_at.isoformat() if run.started_at else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }  # fmt: skip


def show_run(told: Mapping[str, Any]) -> None:
    console.print(f"[bold]{plain_text(told['model'])}[/] by {plain_text(told['backend'])}: {_state(told)}")
    console.print(f"run {told['number']} {plain_text(told['name'])} of {told['experiment_id']}")
    likely = (told["predicted"].get("cost_minor") or {}).get("likely")
    score = "unknown" if told["value"] is None else f"{plain_text(told['metric'])} {told['value']:.3f}"
    rows = [
        ("step", f"{told['step']} of {told['total_steps'] or 'unknown'}"),
        ("training loss, the last", number(told["train_loss"], 4)),
        ("validation loss, the last", number(told["valid_loss"], 4)), ("score", score),
        ("tokens, prompts included", number(_counted(told["usage"]))), ("seconds", number(told["usage"]["seconds"], 1)),
        ("cost", _cost(told)), ("predicted", _amount(money(likely, told["currency"]), told["currency"])),
        *((name, plain_text(str(value))) for name, value in told["hyperparameters"].items()),
        ("seed", str(told["seed"])), ("dataset", told["dataset_sha256"][:16]),
    ]  # fmt: skip
    console.print(table_of("", ("", ""), rows))
    if told["verdict"]:
        console.print(f"{told['verdict']['kind'].replace('_', ' ')}: {plain_text(told['verdict']['said'])}")
    if told["failure"]:
        remedy = f" ({told['failure']['remedy']})" if told["failure"]["remedy"] else ""
        said = plain_text(f"{told['failure']['code']}: {told['failure']['message']}{remedy}")
        console.print(f"[red]{said}[/]")
    if told["reason"]:
        console.print(f"[bold]chosen:[/] {plain_text(told['reason'])}")
    if told["model_version_id"]:
        console.print(f"model version {told['model_version_id']}")


def compared_as_plain(url: str, compared: Comparison, experiment: Experiment) -> dict[str, Any]:
    """All runs of an experiment; it is what chose among them."""
    return {
        "server": url, "metric": experiment.metric,
        "runs": [_compared(each, compared.differs, experiment) for each in compared.runs],
        "best": experiment.chosen_run_id, "reason": experiment.choice.reason if experiment.choice else None,
    }  # fmt: skip


def _compared(line: RunLine, differs: Sequence[str], experiment: Experiment) -> dict[str, Any]:
    settings: dict[str, Any] = {"backend": line.backend, "model": line.model, "method": line.method, "seed": line.seed}
    settings |= {"train": "the best examples alone" if line.is_curated else "all examples"} | line.hyperparameters
    return line_as_plain(line, experiment.id) | {
        "differs": {name: settings.get(name) for name in differs}, "trained_tokens": line.trained_tokens,
        "seconds": None if line.hours is None else line.hours * _HOUR_S,
    }  # fmt: skip


def show_compared(told: Mapping[str, Any]) -> None:
    runs = told["runs"]
    rows = [
        ("", *(f"{each['number']} {plain_text(each['name'])}" for each in runs)),
        *(
            (plain_text(name), *(plain_text(str(each["differs"][name])) for each in runs))
            for name in runs[0]["differs"]
        ),
        ("state", *(_state(each) for each in runs)),
        ("training loss, the last", *(number(each["train_loss"], 4) for each in runs)),
        ("validation loss, the last", *(number(each["valid_loss"], 4) for each in runs)),
        ("score", *map(_score, runs)),
        ("tokens, prompts included", *(number(each["trained_tokens"]) for each in runs)),
        ("seconds", *(number(each["seconds"], 1) for each in runs)),
        ("cost", *map(_cost, runs)),
        ("verdict", *((each["verdict"] or "unknown").replace("_", " ") for each in runs)),
    ]
    head, *rest = rows
    console.print(table_of("", head, rest, numeric=range(1, len(head))))
    if told["best"]:
        console.print(f"[bold]best:[/] {told['best']}: {plain_text(told['reason'] or '')}")
    else:
        console.print("none of them was chosen (yet)")


def steered_as_plain(url: str, run: TrainingRun) -> dict[str, Any]:
    """After a wish was told: the server carries it out as soon as its backend can."""
    return {"server": url, "run_id": run.id, "state": run.state, "wish": run.wish}


def is_good(run: TrainingRun) -> bool:
    return run.state == "succeeded" and (run.verdict is None or run.verdict.kind not in SPOILT)


def _counted(usage: Mapping[str, Any]) -> int | None:
    """As predictions count them: what is billed, or what went through."""
    billed: int | None = usage["billed_tokens"]
    return usage["seen_tokens"] if billed is None else billed


def _chosen(run: TrainingRun) -> Checkpoint | None:
    return next((each for each in run.checkpoints if each.is_chosen), None)


def _state(told: Mapping[str, Any]) -> str:
    said = f" ({plain_text(told['said'])})" if told["said"] else ""
    return f"{told['state'].replace('_', ' ')}{said}"


def _score(told: Mapping[str, Any]) -> str:
    if told["value"] is None:
        return ""
    return f"{told['value']:.3f}" + (f" ({told['low']:.3f}-{told['high']:.3f})" if told["low"] is not None else "")


def _cost(told: Mapping[str, Any]) -> str:
    return _amount(told["cost"], told["currency"])


def _amount(amount: str | None, currency: str) -> str:
    return "unknown" if amount is None else f"{amount} {currency}"
