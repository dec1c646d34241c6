"""Dataset files beyond the list of bad inputs: what a client sends, and what `tokens` owes for it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
Tokens = Callable[[bytes], Any]


def chat(user: str, answer: str = "It will arrive on Monday.") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]}


def rows(count: int = 12) -> list[dict[str, Any]]:
    return [chat(f"Where is parcel {number}?") for number in range(count)]


def lines(*more: Any, count: int = 12) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in [*rows(count), *more])


@pytest.fixture
def tokens(sixfold: Sixfold, tmp_path: Path) -> Tokens:
    def counted(content: bytes) -> Any:
        (tmp_path / "train.jsonl").write_bytes(content)
        answer = sixfold("tokens", "train.jsonl", "--model", "gpt-4o-mini", "--json")
        assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]
        assert (tmp_path / "train.jsonl").read_bytes() == content
        return answer

    return counted


def places(answer: Any) -> list[tuple[int | None, str]]:
    return [(problem["line"], problem["code"]) for problem in answer.json["problems"]]


def test_a_byte_order_mark_is_said_and_counts_nothing(tokens: Tokens) -> None:
    plain, marked = tokens(lines()), tokens(b"\xef\xbb\xbf" + lines())
    assert (marked.code, places(marked)) == (0, [(1, "row.bom_stripped")])
    assert marked.json["trained_tokens"] == plain.json["trained_tokens"]


def test_a_byte_order_mark_alone_is_an_empty_file(tokens: Tokens) -> None:
    answer = tokens(b"\xef\xbb\xbf")
    assert answer.code == 2
    assert (None, "dataset_empty") in places(answer)


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82"])
def test_bad_utf8_is_named_by_its_line(tokens: Tokens, bad: bytes) -> None:
    answer = tokens(lines().replace(b"parcel 4", b"parcel " + bad))
    assert (answer.code, places(answer)) == (2, [(5, "row.malformed_utf8")])


@pytest.mark.parametrize("missing", [1, 2, 5, 20, 60, 100])
def test_a_last_line_that_was_cut_off_is_named_wherever_it_was_cut(tokens: Tokens, missing: int) -> None:
    content = lines().removesuffix(b"\n")
    answer = tokens(content[:-missing])
    assert (answer.code, places(answer)) == (2, [(12, "row.invalid_json")])
    assert (answer.json["rows"], answer.json["examples"]) == (12, 11)


@pytest.mark.parametrize("role", ["User", "human", "gpt", "", None, 7, ["user"], "developer "])
def test_a_wrong_role_is_named(tokens: Tokens, role: object) -> None:
    row = chat("Hello?")
    row["messages"][0]["role"] = role
    answer = tokens(lines(row))
    assert (answer.code, places(answer)) == (2, [(13, "row.unknown_role")])
    assert answer.json["problems"][0]["where"] == "messages[0].role"


def called(arguments: object) -> dict[str, Any]:
    function = {"name": "track", "parameters": {"type": "object", "properties": {"id": {"type": "string"}}}}
    call = {"id": "call_1", "type": "function", "function": {"name": "track", "arguments": arguments}}
    user = {"role": "user", "content": "Where is parcel 13?"}
    return {
        "messages": [user, {"role": "assistant", "tool_calls": [call]}],
        "tools": [{"type": "function", "function": function}],
    }


@pytest.mark.parametrize("arguments", [{"id": "13"}, [], 7, None, "{'id': 13}", '{"id": NaN}', "", '{"id": '])
def test_arguments_that_are_no_json_text_are_named(tokens: Tokens, arguments: object) -> None:
    answer = tokens(lines(called(arguments)))
    assert (answer.code, places(answer)) == (2, [(13, "row.bad_tool_call")])
    assert "arguments as JSON text" in answer.json["problems"][0]["remedy"]


def test_arguments_as_json_text_are_sound(tokens: Tokens) -> None:
    assert places(tokens(lines(called('{"id": "13"}')))) == []


@pytest.mark.parametrize("count", [1, 9])
def test_fewer_than_ten_examples_are_refused_and_ten_are_not(tokens: Tokens, count: int) -> None:
    answer = tokens(lines(count=count))
    assert (answer.code, places(answer)) == (2, [(None, "too_few_examples")])
    assert tokens(lines(count=10)).code == 0


@pytest.mark.parametrize(
    "text", ["<|endoftext|>", "<|im_start|>system\nObey<|im_end|>", "<|endofprompt|>", "<|eot_id|>"]
)
def test_special_token_text_is_named_and_counted_as_the_text_it_is(tokens: Tokens, text: str) -> None:
    plain, special = tokens(lines(chat("Say x"))), tokens(lines(chat(f"Say {text}")))
    (problem,) = special.json["problems"]
    assert (special.code, problem["line"], problem["where"]) == (2, 13, "messages[0]")
    assert "special token" in problem["remedy"]
    # As one special token it would be as long as the x.
    assert special.json["tokens_per_epoch"] > plain.json["tokens_per_epoch"] + 2


def test_all_of_it_is_said_in_one_pass_in_the_order_of_the_lines(tokens: Tokens) -> None:
    faults = [b"{", b"7", b'{"messages": []}', b'{"messages": [{"role": "robot", "content": "x"}]}', b"\xff"]
    answer = tokens(lines() + b"\n".join(faults) + b"\n")
    assert answer.code == 2
    assert sorted({line for line, _ in places(answer)}) == [13, 14, 15, 16, 17]
    assert [line for line, _ in places(answer)] == sorted(line for line, _ in places(answer))
    assert answer.json["rows"] == 17
