"""One question and one answer under two names: prompt and completion, and the tables that spreadsheets open."""

from dataclasses import dataclass
from typing import Final

from engagements.phases.data_preparation.formats.prediction import Row
from engagements.phases.data_preparation.formats.reading import record_from, said, text_at
from engagements.phases.data_preparation.formats.turns import all_texts, conversation, roles
from engagements.phases.data_preparation.records import Message, Record
from estimator.csv_cells import guarded, unguarded

_COLUMNS: Final = ("system", "input", "output")
CSV_HEAD: Final = b"system,input,output\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two names under which a row holds its texts."""

    question: str
    answer: str

    def detects(self, row: Row) -> bool:
        return isinstance(row.get(self.question), str) and isinstance(row.get(self.answer), str)

    def read(self, row: Row, number: int) -> Record:
        texts = text_at(row, self.question, number), text_at(row, self.answer, number)
        messages: list[Message] = [said("user", texts[0]), said("assistant", texts[1])]
        return record_from(row, number, messages, known=(self.question, self.answer))

    def row_of(self, record: Record) -> Row | None:
        """A system prompt goes in front of the question. None unless all is one question and its answer in text."""
        talk = conversation(record.messages)
        if roles(talk.turns) != ["user", "assistant"] or not all_texts(talk.turns):
            return None
        asked, answered = talk.turns
        question = asked["content"] if talk.system is None else f"{talk.system}\n\n{asked['content']}"
        return {self.question: question, self.answer: answered["content"]}


def detects_table(row: Row) -> bool:
    return row.keys() >= set(_COLUMNS)


def read_table(row: Row, number: int) -> Record:
    system, question, answer = (unguarded(text_at(row, column, number)) for column in _COLUMNS)
    messages: list[Message] = [said("system", system)] if system else []
    messages += [said("user", question), said("assistant", answer)]
    return record_from(row, number, messages, known=_COLUMNS)


def table_row(record: Record) -> Row | None:
    """No cell begins like a formula. None unless all is one question and its answer in text."""
    talk = conversation(record.messages)
    if roles(talk.turns) != ["user", "assistant"] or not all_texts(talk.turns):
        return None
    texts = (talk.system or "", *(turn["content"] for turn in talk.turns))
    return {column: guarded(text) for column, text in zip(_COLUMNS, texts, strict=True)}


def csv_line(row: Row) -> bytes:
    """One line of RFC 4180, every cell in quotes, without its line end. Raises `TypeError` where it is no Unicode."""
    cells = (str(row[column]).replace('"', '""') for column in _COLUMNS)
    try:
        return b'"%s"' % '","'.join(cells).encode()
    except UnicodeEncodeError as error:
        raise TypeError(str(error)) from error
