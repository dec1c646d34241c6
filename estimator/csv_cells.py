"""Text in a CSV file that no spreadsheet takes for a formula (OWASP, CSV Injection; ASVS 1.2.10), and back again."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula may begin with: the four signs, their full-width forms, and blanks that a reader skips."""


def guarded(text: str) -> str:
    """What would begin a formula stands behind an apostrophe; so does what begins with apostrophes before it."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
