"""Texts compared as a person would: case, blanks and final punctuation aside."""

import unicodedata
from typing import Final

_BLANKS: Final = b" \t\r\n"
_FINAL_PUNCTUATION: Final = b".?!,;:"


def normal_form(text: str) -> bytes:
    """Equal for texts that differ in case, blanks, Unicode form or final punctuation only."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return plain.encode(errors="surrogatepass").translate(None, _BLANKS).rstrip(_FINAL_PUNCTUATION)
