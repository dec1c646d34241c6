"""`sixfold train`: one run in a folder, from a prepared dataset to a chosen checkpoint, without a database.

Killed at any moment, the same command goes on where it was. Exit code 1: the run failed, was cancelled, or its curves
say that it came to nothing; or it was not wanted after all.

--json   output, run_id, state, failure, verdict (kind, said, since_step, numbers), metric, checkpoints (each with id,
         step, model, valid_loss and score), base (its score), chosen, model, reason, usage, predicted (tokens, epochs,
         steps, hours, memory_gib, fits, cost, currency, unknown, sources), record, record_sha256
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import click

from engagements.cli.book import price_book, prices_option
from engagements.cli.data.folder import folder_to_write
from engagements.cli.output import (
    NO,
    answers,
    json_option,
    leave,
    show_problems,
    to_stderr,
    today,
)
from engagements.cli.training.asked import read_asked
from engagements.cli.training.folder import RunFolder
from engagements.cli.training.places import refusals
from engagements.cli.training.planning import Planned, plan_run, refuse_another
from engagements.cli.training.running import answer, look_after, poll_option
from engagements.cli.training.showing import show_prediction
from engagements.phases.training.judging.record import read_record

P = ParamSpec("P")
R = TypeVar("R")

_WRITTEN: Final = ("run.json", "spec.json", "memory.json", "state.json", "record.json")
# Text, so that all of them are judged in one pass, with everything else that is wrong.
_KNOBS: Final = {
    "epochs": "Passes over the training split.", "max_steps": "Stop after so many steps.",
    "batch_size": "Examples a step.", "learning_rate": "Such as 2e-4.",
    "learning_rate_multiplier": "Of the provider's own rate.", "adapter": "lora, rslora, dora, qlora or full.",
    "rank": "Of the adapter.", "alpha": "Of the adapter.", "dropout": "Of the adapter.",
    "max_length": "Tokens of an example; longer ones are cut.", "evaluations": "How many over the run.",
    "checkpoints": "How many are kept.", "early_stopping": "Evaluations without a lower validation loss.",
}  # fmt: skip


def knobs(command: Callable[P, R]) -> Callable[P, R]:
    """Adds an option for each of the usual hyperparameters."""
    options = [
        click.option(f"--{name.replace('_', '-')}", name, metavar="X", help=text) for name, text in _KNOBS.items()
    ]
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder of the run."
)
@click.option("--data", type=click.Path(path_type=Path), help="What `sixfold data prepare -o` wrote.")
@click.option("--backend", metavar="NAME", help="Where it trains: one of the settings, or an installed kind.")
@click.option("--model", metavar="NAME|FOLDER", help="The base model, as the backend names it.")
@click.option("--method", metavar="NAME", help="sft, dpo or rft.")
@click.option("--metric", metavar="NAME", help="Chooses the checkpoint, on the validation split.")
@click.option("--seed", metavar="N", help="The same seed, data and machine give the same run.")
@click.option("--suffix", metavar="NAME", help="A word for the tuned model's name.")
@click.option("--gpu", metavar="NAME", help="What it runs on, to say beforehand what it takes: H100, 4090 ...")
@knobs
@click.option("--set", "more", multiple=True, metavar="NAME=VALUE", help="Any other hyperparameter; may be repeated.")
@click.option("--setting", "settings", multiple=True, metavar="NAME=VALUE", help="Of the backend: base_url=https://...")
@click.option("--secret", "kept", multiple=True, metavar="NAME=VARIABLE", help="Of the backend: api_key=TOGETHER_KEY")
@click.option("--max-tokens", metavar="N", help="Of an answer that is scored.")
@click.option("--scored-rows", metavar="N", help="Rows of validation that each checkpoint answers (default: 500).")
@click.option("--base/--no-base", default=True, help="Score the model before training too.")
@click.option(
    "--from", "record_file", type=click.Path(path_type=Path, dir_okay=False), help="A record.json: the same again."
)
@poll_option
@click.option("--yes", is_flag=True, help="Begin without asking.")
@prices_option
@json_option
@answers
@refusals
def command(
    spec: Path | None, output: Path, record_file: Path | None, base: bool, more: tuple[str, ...],
    settings: tuple[str, ...], kept: tuple[str, ...], poll_s: float | None, yes: bool, price_files: tuple[Path, ...],
    as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Train a model as SPEC (TOML or JSON) and the options say, and choose its best checkpoint on validation.

    Exit code 2: nothing was begun.
    """
    record = read_record(record_file) if record_file else None
    options |= {"hyperparameters": _pairs("--set", more), "settings": _pairs("--setting", settings)}
    asked = read_asked(spec, record, _given(options | {"secrets": _pairs("--secret", kept)}))
    folder = RunFolder(path=output)
    with folder_to_write(output, _WRITTEN), tempfile.TemporaryDirectory() as staging:
        planned = plan_run(
            asked, folder, Path(staging), record=record, base=base, book=price_book(price_files), today=today()
        )
        if folder.is_planned:
            refuse_another(folder, planned)
        else:
            _begin(folder, planned, ask=not yes and not as_json and sys.stdin.isatty())
    answer(folder, look_after(folder, planned.backend, wait_s=poll_s), as_json=as_json)


def _begin(folder: RunFolder, planned: Planned, *, ask: bool) -> None:
    show_prediction(planned.prediction)
    if planned.notes:
        show_problems(planned.notes)
    if ask and not click.confirm("Begin?", default=True, err=True):
        to_stderr.print("nothing was begun")
        leave(NO)
    folder.begin(planned.spec, planned.plan)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Those that were given, as the file would hold them."""
    said = {name: value for name, value in options.items() if value not in (None, {})}
    chosen = {name: said.pop(name) for name in _KNOBS if name in said} | said.pop("hyperparameters", {})
    return said | ({"hyperparameters": chosen} if chosen else {})


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if not all(name and equals for name, equals, _ in pairs):
        raise click.UsageError(f"write {option} NAME=VALUE")
    return {name: value for name, _, value in pairs}
