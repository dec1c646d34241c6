"""Plain text into rows: a line each; or, where every line is a word and its tag (CoNLL), a sentence each."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from engagements.phases.data_preparation.collecting.encodings import EncodedSource
from engagements.phases.data_preparation.collecting.findings import finding
from engagements.phases.data_preparation.collecting.rows import Row, damaged, undecodable
from estimator.errors import Problem
from estimator.tokens.json_row import BOM
from estimator.tokens.reading import Line, lines_of

TEXT_COLUMNS: Final = ("text",)
TAGGED_COLUMNS: Final = ("tokens", "tags")


def is_tagged(head: bytes) -> bool:
    """Whether the lines of this beginning are words with a tag behind them, sentences parted by blank lines."""
    lines = head.removeprefix(BOM).splitlines()[:1000]
    filled = [line.rstrip().rsplit(maxsplit=1) for line in lines if line.strip()]
    tags = [line[-1] for line in filled if len(line) == 2]
    if len(lines) == len(filled) or len(tags) < 0.95 * len(filled):
        return False
    return all(tag == b"O" or tag[:2] in (b"B-", b"I-", b"E-", b"S-", b"L-", b"U-") for tag in tags)


def read_lines(source: EncodedSource) -> Iterator[Row]:
    """Every line that holds something, as the column `text`."""
    with source.path.open("rb") as file:
        for line in _lines(source, file):
            text, problem = _text_of(line)
            if problem:
                yield damaged(line.number, problem)
            elif text and not text.isspace():
                yield Row(line.number, {"text": text})


def read_tagged(source: EncodedSource) -> Iterator[Row]:
    """Every sentence as the columns `tokens` and `tags`; its number is that of its first line."""
    with source.path.open("rb") as file:
        sentence: list[Line] = []
        for line in _lines(source, file):
            if line.content.strip() or line.problem:
                sentence.append(line)
            elif sentence:
                yield _sentence(sentence)
                sentence = []
        if sentence:
            yield _sentence(sentence)


def _lines(source: EncodedSource, file: BinaryIO) -> Iterator[Line]:
    lines = lines_of(source.chunks(file))
    for line in lines:
        if line.number == 1 and line.content.startswith(BOM):
            source.problems.append(finding("row.bom_stripped", "the file begins with a byte order mark", line=1))
            yield Line(1, line.content.removeprefix(BOM))
        else:
            yield line


def _text_of(line: Line) -> tuple[str, Problem | None]:
    if line.problem:
        return "", line.problem
    try:
        text = line.content.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        return "", undecodable(error, line.number)
    if "\0" in text:
        return "", finding("row.nul_char", "the line holds a raw NUL byte", line=line.number)
    return text, None


def _sentence(lines: Sequence[Line]) -> Row:
    texts = [_text_of(line) for line in lines]
    if problems := [problem for _, problem in texts if problem]:
        return damaged(lines[0].number, *problems)
    fields = [text.split("\t") if "\t" in text else text.split() for text, _ in texts]
    value = {"tokens": [each[0] for each in fields], "tags": [each[-1] if len(each) > 1 else "O" for each in fields]}
    return Row(lines[0].number, value)
