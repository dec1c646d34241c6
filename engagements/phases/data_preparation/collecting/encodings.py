"""Which encoding a text file is in: said by its first bytes or by the caller; else UTF-8, or refused with a proposal.

A wrong guess teaches a model wrong letters, and nobody notices. So nothing but UTF-8 and what a byte order mark says is
taken for granted; what a file most likely is written in is proposed, and taken where the caller asks for `DETECT`.
Where most rows are UTF-8 and some are not, those are damaged rows and no other encoding.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from engagements.phases.data_preparation.collecting.findings import FileUnreadable, finding
from estimator.tokens.reading import Source, lines_of

UTF8: Final = "utf-8"
DETECT: Final = "detect"
"""Given as an encoding: take the one that is most likely."""

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TOLD_OTHERWISE: Final = [f"utf_{each}" for each in ("8", "16", "16_be", "16_le", "32", "32_be", "32_le", "7")]
_CANARY: Final = b"canary GUID "
"""What benchmarks carry so that nobody trains on them unknowingly (BIG-bench, and those that follow it)."""
_CHUNK_BYTES: Final = 1024 * 1024
_SAMPLE_BYTES: Final = 64 * 1024
_SURVEYED_BYTES: Final = 64 * _CHUNK_BYTES
"""What a file of this size does not show in its beginning, it shows row by row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    """How many lines there are, and how many of them are not UTF-8, with some of these. Beyond ASCII: bytes that belong
    to UTF-8 letters, and places that belong to none."""

    lines: int = 0
    damaged_lines: int = 0
    sound: int = 0
    damaged: int = 0
    sample: bytes = b""


class EncodedSource(Source):
    """A source whose pieces come out as UTF-8. What does not decode comes out as a byte that is no UTF-8 either, so
    that whoever reads the row finds the damage in it. The mark of a benchmark goes to `problems`."""

    encoding: str = UTF8

    def chunks(self, file: BinaryIO) -> Iterator[bytes]:
        end, marked = b"", False
        for piece in self._as_utf8(file):
            if not marked and _CANARY in end + piece:
                marked = True
                self.problems.append(finding("benchmark_canary", "the file carries the mark of a public benchmark"))
            end = piece[1 - len(_CANARY) :]
            yield piece

    def _as_utf8(self, file: BinaryIO) -> Iterator[bytes]:
        pieces = super().chunks(file)
        if self.encoding == UTF8:
            yield from pieces
            return
        decoder = codecs.getincrementaldecoder(self.encoding)("sixfold.damaged")
        for piece in pieces:
            if text := decoder.decode(piece):
                yield text.encode(errors="surrogateescape")
        if text := decoder.decode(b"", final=True):
            yield text.encode(errors="surrogateescape")


def encoding_of(path: Path, head: bytes, *, rows_decide: bool, named: str | None = None) -> str:
    """The encoding to read the file in. `rows_decide`: each row is held against UTF-8 by itself, as in JSON Lines,
    which knows no other encoding; only a file with hardly a sound row is then refused.

    Raises `FileUnreadable`: `not_utf8` with the likely encoding, or an encoding that nobody knows.
    """
    if named is not None and named != DETECT:
        return _known(named)
    if marked := next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None):
        return marked
    if wide := _wide(head):
        if named == DETECT:
            return wide
        raise _refusal(wide, "a NUL stands beside every letter")
    if _is_sound(path):
        return UTF8
    survey = _survey(path)
    few_rows = 2 * survey.damaged_lines <= survey.lines if rows_decide else survey.sound > survey.damaged
    if few_rows or not survey.damaged:
        return UTF8
    likely = likely_encoding(survey.sample)
    if named == DETECT and likely:
        return likely
    raise _refusal(likely, f"{survey.damaged_lines:,} of {survey.lines:,} lines are not")


def likely_encoding(sample: bytes) -> str | None:
    """The encoding that makes most sense of these bytes; None where nothing does."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  # loaded where a file is not UTF-8

    matches = from_bytes(sample, cp_exclusion=_TOLD_OTHERWISE)
    best = matches.best()
    if best is None:
        return None
    # Where several make as much sense, or the very same text, it is the one that most programs write.
    alike = [each for each in matches if (each.chaos, each.coherence) == (best.chaos, best.coherence)]
    return "cp1252" if any("cp1252" in each.could_be_from_charset for each in alike) else best.encoding


def _known(name: str) -> str:
    try:
        "a".encode(name)  # Only an encoding of texts gets through, and "rot13" does not.
    except (LookupError, ValueError):
        message = f"no encoding is called {name!r}"
        raise FileUnreadable(finding("mapping_invalid", message, where="encoding")) from None
    found = codecs.lookup(name).name
    return UTF8 if found == "utf-8-sig" else found


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of a text in Latin letters is NUL."""
    sample = head[:_SAMPLE_BYTES]
    for encoding, letters, zeros in (
        ("utf-16-le", sample[::2], sample[1::2]),
        ("utf-16-be", sample[1::2], sample[::2]),
    ):
        if letters and 10 * zeros.count(0) > 9 * len(zeros) and 10 * letters.count(0) < len(letters):
            return encoding
    return None


def _is_sound(path: Path) -> bool:
    """Whether all that is surveyed is UTF-8, which most files are: seen at once, without looking at lines."""
    decode, left = codecs.getincrementaldecoder(UTF8)().decode, _SURVEYED_BYTES
    try:
        with path.open("rb") as file:
            while left > 0 and (piece := file.read(_CHUNK_BYTES)):
                decode(piece)
                left -= len(piece)
            decode(b"", final=left > 0)
    except UnicodeDecodeError:
        return False
    return True


def _survey(path: Path) -> _Survey:
    lines = damaged_lines = sound = damaged = seen_bytes = 0
    sample = bytearray()
    with path.open("rb") as file:
        for line in lines_of(iter(lambda: file.read(_CHUNK_BYTES), b"")):
            lines += 1
            seen_bytes += len(line.content)
            if not line.content.isascii():
                text = line.content.decode(errors="replace")
                sound += len(line.content) - len(text)
                if "\ufffd" in text and not _is_utf8(line.content):
                    damaged_lines += 1
                    damaged += text.count("\ufffd")
                    sample += line.content[: _SAMPLE_BYTES - len(sample)] + b"\n"
            if seen_bytes > _SURVEYED_BYTES:
                break
    return _Survey(lines=lines, damaged_lines=damaged_lines, sound=sound, damaged=damaged, sample=bytes(sample))


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refusal(likely: str | None, why: str) -> FileUnreadable:
    problem = finding("not_utf8", f"the file is not UTF-8: {why}")
    if likely:
        remedy = f"it reads well as {likely}: name that encoding, or save the file as UTF-8"
        problem = replace(problem, remedy=remedy)
    return FileUnreadable(problem)


def _mark_damage(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error("sixfold.damaged", _mark_damage)
