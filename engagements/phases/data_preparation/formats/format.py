"""What a format is: how a row of it becomes a record and back, what it cannot hold, and what its provider would say."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.formats.prediction import Judge, Method, PredictedError, Row, Rules
from engagements.phases.data_preparation.formats.reading import RowUnreadable, unreadable
from engagements.phases.data_preparation.formats.sameness import Loss, losses_between
from engagements.phases.data_preparation.records import Record

_LEFT_OUT: Final = "the format has no place for this example: it is left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One record in a format: its row, the bytes of it (None where it has no place there), and what they lost."""

    row: Row | None
    content: bytes | None
    losses: list[Loss]


_NOWHERE: Final = Written(row=None, content=None, losses=[Loss(code="record", where="", message=_LEFT_OUT)])


def as_json(row: Row) -> bytes:
    """The row as compact JSON. Raises `TypeError` for what JSON cannot hold, such as half of a surrogate pair."""
    return orjson.dumps(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format of one provider; rows of it are objects as JSON or CSV has them.

    `row_of` writes as much of a record as the format holds, and nothing of its id, group, origin or meta; None where
    the record has no place in it. `reads` is `read` before it takes care of what is no row at all. `head`, `between`
    and `tail` stand around the rows.
    """

    name: str
    provider: str
    extension: str = "jsonl"
    detects: Callable[[Row], bool]
    reads: Callable[[Row, int], Record]
    row_of: Callable[[Record], Mapping[str, Any] | None]
    encode: Callable[[Row], bytes] = as_json
    head: bytes = b""
    between: bytes = b"\n"
    tail: bytes = b"\n"
    rules: Rules = field(default_factory=Rules)

    def read(self, row: Row, row_number: int) -> Record:
        """The record of a row; rows count from 1. Raises `RowUnreadable` for what is no row of this format."""
        try:
            return self.reads(row, row_number)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"the row is no {self.name}: {error!r}"
            raise unreadable("row.bad_message", message, row_number) from error

    def written(self, record: Record) -> Written:
        """Everything about one record in this format. What is no chat at all has no place in any."""
        try:
            row = self.row_of(record)
            if row is None:
                return _NOWHERE
            return Written(row=row, content=self.encode(row), losses=losses_between(record, self.read(row, 1)))
        except (RowUnreadable, AttributeError, KeyError, TypeError, ValueError):
            return _NOWHERE

    def write(self, record: Record) -> bytes | None:
        """The row of one record, without a line end; None where the format has no place for it."""
        return self.written(record).content

    def losses(self, record: Record) -> list[Loss]:
        """What would not come back if the record were written and read again; empty only if all of it would."""
        return self.written(record).losses

    def write_file(self, records: Iterable[Record]) -> Iterator[bytes]:
        """The pieces of a file; records that have no place in the format are left out."""
        contents = (content for record in records if (content := self.write(record)) is not None)
        return self.enclosed(contents)

    def enclosed(self, contents: Iterable[bytes]) -> Iterator[bytes]:
        """Rows with what stands around and between them; no rows are an empty file, with its head where it has one."""
        yield self.head
        rows = iter(contents)
        if (first := next(rows, None)) is not None:
            yield first
            yield from itertools.chain.from_iterable((self.between, row) for row in rows)
            yield self.tail
        elif self.tail != b"\n":
            yield self.tail

    def judge(self, *, model: str | None = None, method: Method | None = None) -> Judge:
        """What the provider would say, to be asked row by row while a file is written."""
        return Judge(self.provider, self.rules, model=model, method=method)

    def predict(
        self, records: Iterable[Record], *, model: str | None = None, method: Method | None = None
    ) -> list[PredictedError]:
        """What the provider would say of the file that these records become, in its words where they are known."""
        judge = self.judge(model=model, method=method)
        for record in records:
            written = self.written(record)
            if written.row is not None and written.content is not None:
                judge.add(record.id, written.row, written.content)
        return judge.close()
