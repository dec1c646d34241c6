"""What a provider would say is said before, in its words where they are known."""

from typing import Any

import pytest

from engagements.phases.data_preparation.formats.prediction import Effect, Method, PredictedError
from engagements.phases.data_preparation.formats.registry import FORMATS
from engagements.phases.data_preparation.records import Record

USER = {"role": "user", "content": "Sky?"}
LONG_NAME = (
    "Function name was a.b but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64."
)
ANSWER = {"role": "assistant", "content": "Blue."}


def record(*messages: dict[str, Any], **more: Any) -> Record:
    return Record(id="r-1", messages=messages or (USER, ANSWER), **more)


def only(name: str, *records: Record, **options: Any) -> PredictedError:
    (predicted,) = FORMATS[name].predict(records, **options)
    return predicted


def test_openai_refuses_a_file_of_three_in_these_words() -> None:
    found = only("openai_chat", *[record()] * 3)
    assert (found.code, found.message, found.line, found.exact) == (
        "invalid_n_examples", "Training file has 3 example(s), but must have at least 10 examples", None, True,
    )  # fmt: skip


def test_openai_names_the_example_and_the_message_that_has_no_role() -> None:
    found = only("openai_chat", *[record()] * 9, record(USER, {"content": "Blue."}, ANSWER))
    assert found.message == (
        "The job failed due to an invalid training file. Invalid file format. Example 10, message 1 Discriminator "
        "'role' is missing in value"
    )
    assert (found.code, found.line, found.record_id, found.where) == (
        "invalid_training_file", 10, "r-1", "messages[1].role",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "words", "exact"),
    [
        ((USER,), "Unexpected file format, expected either prompt/completion pairs or chat messages.", True),
        ((USER, ANSWER | {"content": "<|endoftext|>"}), "special token <|endoftext|>", False),
        (({"role": "developer", "content": "Be brief."}, USER, ANSWER), "Example 1, message 0 ", False),
        ((USER, ANSWER | {"weight": 2}), "the weight is 2, not 0 or 1", False),
        ((USER, {"role": "tool", "content": "7", "tool_call_id": "c"}, ANSWER), "a call that was not made", False),
    ],
)  # fmt: skip
def test_openai_refuses_what_is_no_training_line(messages: tuple[dict[str, Any], ...], words: str, exact: bool) -> None:
    found = [each for each in FORMATS["openai_chat"].predict([record(*messages)] * 10) if each.line == 1]
    assert [(each.exact, each.effect) for each in found] == [(exact, Effect.REFUSED)]
    assert words in found[0].message


@pytest.mark.parametrize(
    ("model", "words", "message"),
    [
        ("gpt-3.5-turbo-0613", 4_200, "4,211 tokens, of which 4,096 are trained"),
        ("gpt-4o-mini-2024-07-18", 66_000, "66,011 tokens, of which 65,536 are trained"),
        (None, 66_000, "66,011 tokens, of which 65,536 are trained"),
    ],
)
def test_a_long_answer_is_cut_without_a_word(model: str | None, words: int, message: str) -> None:
    long = record(USER, ANSWER | {"content": " blue" * words})
    found = only("openai_chat", *[record()] * 9, long, model=model)
    assert (found.effect, found.line) == (Effect.CUT, 10)
    assert message in found.message


def test_a_chat_file_is_refused_by_a_preference_job() -> None:
    found = only("openai_chat", *[record()] * 10, method=Method.DPO)
    assert (
        "is in the fine-tune-chat format, but the specified fine-tuning job is not using 'supervised'" in found.message
    )


def test_rows_of_reinforcement_are_refused_by_another_method_and_taken_by_their_own() -> None:
    taken = [record({"role": "system", "content": "Be brief."}, USER, ANSWER)] * 10
    assert FORMATS["openai_rft"].predict(taken, method=Method.REINFORCEMENT) == []
    found = only("openai_rft", *taken, method=Method.SUPERVISED)
    assert ("not using 'reinforcement' (provided method=supervised)" in found.message, found.exact) == (True, False)
    found = only("openai_chat", *taken, method=Method.REINFORCEMENT)
    assert ("not using 'supervised' (provided method=reinforcement)" in found.message, found.exact) == (True, True)


