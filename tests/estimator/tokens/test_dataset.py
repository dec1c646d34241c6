import csv
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estimator.errors import BriefInvalid, DatasetUnreadable, Severity, UnknownName
from estimator.tokens import DatasetCount, billed_training_tokens, check_row, count_dataset, encoding_for
from estimator.tokens.review import MAX_LISTED
from estimator.tokens.shapes import Shape, as_chat

MODEL = "gpt-4o-mini-2024-07-18"
Row = dict[str, Any]
SoundRow = Callable[..., Row]
WriteFile = Callable[..., Path]


def count(path: Path, **settings: Any) -> DatasetCount:
    return count_dataset(path, model=MODEL, **settings)


def places(counted: DatasetCount) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.code) for problem in counted.problems]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "model", "epochs", "trained", "messages"),
    [
        ("derpies.jsonl", MODEL, 4, 6_104, 83),
        ("drone_training_2024-07.jsonl", "ft:gpt-3.5-turbo-0125:acme::x", 3, 145_983, 309),
        ("clippy.jsonl", "gpt-4o-mini", 10, 4_780, 30),
    ],
)
def test_a_billed_file_counts_as_it_was_billed(
    shared_data: Path, file: str, model: str, epochs: int, trained: int, messages: int
) -> None:
    counted = count_dataset(shared_data / "trained_tokens" / file, model=model)
    assert (counted.epochs, counted.trained_tokens, counted.messages) == (epochs, trained, messages)
    assert {problem.severity for problem in counted.problems} <= {Severity.WARNING}


@pytest.mark.shared_data
def test_the_cookbook_set_has_the_assistant_tokens_its_notebook_prints(shared_data: Path) -> None:
    counted = count_dataset(shared_data / "sets/14_cookbook_toy/toy_chat_fine_tuning.jsonl", model="gpt-3.5-turbo")
    assert counted.assistant_tokens == 10 + 28 + 9 + 4 + 8_000
    assert (counted.examples, counted.epochs, counted.examples_over_limit) == (5, 20, 0)
    assert dict(counted.problem_counts) == {"row.no_user": 1, "too_few_examples": 1}


def test_a_small_file_by_hand(write_file: WriteFile, sound_row: SoundRow) -> None:
    # A token for the row, three for each message, one for each role, then "hi 10" and "hello 10" of three tokens each.
    rows = [sound_row(f"hi {number}", f"hello {number}") for number in range(10, 20)]
    path = write_file(rows)
    counted = count(path)
    per_row = 1 + 2 * (3 + 1) + 3 + 3
    assert counted.tokens_per_epoch == 10 * per_row
    assert counted.trained_tokens == 10 * 10 * per_row
    assert counted.epochs_reason == "chosen by OpenAI's rule for 10 examples"
    assert (counted.rows, counted.examples, counted.messages, counted.examples_with_tools) == (10, 10, 20, 0)
    assert (counted.prompt_tokens_mean, counted.answer_tokens_mean) == (per_row - 3, 3)
    assert counted.distribution is not None
    assert (counted.distribution.p50, counted.distribution.longest) == (per_row, per_row)
    assert counted.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (counted.encoding, counted.limit_tokens, counted.problems) == ("o200k_base", 65_536, ())


def test_the_file_counts_as_its_rows_do_one_by_one(write_file: WriteFile, sound_row: SoundRow) -> None:
    rng = random.Random(7)
    tool = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object", "properties": {}}}}
    rows = []
    for number in range(3_000):
        row = sound_row(f"question {number} " * rng.randint(1, 20), f"answer {rng.random()} <|endoftext|>")
        row["messages"].insert(0, {"role": "system", "content": f"Prompt {number % 3}"})
        rows.append(row | ({"tools": [tool]} if number % 2 else {}))
    tokens = [billed_training_tokens(row, encoding_for(MODEL)) for row in rows]
    counted = count(write_file(rows), epochs=2)
    assert counted.trained_tokens == 2 * sum(tokens)
    assert counted.distribution is not None
    assert counted.distribution.longest == max(tokens)
    assert (counted.epochs_reason, counted.examples_with_tools) == ("as set", 1_500)


def test_what_exceeds_the_limit_is_cut_counted_and_named(write_file: WriteFile, sound_row: SoundRow) -> None:
    rows = [sound_row(f"word {number} " * (500 if number == 4 else 1)) for number in range(12)]
    whole = count(write_file(rows))
    counted = count(write_file(rows), limit_tokens=100)
    assert places(counted) == [(5, "row.too_many_tokens")]
    assert counted.examples_over_limit == 1
    assert whole.tokens_per_epoch is not None
    assert counted.tokens_per_epoch == whole.tokens_per_epoch - counted.tokens_cut_off
    assert counted.distribution == whole.distribution


