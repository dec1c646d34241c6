"""The demo: a client's files laid into a folder, the commands an account lead would type, then the same by the API."""

import shlex
from contextlib import chdir
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import click
from rich.progress import track

from engagements.cli import cli
from engagements.cli.output import answers, console, on_option, to_stderr
from engagements.demo.data import RAW
from engagements.demo.raw import raw_files
from engagements.demo.routing import CSV_NAME, HELD_OUT_NAME, exported, held_out
from engagements.demo.server import clear
from engagements.demo.story import STORY
from engagements.demo.tickets import MONTHS, tickets
from engagements.demo.walk import own_settings, walk
from engagements.demo.words import title
from engagements.files import write_together, write_whole
from estimator.brief.example import example_brief

_AGENCY: Final = """\
# Whose proposals these are, and where the server keeps what it knows; see the settings in the README.
home = "home"

[agency]
name = "Halden & Roth"
legal_name = "Halden & Roth Modellwerk GmbH"
address = "Speersort 10, 20095 Hamburg"
registration = "HRB 000000, Amtsgericht Hamburg"
vat_id = "DE000000000"
email = "angebote@haldenroth.example"
website = "haldenroth.example"
signatory = "Marte Halden"
signatory_role = "Managing Director"
prepared_by = "Jonas Roth, Account Lead"
reviewed_by = "Dr. Selma Aydin, Lead ML Engineer"
accent = "#0f5c63"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of the demo, and the question it answers."""

    question: str
    command: str


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True)
@click.option("--examples", type=click.IntRange(10, 200_000), default=3200, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=7, show_default=True, help="Of the tickets.")
@on_option
@answers
def main(folder: Path, examples: int, seed: int, on: date) -> None:
    """One engagement on generated tickets, from the client's brief to the proposal. Results lie in FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    title(f"A client's files, in {folder}/")
    _lay_client_files(folder, examples=examples, seed=seed, on=on)
    with chdir(folder):
        clear(own_settings())
        for step in _steps(on):
            _take(step)
        title("The same through the API, to the signature and on to the third gate")
        walk(on)
    title("What is there now")
    for name, what in _RESULTS.items():
        path = folder / name
        console.print(f"  {path}  [dim]{path.stat().st_size / 1024:,.0f} KiB, {what}[/]")


_RESULTS: Final = {
    "tickets.jsonl": "the client's replies, as training examples",
    "raw/ticket-export.csv": "what the client's old system exported, as it came",
    "raw/chat-log.jsonl": "and the log of its new one",
    "raw/routing-export.csv": "short tickets with their queues, for the second engagement",
    "routing-held-out.jsonl": "and those that were never imported",
    "brief.toml": "what the client wants; edit it and run the commands again",
    "sixfold.toml": "whose proposals these are",
    "estimate.json": "every number of the estimate, each with its formula, inputs, source and price date",
    "proposal.pdf": "what the client gets",
    "proposal.json": "the snapshot that is kept of it: what was said, and from what",
    "sent.pdf": "the proposal that the server sent, byte for byte",
    "certificate.pdf": "who accepted it, when, from where, and which bytes",
    "status.pdf": "the status report as it was issued: what moved since the last one",
    "status-internal.pdf": "the same for the agency, with what was spent and where it will end",
}


def _lay_client_files(folder: Path, *, examples: int, seed: int, on: date) -> None:
    made = tickets(examples, until=on, seed=seed)
    lines = [ticket.as_line() for ticket in track(made, "Tickets", total=examples, console=to_stderr, transient=True)]
    write_whole(folder / "tickets.jsonl", b"".join(lines))
    (folder / RAW).mkdir(exist_ok=True)
    as_sent = raw_files(list(tickets(examples, until=on - STORY, seed=seed)), seed=seed)
    write_together({folder / RAW / name: content for name, content in as_sent.items()})
    write_whole(folder / RAW / CSV_NAME, exported(seed))
    write_whole(folder / HELD_OUT_NAME, held_out(seed))
    brief = example_brief(on)
    for before, after in (
        ("examples = 3200 ", f"examples = {examples} "),
        ('# dataset = "tickets.jsonl"', 'dataset = "tickets.jsonl"  '),
    ):
        assert before in brief
        brief = brief.replace(before, after)
    write_whole(folder / "brief.toml", brief.encode())
    write_whole(folder / "sixfold.toml", _AGENCY.encode())
    size = sum(map(len, lines)) / 1e6
    console.print(
        f"  {examples:,} support tickets of {MONTHS} months with the replies sent, {size:.1f} MB, seed {seed}"
    )


def _steps(on: date) -> tuple[Step, ...]:
    return (
        Step(question="Is the brief sound?", command="sixfold brief check brief.toml"),
        Step(question="Should this client fine-tune at all?", command="sixfold fit brief.toml"),
        Step(question="What is in the file, to the token?", command="sixfold tokens tickets.jsonl --model gpt-4o-mini"),
        Step(
            question="Which card holds the training, and for how long?",
            command="sixfold hardware --model qwen3-8b --method qlora --gpu 4090 --seq 2048 --batch 4 --tokens 2000000",
        ),
        Step(
            question="What does it cost, what does the client pay, and how sure are we?",
            command=f"sixfold estimate brief.toml --on {on} --out estimate.json",
        ),
        Step(
            question="Where does one of these numbers come from?",
            command=f"sixfold estimate brief.toml --on {on} --explain route.tinker.qwen3-8b.lora.run",
        ),
        Step(
            question="And with fewer examples to review, or more?",
            command=f"sixfold compare brief.toml --on {on} --vary data.labelling.examples=1200,3600,7200",
        ),
        Step(
            question="The proposal",
            command=f"sixfold propose brief.toml --on {on} -o proposal.pdf --number P-{on.year}-0001",
        ),
    )


def _take(step: Step) -> None:
    """Show a command and run it in this process; a command that says no ends the demo with its exit code."""
    title(step.question)
    console.print(f"[dim]$[/] [bold cyan]{step.command}[/]\n")
    name, *arguments = shlex.split(step.command)
    code = cli.main(args=arguments, prog_name=name, standalone_mode=False)
    if code:
        raise click.exceptions.Exit(code)
