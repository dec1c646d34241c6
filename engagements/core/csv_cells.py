"""Text in a CSV file that no spreadsheet takes for a formula (OWASP, CSV Injection), and back again."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """What would begin a formula stands behind an apostrophe; so does what begins with one before it."""
    return f"'{text}" if text.removeprefix("'").startswith(_FORMULA) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` was given, without blanks around it."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and text[1:].removeprefix("'").startswith(_FORMULA) else text
