"""`sixfold data check`: what is wrong with the examples of a file, example by example and as a set; what to mend first.

--json   file, sha256, rows_in, kept, dropped (by reason), problems (of the reading, up to 100 of a code), records,
         usable, counts (examples by code), findings (of each code: group, severity, examples, remedy, first places),
         scores (mean, p10, by_ten), fix_first, heat_map (by, columns, rows), balance, conflicts, conflicts_found,
         vocabulary, coverage, volume, lengths, languages, languages_sampled, licences, sources, notes
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from engagements.cli.data.problems import show_first_problems
from engagements.cli.output import (
    NO,
    answers,
    console,
    json_option,
    leave,
    number,
    plain_text,
    print_json,
    problem_as_plain,
    table_of,
    to_stderr,
)
from engagements.files import check_targets, write_whole
from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.heat_map import HeatMap
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.checks.policy_file import load_policy
from engagements.phases.data_preparation.checks.report import CheckReport, CodeCount, Place
from engagements.phases.data_preparation.checks.set_check import SetCheck
from engagements.phases.data_preparation.checks.volume import Sufficiency
from engagements.phases.data_preparation.collecting.encodings import DETECT
from engagements.phases.data_preparation.collecting.importing import Import, RowAccount
from engagements.phases.data_preparation.records import Origin, Task
from engagements.rendering import environment
from estimator.errors import EstimatorError, Severity
from estimator.tokens.models import model_tokens

_PLACES_SHOWN: Final = 5
_FIXES_SHOWN: Final = 8
_HEAT: Final = ((0.5, "bold red"), (0.2, "red"), (0.05, "yellow"), (0.0, "green"))
"""Styles by the share of examples with a finding, from a share on."""


class DataRefused(EstimatorError):
    """A file of which not one row could be read as an example."""

    code = "data_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    file: str
    sha256: str
    account: RowAccount
    report: CheckReport

    @property
    def has_errors(self) -> bool:
        """An example, a row or the file as a whole that cannot be trained on."""
        if self.report.errors or self.report.volume.sufficiency is Sufficiency.REFUSED:
            return True
        return any(problem.severity is Severity.ERROR for problem in self.account.problems)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--task", type=click.Choice([each.value for each in Task]), help="What is to be learnt (default: found).")
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path, dir_okay=False), help="What is asked, as TOML."
)
@click.option("--model", metavar="NAME", help="The model to be tuned; decides how long an example may be.")
@click.option("--licence", default="", metavar="NAME", help="What allows the use of the examples.")
@click.option("--encoding", metavar="NAME", help=f"Of a file that is not UTF-8; {DETECT!r} takes the likely one.")
@click.option(
    "--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Also write the report as a page."
)
@json_option
@answers
def command(
    file: Path, task: str | None, policy_file: Path | None, model: str | None, licence: str, encoding: str | None,
    page: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Check FILE, raw or imported. Exit code 1: errors stand; 2: it cannot be read."""
    if model is not None:
        model_tokens(model)
    if page is not None:
        check_targets(page, read=[file, policy_file])
    policy = load_policy(policy_file) if policy_file else CheckPolicy()
    policy = replace(policy, model=model or policy.model, task=Task(task) if task else policy.task)
    checked = _check(file, policy, Origin(source=file.name, licence=licence), encoding)
    if page is not None:
        write_whole(page, _as_page(checked).encode())
    if as_json:
        print_json(_as_plain(checked))
    else:
        _show(checked)
    if checked.has_errors:
        leave(NO)


def _check(file: Path, policy: CheckPolicy, origin: Origin, encoding: str | None) -> _Checked:
    """Raises `DataRefused` with what the reading said where not one example was found."""
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=to_stderr, transient=True, disable=not to_stderr.is_interactive) as progress:
        bar = progress.add_task(f"Checking {plain_text(file.name)}", total=None)

        def show(done: int, whole: int) -> None:
            progress.update(bar, completed=done, total=whole)

        reading = Import(file, task=policy.task, encoding=encoding, origin=origin, on_progress=show)
        policy = replace(policy, task=policy.task or reading.mapping.task)
        checks = SetCheck(policy)
        for record in reading:
            checks.add(record, check_record(record, policy))
    account = reading.account
    if not account.kept:
        raise DataRefused(*account.problems)
    return _Checked(file=file.name, sha256=reading.table.sha256, account=account, report=checks.report())