def test_quantiles_lie_between_neighbours(write_file: WriteFile, sound_row: SoundRow) -> None:
    rows = [sound_row("a " * length, "b") for length in range(1, 12)]
    distribution = count(write_file(rows)).distribution
    assert distribution is not None
    shortest = distribution.longest - 10
    assert (distribution.p10, distribution.p50, distribution.p90) == (shortest + 1, shortest + 5, shortest + 9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=15), st.randoms())
def test_tokens_add_up_whatever_the_order(
    write_file: WriteFile, sound_row: SoundRow, texts: list[str], rng: random.Random
) -> None:
    rows = [sound_row(text) for text in texts]
    total = count(write_file(rows), epochs=1).trained_tokens
    rng.shuffle(rows)
    assert count(write_file(rows), epochs=1).trained_tokens == total
    encoding = encoding_for(MODEL)
    assert total == sum(billed_training_tokens(row, encoding) for row in rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(max_size=300))
def test_random_bytes_are_counted_without_a_crash(write_file: WriteFile, content: bytes) -> None:
    counted = count(write_file(content))
    assert counted.sha256 == hashlib.sha256(content).hexdigest()
    assert counted.size_bytes == len(content)


@pytest.mark.parametrize("rows", [9, 1])
def test_fewer_than_ten_examples_are_refused(write_file: WriteFile, sound_row: SoundRow, rows: int) -> None:
    counted = count(write_file([sound_row(f"Question {number}?") for number in range(rows)]))
    assert places(counted) == [(None, "too_few_examples")]
    assert counted.problems[0].severity is Severity.ERROR


def test_a_hundred_of_a_code_are_listed_and_all_are_counted(write_file: WriteFile, sound_row: SoundRow) -> None:
    counted = count(write_file([sound_row(f"Question {number}?", source="crm") for number in range(250)]))
    assert counted.problem_counts["row.unknown_key"] == 250
    assert [problem.line for problem in counted.problems] == list(range(1, MAX_LISTED + 1))


def test_a_file_in_another_format_is_one_error_and_not_one_per_row(write_file: WriteFile) -> None:
    counted = count(write_file([{"prompt": f"Q{number}", "completion": "A"} for number in range(40)]))
    assert places(counted) == [(None, "not_chat_format")]
    assert (counted.rows, counted.examples, counted.trained_tokens) == (40, 0, None)


@pytest.mark.parametrize("as_array", ["lines", "array"])
def test_sharegpt_is_converted_counted_and_said(write_file: WriteFile, as_array: str) -> None:
    rows = [
        {"conversations": [{"from": "human", "value": f"Q {number}"}, {"from": "gpt", "value": "Yes, of course."}]}
        for number in range(11)
    ]
    counted = count(write_file(json.dumps(rows).encode() if as_array == "array" else rows), epochs=1)
    assert places(counted) == [(None, "converted_format")]
    chats = [as_chat(row, Shape.SHAREGPT) for row in rows]
    assert counted.trained_tokens == sum(billed_training_tokens(chat, encoding_for(MODEL)) for chat in chats)


def test_in_a_mixed_file_every_other_row_is_named(write_file: WriteFile, sound_row: SoundRow) -> None:
    rows = [sound_row(f"Question {number}?") for number in range(10)]
    alpaca = {"instruction": "Translate", "input": "Haus", "output": "house"}
    counted = count(write_file([*rows[:5], alpaca, *rows[5:], {"prompt": "a", "completion": "b"}]))
    assert places(counted) == [(6, "row.mixed_format"), (12, "row.mixed_format")]


def test_a_row_with_an_error_is_counted_as_far_as_it_can_be_read(write_file: WriteFile, sound_row: SoundRow) -> None:
    rows = [sound_row(f"Question {number}?") for number in range(10)]
    rows[3]["messages"][1]["weight"] = 2
    counted = count(write_file(rows), epochs=1)
    assert places(counted) == [(4, "row.bad_weight")]
    assert counted.trained_tokens == sum(billed_training_tokens(row, encoding_for(MODEL)) for row in rows)


def test_blank_lines_between_rows_are_said_once(write_file: WriteFile, sound_row: SoundRow) -> None:
    rows = (json.dumps(sound_row(f"Question number {number}?")).encode() for number in range(12))
    counted = count(write_file(b"\n\n".join(rows)))
    assert places(counted) == [(2, "blank_lines")]
    assert counted.examples == 12


