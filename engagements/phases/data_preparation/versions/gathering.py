"""The accepted examples of an engagement, as they read at one moment: their texts on the disk, the rest in memory."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import IO, Final

import orjson
from sqlmodel import Session, col, select

from engagements.phases.data_preparation.models import Example, ExampleState
from engagements.phases.data_preparation.records import Record, record_of

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted example. `stored_sha256`: as its row has it; `begin`, `size`: its line in the spool."""

    example_id: str
    record_id: str
    sha256: str
    stored_sha256: str
    label: str | None
    source_id: str
    is_edited: bool
    begin: int
    size: int


@dataclass(kw_only=True)
class Gathered:
    """Entries in the order of their record ids. `findings`: by the code of a finding, how many examples have it."""

    entries: list[Entry] = field(default_factory=list)
    findings: Counter[str] = field(default_factory=Counter)
    spool: IO[bytes]

    def line(self, entry: Entry) -> bytes:
        """The example as one line of JSON Lines, with its line end."""
        self.spool.seek(entry.begin)
        return self.spool.read(entry.size)

    def record(self, entry: Entry) -> Record:
        return record_of(orjson.loads(self.line(entry)))


def gather(session: Session, engagement_id: str, spool: IO[bytes], *, on_progress: Callable[[int], None]) -> Gathered:
    """`spool`: an empty file, which has to stay open as long as texts are asked for."""
    made = Gathered(spool=spool)
    for row in _accepted(session, engagement_id):
        made.entries.append(_kept(made, row))
        if len(made.entries) % _PAGE == 0:
            on_progress(len(made.entries))
    made.entries.sort(key=lambda entry: entry.record_id)
    return made


def _kept(made: Gathered, row: Example) -> Entry:
    record = record_of(orjson.loads(row.payload))
    line = record.as_line()
    begin = made.spool.tell()
    made.spool.write(line)
    made.findings.update({finding["code"] for finding in row.findings})
    return Entry(
        example_id=row.id, record_id=row.record_id, sha256=record.content_sha256, stored_sha256=row.sha256,
        label=record.label, source_id=row.source_id, is_edited=row.is_edited,
        begin=begin, size=len(line),
    )  # fmt: skip


def _accepted(session: Session, engagement_id: str) -> Iterable[Example]:
    mine = select(Example).where(
        col(Example.engagement_id) == engagement_id, col(Example.state) == ExampleState.ACCEPTED
    )
    after = ""
    while True:
        page = session.exec(mine.where(col(Example.id) > after).order_by(col(Example.id)).limit(_PAGE)).all()
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].id
        session.expunge_all()
