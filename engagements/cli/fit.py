"""`sixfold fit`: a verdict with reasons, what is missing, and when to stop.

--json   verdict (fine_tune, prove_first, do_not_fine_tune), approach, headline, scores, reasons, missing,
         stop_condition, stop_at_percent, readiness, ready
"""

from pathlib import Path

import click

from engagements.cli.output import (
    NO,
    answers,
    brief_argument,
    console,
    json_option,
    leave,
    plain_text,
    print_json,
    table_of,
)
from estimator.brief import load_brief
from estimator.fit import FitReport, Verdict, assess_fit
from estimator.plain import plain

COLOURS = {Verdict.FINE_TUNE: "green", Verdict.PROVE_FIRST: "yellow", Verdict.DO_NOT_FINE_TUNE: "red"}
_MARKS = {True: "[green]yes[/]", False: "[red]no[/]", None: "[yellow]unknown[/]"}


@click.command()
@brief_argument
@json_option
@answers
def command(brief: Path, as_json: bool) -> None:
    """Should this client fine-tune at all? Exit code 1: better not."""
    report = assess_fit(load_brief(brief))
    if as_json:
        data = plain(report)
        assert isinstance(data, dict)
        print_json({**data, "ready": report.ready})
    else:
        show_fit(report)
    if report.verdict is Verdict.DO_NOT_FINE_TUNE:
        leave(NO)


def show_fit(report: FitReport) -> None:
    console.print(f"[bold {COLOURS[report.verdict]}]{report.headline}[/]")
    for reason in report.reasons:
        console.print(f"  {plain_text(reason)}")
    rows = [(score.approach.words, str(score.score), "; ".join(score.reasons[:3])) for score in report.scores]
    console.print(table_of("\nScores", ["approach", "of 100", "most of all because"], rows, numeric=[1]))
    checks = [(c.name, _MARKS[c.ready], plain_text(c.finding), plain_text(c.remedy)) for c in report.readiness]
    console.print(table_of("\nReadiness", ["what", "ready", "finding", "remedy"], checks))
    if report.missing:
        console.print("\n[bold]Still to find out[/]")
        for question in report.missing:
            console.print(f"  {question}")
    console.print(f"\n[bold]When to stop[/]\n  {plain_text(report.stop_condition)}")