def test_more_than_a_hundred_of_a_kind_are_counted_and_a_hundred_listed() -> None:
    judge = FORMATS["openai_chat"].judge()
    row = {"messages": [USER]}
    for _ in range(150):
        judge.add("r", row, b"{}")
    assert (len(judge.close()), judge.counts, judge.refused) == (100, {"invalid_training_file": 150}, True)


def test_together_counts_messages_from_0_and_lines_from_1() -> None:
    found = only("together_chat", *[record()] * 6, record(USER, {"content": "Blue."}))
    assert (found.message, found.exact) == ("Line 7: `messages[1]` must contain a `role` field", True)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ((USER, USER, ANSWER), "Invalid role turns on line 1 of the input file."),
        ((USER, ANSWER | {"weight": 2}), "Weight must be either 0 or 1"),
        ((USER, ANSWER | {"weight": 0.5}), "Weight must be an integer"),
        (({"role": "developer", "content": "Hi"}, USER, ANSWER),
         "Found invalid role `developer` in the messages on the line 1. Possible roles"),
        (({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]}, ANSWER),
         "an image is given by its address"),
    ],
)  # fmt: skip
def test_together_says(messages: tuple[dict[str, Any], ...], words: str) -> None:
    assert words in only("together_chat", record(*messages)).message


@pytest.mark.parametrize(("examples", "code"), [(2, "too_few_examples"), (3, "")])
def test_fireworks_takes_three_examples(examples: int, code: str) -> None:
    assert [each.code for each in FORMATS["fireworks_chat"].predict([record()] * examples)] == [code] * bool(code)


def test_mistral_asks_for_a_file() -> None:
    assert only("mistral").message == "At least one training file or repository is required."


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (record(USER, ANSWER, USER), "Expected last role Assistant for finetuning but got user"),
        (
            record(tools=[{"type": "function", "function": {"name": "a.b"}}]),
            LONG_NAME,
        ),
    ],
)
def test_mistral_says(refused: Record, words: str) -> None:
    assert words in [each.message for each in FORMATS["mistral"].predict([refused]) if each.exact]


@pytest.mark.parametrize(
    ("name", "messages", "effect"),
    [
        ("gemini", (USER, ANSWER, USER), Effect.REFUSED),
        ("bedrock_converse", (ANSWER, USER), Effect.REFUSED),
        ("bedrock_prompt", (USER, ANSWER | {"content": " "}), Effect.REFUSED),
        ("anthropic_bedrock", (USER, USER, ANSWER), Effect.REFUSED),
        ("sharegpt", (USER, USER, ANSWER), Effect.DROPPED),
        ("sharegpt", (USER, ANSWER, USER), Effect.DROPPED),
        ("csv", (USER, ANSWER | {"content": "b" * 40_000}), Effect.CUT),
    ],
)
def test_a_bad_conversation_is_foreseen_for_its_line(
    name: str, messages: tuple[dict[str, Any], ...], effect: Effect
) -> None:
    assert [(each.line, each.effect) for each in FORMATS[name].predict([record(*messages)]) if each.line] == [
        (1, effect)
    ]


def test_calls_with_different_arguments_are_filled_with_null_by_datasets() -> None:
    def calling(arguments: str) -> Record:
        function = {"name": "f", "arguments": arguments}
        return record(
            USER, {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]}
        )

    assert FORMATS["trl_messages"].predict([calling('{"a": 1}')] * 2) == []
    found = only("trl_messages", calling('{"a": 1}'), calling('{"b": 1}'), calling('{"c": 1}'))
    assert (found.code, found.line, found.effect) == ("arguments_filled_with_null", 2, Effect.CHANGED)


@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_sound_examples_are_taken_by_everybody(name: str) -> None:
    sound = record(rejected=ANSWER | {"content": "Red."}, desirable=True)
    assert FORMATS[name].predict([sound] * 100) == []
