"""Repair of text that was read in a wrong encoding, by ftfy; always a proposal, for a person or a policy to take over.

What only looks typographic (curly quotes, ligatures, full-width letters) is left as it is: it is no damage.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from engagements.phases.data_preparation.records import Record, text_of
from estimator.tokens.mojibake import may_be_misread

if TYPE_CHECKING:
    from ftfy import TextFixerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a text would read after its repair."""

    where: str
    before: str
    after: str


def repaired(text: str) -> str | None:
    """The text as it was before it was damaged; None where nothing seems to be."""
    if text.isascii() and "&" not in text and text.isprintable():
        return None
    import ftfy  # noqa: PLC0415  # loads tables of encodings that most runs never need

    after = ftfy.fix_text(text, _config())
    return after if after != text else None


def is_misread(text: str) -> bool:
    """Whether the text seems to have been read in a wrong encoding.

    Of the cases of ftfy's own tests (74dd0452b482) 66 of 70 found in the wild are, and 1 of 31 that are none.
    """
    if text.isascii() or not may_be_misread(text):
        return False
    import ftfy  # noqa: PLC0415  # as above

    return ftfy.fix_encoding(text) != text


def repairs_of(record: Record) -> Iterator[Repair]:
    """Proposals for the messages of a record."""
    for index, message in enumerate(record.messages):
        text = text_of(message)
        if after := repaired(text):
            yield Repair(where=f"messages[{index}]", before=text, after=after)


@cache
def _config() -> "TextFixerConfig":
    import ftfy  # noqa: PLC0415  # as above

    return ftfy.TextFixerConfig(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False)
