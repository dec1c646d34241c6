import json
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.brief import Brief, load_brief, read_brief
from estimator.brief.example import example_brief
from estimator.errors import BriefInvalid

EXAMPLE = example_brief(date(2026, 11, 22))


def problems_of(text: str, form: str = "toml") -> dict[str, str]:
    """The codes a brief is refused with, by path."""
    with pytest.raises(BriefInvalid) as refusal:
        read_brief(text, form="json" if form == "json" else "toml")
    return {problem.where: problem.code for problem in refusal.value.problems}


def changed(**replacements: str) -> str:
    """The example with lines replaced, by their key."""
    lines = EXAMPLE.splitlines()
    for key, line in replacements.items():
        hits = [number for number, text in enumerate(lines) if text.split(" =")[0].strip() == key]
        assert hits, f"the example has no {key}"
        lines[hits[0]] = line
    return "\n".join(lines)


def test_the_example_is_a_brief() -> None:
    brief = read_brief(EXAMPLE)
    assert brief.project.start == date(2027, 1, 4)
    assert brief.commercial.margin_percent == 40
    assert brief.data.labelling is not None
    assert brief.data.labelling.minutes_per_example.high == Decimal("4.5")


def test_toml_and_json_say_the_same() -> None:
    data = tomllib.loads(EXAMPLE)
    assert read_brief(json.dumps(data, default=str), form="json") == read_brief(EXAMPLE)


def test_a_brief_survives_being_written_as_json() -> None:
    brief = read_brief(EXAMPLE)
    assert Brief.model_validate_json(brief.model_dump_json(by_alias=True)) == brief


def test_every_problem_is_said_in_one_pass_with_its_line() -> None:
    text = changed(
        requests_per_month="requests_per_month = -5",
        target_percent="target_percent = 182",
        currency='currency = "EUX"',
        margin_percent="margin_percnt = 40",
        budget="budget = 0.1",
        kind='kind = "styl"',
    )
    with pytest.raises(BriefInvalid) as refusal:
        read_brief(text)
    found = {problem.where: problem for problem in refusal.value.problems}
    assert {where: problem.code for where, problem in found.items()} == {
        "traffic.requests_per_month": "number.negative",
        "task.target_percent": "percent.out_of_range",
        "commercial.currency": "money.bad_currency",
        "commercial.margin_percnt": "unknown_field",
        "commercial.budget": "money.bad_format",
        "task.kind": "validation_failed",
    }
    assert "did you mean margin_percent?" in found["commercial.margin_percnt"].remedy
    lines = text.splitlines()
    for where, problem in found.items():
        assert problem.line is not None
        assert lines[problem.line - 1].startswith(where.rpartition(".")[2])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("nan", "number.not_a_number"),
        ("inf", "number.not_a_number"),
        ("1e999999", "number.not_a_number"),
        ("-1", "number.negative"),
        ("1e13", "number.too_large"),
        ("12.5", "number.not_whole"),
        ("true", "number.bad_format"),
        ('"62000"', "number.bad_format"),
        ("9" * 60, "number.too_large"),
    ],
)
def test_what_is_no_count_is_refused(value: str, code: str) -> None:
    text = changed(requests_per_month=f"requests_per_month = {value}")
    assert problems_of(text) == {"traffic.requests_per_month": code}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('"NaN"', "money.not_a_number"),
        ('"1e400"', "money.bad_format"),
        ('"1E+999999"', "money.bad_format"),
        ('"1_000"', "money.bad_format"),
        ('"１２"', "money.bad_format"),
        ('" 5 "', "money.bad_format"),
        ('"-5"', "money.negative"),
        ("0.1", "money.bad_format"),
        ("nan", "money.bad_format"),
        ("true", "money.bad_format"),
    ],
)
def test_what_is_no_amount_is_refused(value: str, code: str) -> None:
    assert problems_of(changed(budget=f"budget = {value}")) == {"commercial.budget": code}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("-1", "percent.out_of_range"),
        ("100.1", "percent.out_of_range"),
        ("nan", "percent.not_a_number"),
        ("1e999", "percent.not_a_number"),
        ('"50%"', "percent.bad_format"),
        ("true", "percent.bad_format"),
    ],
)
def test_what_is_no_percentage_is_refused(value: str, code: str) -> None:
    assert problems_of(changed(stop_at_percent=f"stop_at_percent = {value}")) == {"task.stop_at_percent": code}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('"2026-02-30"', "date.invalid"),
        ('"soon"', "date.invalid"),
        ("2026-11-22T10:00:00", "date.invalid"),
        ("1970-01-01", "date.out_of_range"),
        ("20261122", "date.invalid"),
    ],
)
def test_what_is_no_day_is_refused(value: str, code: str) -> None:
    assert problems_of(changed(start=f"start = {value}")) == {"project.start": code}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("  ", "text.blank"),
        ("\\u200b", "text.blank"),
        ("a" * 300, "text.too_long"),
        ("Acme\\u202egpj.exe", "text.bidi_control"),
        ("Acme\\nERROR forged", "text.control_char"),
        ("Acme\\u0007", "text.control_char"),
        ("e" + "\\u0301" * 2000, "text.too_many_marks"),
    ],
)
def test_text_that_deceives_is_refused(value: str, code: str) -> None:
    found = problems_of(changed(name=f'name = "{value}"'))
    assert found["client.name"] in {code, "text.too_long"}
    assert code in found.values() or code == "text.too_many_marks"


