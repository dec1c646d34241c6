"""Texts compared as a person would: case, blanks and punctuation aside.

Two forms, for two questions. `normal_form` takes out all blanks and the final punctuation only: cheap enough for every
message of a file that is counted. `folded` is what duplicates are looked for by: words in a row, where "1.5" is not
"15", "a nice" is not "an ice", and a Cyrillic letter in a Latin word is the Latin one that it looks like.
"""

import re
import unicodedata
from typing import Final

_BLANKS: Final = b" \t\r\n"
_FINAL_PUNCTUATION: Final = b".?!,;:"

# They change what is said: 5% is not 5, C# is not C, a/b is not ab. Underscores stand in names of classes like blanks.
_MEANT: Final = frozenset("%#&@*/\\§‰")
_PUNCTUATION: Final = "".join(
    letter
    for letter in map(chr, (*range(0x3100), *range(0xFE10, 0xFE70), *range(0xFF00, 0xFFF0)))
    if unicodedata.category(letter).startswith("P") and letter not in _MEANT
)
_ASCII_PUNCTUATION: Final = {ord(letter): " " for letter in _PUNCTUATION if letter.isascii()}
_DIGIT: Final = re.compile(r"\d")
# Between digits it is part of the number, and so is a minus or a point that begins one. The set comes first in the
# pattern, for then the engine skips to its next member.
_SEPARATOR: Final = re.compile(rf"[{re.escape(_PUNCTUATION)}](?:(?!\d)|(?<!\d.)(?<![\s(][-.])(?<!^[-.]))", re.DOTALL)
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)

# Letters of two scripts that look alike, as Unicode's confusables.txt (UTS 39) pairs them with small Latin ones.
_LOOK_ALIKES: Final = str.maketrans("авеікмнорстухјѕԁһԛԝοανρτυχικ", "abeikmhopctyxjsdhqwoavptuxik")
_OTHER_SCRIPT: Final = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_MIXED_WORD: Final = re.compile(r"\w*(?:[a-z][\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][a-z])\w*")


def normal_form(text: str) -> bytes:
    """Equal for texts that differ in case, blanks, Unicode form or final punctuation only."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return plain.encode(errors="surrogatepass").translate(None, _BLANKS).rstrip(_FINAL_PUNCTUATION)


def folded(text: str) -> str:
    """The words of a text, in lower case with one blank between them; what is only punctuation stays as it is.

    Equal for texts that differ in case, blanks, punctuation (not inside a number, nor a sign before one), Unicode form,
    characters that cannot be seen, or letters of another script that look the same. Accents stay: they make words.
    """
    plain = text.lower() if text.isascii() else _folded_letters(text)
    if not plain.isascii() or _DIGIT.search(plain):
        words = " ".join(_SEPARATOR.sub(" ", plain).split())
    else:
        words = " ".join(plain.translate(_ASCII_PUNCTUATION).split())
    return words or " ".join(plain.split())


def _folded_letters(text: str) -> str:
    seen = _INVISIBLE.sub("", text)
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return _MIXED_WORD.sub(_as_latin, plain) if _OTHER_SCRIPT.search(plain) else plain


def _as_latin(word: re.Match[str]) -> str:
    return word[0].translate(_LOOK_ALIKES)
