"""OpenAI's notebook, reproduced to the digit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagements.phases.data_preparation.formats.cookbook import check, check_file
from engagements.phases.data_preparation.formats.word_counts import WordCounts
from estimator.tokens.encodings import encoding_named

CL100K = encoding_named("cl100k_base")
TURNS = [{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "Blue."}]


@pytest.mark.shared_data
def test_the_toy_set_gives_every_figure_that_the_notebook_printed(shared_data: Path) -> None:
    folder = shared_data / "sets/14_cookbook_toy"
    expected = json.loads((folder / "expected.json").read_bytes())
    found = check_file(folder / "toy_chat_fine_tuning.jsonl", limit_tokens=4_096)
    assert (found.examples, found.format_errors) == (expected["num_examples"], expected["format_errors"])
    assert (found.missing_system, found.missing_user) == (expected["missing_system"], expected["missing_user"])
    assert found.over_limit == expected["over_4096"]
    assert found.billing_tokens == expected["billing_tokens_at_4096"]
    assert (found.epochs, found.charged_tokens) == (expected["default_epochs"], expected["charged_tokens"])
    for name, low, high in (
        ("messages_per_example", "printed_p5(q0.1)", "printed_p95(q0.9)"),
        ("total_tokens_per_example", "q0.1", "q0.9"),
        ("assistant_tokens_per_example", "q0.1", "q0.9"),
    ):
        spread, printed = getattr(found, name.replace("total_", "")), expected[name]
        assert [spread.least, spread.most, spread.mean, spread.median, spread.p10, spread.p90] == pytest.approx(
            [printed[key] for key in ("min", "max", "mean", "median", low, high)], rel=1e-12
        )


@pytest.mark.shared_data
def test_the_words_of_every_text_set_add_up_to_what_tiktoken_counts(shared_data: Path) -> None:
    for file in ("24_naughty_strings", "30_pii_small", "25_mojibake", "08_sharegpt_dummy"):
        for path in sorted((shared_data / "sets" / file).iterdir()):
            texts = path.read_bytes().decode("utf-8", "replace").splitlines() or [""]
            assert WordCounts().counts([text.encode() for text in texts]).tolist() == CL100K.counts(texts).tolist()


@given(
    st.lists(
        st.text(st.sampled_from(" \t\n\r\u00a0\u3000\0ab'sZé漢12345678.,!<|>-\U0001f600"), max_size=30), max_size=8
    )
)
@settings(max_examples=100, deadline=None)
def test_words_counted_once_add_up_to_the_tokens_of_any_text(texts: list[str]) -> None:
    assert WordCounts().counts([text.encode() for text in texts]).tolist() == [CL100K.count(text) for text in texts]


VALUES = st.none() | st.just("") | st.text("ab 1.", min_size=1, max_size=12)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["system", "user", "assistant", "function", "tool", "robot"]),
        "content": VALUES,
        "name": st.just("ana"),
        "tool_calls": st.just("[]"),
        "weight": st.just("1"),
        "function_call": st.just("{}"),
    },
)
ROWS = st.one_of(
    st.fixed_dictionaries({"messages": st.lists(MESSAGES, min_size=0, max_size=4)}),
    st.just({"messages": TURNS}),
    st.just({}),
    st.just(7),
)


@given(st.lists(ROWS, max_size=6))
@settings(max_examples=100, deadline=None)
def test_counters_and_lengths_are_those_of_the_notebook(
    notebook: Any, tmp_path_factory: pytest.TempPathFactory, dataset: list[Any]
) -> None:
    textual = [row for row in dataset if not (isinstance(row, dict) and any(map(has_null, row.get("messages", ()))))]
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    # Twice each row, so that the second is one whose form was seen before.
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*textual, *textual]), "utf-8")
    plain, found = notebook([*textual, *textual], CL100K.ids), check_file(path)
    assert found == check([*textual, *textual])
    assert found.format_errors == plain.format_errors
    assert (found.missing_system, found.missing_user) == (plain.missing_system, plain.missing_user)
    assert found.billing_tokens == sum(plain.tokens)
    if plain.tokens:
        assert found.tokens_per_example is not None
        assert found.assistant_tokens_per_example is not None
        assert found.tokens_per_example.mean == pytest.approx(np.mean(plain.tokens))
        assert found.assistant_tokens_per_example.most == max(plain.answers)


def has_null(message: dict[str, Any]) -> bool:
    """What the notebook's tokeniser stops at."""
    return None in message.values()


def test_rows_at_which_the_notebook_stops_are_counted_as_far_as_they_are_text() -> None:
    weighted = {"messages": [TURNS[0], TURNS[1] | {"weight": 1}]}
    parts = {"messages": [TURNS[0] | {"content": [{"type": "text", "text": "Sky?"}]}, TURNS[1]]}
    found = check([{"messages": TURNS}, weighted, parts])
    assert found.stops_at == (2, 3)
    assert found.format_errors == {"missing_content": 1}
    # 3 an example, 3 a message, a role of one token each; "Sky?" and "Blue." are 2 tokens each.
    assert found.tokens_per_example is not None
    assert (found.tokens_per_example.most, found.tokens_per_example.least) == (15, 13)


def test_an_empty_set_has_no_distribution() -> None:
    found = check([])
    assert (found.examples, found.tokens_per_example, found.epochs, found.charged_tokens) == (0, None, None, None)


@pytest.mark.parametrize(
    ("first", "second", "errors"),
    [
        (b'"a\tb"', b'"assistant"', {"data_type": 1}),
        (b'"\xff"', b'"assistant"', {"data_type": 1}),
        (b'"\\t"', b'"assistant"', {}),
        (b'""', b'"assistant"', {"missing_content": 1}),
        (b'"a"', b'"user"', {"example_missing_assistant_message": 1}),
        (b'"a"', b'"robot"', {"unrecognized_role": 1, "example_missing_assistant_message": 1}),
        (b'"a", "x": 1', b'"assistant"', {"message_unrecognized_key": 1}),
        (b'"a"}]', b'"assistant"', {"data_type": 1}),
    ],
)
def test_a_line_much_like_those_before_it_is_still_looked_at(
    tmp_path: Path, first: bytes, second: bytes, errors: dict[str, int]
) -> None:
    usual = json.dumps({"messages": TURNS}).encode()
    line = b'{"messages": [{"role": "user", "content": %s}, {"role": %s, "content": "Blue."}]}' % (first, second)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join([usual, usual, line, b"  ", usual]))
    found = check_file(path)
    assert (found.examples, found.format_errors) == (4, errors)
