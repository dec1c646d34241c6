"""`sixfold runs compare`: what differs between runs, and what it led to.

--json   metric (null where they were scored by different ones), runs (each what `runs list` says of it, with low, high,
         items, differs (the settings in which they differ, by name), trained_tokens, seconds, cost, currency), best
         (folder), reason (both null where they cannot be compared)
         of a server   server, metric, runs (each what `runs list` says of it, with differs, trained_tokens, seconds),
                       best (run_id), reason: of the experiment's own choice, null where there is none (yet)
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from backends.events import Checkpoint
from engagements.cli.book import price_book, prices_option
from engagements.cli.output import answers, console, json_option, number, plain_text, print_json, table_of
from engagements.cli.runs.served import compared_as_plain, show_compared
from engagements.cli.runs.server import EXPERIMENT, Server, id_of, refuse_for_ids, server_options
from engagements.cli.training.folder import NoRun, RunFolder
from engagements.cli.training.summary import Summary, as_plain, cost_of, summary_of
from engagements.phases.training.judging.selection import Candidate, Choice, choose
from estimator.errors import Problem
from estimator.prices import PriceBook


@click.command()
@click.argument(
    "folders",
    metavar="FOLDERS|EXPERIMENT",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@prices_option
@server_options
@json_option
@answers
def command(folders: tuple[Path, ...], price_files: tuple[Path, ...], server: Server, as_json: bool) -> None:
    """Runs side by side, by the checkpoints that were chosen: in folders, or of an EXPERIMENT (exp_...) on a server."""
    if len(folders) == 1 and (experiment_id := id_of(folders[0], server, wanted=EXPERIMENT)):
        refuse_for_ids(prices=price_files)
        _compare_served(server, experiment_id, as_json=as_json)
        return
    if server.named:
        raise click.UsageError(f"--url goes with the id of one experiment ({EXPERIMENT}_...)")
    if len(set(folders)) < 2:
        raise click.UsageError("name two runs or more")
    found = _found(folders)
    told = _told(found, price_book(price_files))
    if as_json:
        print_json(told)
    else:
        _show(told)


def _compare_served(server: Server, experiment_id: str, *, as_json: bool) -> None:
    with server.opened(experiment_id) as sixfold:
        experiment = sixfold.experiments.get(experiment_id)
        compared = sixfold.training_runs.compare(*(each.id for each in experiment.runs))
    told = compared_as_plain(server.url, compared, experiment)
    if as_json:
        print_json(told)
    else:
        show_compared(told)


def _found(folders: Sequence[Path]) -> list[Summary]:
    """What is wrong with any of them is said at once."""
    found, problems = list[Summary](), list[Problem]()
    for folder in dict.fromkeys(folders):
        try:
            found.append(summary_of(RunFolder(path=folder)))
        except NoRun as error:
            problems += error.problems
    if problems:
        raise NoRun(*problems)
    return found


def _told(found: Sequence[Summary], book: PriceBook) -> dict[str, Any]:
    choice = _best(found)
    metrics = {each.plan.metric for each in found}
    differing = _differing([_settings(each) for each in found])
    return {
        "metric": metrics.pop() if len(metrics) == 1 else None,
        "runs": [_run(each, differing, book) for each in found],
        "best": choice.checkpoint.id if choice else None, "reason": choice.reason if choice else None,
    }  # fmt: skip


def _run(summary: Summary, differing: Sequence[str], book: PriceBook) -> dict[str, Any]:
    chosen, usage, settings = summary.chosen, summary.usage, _settings(summary)
    cost = cost_of(summary.spec, summary.plan, usage, book)
    return as_plain(summary) | {
        "low": chosen.low if chosen else None, "high": chosen.high if chosen else None,
        "items": chosen.items if chosen else None, "differs": {name: settings.get(name) for name in differing},
        "trained_tokens": usage.counted_tokens, "seconds": usage.seconds,
        "cost": f"{cost[0]:.4f}" if cost else None, "currency": cost[1] if cost else None,
    }  # fmt: skip


def _settings(summary: Summary) -> Mapping[str, Any]:
    spec = summary.spec
    told = {"backend": spec.backend, "model": spec.model, "method": spec.method.value, "seed": spec.seed}
    return told | {"dataset": summary.plan.dataset_sha256[:12], "rows": spec.train.rows} | spec.hyperparameters.given()


def _differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for each in settings for name in each)
    return [name for name in names if len({repr(each.get(name)) for each in settings}) > 1]


def _best(found: Sequence[Summary]) -> Choice | None:
    """Chosen among the chosen: only where all were scored by one metric on the same rows."""
    if len({_scored_on(each) for each in found}) > 1 or not all(each.chosen for each in found):
        return None
    return choose([_candidate(each) for each in found])


def _scored_on(summary: Summary) -> tuple[object, ...]:
    rows = RunFolder(path=summary.folder).scored
    digest = sha256(rows.read_bytes()).hexdigest() if rows.is_file() else None
    version = summary.chosen.version if summary.chosen else None
    return summary.plan.metric, version, digest, summary.plan.scored_rows


def _candidate(summary: Summary) -> Candidate:
    """The run's own choice, called by its folder."""
    chosen, record, name = summary.chosen, summary.record, str(summary.folder)
    assert chosen is not None, "asked of runs that have chosen"
    assert record is not None, "asked of runs that have chosen"
    assert record.checkpoint is not None, "asked of runs that have chosen"
    step = record.checkpoint.step
    loss = next((each.full_valid_loss for each in summary.points if each.step == step), None)
    return Candidate(
        checkpoint=Checkpoint(id=name, step=step, model=record.checkpoint.model), metric=summary.plan.metric,
        value=chosen.value, hits=chosen.per_item, valid_loss=loss, name=name,
    )  # fmt: skip


def _show(told: Mapping[str, Any]) -> None:
    runs = told["runs"]
    rows = [("", *(plain_text(each["folder"]) for each in runs))]
    rows += [
        (plain_text(name), *(plain_text(str(each["differs"][name])) for each in runs)) for name in runs[0]["differs"]
    ]
    rows += [
        ("state", *(each["state"] for each in runs)),
        ("training loss, the last", *(number(each["train_loss"], 4) for each in runs)),
        ("validation loss, the lowest", *(number(each["valid_loss"], 4) for each in runs)),
        ("score", *map(_score, runs)),
        ("tokens, prompts included", *(number(each["trained_tokens"]) for each in runs)),
        ("seconds", *(number(each["seconds"], 1) for each in runs)),
        ("cost", *(f"{each['cost']} {each['currency']}" if each["cost"] else "unknown" for each in runs)),
        ("verdict", *(each["verdict"].replace("_", " ") for each in runs)),
    ]
    head, *rest = rows
    console.print(table_of("", head, rest, numeric=range(1, len(head))))
    why = "not scored by one metric on the same rows, so none can be called best"
    console.print(f"[bold]best:[/] {plain_text(told['reason'])}" if told["reason"] else why)


def _score(run: Mapping[str, Any]) -> str:
    if run["value"] is None:
        return "unknown"
    return f"{run['metric']} {run['value']:.3f} ({run['low']:.3f}-{run['high']:.3f})"
