"""`sixfold runs show`: one run, as its folder tells it, or the server that it is on.

--json   what `runs list` says of it, with silent, verdict (kind, said, since_step, numbers), failure, usage, cost,
         currency, checkpoints, chosen, model_chosen, reason, predicted, hyperparameters, seed, dataset_sha256, parent
         of a server   the same without folder, silent, looked_at and parent; with server, engagement_id,
                       experiment_id, number, name, wish, said, seconds_left, held_back (money, until its cost is
                       known), attempt, retry_of, model_version_id, ended_at
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from engagements.cli.book import price_book, prices_option
from engagements.cli.output import answers, console, json_option, number, plain_text, print_json, table_of
from engagements.cli.runs.served import run_as_plain, show_run
from engagements.cli.runs.server import Server, id_of, refuse_for_ids, server_options
from engagements.cli.training.folder import RunFolder
from engagements.cli.training.summary import Summary, as_plain, cost_of, summary_of


@click.command()
@click.argument("folder", metavar="FOLDER|RUN", type=click.Path(path_type=Path, file_okay=False))
@prices_option
@server_options
@json_option
@answers
def command(folder: Path, price_files: tuple[Path, ...], server: Server, as_json: bool) -> None:
    """Show the run in FOLDER as it was last seen, or RUN (an id such as trn_...) as a server has it."""
    if run_id := id_of(folder, server):
        refuse_for_ids(prices=price_files)
        _show_served(server, run_id, as_json=as_json)
        return
    found = summary_of(RunFolder(path=folder))
    told = _told(found, price_files)
    if as_json:
        print_json(told)
    else:
        _show(found, told)


def _show_served(server: Server, run_id: str, *, as_json: bool) -> None:
    with server.opened(run_id) as sixfold:
        run = sixfold.training_runs.get(run_id)
        told = run_as_plain(server.url, run, sixfold.experiments.get(run.experiment_id))
    if as_json:
        print_json(told)
    else:
        show_run(told)


def _told(found: Summary, price_files: tuple[Path, ...]) -> dict[str, Any]:
    standing, record, usage = found.standing, found.record, found.usage
    cost = cost_of(found.spec, found.plan, usage, price_book(price_files))
    checkpoint = record.checkpoint if record else None
    failure = standing.poll.failure if standing else None
    return as_plain(found) | {
        "silent": standing.silent if standing else False,
        "verdict": asdict(found.verdict) | {"kind": found.verdict.kind.value, "numbers": dict(found.verdict.numbers)},
        "failure": asdict(failure) if failure else None,
        "usage": asdict(usage) | {"cost": None if usage.cost is None else f"{usage.cost:f}"},
        "cost": f"{cost[0]:.4f}" if cost else None, "currency": cost[1] if cost else None,
        "checkpoints": [each.step for each in standing.poll.checkpoints] if standing else [],
        "chosen": checkpoint.step if checkpoint else None, "model_chosen": checkpoint.model if checkpoint else None,
        "reason": checkpoint.reason if checkpoint else None, "predicted": found.plan.predicted,
        "hyperparameters": found.spec.hyperparameters.given(), "seed": found.spec.seed,
        "dataset_sha256": found.plan.dataset_sha256, "parent": found.plan.parent,
    }  # fmt: skip


def _show(found: Summary, told: dict[str, Any]) -> None:
    spec, standing = found.spec, found.standing
    console.print(f"[bold]{plain_text(spec.model)}[/] by {plain_text(spec.backend)}: {found.state}")
    if standing:
        answer = "it has not answered since" if standing.silent else "it answered"
        console.print(f"last looked at {standing.looked_at:%Y-%m-%d %H:%M} UTC, {answer}")
    rows = [
        ("step", f"{told['step']} of {told['total_steps'] or 'unknown'}"),
        ("training loss, the last", number(found.train_loss, 4)),
        ("validation loss, the lowest", number(found.valid_loss, 4)),
        ("tokens, prompts included", number(found.usage.counted_tokens)), ("seconds", number(found.usage.seconds, 1)),
        ("cost", f"{told['cost']} {told['currency']}" if told["cost"] else "unknown"),
        *((name, plain_text(str(value))) for name, value in told["hyperparameters"].items()),
        ("seed", str(spec.seed)), ("dataset", found.plan.dataset_sha256[:16]),
    ]  # fmt: skip
    console.print(table_of("", ("", ""), rows))
    console.print(f"{found.verdict.kind.replace('_', ' ')}: {plain_text(found.verdict.said)}")
    if told["failure"]:
        console.print(f"[red]{plain_text(told['failure']['code'])}: {plain_text(told['failure']['message'])}[/]")
    if told["reason"]:
        console.print(f"[bold]chosen:[/] {plain_text(told['reason'])}")
