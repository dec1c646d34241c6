"""Where in the user's own file the other side found fault. Its words are only read to help: nothing is decided by them.

The forms are those that were seen (formats and training reference, section 4).
"""

import re
from typing import Final

_LINES: Final = re.compile(r"\b[Ff]lagged lines?:?\s*((?:\d{1,9}(?:\s*,\s*|\s+and\s+)?)+)")
_LINE: Final = re.compile(r"\b[Ll]ine (\d{1,9})\b")
_EXAMPLE: Final = re.compile(r"\b[Ee]xample (\d{1,9})(?:, message (\d{1,9}))?")
_NAMED_MAX: Final = 20


def where_in_the_file(message: str) -> str:
    """For people, "" where it names no place. A line is one of the file, from 1; an example is a line that is not
    blank, and whether the other side counts from 0 or from 1 it does not say."""
    if found := _LINES.search(message):
        lines = sorted({int(each) for each in re.findall(r"\d+", found[1])})
        more = f" and {len(lines) - _NAMED_MAX} more" if len(lines) > _NAMED_MAX else ""
        return f"look at {_plural('line', lines[:_NAMED_MAX])}{more} of the file that was sent"
    if found := _EXAMPLE.search(message):
        example = int(found[1])
        message_of = f", its message {found[2]}" if found[2] else ""
        if example == 0:
            return f"look at line 1 of the file that was sent{message_of}, counted from 0"
        return f"look at line {example} of the file that was sent{message_of}; if they count from 0, line {example + 1}"
    if found := _LINE.search(message):
        return f"look at line {int(found[1])} of the file that was sent"
    return ""


def _plural(word: str, numbers: list[int]) -> str:
    return f"{word}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
