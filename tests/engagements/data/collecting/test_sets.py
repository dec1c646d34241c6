"""Public sets are imported with the counts that their notes give."""

import base64
import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.collecting.reading import open_table
from engagements.phases.data_preparation.collecting.rows import FileFormat
from engagements.phases.data_preparation.records import Task, record_of
from estimator.errors import EstimatorError

pytestmark = pytest.mark.shared_data

# The file, how many records it holds, and how many classes.
COUNTS = {
    "01_banking77/train.csv": (10_003, 77),
    "01_banking77/test.csv": (3_080, 77),
    "01_banking77/train_10shot.csv": (770, 77),
    "02_clinc150/data_full.json": (23_700, 151),
    "04_snips_nlu/train_full.jsonl": (13_784, 7),
    "04_snips_nlu/validate.jsonl": (700, 7),
    "05_bitext_intents/train.csv": (6_480, 27),
    "05_bitext_intents/validation.csv": (810, 27),
    "05_bitext_intents/test.csv": (810, 27),
    "06_bitext_responses_300/train_300.jsonl": (300, 0),
    "07_oasst_en100_trees/en_100_tree.jsonl": (100, 0),
    "08_sharegpt_dummy/dummy_conversation.json": (500, 0),
    "09_selfinstruct_seed/seed_tasks.jsonl": (175, 25),
    "10_e2e_nlg_dev/devset.csv": (4_672, 0),
    "11_abcd_sample/abcd_sample.json": (3, 0),
    "13_bfcl_simple/BFCL_v4_simple_python.jsonl": (400, 0),
    "13_bfcl_simple/BFCL_v4_parallel.jsonl": (200, 0),
    "14_cookbook_toy/toy_chat_fine_tuning.jsonl": (5, 0),
    "15_cookbook_drone_tools/drone_training.jsonl": (103, 0),
    "15b_glaive_toolcall_demo/glaive_toolcall_en_demo.json": (300, 0),
    "18_wnut17_train_dev/wnut17train.conll": (3_394, 0),
    "18_wnut17_train_dev/emerging.dev.conll": (1_009, 0),
    "19_xquad_en/xquad.en.json": (1_190, 0),
    "22_mmlu_dev_cot/mmlu_cot_prompts.json": (282, 0),
    "29_neardup_banking/rows.jsonl": (1_460, 77),
    "36_judge_minis/code_review.csv": (50, 2),
    "36_judge_minis/bookings.csv": (200, 5),
    "38_slurp_devel/devel.jsonl": (2_033, 71),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_public_set_is_imported_whole(read_set, name) -> None:
    read, (records, labels) = read_set(name), COUNTS[name]
    assert (read.account.rows_in, read.account.kept, dict(read.account.dropped)) == (records, records, {})
    assert len({record.label for record in read.records} - {None}) == labels
    for record in read.records[:: max(1, records // 50)]:
        assert record_of(orjson.loads(record.as_line())).content_sha256 == record.content_sha256
        assert record.origin.source == Path(name).name


def test_every_leaf_of_the_trees_is_a_thread_of_its_own(read_set) -> None:
    read = read_set("07_oasst_en100_trees/en_100_tree.jsonl", mapping=ColumnMapping(shape="message_leaves"))
    assert read.account.rows_in == 626
    assert max(len(record.messages) + len(record.meta.get("after", ())) for record in read.records) == 6
    assert len({record.group for record in read.records}) == 100


def test_the_best_path_of_a_tree_follows_the_ranks_and_ends_with_an_answer(read_set) -> None:
    read = read_set("07_oasst_en100_trees/en_100_tree.jsonl")
    for record in read.records:
        assert [message["role"] for message in record.messages] == ["user", "assistant"] * (len(record.messages) // 2)
        assert all(said.get("rank", 0) == 0 for said in record.meta["thread"])


def test_turns_of_sharegpt_become_turns_of_a_chat(read_set) -> None:
    small_talk = read_set("08_sharegpt_dummy/dummy_conversation.json")
    assert _roles(small_talk) == {"user": 1000, "assistant": 1000}
    calls = read_set("15b_glaive_toolcall_demo/glaive_toolcall_en_demo.json")
    assert _roles(calls) == {"user": 746, "assistant": 746 + 211, "tool": 211}
    assert sum(len(message.get("tool_calls", ())) for record in calls.records for message in record.messages) == 211
    assert sum(len(record.tools) for record in calls.records) == 219


def test_spans_become_the_object_that_is_to_be_extracted(read_set) -> None:
    first = read_set("04_snips_nlu/train_full.jsonl").records[0]
    assert first.question == "Add another song to the Cita Romántica playlist. "
    assert first.target == {
        "intent": "AddToPlaylist",
        "entities": [{"type": "music_item", "text": "song"}, {"type": "playlist", "text": "Cita Romántica"}],
    }
    assert orjson.loads(first.answer) == first.target


def test_the_raw_file_of_snips_loses_one_row_that_is_no_utf8_and_says_so(read_set) -> None:
    name = "04_snips_nlu/raw/train_PlayMusic_full.json"
    read = read_set(name)
    assert (read.account.rows_in, dict(read.account.dropped)) == (2000, {"row.malformed_utf8": 1})
    assert read_set(name, encoding="latin-1").account.kept == 2000


def test_tags_of_words_become_entities(read_set) -> None:
    train = read_set("18_wnut17_train_dev/wnut17train.conll")
    assert sum(len(record.meta["tokens"]) for record in train.records) == 62_730
    assert sum(len(record.target["entities"]) for record in train.records) == 1_975
    dev = read_set("18_wnut17_train_dev/emerging.dev.conll")
    assert sum(len(record.target["entities"]) for record in dev.records) == 836
    assert {"type": "location", "text": "Redondo Beach Blvd"} in dev.records[1].target["entities"]


def test_instances_of_a_task_keep_what_they_are(read_set) -> None:
    read = read_set("09_selfinstruct_seed/seed_tasks.jsonl")
    assert sum(record.meta["is_classification"] for record in read.records) == 26
    assert sum(record.label is not None for record in read.records) == 26


def test_answers_to_one_meaning_are_a_group(read_set) -> None:
    groups = Counter(record.group for record in read_set("10_e2e_nlg_dev/devset.csv").records)
    assert (len(groups), min(groups.values()), max(groups.values())) == (547, 2, 43)


def test_actions_of_an_agent_become_calls_of_tools(read_set) -> None:
    read = read_set("11_abcd_sample/abcd_sample.json")
    after = [turn for record in read.records for turn in record.meta.get("after", ())]
    turns = Counter(turn["role"] for record in read.records for turn in record.messages)
    calls = [call for record in read.records for turn in record.messages for call in turn.get("tool_calls", ())]
    assert turns["user"] + len(after) == 31
    assert turns["assistant"] - len(calls) == 32
    assert turns["tool"] == len(calls) == 9
    assert calls[0]["function"] == {"name": "pull-up-account", "arguments": '{"values":["crystal minh"]}'}
    assert all(record.messages[-1]["role"] == "assistant" for record in read.records)


def test_accepted_calls_are_joined_to_their_questions_by_id(read_set, shared_data) -> None:
    folder = shared_data / "sets/13_bfcl_simple"
    for name, calls in (("simple_python", 1), ("parallel", None)):
        read = read_set(f"13_bfcl_simple/BFCL_v4_{name}.jsonl", joined=folder / f"possible_answer_BFCL_v4_{name}.jsonl")
        assert all(record.messages[-1]["tool_calls"] for record in read.records)
        assert calls is None or {len(record.messages[-1]["tool_calls"]) for record in read.records} == {calls}
    record = read.records[0]
    assert [call["function"] for call in record.messages[-1]["tool_calls"]] == [
        {"name": "spotify_play", "arguments": '{"artist":"Taylor Swift","duration":20}'},
        {"name": "spotify_play", "arguments": '{"artist":"Maroon 5","duration":15}'},
    ]
    assert record.tools[0]["function"]["parameters"]["type"] == "object"
    assert record.meta["function"][0]["name"] == "spotify.play"


def test_questions_of_an_article_are_a_group(read_set) -> None:
    read = read_set("19_xquad_en/xquad.en.json")
    first = read.records[0]
    assert len({record.group for record in read.records}) == 48
    assert first.answer == first.meta["answers"][0]["text"]
    assert first.answer in first.question


def test_worked_questions_are_grouped_by_their_subject(read_set) -> None:
    read = read_set("22_mmlu_dev_cot/mmlu_cot_prompts.json")
    assert len({record.group for record in read.records}) == 57
    assert all("The answer is" in record.answer for record in read.records)


def test_entities_of_slurp_are_kept_beside_the_intent_or_extracted(read_set) -> None:
    by_intent = read_set("38_slurp_devel/devel.jsonl")
    assert len({record.meta["scenario"] for record in by_intent.records}) == 18
    extracted = read_set("38_slurp_devel/devel.jsonl", task=Task.EXTRACTION)
    assert extracted.mapping.target == "entities"
    entities = [entity for record in extracted.records for entity in record.target["entities"]]
    assert (len(entities), len({entity["type"] for entity in entities})) == (2022, 53)


def test_tool_calls_of_the_drone_are_those_of_its_note(read_set) -> None:
    read = read_set("15_cookbook_drone_tools/drone_training.jsonl")
    names = Counter(call["function"]["name"] for record in read.records for call in record.messages[-1]["tool_calls"])
    assert (names["configure_led_display"], names["reject_request"], names.total()) == (26, 19, 103)


def test_placeholders_of_a_support_answer_stay_as_they_are(read_set) -> None:
    read = read_set("06_bitext_responses_300/train_300.jsonl")
    assert sum("{{" in record.answer for record in read.records) == 155
    assert sum("{{" in record.question for record in read.records) == 81
    assert len({record.question for record in read.records}) == 299


def test_offsets_and_tags_of_bitext_are_kept(read_set) -> None:
    rows = read_set("05_bitext_intents/train.csv").records
    assert sum(bool(record.meta["entity_value"]) for record in rows) == 2543


def _roles(read: Any) -> dict[str, int]:
    return dict(Counter(message["role"] for record in read.records for message in record.messages))


# What a file of the dirty set owes: rows kept, and the reasons of those dropped; or the code it is refused with.
DIRTY = {
    "f01_clean_utf8.jsonl": (40, {}),
    "f02_utf8_bom.jsonl": (40, {}),
    "f03_utf16le_bom.jsonl": (40, {}),
    "f04_cp1252.jsonl": "not_utf8",
    "f05_crlf.jsonl": (40, {}),
    "f06_cr_only.jsonl": (0, {"row.invalid_json": 1}),
    "f07_no_final_newline.jsonl": (40, {}),
    "f08_blank_lines.jsonl": (40, {}),
    "f09_json_array.json": (40, {}),
    "f10_pretty_printed.jsonl": (10, {}),
    "f11_truncated_last_line.jsonl": (39, {"row.invalid_json": 1}),
    "f12_huge_line.jsonl.gz": "unsupported_media_type",
    "f13_prompt_completion.jsonl": (40, {}),
    "f14_sharegpt.json": (40, {}),
    "f15_alpaca.json": (40, {}),
    "f16_nul_byte.jsonl": (2, {"row.nul_char": 1}),
    "f17_gzip_named_jsonl.jsonl": "unsupported_media_type",
    "f18_empty.jsonl": (0, {}),
    "f19_whitespace_only.jsonl": (0, {}),
    "f20_too_few.jsonl": (9, {}),
}


@pytest.mark.parametrize("name", DIRTY)
def test_a_dirty_file_is_converted_or_refused_by_its_verdict(read_set, shared_data, name) -> None:
    truth = orjson.loads((shared_data / "sets/28_dirty_chat_jsonl/files_truth.json").read_bytes())[name]
    owed = DIRTY[name]
    if isinstance(owed, str):
        with pytest.raises(EstimatorError) as refused:
            read_set(f"28_dirty_chat_jsonl/{name}")
        assert [each.code for each in refused.value.problems] == [owed]
        assert truth["verdict"] == "error"
        return
    read = read_set(f"28_dirty_chat_jsonl/{name}")
    assert (read.account.kept, dict(read.account.dropped)) == owed
    assert ("dataset_empty" in read.codes) == (read.account.rows_in == 0)
    if not read.account.dropped:
        assert read.account.kept == truth["data_rows"]


def test_lines_with_defects_that_no_reader_could_take_are_dropped_by_their_line(read_set, shared_data) -> None:
    read = read_set("28_dirty_chat_jsonl/mixed_defects.jsonl")
    truth = (shared_data / "sets/28_dirty_chat_jsonl/mixed_defects_truth.jsonl").read_bytes().splitlines()
    severities = {each["line"]: each["severity"] for each in map(orjson.loads, truth)}
    assert read.account.rows_in == 67
    milder = [code for line, code in read.dropped if severities[line] not in ("error", "error-or-warning")]
    # A database may hold no NUL: such a row is refused here, although a trainer would take it.
    assert milder == ["row.nul_char"]


def test_naughty_strings_come_out_byte_by_byte(read_set, read, shared_data) -> None:
    strings = orjson.loads((shared_data / "sets/24_naughty_strings/blns.json").read_bytes())
    assert len(strings) == 515
    rows = b"".join(orjson.dumps({"text": f"#{text}", "label": "odd", "note": text}) + b"\n" for text in strings)
    from_json = read(
        rows, "naughty.jsonl", mapping=ColumnMapping(input=("text",), target="label", task="classification")
    )
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerows([("text", "label", "note"), *((f"#{text}", "odd", text) for text in strings)])
    from_csv = read(table.getvalue().encode(), "naughty.csv")
    for found in (from_json, from_csv):
        again = [record_of(orjson.loads(record.as_line())) for record in found.records]
        assert [record.question for record in again] == [f"#{text}" for text in strings]
        assert [record.meta["note"] for record in again] == strings


def test_every_json_parsing_case_gets_its_verdict_as_a_row(shared_data, tmp_path) -> None:
    cases = [*map(orjson.loads, (shared_data / "sets/23_json_parsing/cases.jsonl").read_bytes().splitlines())]
    assert len(cases) == 318
    for case in cases:
        content = base64.b64decode(case["bytes_base64"])
        if b"\n" in content or not content.strip():
            continue  # More than one line, or none; the reader of one row answers for these.
        path = tmp_path / "row.jsonl"
        path.write_bytes(b'{"text": "sound"}\n' * 2 + content + b"\n")
        found = {row.number: row for row in open_table(path, format=FileFormat.JSONL)}.get(3)
        if found is None:
            continue
        refused = found.value is None and found.problem.code != "row.not_object"
        if case["expect"] == "reject":
            assert refused, case["name"]
        elif (
            case["expect"] == "accept"
            and found.problem
            and found.problem.code not in ("row.not_object", "row.duplicate_key")
        ):
            assert found.problem.code == "row.nul_char", case["name"]
