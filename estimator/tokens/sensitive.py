"""Personal data and secrets in a text, found by their shape and, where there is one, by their check digits.

Every repetition in the patterns is bounded, so that no text makes a search quadratic.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

_EMAIL: Final = re.compile(r"(?<=[\w%+-])@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")

_LOCAL_PART: Final = re.compile(r"[\w.%+-][\w.%+'-]{0,63}\Z")

# Patterns that begin with a set of characters are searched for several times faster than those that begin with \\b.
_DIGIT_RUN: Final = re.compile(r"[0-9][0-9 -]{11,}+")
_MAX_RUN: Final = 64
_CARD: Final = re.compile(r"(?<![0-9])[2-6][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{4,5}(?:[ -]?[0-9]{1,7})?(?![0-9])")
# Visa, Mastercard, American Express, Discover, JCB, Diners: first digits and lengths (ISO/IEC 7812 registrants).
_CARD_RANGES: Final = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    r"|3[47][0-9]{13}|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}|35[0-9]{14}|3(?:0[0-5]|[68][0-9])[0-9]{11}"
)

_NO_DIGITS: Final = bytes(set(range(256)) - set(b"0123456789"))

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
# Characters of an IBAN by country (ISO 13616 registry), the countries our clients bank in.
_IBAN_COUNTRIES: Final = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT",
    26: "IS TR", 27: "FR GR IT MC SM", 28: "AL AZ CY DO GT HU LB PL", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT",
}  # fmt: skip
_IBAN_LENGTHS: Final = {code: length for length, codes in _IBAN_COUNTRIES.items() for code in codes.split()}

# By a character or sign that is quick to look for: secrets that cannot do without it.
_SECRETS: Final = (
    ("-", ("k-", "xox", "glpat-", "--BEGIN"), re.compile(
        r"\b[spr]k-(?:[A-Za-z0-9]{1,20}[-_]){0,4}[A-Za-z0-9]{16}"  # OpenAI, Anthropic
        r"|\bxox[abprs]-[A-Za-z0-9-]{10}|\bglpat-[\w-]{20}"  # Slack, GitLab
        r"|-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----")),
    ("_", ("_",), re.compile(
        r"[spr]k_(?:[A-Za-z0-9]{1,20}[-_]){0,4}[A-Za-z0-9]{16}"  # Stripe
        r"|gh[pousr]_[A-Za-z0-9]{30}|github_pat_\w{30}|hf_[A-Za-z0-9]{30}")),  # GitHub, Hugging Face
    ("A", ("A",), re.compile(r"A(?:KIA|SIA)[A-Z0-9]{16}\b|AIza[\w-]{30}")),  # AWS, Google
    ("J", ("eyJ",), re.compile(r"\beyJ[\w-]{10,2000}\.eyJ[\w-]{10}")),  # JSON Web Token
)  # fmt: skip
_CHARS_OF_A_SECRET: Final = 15
_NAMED_SECRET_SIGNS: Final = ("key", "secret", "token", "passw")
_REST_OF_A_KEY: Final = re.compile(r"(?:[\w-]|\.(?=\w)){0,4000}")
_REST_OF_A_PRIVATE_KEY: Final = re.compile(
    r"[A-Za-z0-9+/=\s:,-]{0,8000}?-----END [A-Z ]{1,60}-----|[A-Za-z0-9+/=\s]{0,8000}"
)
_REST_OF_A_VALUE: Final = re.compile(r"[^\s\"'<>{}()]{0,4000}")
_CHARS_OF_A_NAMED_SECRET: Final = 10
_NAMED_SECRET: Final = re.compile(
    r"\b(?:api[_ -]?key|access[_ -]?key|secret|token|password|passwd)\b[\"' ]{0,3}[:=][\"' ]{0,3}"
    r"(?=[^\s\"']{0,60}[0-9])[^\s\"'<>{}()]{10}",
    re.IGNORECASE,
)


def sensitive(text: str) -> str | None:
    """What personal data or secrets the text holds."""
    # Deleting all other bytes is the quickest way to see whether a text has digits enough to be worth a search.
    digits = len(text.encode(errors="replace").translate(None, _NO_DIGITS))
    if not digits and "@" not in text:
        return None
    found = [kind for kind, (min_digits, check) in _KINDS.items() if digits >= min_digits and check(text)]
    return f"the text holds {', '.join(found)}" if found else None


def has_email(text: str) -> bool:
    return "@" in text and _EMAIL.search(text) is not None


def emails(text: str) -> Iterator[slice]:
    """Where e-mail addresses stand, from the local part to the end of the domain."""
    for match in _EMAIL.finditer(text) if "@" in text else ():
        if local := _LOCAL_PART.search(text, max(0, match.start() - 64), match.start()):
            yield slice(local.start(), match.end())


def has_card_number(text: str) -> bool:
    """A number in the range of a card brand whose Luhn digit is right."""
    return next(card_numbers(text), None) is not None


def card_numbers(text: str) -> Iterator[slice]:
    """Where card numbers stand, with the blanks and hyphens in them."""
    for run in _DIGIT_RUN.finditer(text):
        if len(run.group()) > _MAX_RUN or not _stands_alone(run):
            continue
        for match in _CARD.finditer(run.group()):
            if _is_card(re.sub(r"[ -]", "", match.group())):
                yield slice(run.start() + match.start(), run.start() + match.end())


def has_iban(text: str) -> bool:
    """An international bank account number whose check digits are right (ISO 13616: remainder 1 modulo 97)."""
    return next(ibans(text), None) is not None


def ibans(text: str) -> Iterator[slice]:
    """Where bank account numbers stand, with the blanks in them."""
    for match in _IBAN.finditer(text):
        if _stands_alone(match) and _iban_checks(match.group().replace(" ", "")):
            length = _IBAN_LENGTHS[match.group()[:2]]
            places = [place for place, character in enumerate(match.group(), match.start()) if character != " "]
            yield slice(match.start(), places[length - 1] + 1)


def has_secret(text: str) -> bool:
    """A key or token of a service that marks its keys, a private key, or a value that is called a key or password."""
    if len(text) < _CHARS_OF_A_SECRET:
        return False
    for character, signs, pattern in _SECRETS:
        if character in text and any(sign in text for sign in signs) and pattern.search(text):
            return True
    if ":" not in text and "=" not in text:
        return False
    low = text.lower()
    return any(sign in low for sign in _NAMED_SECRET_SIGNS) and _NAMED_SECRET.search(low) is not None


def secrets(text: str) -> Iterator[slice]:
    """Where keys and tokens stand, to their end; of a private key all of it, of a named value the value."""
    if len(text) < _CHARS_OF_A_SECRET:
        return
    for character, signs, pattern in _SECRETS:
        for match in pattern.finditer(text) if character in text and any(sign in text for sign in signs) else ():
            rest = (_REST_OF_A_PRIVATE_KEY if match.group().startswith("--") else _REST_OF_A_KEY).match(
                text, match.end()
            )
            yield slice(match.start(), rest.end() if rest else match.end())
    if (":" in text or "=" in text) and any(sign in text.lower() for sign in _NAMED_SECRET_SIGNS):
        for match in _NAMED_SECRET.finditer(text):
            rest = _REST_OF_A_VALUE.match(text, match.end())
            yield slice(match.end() - _CHARS_OF_A_NAMED_SECRET, rest.end() if rest else match.end())


# How many digits a text must have for the check to be worth while: an IBAN has letters too.
_KINDS: Final[dict[str, tuple[int, Callable[[str], bool]]]] = {
    "an e-mail address": (0, has_email),
    "a card number": (13, has_card_number),
    "a bank account (IBAN)": (8, has_iban),
    "a key or secret": (1, has_secret),
}


def _stands_alone(match: re.Match[str]) -> bool:
    """Not a part of a longer number or word."""
    before, after = match.string[max(0, match.start() - 1) : match.start()], match.string[match.end() : match.end() + 1]
    return not (
        before.isalnum() or before in ("_", ".", ",", "-") or (match.group()[-1:].isalnum() and after.isalnum())
    )


def _is_card(digits: str) -> bool:
    return _CARD_RANGES.fullmatch(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(number - 9 * (number > 9) for number in doubled)) % 10 == 0


def _iban_checks(found: str) -> bool:
    """`found` may run on into the next word: the country says where the number ends."""
    iban = found[: _IBAN_LENGTHS.get(found[:2], 0)]
    return bool(iban) and int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1
