"""`sixfold brief`: a commented example to start from, and the check of one's own.

new --json     the example as JSON: schema, client, project, task, criteria, fit, data, training, traffic, drivers,
               commercial, value, assumptions, exclusions, risks
check --json   problems (none for a sound brief), each with line, where, code, severity, message, remedy
"""

import json
from datetime import date
from pathlib import Path

import click

from engagements.cli.output import answers, brief_argument, console, json_option, on_option, plain_text, print_json
from estimator.brief import load_brief, read_brief
from estimator.brief.example import example_brief


@click.group()
def command() -> None:
    """Start a brief, or check one."""


@command.command(short_help="Print a complete, commented brief to start from.")
@on_option
@click.option("--json", "as_json", is_flag=True, help="Print the brief as JSON instead of commented TOML.")
def new(on: date, as_json: bool) -> None:
    """Print a complete, commented brief: `sixfold brief new > brief.toml`."""
    text = example_brief(on)
    if as_json:
        print_json(json.loads(read_brief(text).model_dump_json(by_alias=True, exclude_none=True, exclude_unset=True)))
    else:
        click.echo(text, nl=False)


@command.command()
@brief_argument
@json_option
@answers
def check(brief: Path, as_json: bool) -> None:
    """Read a brief and name everything that is wrong with it."""
    read = load_brief(brief)
    if as_json:
        print_json({"problems": []})
    else:
        said = f"{brief}: a sound brief for {read.client.name}, {read.project.title!r}."
        console.print(plain_text(said))
