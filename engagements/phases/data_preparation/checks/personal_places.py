"""Postal addresses and telephone numbers: their forms vary, so the words around them decide where the form does not."""

import re
from collections.abc import Iterator, Set
from typing import Final

_CAPITAL: Final = r"[A-ZÀ-ÖØ-ÞĀ-ŽΑ-ΩА-Я]"
_STREET_AFTER: Final = r"(?:street|st\.?|road|rd\.?|avenue|ave\.?|lane|ln|boulevard|blvd\.?)(?!\w)"
_CAPITAL_AFTER: Final = r"(?:Place|Pl|Way|Square|Sq|Drive|Dr|Court|Ct|Terrace|Crescent)\b\.?"
_NO_NAME: Final = r"(?!(?:and|the|on|of|is|in|to|a|an|per|my|his|her|our|this|that|was|are|with|for|or)\b)"
_STREET_END: Final = (
    r"(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee|straat|laan|plein|gata|gatan|vägen|vej|gade|katu|g[üu]rtel)"
)
_BEFORE: Final = "rue avenue boulevard calle avenida plaza piazza viale rua ulica ul πλατεία οδός улица"
_BEFORE_NUMBERED: Final = rf"(?:{_BEFORE.replace(' ', '|')}|place|via|paseo)\.?"
_BEFORE_ALONE: Final = rf"(?:{_BEFORE.replace(' ', '|')})\.?"
_PROPER: Final = rf"(?: (?:de|du|des|del|la|le)){{0,2}}(?: (?-i:{_CAPITAL})[\w.'’-]{{1,20}}){{1,3}}"
_UNIT: Final = r"(?:apt|apartment|suite|unit|flat|appt|wohnung)\.? ?#?\d{1,5}\b"
_NUMBER: Final = r"\b(?:\d{1,4} )?\d{1,5}[a-z]?,?"
_NAMED_STREETS: Final = re.compile(
    rf"{_NUMBER}(?: {_NO_NAME}[\w.'’-]{{1,20}}){{1,4}} {_STREET_AFTER}"
    rf"|{_NUMBER}(?: (?-i:{_CAPITAL})[\w.'’-]{{0,20}}){{1,4}} (?-i:{_CAPITAL_AFTER})"
    rf"|{_NUMBER} {_BEFORE_NUMBERED}{_PROPER}|\b{_BEFORE_ALONE}{_PROPER},? \d{{1,4}}\b"
    rf"|\b{_UNIT}",
    re.IGNORECASE,
)
_JOINED_STREETS: Final = re.compile(rf"\b(?:\d{{1,4}} )?[\w-]{{2,30}}{_STREET_END} \d{{1,4}}[a-z]?\b", re.IGNORECASE)
_STREET_WORDS: Final = frozenset(
    f"street st road rd avenue ave drive dr lane ln place pl boulevard blvd court ct way square sq terrace crescent "
    f"apt apartment suite unit flat appt wohnung {_BEFORE}".split()
)
_STREET_ENDS: Final = (
    "straße ", "strasse ", "str. ", "gasse ", "weg ", "platz ", "allee ", "straat ", "laan ", "plein ", "gata ",
    "gatan ", "vägen ", "vej ", "gade ", "katu ", "gürtel ", "gurtel ",
)  # fmt: skip
# "I live at 87 Jakobi 69, Laane": after such words a number and capitals are an address, up to the end of the sentence.
_AFTER_WORDS: Final = re.compile(
    r"\b(?:address(?:es)?\b[^\n\d]{0,30}?|liv(?:es?|ed|ing) (?:at|in|on)|located at|(?:is|are) at|moved to"
    r"|(?:return|deliver|delivered|ship|shipped|send|sent) (?:it |this )?to)"
    rf"[:\s]{{1,3}}((?:\d{{1,5}}[a-z]?,? ){{1,2}}(?=[^\n]{{0,30}}{_CAPITAL})(?:[^.?!;\n]|(?<=\w)\.(?= )){{3,70}}"
    r"(?:\n[^.?!;]{1,60})?)"
)
_AFTER_SIGNS: Final = frozenset(
    ("address", "addresses", "live", "lives", "lived", "living", "located", "at", "return", "deliver", "delivered",
    "ship", "shipped", "send", "sent", "moved")
)  # fmt: skip
_POST_SIGNS: Final = frozenset(("zip", "post", "postal", "postcode", "plz", "cap", "cp"))
_TAIL: Final = re.compile(
    r"\s+(?:for|in case|and|because|but|so|is|as|instead|please|thanks|when|if|within|by|before)\b.*\Z", re.DOTALL
)
_POSTCODE: Final = re.compile(r"\b(?:zip(?: code)?|post(?:al)? ?code|plz|cap|cp)\b:? ?(\d{4,6})\b", re.IGNORECASE)
# What follows a street up to its post code, on the same lines or on the next.
_TOWN: Final = re.compile(
    r"(?: ?[^\W\d][^\n\d:,]{0,30})?(?: {0,4}[,\n][\s,]{0,6}[^\W\d][^\n\d:,]{0,40}){0,4}\s{1,6}\d{4,6}\b"
)
_LINES: Final = re.compile(r"^\W{0,4}(?:\d{1,4} )?\d{1,5} [^\W\d_][^\n]{2,60}$", re.MULTILINE)
_LAST_LINE: Final = re.compile(r"^[^\n]{0,40}\b(\d{4,6})\s*\Z", re.MULTILINE)

