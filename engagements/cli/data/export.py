"""`sixfold data export`: records in a provider's format, and what the provider would say of the file.

--json   format, provider, output (null where nothing was written), records, lines, left_out, size_bytes,
         loss_counts (records by what they lose), losses (up to 100 of a code, each with number, id, code, where,
         message), prediction_counts, predictions (up to 100 of a code, each with line, id, where, code, effect, exact,
         message, remedy, source)
"""

from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from engagements.cli.data.problems import show_first_problems
from engagements.cli.output import (
    BAD_INPUT,
    answers,
    console,
    json_option,
    leave,
    plain_text,
    print_json,
    to_stderr,
)
from engagements.files import check_targets, write_together
from engagements.phases.data_preparation.formats.exporting import (
    Export,
    ExportRefused,
    as_problem,
    loss_as_problem,
    read_records,
)
from engagements.phases.data_preparation.formats.prediction import Method
from engagements.phases.data_preparation.formats.registry import FORMATS, format_named
from estimator.errors import Severity


@click.command()
@click.argument("records", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "name", required=True, metavar="NAME", help=f"A provider, or one of {', '.join(FORMATS)}.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where to write.")
@click.option("--model", metavar="NAME", help="The model to be tuned; its training context is held against each line.")
@click.option("--method", type=click.Choice([each.value for each in Method]), help="How the job will train.")
@click.option("--ids", type=click.Path(path_type=Path, dir_okay=False), help="Also write which record each line is.")
@click.option("--accept-losses", is_flag=True, help="Write what the format holds; what it cannot hold is left out.")
@click.option("--anyway", is_flag=True, help="Write the file although the provider would refuse it.")
@json_option
@answers
def command(
    records: Path, name: str, output: Path, model: str | None, method: str | None, ids: Path | None,
    accept_losses: bool, anyway: bool, as_json: bool,
) -> None:  # fmt: skip
    """Write RECORDS (canonical JSON Lines) in the format of a provider. Exit code 2: nothing was written."""
    export = Export(
        format_named(name), model=model, method=Method(method) if method else None, accept_losses=accept_losses,
        anyway=anyway,
    )  # fmt: skip
    refused = False
    try:
        _write(export, records, output, ids)
    except ExportRefused:
        if not export.records:
            raise
        refused = True
    if as_json:
        print_json(_as_plain(export, None if refused else output))
    else:
        _show(export, output, refused=refused)
    if refused:
        leave(BAD_INPUT)


def _write(export: Export, records: Path, output: Path, ids: Path | None) -> None:
    """Both files or neither; the ids are known once the rows are written."""
    targets = [output] if ids is None else [output, ids]
    check_targets(*targets, read=[records])
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=to_stderr, transient=True, disable=not to_stderr.is_interactive) as progress:
        task = progress.add_task(f"Writing {plain_text(output.name)}", total=None)

        def show(done: int, whole: int) -> None:
            progress.update(task, completed=done, total=whole)

        # The ids are asked for when the rows are written and known.
        named = {} if ids is None else {ids: export.id_lines()}
        write_together({output: export.pieces(read_records(records, show)), **named})


def _as_plain(export: Export, output: Path | None) -> dict[str, object]:
    return {
        "format": export.format.name,
        "provider": export.format.provider,
        "output": None if output is None else str(output),
        "records": export.records,
        "lines": len(export.ids),
        "left_out": export.left_out,
        "size_bytes": export.size_bytes,
        "loss_counts": dict(export.loss_counts),
        "losses": [
            {
                "number": found.number,
                "id": found.record_id,
                "code": found.loss.code,
                "where": found.loss.where,
                "message": found.loss.message,
            }
            for found in export.losses
        ],
        "prediction_counts": dict(export.prediction_counts),
        "predictions": [
            {
                "line": each.line,
                "id": each.record_id,
                "where": each.where,
                "code": each.code,
                "effect": each.effect.value,
                "exact": each.exact,
                "message": each.message,
                "remedy": each.remedy,
                "source": each.source,
            }
            for each in export.predictions
        ],
    }


def _show(export: Export, output: Path, *, refused: bool) -> None:
    losses, predictions = list(map(loss_as_problem, export.losses)), list(map(as_problem, export.predictions))
    counts = {f"loss.{code}": count for code, count in export.loss_counts.items()} | dict(export.prediction_counts)
    if problems := [*losses, *predictions]:
        show_first_problems(problems, counts)
    if refused:
        unwanted = any(problem.severity is Severity.ERROR for problem in predictions)
        hints = [hint for hint, holds in (("--accept-losses", losses), ("--anyway", unwanted)) if holds]
        to_stderr.print("[bold]nothing was written[/]" + (f" (write it with {' and '.join(hints)})" if hints else ""))
        return
    rest = f", {export.left_out:,} left out" if export.left_out else ""
    console.print(
        f"[bold]{len(export.ids):,} lines[/] of {export.format.name}{rest}, {export.size_bytes / 1e6:,.1f} MB, "
        f"in {plain_text(str(output))}"
    )
