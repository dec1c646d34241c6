import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import BriefInvalid
from estimator.tokens import (
    auto_epochs,
    billed_training_tokens,
    encoding_for,
    epochs_of,
    trained_tokens,
)

GPT_4O = "gpt-4o-mini-2024-07-18"
TEXTS = st.text(alphabet="abc def.\n", max_size=40)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS}), max_size=5
)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def cookbook_count(row: dict[str, Any], encoding: Any) -> int:
    """The counter most people know: it does not see tools and calls."""
    values = [value for message in row["messages"] for value in message.values() if isinstance(value, str)]
    return 3 + 3 * len(row["messages"]) + sum(map(encoding.count, values))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "model", "epochs", "billed"),
    [
        ("derpies.jsonl", GPT_4O, 4, 6_104),
        ("drone_training_2024-07.jsonl", "gpt-3.5-turbo-0125", 3, 145_983),
        ("clippy.jsonl", "gpt-4o-mini", 1, 478),
    ],
)
def test_billed_jobs_are_reproduced_to_the_token(
    shared_data: Path, file: str, model: str, epochs: int, billed: int
) -> None:
    rows = rows_of(shared_data / "trained_tokens" / file)
    tokens = [billed_training_tokens(row, encoding_for(model)) for row in rows]
    assert trained_tokens(tokens, epochs=epochs) == billed


@pytest.mark.shared_data
def test_a_counter_that_ignores_tools_misses_82_percent(shared_data: Path) -> None:
    rows = rows_of(shared_data / "trained_tokens/drone_training_2024-07.jsonl")
    blind = 3 * sum(cookbook_count(row, encoding_for("gpt-3.5-turbo-0125")) for row in rows)
    assert round(100 * (1 - blind / 145_983)) == 82


@pytest.mark.shared_data
def test_the_cookbook_total_is_two_higher_per_plain_example(shared_data: Path) -> None:
    encoding = encoding_for("gpt-3.5-turbo")
    rows = rows_of(shared_data / "sets/14_cookbook_toy/toy_chat_fine_tuning.jsonl")
    expected = json.loads((shared_data / "sets/14_cookbook_toy/expected.json").read_text("utf-8"))
    totals = expected["recomputed_here"]["total_tokens"]
    assert [cookbook_count(row, encoding) for row in rows] == totals
    named = [any("name" in message for message in row["messages"]) for row in rows]
    ours = [billed_training_tokens(row, encoding) for row in rows]
    assert [total - 2 for total, has_name in zip(totals, named, strict=True) if not has_name] == [
        tokens for tokens, has_name in zip(ours, named, strict=True) if not has_name
    ]


def test_an_example_costs_one_and_each_message_three(sound_row: Callable[..., dict[str, Any]]) -> None:
    # 1 + (3 + user + hi) + (3 + assistant + hello), every word one token.
    assert billed_training_tokens(sound_row("hi", "hello"), encoding_for(GPT_4O)) == 11


def test_weight_0_is_billed_and_a_name_counts(sound_row: Callable[..., dict[str, Any]]) -> None:
    row, encoding = sound_row("hi", "hello"), encoding_for(GPT_4O)
    row["messages"][1]["weight"] = 0
    assert billed_training_tokens(row, encoding) == 11
    row["messages"][0]["name"] = "ann"
    assert billed_training_tokens(row, encoding) == 11 + encoding.count("ann")


def test_parts_count_by_their_text_and_calls_by_name_and_arguments() -> None:
    encoding = encoding_for(GPT_4O)
    call = {"name": "reorder", "arguments": '{"sku":"A4"}'}
    parts = {"role": "user", "content": [{"type": "text", "text": "Reorder "}, {"type": "text", "text": "A4"}]}
    tools_row = {"messages": [parts, {"role": "assistant", "tool_calls": [{"id": "c", "function": call}]}]}
    legacy_row = {"messages": [parts, {"role": "assistant", "content": None, "function_call": call}]}
    expected = 1 + 2 * 4 + sum(map(encoding.count, ("Reorder ", "A4", "reorder", '{"sku":"A4"}')))
    assert billed_training_tokens(tools_row, encoding) == expected
    assert billed_training_tokens(legacy_row, encoding) == expected


def test_what_exceeds_the_training_context_is_not_billed(sound_row: Callable[..., dict[str, Any]]) -> None:
    row, encoding = sound_row("a " * 500, "b"), encoding_for(GPT_4O)
    assert billed_training_tokens(row, encoding, limit=100) == 100
    assert trained_tokens([40, 65_536, 70_000], epochs=2, limit=65_536) == 2 * (40 + 65_536 + 65_536)


@given(st.lists(MESSAGES, max_size=6), st.randoms())
def test_counting_adds_up_over_rows_in_any_order(conversations: list[list[Any]], rng: Any) -> None:
    encoding = encoding_for(GPT_4O)
    each = [billed_training_tokens({"messages": messages}, encoding) for messages in conversations]
    total = trained_tokens(each, epochs=3)
    rng.shuffle(conversations)
    again = [billed_training_tokens({"messages": messages}, encoding) for messages in conversations]
    assert total == 3 * sum(again)


@given(MESSAGES, MESSAGES)
def test_an_example_is_the_sum_of_its_messages(first: list[Any], second: list[Any]) -> None:
    encoding = encoding_for(GPT_4O)
    both, one, two = (
        billed_training_tokens({"messages": messages}, encoding) for messages in (first + second, first, second)
    )
    assert both == one + two - 1


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [
        (10, 10),
        (20, 5),
        (25, 4),
        (33, 3),
        (34, 3),
        (103, 3),
        (8_333, 3),
        (8_334, 2),
        (12_501, 1),
        (20_000, 1),
        (25_001, 1),
    ],
)
def test_automatic_epochs_are_those_of_openai(examples: int, epochs: int) -> None:
    assert auto_epochs(examples) == epochs
    assert epochs_of("auto", examples) == epochs


@pytest.mark.parametrize("epochs", [1, 50])
def test_set_epochs_are_taken(epochs: int) -> None:
    assert epochs_of(epochs, 25) == epochs


@pytest.mark.parametrize("epochs", [0, -1, 51])
def test_epochs_outside_1_to_50_are_refused(epochs: int) -> None:
    with pytest.raises(BriefInvalid) as refusal:
        epochs_of(epochs, 25)
    assert refusal.value.problems[0].code == "epochs.out_of_range"
