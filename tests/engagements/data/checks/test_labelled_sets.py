"""Sets whose defects are known: each is found, and what is sound is not accused."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.outliers import Outliers
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.checks.set_check import SetCheck
from engagements.phases.data_preparation.checks.volume import Sufficiency
from engagements.phases.data_preparation.collecting.importing import Import
from engagements.phases.data_preparation.records import Origin, Record, Task
from estimator.errors import EstimatorError, Severity
from estimator.tokens.injection import prompt_injection

pytestmark = pytest.mark.shared_data

Codes = Mapping[str, Severity]

# What the truth calls a defect, and which of our codes says it.
MEANT = {
    "truncated": "row.invalid_json", "csv_formula": "row.formula_cell",
    "consecutive_users": "row.consecutive_users", "no_assistant": "row.no_assistant_target",
    "role_wrong_case": "row.unknown_role", "unknown_role": "row.unknown_role",
    "truncated_answer": "row.truncated_answer", "comment": "row.invalid_json",
    "tool_args_not_json": "row.bad_tool_call", "content_blank_assistant": "row.bad_content",
    "very_long_user": "row.long_input", "pii_card": "personal_data.found",
    "prompt_injection": "row.prompt_injection", "escaped_nul": "row.nul_char",
    "messages_has_null": "row.bad_message", "mojibake": "row.mojibake", "label_conflict": "set.conflict",
    "near_duplicate_case": "row.near_duplicate_of", "content_number": "row.bad_content",
    "messages_not_list": "row.messages_missing", "rtl_override": "row.bidi_control",
    "secret_key": "personal_data.secret", "missing_role": "row.unknown_role", "zero_width": "row.zero_width",
    "tool_msg_without_id": "row.orphan_tool_result", "missing_messages": "row.messages_missing",
    "exact_duplicate": "row.duplicate_of", "bom_mid_file": "row.bom", "nan_value": "row.invalid_json",
    "answer_echoes_prompt": "row.echo", "weight_0_all_assistants": "row.no_assistant_target",
    "html_script": "row.markup", "top_level_list": "row.not_object", "extra_top_key": "set.rare_key",
    "tools_not_list": "row.bad_tools", "pii_email": "personal_data.found", "only_system": "row.no_assistant_target",
    "weight_2": "row.bad_weight", "no_user": "row.no_user", "top_level_string": "row.not_object",
    "lone_surrogate": "row.bad_unicode", "messages_empty": "row.messages_missing",
    "content_empty_assistant": "row.bad_content", "python_None": "row.invalid_json",
    "unquoted_key": "row.invalid_json", "extra_message_key": "row.unknown_key",
    "last_is_user": "row.last_not_assistant", "two_systems": "row.two_systems", "content_null": "row.bad_content",
    "refusal": "row.refusal", "trailing_comma": "row.invalid_json", "tool_call_unknown_tool": "row.bad_tool_call",
    "duplicate_key": "row.duplicate_key", "two_objects": "row.invalid_json", "missing_content": "row.bad_content",
    "single_quotes": "row.invalid_json",
}  # fmt: skip


class Looked:
    """A file, read and checked: what was found by its line."""

    def __init__(self, path: Path, policy: CheckPolicy) -> None:
        reading = Import(path, origin=Origin(licence="CC BY 4.0", source=path.name))
        self.checks, rows, self.by_line = SetCheck(policy), [], dict[int | None, dict[str, Severity]]()
        for record in reading:
            findings = check_record(record, policy)
            self.checks.add(record, findings)
            rows.append(record.origin.row)
            for finding in findings:
                self.by_line.setdefault(record.origin.row, {})[finding.code] = finding.severity
        for each in self.checks.set_findings():
            self.by_line.setdefault(rows[each.number - 1], {})[each.finding.code] = each.finding.severity
        self.account = reading.account
        for problem in self.account.problems:
            self.by_line.setdefault(problem.line, {})[problem.code] = problem.severity


def test_every_labelled_defect_of_a_line_is_found_by_its_code(shared_data: Path) -> None:
    folder = shared_data / "sets/28_dirty_chat_jsonl"
    looked = Looked(folder / "mixed_defects.jsonl", CheckPolicy(model="gpt-4o-mini-2024-07-18"))
    truth = [json.loads(line) for line in (folder / "mixed_defects_truth.jsonl").read_bytes().splitlines()]
    assert len(truth) == 67
    for label in truth:
        found = looked.by_line.get(label["line"], {})
        if label["severity"] == "ok":
            assert Severity.ERROR not in found.values(), label
        else:
            assert MEANT[label["code"]] in found, label
        if label["severity"] == "error":
            assert Severity.ERROR in found.values(), label
    sound = [label["line"] for label in truth if label["severity"] == "ok" and label["code"] != "conflict_source"]
    assert [line for line in sound if looked.by_line.get(line)] == []


def test_every_file_gets_its_verdict(shared_data: Path) -> None:
    folder = shared_data / "sets/28_dirty_chat_jsonl"
    truth = json.loads((folder / "files_truth.json").read_text("utf-8"))
    assert len(truth) == 20
    for name, label in truth.items():
        try:
            looked = Looked(folder / name, CheckPolicy())
        except EstimatorError:
            assert label["verdict"] == "error", name
            continue
        report, kept = looked.checks.report(), looked.account.kept
        errors = [line for line, found in looked.by_line.items() if Severity.ERROR in found.values()]
        too_few = report.volume.sufficiency is Sufficiency.REFUSED
        match label["verdict"]:
            case "ok" | "ok-or-warning" | "converted":
                assert (errors, kept) == ([], label["data_rows"]), name
            case "error-1-line":
                assert (len(errors), kept + len(errors)) == (1, 40 if "truncated" in name else 3), name
            case "error-or-ok" | "error-or-converted":
                assert len(errors) == 1 or kept == label["data_rows"], name
            case verdict:
                assert verdict == "error", name
                assert errors or too_few, name


def test_conflicting_labels_are_reported_and_nothing_else_called_one(shared_data: Path) -> None:
    folder = shared_data / "sets/29_neardup_banking"
    looked = Looked(folder / "rows.jsonl", CheckPolicy(task=Task.CLASSIFICATION))
    ids = [json.loads(line)["id"] for line in (folder / "rows.jsonl").read_bytes().splitlines()]
    pairs = [json.loads(line) for line in (folder / "truth_pairs.jsonl").read_bytes().splitlines()]
    injected = {frozenset((pair["a"], pair["b"])) for pair in pairs if pair["kind"] == "conflicting_label"}
    found = {frozenset(ids[number - 1] for number in each.numbers) for each in looked.checks.report().conflicts}
    assert len(injected) == 40
    assert found == injected


@pytest.mark.parametrize(("split", "spans", "rude"), [("train", 485, 285), ("validation", 39, 34), ("test", 68, 51)])
def test_offsets_that_do_not_cut_out_their_value_and_rude_words_are_counted(
    shared_data: Path, split: str, spans: int, rude: int
) -> None:
    path = shared_data / f"sets/05_bitext_intents/{split}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        tagged = sum("W" in row["tags"] for row in csv.DictReader(file))
    counts = Looked(path, CheckPolicy(task=Task.CLASSIFICATION)).checks.report().counts
    assert counts["span.offset"] == spans
    assert tagged == rude
    assert abs(counts["safety.toxic"] - rude) <= 2


def test_attacks_on_the_instructions_are_recalled(shared_data: Path) -> None:
    folder = shared_data / "sets/31_injection_probes"
    groups = json.loads((folder / "sysprompt_extraction_attacks.json").read_text("utf-8"))
    attacks = [text for texts in groups.values() if isinstance(texts, list) for text in texts]
    personas = [json.loads(path.read_text("utf-8"))[0] for path in sorted(folder.glob("dan_*.json"))]
    assert sum(prompt_injection(text) is not None for text in attacks) == len(attacks) == 28
    assert (sum(prompt_injection(text) is not None for text in personas), len(personas)) == (13, 14)


def test_code_in_a_text_is_recalled(shared_data: Path, record: Callable[..., Record]) -> None:
    folder = shared_data / "sets/31_injection_probes"
    recalled: Counter[str] = Counter()
    for name in ("sql_injection", "web_html_js"):
        for text in json.loads((folder / f"payloads_{name}.json").read_text("utf-8"))["payloads"]:
            found = check_record(record(text), CheckPolicy())
            recalled[name] += any(each.code in ("safety.code_injection", "row.markup") for each in found)
    assert recalled == {"sql_injection": 10, "web_html_js": 16}


@pytest.mark.slow
def test_labels_flipped_at_random_are_told_by_the_words(shared_data: Path) -> None:
    with (shared_data / "sets/01_banking77/train.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    labels, chance, outliers = sorted({label for _, label in rows}), Random(3), Outliers()
    flipped: set[int] = set()
    for number, (text, label) in enumerate(rows, 1):
        if chance.random() < 0.02:
            flipped.add(number)
        outliers.add(text, chance.choice([each for each in labels if each != label]) if number in flipped else label)
    found = {each.number for each in outliers.found() if each.finding.code == "set.class_outlier"}
    assert len(found & flipped) >= 0.8 * len(flipped)
    assert len(found & flipped) >= 0.6 * len(found)