_PHONE: Final = re.compile(r"(?<![\w.,/-])(?:\+|\(\+?)?\d[\d ().-]{5,20}\d(?: ?(?:x|ext\.? ?)\d{1,6})?(?![\w-])")
_PHONE_FORM: Final = re.compile(
    r"\+\d|00[1-9][ -]?\d{2,3}[ -]\d|\(0?\d{2,4}\) ?\d|(?:1[-. ])?\(?[2-9]\d{2}\)?[-. ]\d{3}[-. ]\d{4}(?:\D|\Z)"
    r"|0\d{2,4}[-/ ]\d{3,}"
)
_PHONE_WORDS: Final = re.compile(
    r"\b(?:call(?:ed|ing|s)?|phone|tel|telephone|telefon|mobile|mobil|handy|cell|fax|desk|office|ring|whatsapp|sms"
    r"|text me|dial|reach me|numéro|teléfono)\b"
)
_WORDS_REACH_CHARS: Final = 32
_DATE_LIKE: Final = re.compile(
    r"(?:19|20)\d\d[-./ ](?:0\d|1[0-2])[-./ ]\d\d|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d\b"
    r"|\(?(?:1[5-9]|20)\d\d ?- ?(?:1[5-9]|20)\d\d\b"
)


def addresses(text: str, low: str, words: Set[str]) -> Iterator[slice]:
    """Where streets with their number, units, post codes and whole addresses stand; `text` holds digits."""
    if not words.isdisjoint(_STREET_WORDS):
        yield from _with_town(text, _NAMED_STREETS)
    if any(end in low for end in _STREET_ENDS):
        yield from _with_town(text, _JOINED_STREETS)
    if not words.isdisjoint(_AFTER_SIGNS):
        for match in _AFTER_WORDS.finditer(text):
            cut = _TAIL.sub("", match.group(1)).rstrip(" ,")
            yield slice(match.start(1), match.start(1) + len(cut))
    if not words.isdisjoint(_POST_SIGNS):
        yield from (slice(*match.span(1)) for match in _POSTCODE.finditer(text))
    if text.count("\n") > 1:
        yield from _address_block(text)


def _with_town(text: str, streets: re.Pattern[str]) -> Iterator[slice]:
    for match in streets.finditer(text):
        town = _TOWN.match(text, match.end())
        yield slice(match.start(), town.end() if town else match.start() + len(match.group().rstrip()))


def _address_block(text: str) -> Iterator[slice]:
    """A line that begins with a house number, in a text whose last line ends with a post code."""
    if not text.rstrip()[-1:].isdigit():
        return
    last = _LAST_LINE.search(text)
    first = _LINES.search(text)
    if last and first and first.start() < last.start():
        yield slice(first.start() + len(first.group()) - len(first.group().lstrip(" ?")), last.end(1))


def phone_numbers(text: str, low: str) -> Iterator[slice]:
    """Where telephone numbers stand: written as such, or near a word that says so. A row of digits alone is none."""
    for match in _PHONE.finditer(text):
        written = match.group()
        digits = sum(character.isdigit() for character in written.partition("x")[0])
        if not 7 <= digits <= 15 or _DATE_LIKE.match(written):
            continue
        near = low[max(0, match.start() - _WORDS_REACH_CHARS) : match.end() + _WORDS_REACH_CHARS // 3]
        if _PHONE_FORM.match(written) or _PHONE_WORDS.search(near):
            yield slice(match.start(), match.end())
