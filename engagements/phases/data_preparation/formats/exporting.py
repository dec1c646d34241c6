"""Records written in a provider's format, piece by piece, with everything said that is lost or would be refused."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import orjson

from engagements.phases.data_preparation.formats.format import Format
from engagements.phases.data_preparation.formats.prediction import MAX_LISTED, Effect, Method, PredictedError
from engagements.phases.data_preparation.formats.reading import RowUnreadable
from engagements.phases.data_preparation.formats.sameness import Loss
from engagements.phases.data_preparation.records import Record, record_of
from estimator.errors import EstimatorError, Problem, Severity
from estimator.tokens.json_row import read_row
from estimator.tokens.reading import Line, OnProgress, Source, rows

_REMEDY_NO_RECORD: Final = "make records of the file first: sixfold data import FILE -o records.jsonl"
_REMEDY_LOSS: Final = "choose a format that holds it, take it out of the records, or accept the loss"


class ExportRefused(EstimatorError):
    """Nothing was written: the format cannot hold what is there, or its provider would refuse it."""

    code = "export_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLoss:
    """One loss of one record; `number` is where the record stands among those given, from 1."""

    number: int
    record_id: str
    loss: Loss


class Export:
    """One export. Its account is complete when the pieces have been taken, or when they have refused to come."""

    def __init__(
        self, form: Format, *, model: str | None = None, method: Method | None = None,
        accept_losses: bool = False, anyway: bool = False,
    ) -> None:  # fmt: skip
        self.format, self._accept_losses, self._anyway = form, accept_losses, anyway
        self._judge = form.judge(model=model, method=method)
        self.records = self.left_out = self.size_bytes = 0
        self.ids: list[str] = []
        self.losses: list[RecordLoss] = []
        self.loss_counts: Counter[str] = Counter()
        """Of each code of loss, how many records have it."""
        self.predictions: list[PredictedError] = []

    @property
    def prediction_counts(self) -> Counter[str]:
        return self._judge.counts

    def pieces(self, records: Iterable[Record]) -> Iterator[bytes]:
        """The pieces of the file. The last one does not come where something is lost that was not accepted, or where
        the provider would refuse the file and nobody wants it anyway.

        Raises `ExportRefused`, after all records have been looked at.
        """
        for piece in self.format.enclosed(self._contents(records)):
            self.size_bytes += len(piece)
            yield piece
        self.predictions = self._judge.close()
        if problems := list(self._refusals()):
            raise ExportRefused(*problems)

    def id_lines(self) -> Iterator[bytes]:
        """Which record each line of the file is, for a file of its own: no provider's file carries our ids."""
        for line, identity in enumerate(self.ids, start=1):
            yield orjson.dumps({"line": line, "id": identity}, option=orjson.OPT_APPEND_NEWLINE)

    def _contents(self, records: Iterable[Record]) -> Iterator[bytes]:
        for record in records:
            self.records += 1
            written = self.format.written(record)
            if written.losses:
                self._add_losses(record, written.losses)
            if written.row is None or written.content is None:
                self.left_out += 1
                continue
            self.ids.append(record.id)
            self._judge.add(record.id, written.row, written.content)
            yield written.content

    def _add_losses(self, record: Record, losses: list[Loss]) -> None:
        for code in {loss.code for loss in losses}:
            self.loss_counts[code] += 1
            if self.loss_counts[code] <= MAX_LISTED:
                first = next(loss for loss in losses if loss.code == code)
                self.losses.append(RecordLoss(number=self.records, record_id=record.id, loss=first))

    def _refusals(self) -> Iterator[Problem]:
        if not self.records:
            yield Problem(code="dataset_empty", message="there are no records", remedy="give a file with records")
        if not self._accept_losses:
            yield from map(loss_as_problem, self.losses)
        if not self._anyway:
            yield from (as_problem(each) for each in self.predictions if each.effect is Effect.REFUSED)


def loss_as_problem(found: RecordLoss) -> Problem:
    return Problem(
        code=f"loss.{found.loss.code}", message=found.loss.message, remedy=_REMEDY_LOSS, where=found.loss.where,
        line=found.number,
    )  # fmt: skip


def as_problem(predicted: PredictedError) -> Problem:
    """A prediction as a problem: the provider's words in quotes, or "about" and ours where they are not known."""
    said = f'"{predicted.message}"' if predicted.exact else f"about: {predicted.message}"
    severity = Severity.ERROR if predicted.effect is Effect.REFUSED else Severity.WARNING
    return Problem(
        code=predicted.code, message=f"{predicted.provider}: {said}", remedy=predicted.remedy, where=predicted.where,
        line=predicted.line, severity=severity,
    )  # fmt: skip


def read_records(path: Path, on_progress: OnProgress | None = None) -> Iterator[Record]:
    """The records of a file of canonical records, line by line.

    Raises `RowUnreadable` at its end with every line that is none, or with what is wrong with the file as a whole, and
    `DatasetUnreadable` where there is no such file.
    """
    source = Source(path, on_progress)
    problems, is_jsonl = list[Problem](), False
    for line in rows(source):
        is_jsonl = True  # or an array: its records are read like records on lines
        if line.problem or not line.content.isspace():
            try:
                yield _record(line)
            except RowUnreadable as error:
                problems += error.problems
    for each in source.problems:
        if each.code == "not_jsonl":
            problems += [] if is_jsonl else [replace(each, remedy=_REMEDY_NO_RECORD)]
        elif each.severity is Severity.ERROR:
            problems.append(each)
    if problems:
        raise RowUnreadable(*problems)


def _record(line: Line) -> Record:
    if line.problem:
        raise RowUnreadable(line.problem)
    try:
        return record_of(orjson.loads(line.content))
    except orjson.JSONDecodeError as error:
        raise RowUnreadable(*_at(line.number, read_row(line.content).problems)) from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        message = f"the line is no record: {why}"
        problem = Problem(code="row.not_record", message=message, remedy=_REMEDY_NO_RECORD, line=line.number)
        raise RowUnreadable(problem) from error


def _at(line: int, problems: Iterable[Problem]) -> list[Problem]:
    return [replace(problem, line=line) for problem in problems]
