"""Review without a server: one CSV for each reviewer, read back as answers. Pure, but for the files it is given.

A sheet is what a spreadsheet makes of it when it is saved again: CSV of any separator and encoding, or Excel. Cells
that would begin a formula stand behind an apostrophe on the way out and lose it on the way in.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engagements.core.errors import Invalid
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.records import Record, text_of
from engagements.phases.data_preparation.review.correcting import answered_as, corrected, plain_answer
from engagements.phases.data_preparation.review.measuring import Measure, measures
from engagements.phases.data_preparation.review.rules import (
    DIMENSIONS,
    Answer,
    Decision,
    Outcome,
    handed_out,
    outcome_of,
    why_disputed,
)
from estimator.csv_cells import guarded, unguarded
from estimator.errors import EstimatorError, Problem

SHOWN: Final = ("id", "conversation", "answer", "label")
FILLED: Final = (*DIMENSIONS, "decision", "corrected_answer", "corrected_label", "comment")
COLUMNS: Final = (*SHOWN, *FILLED, "sha256")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", re.ASCII)
_SUFFIXES: Final = frozenset({".csv", ".xlsx"})
_WHOLE: Final = re.compile(r"([1-5])(\.0+)?", re.ASCII)
"""A spreadsheet may write a 5 as 5.0."""
_BOM: Final = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of the machine."""