def test_where_nothing_was_counted_the_figures_are_unknown(write_file: WriteFile) -> None:
    counted = count(write_file(b'{"messages": 7}\n'))
    assert (counted.trained_tokens, counted.tokens_per_epoch, counted.epochs, counted.distribution) == (None,) * 4
    assert (counted.prompt_tokens_mean, counted.answer_tokens_mean, counted.assistant_tokens) == (None,) * 3


def test_what_the_caller_got_wrong_is_refused_before_the_file_is_read(tmp_path: Path, write_file: WriteFile) -> None:
    path = write_file(b"")
    with pytest.raises(DatasetUnreadable):
        count(tmp_path / "gone.jsonl")
    with pytest.raises(UnknownName):
        count_dataset(path, model="gpt-99")
    with pytest.raises(BriefInvalid):
        count(path, epochs=51)


@pytest.mark.shared_data
def test_every_labelled_defect_is_found_and_no_sound_line_accused(shared_data: Path) -> None:
    folder = shared_data / "sets/28_dirty_chat_jsonl"
    truth = [json.loads(line) for line in (folder / "mixed_defects_truth.jsonl").read_bytes().splitlines()]
    counted = count(folder / "mixed_defects.jsonl")
    assert len(truth) == 67
    for label in truth:
        found = {problem.severity.value for problem in counted.problems if problem.line == label["line"]}
        match label["severity"]:
            case "ok":
                assert not found, label
            case "error":
                assert "error" in found, label
            case "warning":
                assert found == {"warning"}, label
            case _:
                assert found, label


@pytest.mark.shared_data
def test_every_file_gets_its_verdict(shared_data: Path) -> None:
    folder = shared_data / "sets/28_dirty_chat_jsonl"
    truth = json.loads((folder / "files_truth.json").read_text("utf-8"))
    assert len(truth) == 20
    for name, label in truth.items():
        counted = count(folder / name)
        errors = [problem for problem in counted.problems if problem.severity is Severity.ERROR]
        match label["verdict"]:
            case "ok":
                assert counted.problems == (), name
            case "ok-or-warning" | "converted":
                assert not errors, name
            case "error-1-line":
                assert len([problem for problem in errors if problem.line]) == 1, name
            case "error-or-ok" | "error-or-converted":
                assert len(errors) == 1, name
            case verdict:
                assert verdict == "error", name
                assert errors, name
        if not errors:
            assert counted.examples == label["data_rows"], name


def real_pairs(sets: Path) -> Iterator[tuple[str, str]]:
    """Questions and answers of sound data: intents, support answers, descriptions, mathematics."""
    with (sets / "01_banking77/train.csv").open(encoding="utf-8", newline="") as file:
        yield from ((row["text"], row["category"]) for row in csv.DictReader(file))
    with (sets / "10_e2e_nlg_dev/devset.csv").open(encoding="utf-8", newline="") as file:
        yield from ((row["mr"], row["ref"]) for row in csv.DictReader(file))
    for line in (sets / "06_bitext_responses_300/train_300.jsonl").read_bytes().splitlines():
        row = json.loads(line)
        yield row["input_text"], row["output_text"]
    for line in (sets / "20_gsm8k_test/test.jsonl").read_bytes().splitlines():
        row = json.loads(line)
        yield row["question"], row["answer"]


@pytest.mark.shared_data
def test_sound_real_data_is_hardly_ever_accused(shared_data: Path, sound_row: SoundRow) -> None:
    pairs = list(real_pairs(shared_data / "sets"))
    accused = [pair for pair in pairs if check_row(sound_row(*pair))]
    assert len(pairs) > 16_000
    assert len(accused) / len(pairs) < 0.001


@pytest.mark.shared_data
def test_several_descriptions_of_one_restaurant_are_no_conflict(
    shared_data: Path, write_file: WriteFile, sound_row: SoundRow
) -> None:
    with (shared_data / "sets/10_e2e_nlg_dev/devset.csv").open(encoding="utf-8", newline="") as file:
        rows = [sound_row(row["mr"], row["ref"]) for row in csv.DictReader(file)]
    counts = count(write_file(rows)).problem_counts
    assert "row.label_conflict" not in counts


@pytest.mark.shared_data
def test_real_tool_calls_in_sharegpt_are_converted_without_an_error(shared_data: Path) -> None:
    counted = count(shared_data / "sets/15b_glaive_toolcall_demo/glaive_toolcall_en_demo.json")
    assert (counted.examples, counted.messages) == (300, 746 + 746 + 2 * 211)
    assert not [problem for problem in counted.problems if problem.severity is Severity.ERROR]
