import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from estimator.errors import Severity
from estimator.tokens.json_row import MAX_DEPTH, read_row

KEYS = st.text(alphabet='ab\\":,{} \t', max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(alphabet='ab\\":,{}[] \n\u0000é', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def codes(line: bytes) -> list[str]:
    return [problem.code for problem in read_row(line).problems]


@pytest.mark.shared_data
def test_every_parsing_case_gets_its_verdict(shared_data: Path) -> None:
    cases = [json.loads(line) for line in (shared_data / "sets/23_json_parsing/cases.jsonl").read_bytes().splitlines()]
    assert len(cases) == 318
    for case in cases:
        found = read_row(base64.b64decode(case["bytes_base64"])).problems
        refused = any(problem.severity is Severity.ERROR for problem in found)
        assert case["expect"] not in ("accept", "reject") or refused == (case["expect"] == "reject"), case["name"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"a": "\xff"}', "row.malformed_utf8"),
        (b'{"a": "\\ud800"}', "row.bad_unicode"),
        (b'{"a": "\x00"}', "row.nul_char"),
        (b'{"a": "\\u0000"}', "row.nul_char"),
        (b'{"a": "\\\\\\u0000"}', "row.nul_char"),
        (b'\xef\xbb\xbf{"a": 1}', "row.bom"),
        (b'{"a": 1, "a": 2}', "row.duplicate_key"),
        (b'{"a" : 1, "b": {"c":1,"c" :2}}', "row.duplicate_key"),
        (b'{"a": NaN}', "row.invalid_json"),
        (b'{"a": -Infinity}', "row.invalid_json"),
        (b'{"a": 1e999}', "row.invalid_json"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "row.invalid_json"),
        (b"", "row.invalid_json"),
        (b'{"a": 1}{"a": 1}', "row.invalid_json"),
        (b"[" * 100_000, "row.too_deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "row.too_deep"),
    ],
)
def test_what_a_lenient_parser_lets_through_is_named(line: bytes, code: str) -> None:
    assert codes(line) == [code]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (b'{"a": 1} // checked', "a comment follows"),
        (b'{"a": 1} {"a": 2}', "a second value follows"),
        (b'{"a": 1}\r{"a": 2}', "carriage returns"),
        (b"{'a': 1}", "single quotes"),
        (b'{"a": None}', "Python's None"),
        (b'{"a": 1,}', "a comma before the closing bracket"),
        (b'{"a": "cut', "cut off"),
        (b'{"a": 1', "cut off"),
    ],
)
def test_a_syntax_error_says_what_probably_happened(line: bytes, hint: str) -> None:
    (problem,) = read_row(line).problems
    assert problem.code == "row.invalid_json"
    assert hint in problem.message


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": "\\\\u0000"}',  # a backslash, then u0000
        b'{"a\\\\":1,"b":"c\\":d"}',
        b'{"a": "x : y", "b" : "\\": \\" :"}',
        b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH,
        b'{"a": "' + b"[" * 200 + b'"}',
        b'  {"a": 1}\r',
    ],
)
def test_what_only_looks_odd_is_let_through(line: bytes) -> None:
    assert codes(line) == []


@given(JSON, st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
@example({"a\\": 1, '":': '":'}, (",", ":"))
def test_a_value_without_repeated_keys_is_never_accused_of_them(value: Any, separators: tuple[str, str]) -> None:
    row = read_row(json.dumps(value, separators=separators).encode())
    assert row.value == value
    assert "row.duplicate_key" not in [problem.code for problem in row.problems]


@given(st.dictionaries(KEYS, JSON, min_size=1, max_size=3), st.data())
def test_a_repeated_key_is_always_found(members: dict[str, Any], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(sorted(members)))
    pairs = [*members.items(), (again, data.draw(JSON))]
    line = "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"
    assert "row.duplicate_key" in codes(f'{{"outer":[{line}]}}'.encode())


@given(st.binary(max_size=200))
def test_random_bytes_never_crash(line: bytes) -> None:
    assert isinstance(read_row(line).problems, tuple)


def test_an_unfinished_string_of_backslashes_is_read_in_linear_time() -> None:
    assert codes(b'{"a": "' + b"\\" * 200_001) == ["row.invalid_json"]