class SheetsInvalid(EstimatorError):
    """Cells that cannot be what was asked for, or sheets that are not of these records."""

    code = "sheets_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one reviewer is handed: CSV in UTF-8, with as many rows below its head."""

    rows: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetAnswer:
    """One row that was filled in. `after`: the record as the reviewer would have it."""

    reviewer: str
    decision: Decision
    label: str | None
    accuracy: int | None
    consistency: int | None
    completeness: int | None
    format: int | None
    edge_case: int | None
    comment: str
    after: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    id: str
    why: str
    answers: Sequence[SheetAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """`missing`: by reviewer, how many rows are empty still; their examples are neither accepted nor disputed."""

    accepted: Sequence[Record]
    rejected: Sequence[str]
    disputed: Sequence[Dispute]
    missing: Mapping[str, int]
    measures: Sequence[Measure]


def hand_out(records: Sequence[Record], reviewers: Sequence[str], *, overlap: int, seed: int) -> dict[str, Sheet]:
    """The sheet of each reviewer. Raises `SheetsInvalid` for names that are none and for ids that stand twice."""
    by_id = _by_id(records)
    if problems := list(_wrong_names(reviewers, overlap)):
        raise SheetsInvalid(*problems)
    piles = handed_out(list(by_id), reviewers, overlap=overlap, seed=seed)
    return {reviewer: _sheet([by_id[each] for each in pile]) for reviewer, pile in piles.items()}


def collect(records: Sequence[Record], folder: Path, *, seed: int) -> Collected:
    """What the sheets of a folder say, by the rules of every review.

    Raises `SheetsInvalid` with every cell that cannot be read, and what opening a table raises.
    """
    by_id, problems = _by_id(records), list[Problem]()
    answers: dict[str, dict[str, SheetAnswer]] = {}
    needed: dict[str, int] = {}
    missing: dict[str, int] = {}
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not paths:
        message, remedy = "no sheet lies here", "name the folder that the sheets were handed out to"
        raise SheetsInvalid(Problem(code="sheets_missing", where=str(folder), message=message, remedy=remedy))
    for path in paths:
        sheet = _Returned(path, by_id)
        missing[sheet.reviewer] = 0
        for record, answer in sheet.rows():
            needed[record.id] = needed.get(record.id, 0) + 1
            if answer is None:
                missing[sheet.reviewer] += 1
            else:
                answers.setdefault(record.id, {})[sheet.reviewer] = answer
        problems += sheet.problems
    if problems:
        raise SheetsInvalid(*problems)
    return _collected(by_id, answers, needed, missing, seed)


def _collected(
    by_id: Mapping[str, Record],
    answers: Mapping[str, Mapping[str, SheetAnswer]],
    needed: Mapping[str, int],
    missing: Mapping[str, int],
    seed: int,
) -> Collected:
    accepted, rejected, disputed = [], [], []
    for record_id in by_id:
        given = list(answers.get(record_id, {}).values())
        short = [_short(each) for each in given]
        wanted = needed.get(record_id, 0)
        match outcome_of(short, needed=wanted, reviewers=wanted) if given else None:
            case Outcome.ACCEPTED:
                accepted.append(given[0].after)
            case Outcome.REJECTED:
                rejected.append(record_id)
            case Outcome.DISPUTED if len(given) == wanted:
                disputed.append(Dispute(id=record_id, why=why_disputed(short), answers=given))
            case _:
                pass
    whole = [each for record_id, each in answers.items() if len(each) == needed[record_id]]
    return Collected(
        accepted=accepted, rejected=rejected, disputed=disputed, missing=missing,
        measures=list(measures(whole, seed=seed)),
    )  # fmt: skip


def _short(answer: SheetAnswer) -> Answer:
    return Answer(reviewer_id=answer.reviewer, decision=answer.decision, content_sha256=answer.after.content_sha256)


class _Returned:
    """One file that came back; `problems` grows as its rows are read."""

    def __init__(self, path: Path, by_id: Mapping[str, Record]) -> None:
        self.path, self.reviewer, self._by_id = path, path.stem, by_id
        self.problems: list[Problem] = []
        self._seen: set[str] = set()

    def rows(self) -> Iterator[tuple[Record, SheetAnswer | None]]:
        table = open_table(self.path)
        absent = [name for name in ("id", *DIMENSIONS, "decision", "sha256") if name not in table.columns]
        for name in absent:
            self._say("column_missing", name, None, "this column is missing", "leave the columns as they were")
        if absent:
            return
        for row in table:
            if row.value is None:
                self.problems += row.problems
                continue
            cells = {name: unguarded(_text(value)) for name, value in row.value.items()}
            if (record := self._record(cells, row.number)) is not None:
                yield record, self._answer(record, cells, row.number)

    def _record(self, cells: Mapping[str, str], line: int) -> Record | None:
        record = self._by_id.get(cells["id"])
        if record is None:
            self._say(
                "id_unknown", "id", line, f"{cells['id'][:60]!r} is not in the file", "leave the ids as they were"
            )
        elif record.id in self._seen:
            self._say("id_twice", "id", line, f"{record.id!r} stands twice in this sheet", "keep one of the rows")
        elif cells["sha256"] != record.content_sha256:
            message, remedy = "the example does not read as it did when it was handed out", "hand it out anew"
            self._say("content_changed", "sha256", line, message, remedy)
        else:
            self._seen.add(record.id)
            return record
        return None

    def _answer(self, record: Record, cells: Mapping[str, str], line: int) -> SheetAnswer | None:
        """None for a row that nobody has filled in, and for one with faults, which are noted."""
        if not any(cells.get(name) for name in FILLED):
            return None
        before = len(self.problems)
        decision = self._decision(cells["decision"], line)
        scores = {name: self._score(name, cells[name], decision, line) for name in DIMENSIONS}
        after = self._after(record, cells, decision, line)
        if len(self.problems) > before or decision is None:
            return None
        return SheetAnswer(
            **scores, reviewer=self.reviewer, decision=decision, comment=cells.get("comment", ""), after=after,
            label=after.label if decision is Decision.ACCEPT else cells.get("corrected_label") or None,
        )  # fmt: skip

    def _decision(self, cell: str, line: int) -> Decision | None:
        word = cell.lower()
        if word in set(Decision):
            return Decision(word)
        message = f"{cell[:40]!r} is no decision" if cell else "nothing is decided"
        self._say("decision_unknown", "decision", line, message, "write accept, reject or skip")
        return None

    def _score(self, name: str, cell: str, decision: Decision | None, line: int) -> int | None:
        if found := _WHOLE.fullmatch(cell):
            return int(found[1])
        if cell or decision is not Decision.SKIP:
            message = f"{cell[:40]!r} is no score" if cell else "there is no score"
            self._say("score_out_of_range", name, line, message, "write a whole number from 1 to 5")
        return None

    def _after(self, record: Record, cells: Mapping[str, str], decision: Decision | None, line: int) -> Record:
        if decision is not Decision.ACCEPT:
            return record
        edited = answered_as(record, cells.get("corrected_answer") or None)
        try:
            return corrected(record, edited, cells.get("corrected_label") or None)
        except Invalid as refused:
            for each in refused.problems:
                self._say(each.code, "corrected_answer", line, each.message, each.remedy)
            return record

    def _say(self, code: str, column: str, line: int | None, message: str, remedy: str) -> None:
        where = f"{self.path.name}, {column}"
        self.problems.append(Problem(code=code, where=where, line=line, message=message, remedy=remedy))


def _by_id(records: Sequence[Record]) -> dict[str, Record]:
    twice = [record_id for record_id, count in Counter(record.id for record in records).items() if count > 1]
    if twice:
        message, remedy = "this id stands twice in the file", "give each record an id of its own"
        raise SheetsInvalid(*(Problem(code="id_twice", where=each, message=message, remedy=remedy) for each in twice))
    return {record.id: record for record in records}


def _wrong_names(reviewers: Sequence[str], overlap: int) -> Iterator[Problem]:
    for place, name in enumerate(reviewers):
        if not _NAME.fullmatch(name):
            message, remedy = f"{name[:60]!r} cannot name a file", "use letters, digits, - and _"
            yield Problem(code="name_invalid", where="--reviewers", message=message, remedy=remedy)
        elif name.lower() in {each.lower() for each in reviewers[:place]}:
            message, remedy = f"{name!r} is named twice", "name everybody once"
            yield Problem(code="duplicate", where="--reviewers", message=message, remedy=remedy)
    if not 1 <= overlap <= len(reviewers):
        message = f"{overlap} people are to see each example, and {len(reviewers)} are named"
        yield Problem(code="overlap_too_high", where="--overlap", message=message, remedy="name more, or lower it")


def _sheet(records: Sequence[Record]) -> Sheet:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for record in records:
        cells: dict[str, str] = {
            "id": record.id, "conversation": _conversation(record), "answer": plain_answer(record) or record.answer,
            "label": record.label or "", "sha256": record.content_sha256,
        }  # fmt: skip
        writer.writerow(guarded(cells.get(name, "")) for name in COLUMNS)
    return Sheet(rows=len(records), content=(_BOM + out.getvalue()).encode())


def _conversation(record: Record) -> str:
    """Everything before the last answer, each message below who says it."""
    messages = list(record.messages)
    if messages and messages[-1].get("role") == "assistant":
        messages = messages[:-1]
    return "\n\n".join(f"{each.get('role', '')}:\n{text_of(each)}" for each in messages)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