def _as_plain(checked: _Checked) -> dict[str, object]:
    account = checked.account
    return {
        "file": checked.file, "sha256": checked.sha256, "rows_in": account.rows_in, "kept": account.kept,
        "dropped": dict(account.dropped), "problems": [problem_as_plain(problem) for problem in account.problems],
        **checked.report.to_json(),
    }  # fmt: skip


def _as_page(checked: _Checked) -> str:
    template = environment().get_template("documents/check_report.html")
    return template.render(
        report=checked.report, account=checked.account, file=checked.file, sha256=checked.sha256, places=_places
    )


def _show(checked: _Checked) -> None:
    report, account = checked.report, checked.account
    dropped = sum(account.dropped.values())
    lost = f", [red]{dropped:,} rows dropped[/]" if dropped else ""
    usable = f"[red]{report.usable:,} usable[/]" if report.errors else "all usable"
    console.print(f"[bold]{report.records:,} examples[/], {usable}{lost}; mean score {number(report.scores.mean, 1)}")
    console.print(plain_text(report.volume.said))
    if account.problems:
        show_first_problems(account.problems, Counter(account.dropped) + Counter(account.warnings))
    if report.findings:
        console.print(_findings_table(report.findings))
        console.print(_heat_table(report.heat_map))
        console.print(_fixes_table(report))
    for said in _said_of_the_set(report):
        console.print(f"  {plain_text(said)}")


def _findings_table(findings: tuple[CodeCount, ...]) -> Table:
    rows = [
        (_severity(each.severity), each.code, number(each.examples), plain_text(_places(each.first)), each.remedy)
        for each in findings
    ]
    return table_of("Findings", ("", "code", "examples", "first rows", "remedy"), rows, numeric=(2,))


def _severity(severity: Severity) -> str:
    return f"[{'red' if severity is Severity.ERROR else 'yellow'}]{severity}[/]"


def _places(places: tuple[Place, ...]) -> str:
    """By the row in the source where that is known, else by the number in the set."""
    shown = ", ".join(str(place.row or place.number) for place in places[:_PLACES_SHOWN])
    return f"{shown} ..." if len(places) > _PLACES_SHOWN else shown


def _heat_table(heat: HeatMap) -> Table:
    """Shares of examples with a finding, coloured; a group of checks in which nothing was found has no column."""
    table = table_of(f"Where, by {heat.by}", (), ())
    for name, right in [(heat.by, "left"), ("examples", "right"), *((group.value, "right") for group in heat.columns)]:
        table.add_column(name, justify="right" if right == "right" else "left", overflow="fold")
    for row in heat.rows:
        cells = [Text(f"{100 * share:.0f}%" if share else "-", style=_style(share)) for share in row.shares]
        table.add_row(plain_text(row.name), number(row.examples), *cells)
    return table


def _style(share: float) -> str:
    return next(style for least, style in _HEAT if share > least) if share else "dim"


def _fixes_table(report: CheckReport) -> Table:
    rows = [
        (str(place), each.code, number(each.examples), each.effect, each.remedy)
        for place, each in enumerate(report.fix_first[:_FIXES_SHOWN], 1)
    ]
    return table_of("Mend first", ("", "what", "examples", "effect", "how"), rows, numeric=(0, 2))


def _said_of_the_set(report: CheckReport) -> list[str]:
    said = list(report.balance.warnings) if report.balance else []
    if report.conflicts_found:
        said.append(f"inputs that are answered in more than one way: {report.conflicts_found:,}")
    said += [f"{each.missing:,} more examples needed of {each.name}" for each in report.coverage if each.missing]
    said += [
        f"{100 * each.share:.1f}% of the words of {each.split} never stand in training: {', '.join(each.examples[:5])}"
        for each in report.vocabulary.unseen
    ]
    return [*said, *report.notes]
