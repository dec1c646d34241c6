"""Numbers that a state gives to a person, by the recognisers of Presidio; the only module that knows it.

A recogniser's word on a number counts where the digits check out, or where one of the recogniser's own context words
stands near; a form alone (nine digits) is no finding. Loading Presidio takes two seconds: only a text with a word for
such a number gets that far.
"""

import re
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from presidio_analyzer import PatternRecognizer

_RECOGNISERS: Final = (
    "UsSsnRecognizer", "UsItinRecognizer", "UsPassportRecognizer", "UsLicenseRecognizer", "NhsRecognizer",
    "UkNinoRecognizer", "UkPassportRecognizer", "EsNifRecognizer", "EsNieRecognizer", "ItFiscalCodeRecognizer",
    "PlPeselRecognizer", "FiPersonalIdentityCodeRecognizer", "SePersonnummerRecognizer", "DeTaxIdRecognizer",
    "DeSocialSecurityRecognizer", "DePassportRecognizer", "DeIdCardRecognizer", "InAadhaarRecognizer",
    "InPanRecognizer", "AuTfnRecognizer", "AuMedicareRecognizer", "CaSinRecognizer", "SgFinRecognizer",
)  # fmt: skip
_SIGNS: Final = frozenset(
    ("social", "nhs", "national", "nino", "dni", "nif", "tax", "tfn", "medicare", "nric", "tin", "itin", "identity",
    "permanent")
)  # fmt: skip
# Those that have endings or stand in compounds: "SSNs", "personnummeret", "hetuni", "codicefiscale", "Steuernummer".
_SIGNS_IN_WORDS: Final = (
    "ssn", "licen", "passport", "reisepass", "ausweis", "steuer", "versicherungsnummer", "codice", "pesel", "hetu",
    "personnummer", "aadhaar",
)  # fmt: skip
_NUMBER: Final = re.compile(r"(?:\d[ -]?){6}|\b[A-Z]{6}\d\d[A-Z]|\b(?=[A-Z]*\d[A-Z]*\d)[A-Z\d]{9,11}\b")
_NIE: Final = re.compile(r"[XYZ][ -]?\d{7}")
"""A form as well as its name, which is German for "never"."""
_CERTAIN: Final = 0.5
_CONTEXT_CHARS: Final = 48


def identity_numbers(text: str, low: str, words: Set[str]) -> Iterator[slice]:
    """Where numbers of identity, tax, insurance, passport or licence stand; `text` holds digits."""
    signs = not words.isdisjoint(_SIGNS) or any(sign in low for sign in _SIGNS_IN_WORDS)
    if not (signs and _NUMBER.search(text)) and not ("nie" in words and _NIE.search(text)):
        return
    for recogniser in _recognisers():
        for result in recogniser.analyze(text, recogniser.supported_entities):
            near = low[max(0, result.start - _CONTEXT_CHARS) : result.start] + low[result.end : result.end + 12]
            if result.score >= _CERTAIN or any(_stands_in(word.lower(), near) for word in recogniser.context or ()):
                yield slice(result.start, result.end)


def _stands_in(word: str, near: str) -> bool:
    """As a word of its own; those of four letters and more may be a part of one ("licence" in "licences")."""
    return word in near if len(word) > 3 else word in near.replace("'s", "").replace(":", " ").split()


@cache
def _recognisers() -> tuple["PatternRecognizer", ...]:
    # Deferred: Presidio loads spaCy, which most runs never need.
    with _as_if_missing("torch", "transformers"):
        from presidio_analyzer import predefined_recognizers  # noqa: PLC0415

    return tuple(getattr(predefined_recognizers, name)(supported_language="en") for name in _RECOGNISERS)


@contextmanager
def _as_if_missing(*packages: str) -> Iterator[None]:
    """spaCy and Presidio import these wherever they are installed: six seconds and 300 MB that no recogniser uses."""
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]  # None is how the import system is told
    hidden = [name for name in packages if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
