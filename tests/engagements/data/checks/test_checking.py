"""What is said about one record on its own."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.findings import finding_of, found_by, rule_of
from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.records import Origin, Record, Task
from estimator.errors import Severity
from estimator.tokens.findings import RULES as ROW_RULES
from estimator.tokens.findings import finding

MakeRecord = Callable[..., Record]
Codes = Callable[..., dict[str, Severity]]

LOOKUP = {
    "type": "function",
    "function": {
        "name": "lookup",
        "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    },
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.dictionaries(
    st.sampled_from(["role", "content", "weight", "tool_calls", "tool_call_id"]),
    JSON | st.sampled_from(["user", "assistant", "system", "tool"]),
    max_size=5,
)


def calling(arguments: str) -> list[dict[str, Any]]:
    call = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": arguments}}
    return [{"role": "user", "content": "Where is 7?"}, {"role": "assistant", "content": None, "tool_calls": [call]}]


def test_a_sound_record_is_not_accused(record: MakeRecord, found: Codes) -> None:
    assert found(record()) == {}


def test_what_the_chat_row_says_is_handed_on(record: MakeRecord, found: Codes) -> None:
    assert found(record(answer="")) == {"row.bad_content": Severity.ERROR}
    assert found(record(answer="I'm sorry, but I cannot help with that.")) == {"row.refusal": Severity.WARNING}


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        (PersonalDataRule.KEEP, {"personal_data.kept": Severity.WARNING}),
        (PersonalDataRule.REDACT, {"personal_data.found": Severity.WARNING}),
        (PersonalDataRule.REFUSE, {"personal_data.found": Severity.ERROR}),
    ],
)
def test_the_policy_decides_what_personal_data_is(
    record: MakeRecord, found: Codes, rule: PersonalDataRule, codes: dict[str, Severity]
) -> None:
    assert found(record("Write to jane.roe@example.com"), personal_data=rule) == codes


def test_personal_data_in_the_arguments_of_a_call_is_found(record: MakeRecord) -> None:
    asked = record(messages=calling('{"id": 7, "to": "jane.roe@example.com"}'), tools=[LOOKUP])
    (finding,) = [each for each in check_record(asked, CheckPolicy()) if each.code == "personal_data.found"]
    assert (finding.where, finding.message) == ("messages[1]", "the text holds: email")


def test_a_secret_is_no_mere_personal_data(record: MakeRecord, found: Codes) -> None:
    assert found(record("My key is sk-proj-" + "Ab1" * 8)) == {"personal_data.secret": Severity.WARNING}


def test_a_licence_is_asked_for_and_held_against_those_allowed(record: MakeRecord, found: Codes) -> None:
    bare = record(origin=Origin())
    assert found(bare) == {"licence.missing": Severity.WARNING}
    assert found(bare, licence_required=False) == {}
    assert found(record(), licences=frozenset({"CC BY 4.0"})) == {"licence.not_allowed": Severity.ERROR}
    assert found(record(), licences=frozenset({"MIT"})) == {}


def test_another_language_is_named(record: MakeRecord, found: Codes) -> None:
    german = record("Guten Tag, meine Bestellung ist noch nicht angekommen, bitte helfen Sie mir weiter.")
    assert found(german, languages=frozenset({"en"})) == {"language.other": Severity.WARNING}
    assert found(german, languages=frozenset({"en", "de"})) == {}
    assert found(record("ok", "ok"), languages=frozenset({"de"})) == {}


@pytest.mark.parametrize("text", ["you bloody idiots", "Du Arschloch!", "go to hell with your bank"])
def test_abuse_is_found(record: MakeRecord, found: Codes, text: str) -> None:
    assert found(record(text)) == {"safety.toxic": Severity.WARNING}


def test_an_attack_on_a_database_is_found(record: MakeRecord, found: Codes) -> None:
    assert found(record("Robert'); DROP TABLE students;--")) == {"safety.code_injection": Severity.WARNING}
    assert found(record("Please drop table 7 from my booking.")) == {}


def test_too_long_for_the_model_is_an_error_and_nearly_too_long_is_not(record: MakeRecord, found: Codes) -> None:
    long = record("and so on " * 400)
    assert found(long, limit_tokens=1_000) == {"row.too_many_tokens": Severity.ERROR}
    assert found(long, limit_tokens=1_300) == {}


@pytest.mark.parametrize(
    ("label", "answer", "codes"),
    [
        ("refund", "refund", {}),
        ("card_lost", "Card lost", {}),
        ("refund", "Category: refund", {}),
        (None, "refund", {"label.missing": Severity.ERROR}),
        (" ", "refund", {"label.missing": Severity.ERROR}),
        ("refunds", "refunds", {"label.unknown": Severity.ERROR}),
        ("refund", "card_lost", {"label.not_answered": Severity.WARNING}),
    ],
)
def test_a_label_is_declared_and_answered(
    record: MakeRecord, found: Codes, label: str | None, answer: str, codes: dict[str, Severity]
) -> None:
    labels = frozenset({"refund", "card_lost"})
    assert found(record(answer=answer, label=label), task=Task.CLASSIFICATION, labels=labels) == codes


def test_an_answer_follows_the_agreed_form(record: MakeRecord, found: Codes) -> None:
    assert found(record(answer="A-17"), output_pattern=r"[A-Z]-\d+") == {}
    assert found(record(answer="about A-17"), output_pattern=r"[A-Z]-\d+") == {"output.pattern": Severity.ERROR}


def test_an_extracted_object_follows_its_schema(record: MakeRecord, found: Codes) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert found(record(answer='{"city": "Berlin"}'), output_schema=schema) == {}
    assert found(record(answer='{"city": 7}'), output_schema=schema) == {"output.schema": Severity.ERROR}
    assert found(record(answer="Berlin"), output_schema=schema) == {"output.not_json": Severity.ERROR}
    other = record(answer='{"city": "Berlin"}', target={"city": "Bonn"})
    assert found(other, task=Task.EXTRACTION) == {"output.target_differs": Severity.WARNING}


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ('{"id": 7}', {}),
        ('{"id": "seven"}', {"tools.arguments": Severity.ERROR}),
        ("{}", {"tools.arguments": Severity.ERROR}),
        ('{"id": 7, "colour": "red"}', {"tools.arguments": Severity.WARNING}),
        ("{id: 7}", {"row.bad_tool_call": Severity.ERROR}),
    ],
)
def test_calls_follow_the_parameters_of_the_function(
    record: MakeRecord, found: Codes, arguments: str, codes: dict[str, Severity]
) -> None:
    assert found(record(messages=calling(arguments), tools=[LOOKUP])) == codes


def test_the_two_answers_of_a_pair_are_there_and_differ(record: MakeRecord, found: Codes) -> None:
    worse = {"role": "assistant", "content": "It depends."}
    same = {"role": "assistant", "content": "It will arrive on Monday. "}
    assert found(record(rejected=worse), task=Task.PREFERENCE) == {}
    assert found(record(), task=Task.PREFERENCE) == {"preference.missing": Severity.ERROR}
    assert found(record(rejected=same), task=Task.PREFERENCE) == {"preference.same": Severity.ERROR}


@pytest.mark.parametrize(("start", "codes"), [("7", {}), (6, {"span.offset": Severity.WARNING}), ("x", {})])
def test_offsets_cut_out_the_value(record: MakeRecord, found: Codes, start: object, codes: dict[str, Severity]) -> None:
    meta = {"entity_value": "4711", "start_offset": start, "end_offset": "11"}
    assert found(record("cancel 4711 now", meta=meta)) == codes


@given(st.lists(MESSAGES | JSON, max_size=4), JSON)
def test_no_record_is_too_odd_to_be_checked(messages: list[Any], odd: Any) -> None:
    tools = odd if isinstance(odd, list) else ()
    asked = Record(
        id="r", messages=messages, tools=tools, label="x", meta={"start": odd, "end": odd, "entity_value": "x"}
    )
    found = check_record(asked, CheckPolicy(task=Task.EXTRACTION, languages=frozenset({"en"}), limit_tokens=50))
    assert len({finding.code for finding in found}) == len(found)


def test_a_finding_survives_json_and_goes_to_another_process(record: MakeRecord) -> None:
    (finding,) = check_record(record("you idiot"), CheckPolicy())
    assert finding_of(finding.as_json()) == finding
    assert pickle.loads(pickle.dumps((finding, CheckPolicy(), record()))) == (finding, CheckPolicy(), record())


def test_every_code_of_the_chat_row_has_a_weight_as_grave_as_its_severity() -> None:
    for code, rule in ROW_RULES.items():
        said = found_by(finding(code, "x"))
        assert said.severity is rule.severity
        assert (said.weight >= 75) == (rule.severity is Severity.ERROR), code
        assert rule_of(code).remedy == rule.remedy
