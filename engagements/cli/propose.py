"""`sixfold propose`: the proposal as PDF, with the snapshot that is kept beside it.

--json   pdf, snapshot (the files written), sha256, bytes (of the PDF), number, version, stage (draft or final), issued,
         valid_until, option (the recommended one), net, gross, currency
"""

from datetime import date
from pathlib import Path
from typing import Final

import click

from engagements.cli.book import own_price_files, price_book, prices_option
from engagements.cli.dataset import counted_dataset, dataset_file
from engagements.cli.estimate import seed_option, show_notes
from engagements.cli.output import (
    NO,
    answers,
    brief_argument,
    console,
    json_option,
    leave,
    on_option,
    plain_text,
    print_json,
    print_refusal,
    show_problems,
    to_stderr,
)
from engagements.documents.pdf import start
from engagements.files import check_targets, write_together
from engagements.proposals.document import Look, proposal_document
from engagements.proposals.lint import lint
from engagements.proposals.view import ProposalView
from engagements.proposals.writing import Issue, write_proposal
from engagements.settings import SETTINGS_FILE, read_settings
from estimator import Estimate, estimate
from estimator.brief import load_brief
from estimator.errors import Problem
from estimator.fit import Verdict

_LINE_MAX: Final = 200


class Words(click.ParamType[str]):
    """A line that a client reads: not blank, at most 200 characters, none that steers a terminal or turns the text."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not text or len(text) > _LINE_MAX or not text.isprintable():
            self.fail(f"{value!r} is no line of 1 to {_LINE_MAX} printable characters", param, ctx)
        return text


@click.command()
@brief_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The PDF to write."
)
@click.option(
    "--number",
    type=Words(),
    metavar="TEXT",
    help="The proposal's number, such as P-2026-0007; without one it is a draft.",
)
@click.option(
    "--version",
    type=click.IntRange(1, 999),
    metavar="N",
    default=1,
    show_default=True,
    help="Of this proposal, as its cover says.",
)
@click.option(
    "--supersedes",
    type=Words(),
    metavar="TEXT",
    help="What this version replaces, such as 'version 1 of 2 March 2026'.",
)
@click.option(
    "--despite",
    type=Words(),
    metavar="REASON",
    help="Propose although the verdict is no; the reason stands in the proposal.",
)
@on_option
@seed_option
@prices_option
@json_option
@answers
def command(
    brief: Path,
    output: Path,
    number: str | None,
    version: int,
    supersedes: str | None,
    despite: str | None,
    on: date,
    seed: int,
    price_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Write the proposal of BRIEF as PDF, and its snapshot as JSON beside it.

    Exit code 1: the answer is no, or the proposal has a hole; then nothing is written.
    """
    start()
    settings = read_settings()
    snapshot = _snapshot(output)
    read = load_brief(brief)
    sources = [brief, dataset_file(read, brief), *own_price_files(price_files), SETTINGS_FILE]
    check_targets(output, snapshot, read=[*sources, settings.agency.logo, settings.agency.terms])
    prices = price_book(price_files)
    with to_stderr.status("Estimating"):
        result = estimate(read, prices, on=on, seed=seed, dataset=counted_dataset(read, brief))
    _refuse_a_no(result, despite, as_json=as_json)
    issue = Issue(number=number or "", version=version, supersedes=supersedes or "", despite=despite or "")
    view = write_proposal(result, settings.agency, issue)
    _refuse(lint(view), as_json=as_json)
    with to_stderr.status("Rendering"):
        document = proposal_document(view, Look.of(settings.agency))
    write_together({output: document.pdf, snapshot: document.snapshot_bytes})
    show_notes(result, title="Before it is sent", to=to_stderr)
    if not settings.agency.is_named:
        to_stderr.print("Signed Sixfold: name your agency with SIXFOLD_AGENCY__NAME or in sixfold.toml.")
    if as_json:
        print_json(_as_plain(view, output, snapshot, document.sha256, len(document.pdf)))
    else:
        offer, net = view.price.options[view.price.recommended], view.price.nets[view.price.recommended]
        written = f"[bold]{plain_text(str(output))}[/]: {offer.name} at {net.amount:,.2f} {net.currency} net"
        console.print(f"{written}, valid until {view.control.valid_until}")
        console.print(f"[dim]sha256 {document.sha256}, snapshot in {plain_text(str(snapshot))}[/]")


def _snapshot(output: Path) -> Path:
    """The snapshot takes the PDF's name and must not fall on it."""
    snapshot = output.with_suffix(".json")
    if output == snapshot:
        pdf = output.with_suffix(".pdf")
        raise click.UsageError(f"{output} is the snapshot's name; name the PDF, such as -o {pdf}")
    return snapshot


def _refuse_a_no(result: Estimate, despite: str | None, *, as_json: bool) -> None:
    """A proposal needs a verdict that is not no (or a reason to go on), and a route to stand on."""
    problems = []
    if result.fit.verdict is Verdict.DO_NOT_FINE_TUNE and not despite:
        remedy = "offer what serves the client better, or go on with --despite REASON"
        problems.append(Problem(code="fit.no", message=result.fit.headline, remedy=remedy))
    if result.chosen is None:
        problems += [Problem(code=f.code, message=f.message, remedy=f.remedy) for f in result.findings]
    _refuse(problems, as_json=as_json)


def _refuse(problems: list[Problem], *, as_json: bool) -> None:
    if not problems:
        return
    if as_json:
        print_refusal("proposal_refused", problems)
    else:
        to_stderr.print("[bold]Not written:[/] this proposal may not be sent as it is.")
        show_problems(problems)
    leave(NO)


def _as_plain(view: ProposalView, output: Path, snapshot: Path, sha256: str, size: int) -> dict[str, object]:
    recommended = view.price.recommended
    return {
        "pdf": str(output),
        "snapshot": str(snapshot),
        "sha256": sha256,
        "bytes": size,
        "number": view.control.number,
        "version": view.control.version,
        "stage": view.control.stage.value,
        "issued": view.control.issued.isoformat(),
        "valid_until": view.control.valid_until.isoformat(),
        "option": view.price.options[recommended].id,
        "net": f"{view.price.nets[recommended].amount:f}",
        "gross": f"{view.price.grosses[recommended].amount:f}",
        "currency": view.price.currency,
    }
