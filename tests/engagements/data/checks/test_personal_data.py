"""Personal data: where it stands, of what kind, how it is replaced."""

import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.checks.personal_data import PersonalKind, find, redact
from engagements.phases.data_preparation.checks.redaction import redacted
from engagements.phases.data_preparation.records import Record

MakeRecord = Callable[..., Record]


def said(text: str) -> list[tuple[str, str]]:
    return [(span.kind.value, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Write to jane.roe+x@example.co.uk.", [("email", "jane.roe+x@example.co.uk")]),
        ("my card 4111 1111 1111 1111 is lost", [("card", "4111 1111 1111 1111")]),
        ("pay DE89 3704 0044 0532 0130 00 now", [("bank_account", "DE89 3704 0044 0532 0130 00")]),
        ("token: hunter2hunter2!! please", [("secret", "hunter2hunter2!!")]),
        ("-----BEGIN PRIVATE KEY-----\nMIIabc=\n-----END PRIVATE KEY----- done",
            [("secret", "-----BEGIN PRIVATE KEY-----\nMIIabc=\n-----END PRIVATE KEY-----")]),
        ("call me on +49 30 901820", [("phone", "+49 30 901820")]),
        ("my phone is 0301234567", [("phone", "0301234567")]),
        ("blocked 58.74.121.78 again", [("ip_address", "58.74.121.78")]),
        ("Here's my SSN: 403-57-9558", [("identity_number", "403-57-9558")]),
        ("Both SSNs: 403-57-9558", [("identity_number", "403-57-9558")]),
        ("personnummeret mitt er 811218-9876", [("identity_number", "811218-9876")]),
        ("my codice fiscale RSSMRA85T10A562S", [("identity_number", "RSSMRA85T10A562S")]),
        ("she was born on 12/27/1986", [("date_of_birth", "12/27/1986")]),
        ("I live at 87 Jakobi 69, Laane", [("address", "87 Jakobi 69, Laane")]),
        ("Das Paket soll in die Hauptstraße 12", [("address", "Hauptstraße 12")]),
        ("Send it to 12 Long Lane, London 40839.", [("address", "12 Long Lane, London 40839")]),
        ("My name is Patricia Jeknić", [("person", "Patricia Jeknić")]),
        ("Mein Name ist Uwe Müller-Lüdenscheidt", [("person", "Uwe Müller-Lüdenscheidt")]),
        ("an invoice for Mrs. Amy Kupcová?", [("person", "Amy Kupcová")]),
        ("Best regards,\nTiffany Kilfoyle", [("person", "Tiffany Kilfoyle")]),
        ("Taylor Barabás\n27 President Street\nMobile: 041-412-293",
            [("person", "Taylor Barabás"), ("address", "27 President Street"), ("phone", "041-412-293")]),
    ],
)  # fmt: skip
def test_personal_data_is_found_where_it_stands(text: str, spans: list[tuple[str, str]]) -> None:
    assert said(text) == spans


@pytest.mark.parametrize(
    "text",
    [
        "order 00123842 and purchase 113542617735902 are late",
        "card 4111 1111 1111 1112 has a wrong check digit",
        "from 1852-1912 and on 2026-11-22 at 14:48",
        "30 minute drive, 49 square, 3 sticks on the way, 1 in the road",
        "version 1.2.3 costs 1,299.00",
        "Using Google Pay, can I top up?",
        "ATM said no. My App says that it is stuck.",
        "Capitalized words like Wisdom and Discipline are often mistaken with names.",
        "Hello Team, dear customer support, thanks",
        "what is the name of the street",
        "",
    ],
)
def test_what_is_no_personal_data_is_left_alone(text: str) -> None:
    assert said(text) == []


def test_spans_do_not_overlap_and_what_is_graver_wins() -> None:
    assert said("password: jo.bloggs99@example.com") == [("secret", "jo.bloggs99@example.com")]


