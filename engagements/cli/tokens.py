"""`sixfold tokens`: what a dataset file costs in tokens, exactly as it will be billed, and what is wrong with it.

--json   trained_tokens, epochs, epochs_reason, examples, encoding, tokens_per_epoch, messages, examples_with_tools,
         assistant_tokens, prompt_tokens_mean, answer_tokens_mean, tokens_per_example (p10, p50, p90, longest),
         limit_tokens, examples_over_limit, tokens_cut_off, rows, size_bytes, sha256, problem_counts (by code),
         problems (up to 100 of a code, each with line, where, code, severity, message, remedy)
"""

import re
from contextlib import suppress
from pathlib import Path

import click

from engagements.cli.dataset import count_with_progress
from engagements.cli.output import (
    BAD_INPUT,
    answers,
    console,
    json_option,
    leave,
    number,
    print_json,
    problem_as_plain,
    show_problems,
)
from estimator.errors import Severity
from estimator.tokens import DatasetCount, Epochs, OpenTokeniser


class EpochsType(click.ParamType[Epochs]):
    """`auto`, or a whole number from 1 to 50."""

    name = "auto|N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Epochs:
        if value != "auto" and not (isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}", value, re.ASCII)):
            self.fail(f"{value!r} is neither auto nor a whole number from 1 to 50", param, ctx)
        return "auto" if value == "auto" else int(value)


class DatasetFile(click.Path):
    """A file that can be read twice, as counting does; one that cannot be looked at is left to the reader to name."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(str(super().convert(str(value), param, ctx)))
        with suppress(OSError):
            if not path.is_file() and path.exists():
                self.fail(f"{str(path)!r} is a pipe or a device; save it as a file first", param, ctx)
        return path


@click.command()
@click.argument("file", type=DatasetFile(dir_okay=False))
@click.option("--model", metavar="NAME", help="The model to be tuned, such as gpt-4o-mini-2024-07-18.")
@click.option(
    "--tokenizer",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="An open model's tokenizer.json instead.",
)
@click.option(
    "--epochs",
    type=EpochsType(),
    metavar="auto|N",
    default="auto",
    show_default=True,
    help="1 to 50, or as many as OpenAI's rule chooses.",
)
@json_option
@answers
def command(file: Path, model: str | None, tokenizer: Path | None, epochs: Epochs, as_json: bool) -> None:
    """Count FILE (JSON Lines) and check every row. Exit code 2: it holds an error."""
    if (model is None) == (tokenizer is None):
        raise click.UsageError("name the model with --model, or give its tokenizer.json with --tokenizer")
    tokeniser = OpenTokeniser.load(tokenizer) if tokenizer else None
    counted = count_with_progress(file, model=model, tokeniser=tokeniser, epochs=epochs)
    if as_json:
        print_json(_as_plain(counted))
    else:
        _show(counted)
    if any(problem.severity is Severity.ERROR for problem in counted.problems):
        leave(BAD_INPUT)


def _as_plain(counted: DatasetCount) -> dict[str, object]:
    spread = counted.distribution
    return {
        "trained_tokens": counted.trained_tokens,
        "epochs": counted.epochs,
        "epochs_reason": counted.epochs_reason,
        "examples": counted.examples,
        "encoding": counted.encoding,
        "tokens_per_epoch": counted.tokens_per_epoch,
        "messages": counted.messages,
        "examples_with_tools": counted.examples_with_tools,
        "assistant_tokens": counted.assistant_tokens,
        "prompt_tokens_mean": counted.prompt_tokens_mean,
        "answer_tokens_mean": counted.answer_tokens_mean,
        "tokens_per_example": None
        if spread is None
        else {"p10": spread.p10, "p50": spread.p50, "p90": spread.p90, "longest": spread.longest},
        "limit_tokens": counted.limit_tokens,
        "examples_over_limit": counted.examples_over_limit,
        "tokens_cut_off": counted.tokens_cut_off,
        "rows": counted.rows,
        "size_bytes": counted.size_bytes,
        "sha256": counted.sha256,
        "problem_counts": dict(counted.problem_counts),
        "problems": [problem_as_plain(problem) for problem in counted.problems],
    }


def _show(counted: DatasetCount) -> None:
    console.print(f"[bold]{number(counted.trained_tokens)} trained tokens[/]")
    epochs = f"{counted.epochs or 'unknown'} epochs ({counted.epochs_reason})"
    console.print(f"{number(counted.tokens_per_epoch)} tokens an epoch x {epochs}, counted in {counted.encoding}")
    console.print(f"{counted.examples:,} examples, {counted.messages:,} messages, sha256 {counted.sha256[:16]}")
    if spread := counted.distribution:
        means = f"{number(counted.prompt_tokens_mean, 1)} prompt + {number(counted.answer_tokens_mean, 1)} answer"
        spans = f"p10 {spread.p10:,.0f}, p50 {spread.p50:,.0f}, p90 {spread.p90:,.0f}, longest {spread.longest:,}"
        console.print(f"An example holds {means} tokens on average; {spans}")
    if counted.examples_over_limit:
        cut = f"{counted.examples_over_limit:,} examples are cut at {number(counted.limit_tokens)} tokens"
        console.print(f"[red]{cut}; {counted.tokens_cut_off:,} tokens are lost[/]")
    if counted.problems:
        console.print()
        show_problems(counted.problems)
