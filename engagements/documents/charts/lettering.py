"""How wide text is in the document's own font, and how a long name is broken to fit.

Widths are read from the font files that the PDF embeds, so a label takes the room that was kept for it. WeasyPrint
sets the letters of a drawing one by one, without kerning: a width is the sum of the advances.
"""

import re
import struct
import unicodedata
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from engagements.rendering import TEMPLATES

FONTS: Final = TEMPLATES / "documents" / "fonts"
FAMILY: Final = "Source Sans Pro"
# Of the font, in ems (its hhea table and cap height): the room a line needs above and below its baseline.
ASCENT: Final = 0.75
DESCENT: Final = 0.25
LINE_HEIGHT: Final = 1.25
_ELLIPSIS: Final = "…"
# A character that the font lacks is set in a fallback font; none of those is wider than this.
_WIDEST: Final = 1.1


class Weight(StrEnum):
    """The two weights of a drawing, by their font files."""

    REGULAR = "SourceSansPro-Regular.otf"
    SEMIBOLD = "SourceSansPro-Semibold.otf"


def width_of(text: str, size: float, weight: Weight = Weight.REGULAR) -> float:
    """In the unit of `size`."""
    advances = _advances(FONTS / weight)
    return sum(advances.get(ord(letter), _WIDEST) for letter in text) * size


def plain(text: str) -> str:
    """Composed characters, single spaces, none at the ends; spaces that do not break stay as they are."""
    return re.sub("[ \t\r\n]+", " ", unicodedata.normalize("NFC", text)).strip(" ")


def broken(text: str, size: float, width: float, weight: Weight = Weight.REGULAR, *, lines: int = 2) -> list[str]:
    """The text on at most so many lines of that width, cut with an ellipsis where it does not fit."""
    words = plain(text).split(" ")
    rows: list[str] = []
    while words and len(rows) < lines - 1:
        row = words.pop(0)
        while words and width_of(f"{row} {words[0]}", size, weight) <= width:
            row = f"{row} {words.pop(0)}"
        rows.append(cut(row, size, width, weight))
    if words:
        rows.append(cut(" ".join(words), size, width, weight))
    return rows


def cut(text: str, size: float, width: float, weight: Weight = Weight.REGULAR) -> str:
    """As much of the text as fits, an ellipsis for the rest."""
    if width_of(text, size, weight) <= width:
        return text
    while text and width_of(text + _ELLIPSIS, size, weight) > width:
        text = text[:-1].rstrip()
    return text + _ELLIPSIS


@cache
def _advances(path: Path) -> dict[int, float]:
    """Advance widths in ems by code point, from the OpenType tables `head`, `hhea`, `hmtx` and `cmap` (format 12)."""
    font = path.read_bytes()
    tables = {tag: offset for tag, _, offset, _ in struct.iter_unpack(">4sIII", font[12 : 12 + 16 * _u16(font, 4)])}
    units_per_em = _u16(font, tables[b"head"] + 18)
    metrics = _u16(font, tables[b"hhea"] + 34)
    widths = [_u16(font, tables[b"hmtx"] + 4 * index) / units_per_em for index in range(metrics)]
    cmap = tables[b"cmap"]
    records = struct.iter_unpack(">HHI", font[cmap + 4 : cmap + 4 + 8 * _u16(font, cmap + 2)])
    subtable = cmap + next(offset for platform, encoding, offset in records if (platform, encoding) == (3, 10))
    (groups,) = struct.unpack_from(">I", font, subtable + 12)
    return {
        code: widths[min(glyph + code - first, metrics - 1)]
        for first, last, glyph in struct.iter_unpack(">III", font[subtable + 16 : subtable + 16 + 12 * groups])
        for code in range(first, last + 1)
    }


def _u16(font: bytes, offset: int) -> int:
    return int.from_bytes(font[offset : offset + 2], "big")