@given(st.text(max_size=200) | st.text(alphabet="0123456789 -+()./@aA:\n", max_size=120))
def test_spans_lie_in_the_text_in_order(text: str) -> None:
    spans = find(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(before.end <= after.start for before, after in itertools.pairwise(spans))


def test_the_same_value_has_the_same_placeholder_and_another_has_another() -> None:
    text = "jo@example.com wrote to al@example.com; JO@example.com waits"
    assert redact(text, find(text)) == "[EMAIL_1] wrote to [EMAIL_2]; [EMAIL_1] waits"


@given(st.text(max_size=120))
def test_a_redacted_text_holds_none_of_what_was_found(text: str) -> None:
    spans = find(text)
    after = redact(text, spans)
    assert (after == text) == (not spans)


def test_a_record_is_redacted_throughout_and_its_first_text_stays(record: MakeRecord) -> None:
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "mail", "arguments": '{"to": "jo@example.com", "n": 1}'},
    }
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "I am jo@example.com"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": "Written to jo@example.com and al@example.com"},
    ]
    before = record(messages=messages, target={"mail": ["jo@example.com"]}, meta={"from": "jo@example.com", "n": 7})
    after = redacted(before)
    assert after.record.messages == [
        {"role": "user", "content": [{"type": "text", "text": "I am [EMAIL_1]"}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {**call, "function": {"name": "mail", "arguments": '{"to":"[EMAIL_1]","n":1}'}}]},
        {"role": "assistant", "content": "Written to [EMAIL_1] and [EMAIL_2]"},
    ]  # fmt: skip
    assert (after.record.target, after.record.meta) == ({"mail": ["[EMAIL_1]"]}, {"from": "[EMAIL_1]", "n": 7})
    assert after.replaced == {PersonalKind.EMAIL: 6}
    assert before.messages[0]["content"][0]["text"] == "I am jo@example.com"


def test_a_record_without_personal_data_is_the_record_itself(record: MakeRecord) -> None:
    before = record()
    assert redacted(before).record is before


# Entity types of the research set, and what we call them. The rest (towns, firms, sites, titles) is not looked for.
OURS = {
    "PERSON": "person", "PHONE_NUMBER": "phone", "ADDRESS": "address", "CREDIT_CARD": "card",
    "IP_ADDRESS": "ip_address", "EMAIL_ADDRESS": "email", "US_SSN": "identity_number",
    "US_DRIVER_LICENSE": "identity_number", "LOCATION": "address", "DATE_TIME": "date_of_birth",
}  # fmt: skip
RECALL_MIN = {
    "PERSON": 36, "PHONE_NUMBER": 10, "ADDRESS": 45, "CREDIT_CARD": 10, "IP_ADDRESS": 2, "EMAIL_ADDRESS": 2,
    "US_SSN": 3, "US_DRIVER_LICENSE": 1, "DATE_TIME": 1,
}  # fmt: skip


@pytest.mark.shared_data
def test_labelled_personal_data_is_found_and_clean_sentences_stay_clean(shared_data: Path) -> None:
    rows = json.loads((shared_data / "sets/30_pii_small/generated_small.json").read_text("utf-8"))
    recalled: Counter[str] = Counter()
    right = found = 0
    for row in rows:
        ours = [(span.kind.value, set(range(span.start, span.end))) for span in find(row["full_text"])]
        labelled = [
            (span["entity_type"], set(range(span["start_position"], span["end_position"]))) for span in row["spans"]
        ]
        assert labelled or not ours, row["full_text"]
        for kind, place in labelled:
            covered = set().union(*(mine for name, mine in ours if name == OURS.get(kind)))
            recalled[kind] += 2 * len(place & covered) >= len(place)
        for kind, place in ours:
            truth = set().union(*(theirs for name, theirs in labelled if OURS.get(name) == kind))
            right += 2 * len(place & truth) >= len(place)
            found += 1
    assert {kind: recalled[kind] for kind in RECALL_MIN} == RECALL_MIN
    assert (right, found) == (found, 92)


def test_looking_for_identity_numbers_loads_no_torch_even_where_it_is_installed():
    code = (
        "import sys; from engagements.phases.data_preparation.checks.personal_ids import identity_numbers as found;"
        "text = 'my ssn is 536-90-4399'; assert list(found(text, text, set(text.split())));"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
