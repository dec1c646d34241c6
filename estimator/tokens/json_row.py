"""The gate for one line of a data set: strict JSON, and a reason when it is not.

orjson parses; it already refuses NaN, numbers out of range and lone surrogates. What it hides is guarded here:
repeated keys (it keeps the last), depth beyond 64, NUL.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

import orjson

from estimator.errors import Problem, Severity
from estimator.tokens.findings import finding

# One bound for requests and data sets alike: what is nested deeper is an attack or an accident.
MAX_DEPTH: Final = 64

BOM: Final = b"\xef\xbb\xbf"
# Possessive, and content with an open end: an unfinished string must not make the search quadratic.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[{\]}]")
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")


@dataclass(frozen=True, slots=True)
class JsonRow:
    """`value` is what the line says, None where nothing can be read (or where it says null)."""

    value: object
    problems: tuple[Problem, ...] = ()


def read_row(line: bytes) -> JsonRow:
    """Parse one line. Never raises: whatever is wrong comes back as problems."""
    try:
        value: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _unreadable(line)
    keys = _keys(value, MAX_DEPTH)
    return JsonRow(None, (_too_deep(),)) if keys is None else JsonRow(value, tuple(_hidden_problems(line, keys)))


def _hidden_problems(line: bytes, keys: int) -> Iterator[Problem]:
    if _may_repeat_keys(line, keys) and (repeated := _repeated_keys(line)):
        yield finding("row.duplicate_key", f"the key {repeated[0]!r} occurs twice in one object")
    if b"\\u0000" in line and _ESCAPED_NUL.search(line):
        yield finding("row.nul_char", "the text holds a NUL character")


def _may_repeat_keys(line: bytes, keys: int) -> bool:
    """False only if no key is repeated, that is, if as many keys were written as `keys` were kept.

    Every key has its colon: as many colons as keys settle it. Texts with colons in them need a closer count: without
    blanks, `":` ends a key, or an escaped quote inside a text, which is taken out again. A key that ends in a backslash
    would spoil that sum, so such a line always counts as doubtful.
    """
    if line.count(b":") == keys:
        return False
    dense = line.translate(None, b" \t\r\n")
    return b'\\\\":' in dense or dense.count(b'":') - dense.count(b'\\":') != keys


_CONTAINERS: Final = (dict, list)


def _keys(value: object, room: int) -> int | None:
    """All keys of all objects in `value`; None where it is nested more than `room` deep."""
    if isinstance(value, dict):
        total, members = len(value), list(value.values())
    elif isinstance(value, list):
        total, members = 0, value
    else:
        return 0
    if not room:
        return None
    for member in members:
        if type(member) in _CONTAINERS:
            below = _keys(member, room - 1)
            if below is None:
                return None
            total += below
    return total


def _repeated_keys(line: bytes) -> list[str]:
    repeated: list[str] = []

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            repeated.extend(key for key in found if keys.count(key) > 1)
        return found

    json.loads(line, object_pairs_hook=members)
    return repeated


def _depth(line: bytes) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", line)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unreadable(line: bytes) -> JsonRow:
    """Why orjson refused the line, in the order in which a person would want to know."""
    if line.startswith(BOM):
        row = read_row(line.removeprefix(BOM))
        return JsonRow(row.value, (finding("row.bom", "a byte order mark stands inside the file"), *row.problems))
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        message = f"byte {error.object[error.start]:#04x} at position {error.start + 1} is not UTF-8"
        return JsonRow(None, (finding("row.malformed_utf8", message),))
    if "\0" in text:
        return JsonRow(None, (finding("row.nul_char", "the line holds a raw NUL byte", severity=Severity.ERROR),))
    if _depth(line) > MAX_DEPTH:
        return JsonRow(None, (_too_deep(),))
    return JsonRow(None, (_syntax_problem(text),))


def _too_deep() -> Problem:
    return finding("row.too_deep", f"nested deeper than {MAX_DEPTH} levels")


def _syntax_problem(text: str) -> Problem:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return finding("row.invalid_json", f"not JSON at character {error.pos + 1}: {_hint(text, error)}")
    except ValueError as error:
        return finding("row.invalid_json", f"not JSON: {error}")
    except RecursionError:
        return _too_deep()
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return finding("row.bad_unicode", "an escape such as \\ud83d stands without its other half")
    return finding("row.invalid_json", "not JSON: a number is out of range")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _hint(text: str, error: json.JSONDecodeError) -> str:
    """What most likely happened at the place where the parser gave up."""
    rest = text[error.pos :].lstrip()
    if "\r" in text[:-1] and error.msg == "Extra data":
        return "rows are separated by carriage returns; separate them by line feeds"
    if error.msg == "Extra data":
        return "a comment follows the object" if rest.startswith(("//", "#")) else "a second value follows the object"
    for start, hint in _HINTS:
        if rest.startswith(start):
            return hint
    if not rest or error.msg.startswith("Unterminated string"):
        return "the line ends in the middle; it was probably cut off"
    return error.msg.lower()


_HINTS: Final = (
    ("'", "single quotes; JSON wants double quotes"),
    ("None", "Python's None; JSON says null"),
    ("True", "Python's True; JSON says true"),
    ("False", "Python's False; JSON says false"),
    ("}", "a comma before the closing bracket"),
    ("]", "a comma before the closing bracket"),
    ("/", "a comment; JSON has none"),
)
