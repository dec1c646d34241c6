"""What a proposal can be set in: the letters of the fonts it embeds, and words that break before they leave the paper.

A letter that no font holds would be printed as an empty box, and would spoil the text behind all others of its font;
what fonts a machine has besides must make no difference.
"""

import re
import unicodedata
from functools import cache
from typing import Final

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # it carries no types
from markupsafe import Markup, escape

from engagements.rendering import TEMPLATES

WORD_MAX: Final = 200
"""Letters of a word that can be broken anywhere in fair time; WeasyPrint's time grows with their square."""

# Its other weights hold the same letters, and what the serif lacks is set in it.
_FONT: Final = TEMPLATES / "documents" / "fonts" / "SourceSansPro-Regular.otf"
_INVISIBLE: Final = {"Cc", "Cf", "Zl", "Zp"}
_LONG_WORD: Final = re.compile(r"[^ \t\n]{19,}")


def missing_letters(text: str) -> str:
    """The letters of the text that cannot be printed, each once, in their order."""
    if text.isascii():
        return ""
    return "".join(
        letter
        for letter in dict.fromkeys(text)
        if ord(letter) not in _letters() and unicodedata.category(letter) not in _INVISIBLE
    )


def longest_word(text: str) -> int:
    return max(map(len, re.split("[ \t\n]+", text)))


def breakable(text: str) -> Markup:
    """The text for a column of a table, which may be narrower than one of its words.

    Only the long words are marked: to let every one of them break makes a table slow.
    """
    marked = _LONG_WORD.sub(r'<span class="free-text">\g<0></span>', str(escape(text)))
    return Markup(marked)  # noqa: S704  # what a user typed is escaped above


@cache
def _letters() -> frozenset[int]:
    with TTFont(_FONT, lazy=True) as font:
        return frozenset(font.getBestCmap())