def test_template_marks_in_a_name_are_plain_text() -> None:
    assert read_brief(changed(name='name = "{{7*7}} {% for %} ${7*7}"')).client.name == "{{7*7}} {% for %} ${7*7}"


@pytest.mark.parametrize(
    ("said", "instead", "where", "code"),
    [
        ("schema = 1", "schema = 2", "", "schema.unknown"),
        ("test_percent = 15", "test_percent = 95", "data", "percent.out_of_range"),
        ("discount_percent = 0", "discount_percent = 5", "commercial", "discount.reason_missing"),
        (
            "likely = 2.5, high = 4.5",
            "likely = 9, high = 4.5",
            "data.labelling.minutes_per_example",
            "three_point.order",
        ),
        ('gpu = "L40S"', "", "training.routes[4]", "route.gpu_missing"),
        ("decision_by = 2026-12-10", "decision_by = 2027-12-10", "project", "date.order"),
        ("cached_prefix_tokens = 3400", "cached_prefix_tokens = 3901", "traffic", "number.out_of_range"),
        ("new = 400 ", "new = 3601 ", "data.labelling", "number.out_of_range"),
        ('languages = ["de", "en"]', "languages = []", "task.languages", "validation_failed"),
        ('languages = ["de", "en"]', 'languages = ["de", "de"]', "task", "languages.twice"),
        ('tuning = "lora"', 'tuning = "hosted"', "training.tuning", "tuning.not_named"),
        ('model = "gpt-4o-mini"', 'model = "gpt-4o-mini"\ngpu = "L4"', "training.routes[6]", "route.gpu_of_provider"),
    ],
)
def test_what_contradicts_itself_is_refused(said: str, instead: str, where: str, code: str) -> None:
    assert said in EXAMPLE
    assert problems_of(EXAMPLE.replace(said, instead)) == {where: code}


@pytest.mark.parametrize("rate", ["0.000000001", "9999999999999"])
def test_an_amount_is_written_as_it_is_read(rate: str) -> None:
    brief = read_brief(EXAMPLE.replace('usd_per_unit = "1.08"', f'usd_per_unit = "{rate}"'))
    again = read_brief(brief.model_dump_json(by_alias=True, exclude_none=True), form="json")
    assert again.commercial.exchange == brief.commercial.exchange
    assert f'"usd_per_unit":"{rate}"' in brief.model_dump_json()


def test_another_currency_needs_a_dated_exchange_rate() -> None:
    start = EXAMPLE.index("[commercial.exchange]")
    end = EXAMPLE.index("[commercial.cost_per_h]")
    assert problems_of(EXAMPLE[:start] + EXAMPLE[end:]) == {"commercial": "exchange.missing"}


def test_milestones_that_do_not_sum_to_a_hundred_are_refused() -> None:
    milestones = 'milestones = [{ name = "All", gate = 5, percent = 90 }]\nvalid_days = 30'
    assert problems_of(EXAMPLE.replace("valid_days = 30", milestones)) == {"commercial": "money.total_mismatch"}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("schema = 1\n[client\n", "toml_invalid", 2),
        ("a = 1\na = 2\n", "toml_invalid", 2),
        ("x = " + "[" * 2_000, "toml_invalid", None),
        ("x = " + "9" * 5_000, "toml_invalid", None),
    ],
)
def test_toml_that_does_not_parse_is_refused_with_its_line(text: str, code: str, line: int | None) -> None:
    with pytest.raises(BriefInvalid) as refusal:
        read_brief(text)
    assert [(problem.code, problem.line) for problem in refusal.value.problems] == [(code, line)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "malformed_json"),
        ("[]", "malformed_json"),
        ('{"a": 1, "a": 2}', "duplicate_json_key"),
        ("[" * 200 + "]" * 200, "json_too_deep"),
        ('{"a": ' + "9" * 5_000 + "}", "malformed_json"),
    ],
)
def test_json_that_does_not_parse_is_refused(text: str, code: str) -> None:
    assert set(problems_of(text, "json").values()) == {code}


def test_a_file_that_is_no_utf8_or_not_there_is_refused(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes('name = "Köln"'.encode("latin-1"))
    for path, code in ((latin, "not_utf8"), (tmp_path / "none.toml", "brief_unreadable")):
        with pytest.raises(BriefInvalid) as refusal:
            load_brief(path)
        assert [problem.code for problem in refusal.value.problems] == [code]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "brief.toml"
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.encode())
    assert load_brief(path) == read_brief(EXAMPLE)


def test_a_file_of_megabytes_is_no_brief(tmp_path: Path) -> None:
    path = tmp_path / "brief.toml"
    path.write_bytes(b"# " + b"x" * 1_000_001)
    with pytest.raises(BriefInvalid, match="at most a megabyte"):
        load_brief(path)


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)


@given(JSON)
def test_no_json_ever_ends_in_anything_but_a_brief_or_its_problems(data: object) -> None:
    with pytest.raises(BriefInvalid) as refusal:
        read_brief(json.dumps(data), form="json")
    assert all(problem.remedy for problem in refusal.value.problems)


@given(st.text(max_size=300))
def test_no_text_ever_ends_in_anything_but_a_brief_or_its_problems(text: str) -> None:
    with pytest.raises(BriefInvalid):
        read_brief(text)


def test_a_file_without_an_end_is_refused_after_a_megabyte() -> None:
    with pytest.raises(BriefInvalid, match="/dev/zero has more than 1,000,000 bytes"):
        load_brief(Path("/dev/zero"))
