"""Each row of the list of bad inputs that a command can be given, with the answer owed; ids are those of the list."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]
Build = Callable[[list[bytes]], bytes]

ON = ["--on", "2026-11-22"]
TURN = {"messages": [{"role": "user", "content": "And then?"}, {"role": "assistant", "content": "Nothing."}]}
SOUND = json.dumps(TURN).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A file made of twelve sound rows, and what `tokens` owes: each problem's line and code; exit code 2 on errors."""

    build: Build
    found: tuple[tuple[int | None, str], ...] = ()
    severity: str = "error"


def added(row: bytes, code: str, severity: str = "error") -> Dataset:
    """A row after the seventh sound one."""
    return Dataset(build=lambda rows: b"\n".join([*rows[:7], row, *rows[7:]]), found=((8, code),), severity=severity)


def whole(build: Build, *found: tuple[int | None, str], severity: str = "error") -> Dataset:
    return Dataset(build=build, found=found, severity=severity)


# What the list calls an error and the labelled set 28_dirty_chat_jsonl a warning is a warning: J19 and J28.
DATASETS = {
    "J01": whole(lambda rows: b"", (None, "dataset_empty")),
    "J02": whole(lambda rows: b"\n" * 5, (None, "dataset_empty")),
    "J04": whole(lambda rows: b"\n".join(rows).replace(b"r 2?", b"r 2\xff"), (3, "row.malformed_utf8")),
    "J05": whole(lambda rows: b"\n".join(rows).decode().encode("utf-16-le"), (None, "not_utf8")),
    "J06": whole(lambda rows: b"\r\n".join([*rows, b""])),
    "J07": whole(b"\r".join, (1, "row.invalid_json")),
    "J08": whole(b"\n".join),
    "J09": whole(lambda rows: b"\n".join([*rows, b'{"messages":[{"role":"us']), (13, "row.invalid_json")),
    "J10": whole(lambda rows: b"[" + b",\n".join(rows) + b"]", (1, "not_jsonl")),
    "J11 null": added(b"null", "row.not_object"),
    "J11 number": added(b"7", "row.not_object"),
    "J11 text": added(b'"x"', "row.not_object"),
    "J11 list": added(b"[]", "row.not_object"),
    "J12": added(SOUND + SOUND, "row.invalid_json"),
    "J13 trailing comma": added(SOUND[:-1] + b",}", "row.invalid_json"),
    "J13 single quotes": added(SOUND.replace(b'"', b"'"), "row.invalid_json"),
    "J13 comment": added(SOUND + b" // checked", "row.invalid_json"),
    "J14 NaN": added(SOUND[:-1] + b', "x": NaN}', "row.invalid_json"),
    "J14 Infinity": added(SOUND[:-1] + b', "x": Infinity}', "row.invalid_json"),
    "J14 1e999": added(SOUND[:-1] + b', "x": 1e999}', "row.invalid_json"),
    "J17": added(SOUND.replace(b"Nothing", b"a" * 50_000_000), "row.too_large"),
    "J18": added(SOUND.replace(b"Nothing", b"\\ud800"), "row.bad_unicode"),
    "J19": added(SOUND.replace(b"Nothing", b"\\u0000"), "row.nul_char", "warning"),
    "J20 missing": added(b"{}", "row.messages_missing"),
    "J20 no list": added(b'{"messages": 7}', "row.messages_missing"),
    "J20 empty": added(b'{"messages": []}', "row.messages_missing"),
    "J21": added(SOUND.replace(b'"user"', b'"robot"'), "row.unknown_role"),
    "J23 null": added(SOUND.replace(b'"Nothing."', b"null"), "row.bad_content"),
    "J23 number": added(SOUND.replace(b'"Nothing."', b"7"), "row.bad_content"),
    "J23 empty": added(SOUND.replace(b'"Nothing."', b'""'), "row.bad_content"),
    "J27 completion": added(b'{"prompt": "a", "completion": "b"}', "row.mixed_format"),
    "J27 preference": added(b'{"input": {}, "preferred_output": [], "non_preferred_output": []}', "row.mixed_format"),
    "J28": added(SOUND[:-1] + b', "label": "x"}', "row.unknown_key", "warning"),
    "J29": whole(lambda rows: b"\n".join([*rows, rows[11]]), (13, "row.duplicate_of"), severity="warning"),
    "J32": added(SOUND.replace(b"Nothing", b"and so on " * 30_000), "row.too_many_tokens"),
    "J33 key": added(SOUND.replace(b"And then", b"sk-live-4eC39HqLyjWDarjtT1zdp7dc"), "row.sensitive", "warning"),
    "J33 IBAN": added(SOUND.replace(b"And then", b"DE89370400440532013000"), "row.sensitive", "warning"),
    "J33 e-mail": added(SOUND.replace(b"And then", b"jo@example.com"), "row.sensitive", "warning"),
    "J36": whole(lambda rows: b"PK\x03\x04" + bytes(1_000), (None, "unsupported_media_type")),
}


@pytest.mark.parametrize("case", DATASETS.values(), ids=DATASETS)
def test_a_dataset_is_answered_with_code_line_and_remedy(sixfold: Sixfold, tmp_path: Path, case: Dataset) -> None:
    rows = [json.dumps(TURN).replace("then?", f"then, for number {number}?").encode() for number in range(12)]
    (tmp_path / "train.jsonl").write_bytes(case.build(rows))
    answer = sixfold("tokens", "train.jsonl", "--model", "gpt-4o-mini", "--json")
    problems = answer.json["problems"]
    assert [(problem["line"], problem["code"]) for problem in problems] == list(case.found)
    assert {problem["severity"] for problem in problems} <= {case.severity}
    assert all(problem["message"] and problem["remedy"] for problem in problems)
    assert answer.code == (2 if case.found and case.severity == "error" else 0)
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]


# The field of the example brief that is changed, the value as JSON bytes, and the code owed; None: accepted.
FIELDS: dict[str, tuple[str, bytes, str | None]] = {
    "M02": ("commercial.budget", b'"NaN"', "money.not_a_number"),
    "M05": ("commercial.budget", b'"1e400"', "money.bad_format"),
    "M06": ("commercial.budget", b'"1_000"', "money.bad_format"),
    "M07 full width": ("commercial.budget", '"１２"'.encode(), "money.bad_format"),
    "M07 arabic": ("commercial.budget", '"٣"'.encode(), "money.bad_format"),
    "M08": ("commercial.budget", b'" 5 "', "money.bad_format"),
    "M10 number": ("commercial.budget", b"-1", "money.negative"),
    "M10 text": ("commercial.budget", b'"-1"', "money.negative"),
    "M12": ("commercial.budget", b"0.1", "money.bad_format"),
    "M13": ("commercial.budget", b"true", "money.bad_format"),
    "M17": (
        "commercial.milestones",
        b'[{"name": "All", "gate": 0, "percent": 60}, {"name": "More", "gate": 1, "percent": 41}]',
        "money.total_mismatch",
    ),
    "M31 negative": ("traffic.cache_hit_percent", b"-1", "percent.out_of_range"),
    "M31 101": ("traffic.cache_hit_percent", b"101", "percent.out_of_range"),
    # In TOML and JSON 1e2 is the number 100, and 100 % is a percentage.
    "M31 1e2": ("traffic.cache_hit_percent", b"1e2", None),
    "M31 text": ("traffic.cache_hit_percent", b'"50%"', "percent.bad_format"),
    "M32": ("traffic.cache_hit_percent", b"NaN", "percent.not_a_number"),
    "M32 text": ("traffic.cache_hit_percent", b'"NaN"', "percent.not_a_number"),
    "D04": ("project.start", b'"0001-01-01"', "date.out_of_range"),
    "D08": ("project.start", b'"2027-01-04T00:00:00+24:00"', "date.invalid"),
    "U01": ("client.name", b'"' + b"n" * 300 + b'"', "text.too_long"),
    "U02 empty": ("client.name", b'""', "text.blank"),
    "U02 spaces": ("client.name", b'"   "', "text.blank"),
    "U02 invisible": ("client.name", b'"\\u200b"', "text.blank"),
    "U07": ("client.name", b'"e' + b"\\u0301" * 2_000 + b'"', "text.too_many_marks"),
    "U07 short": ("client.name", b'"e' + b"\\u0316" * 20 + b'"', "text.too_many_marks"),
    "U10": ("client.name", b'"{{7*7}} {% for %} ${7*7}"', None),
    "U11 header": ("client.name", b'"Acme\\r\\nSet-Cookie: x"', "text.control_char"),
    "U11 log": ("client.name", b'"Acme\\nERROR forged"', "text.control_char"),
    "W03 name": ("client.name", b'"Ac\\u202eme"', "text.bidi_control"),
    "W03 amount": ("commercial.budget", b'"\\u202e100"', "money.bad_format"),
    "W04": ("client.name", b'"Ac\\ud800me"', "row.bad_unicode"),
}


@pytest.mark.parametrize(("field", "value", "code"), FIELDS.values(), ids=FIELDS)
def test_a_field_of_a_brief_is_answered_with_code_place_and_remedy(
    sixfold: Sixfold, tmp_path: Path, field: str, value: bytes, code: str | None
) -> None:
    brief = json.loads(sixfold("brief", "new", "--json", *ON).out)
    section, _, name = field.partition(".")
    brief[section][name] = "@"
    (tmp_path / "brief.json").write_bytes(json.dumps(brief).encode().replace(b'"@"', value, 1))
    answer = sixfold("brief", "check", "brief.json", "--json")
    if code is None:
        assert (answer.code, answer.json) == (0, {"problems": []})
        return
    (problem,) = answer.json["problems"]
    assert (answer.code, problem["code"]) == (2, code)
    assert field.startswith(problem["where"])
    assert problem["message"]
    assert problem["remedy"]
    refused = sixfold("propose", "brief.json", "-o", "p.pdf", *ON)
    assert (refused.code, [path.name for path in tmp_path.iterdir()]) == (2, ["brief.json"])


def test_u10_a_template_in_a_name_is_printed_as_it_stands(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("estimate", brief_file({"name": '"{{7*7}} {% for %} ${7*7}"'}), *ON)
    assert answer.out.startswith("{{7*7}} {% for %} ${7*7}: ")


def test_m18_lines_in_two_currencies_do_not_meet(sixfold: Sixfold, brief_file: BriefFile) -> None:
    answer = sixfold("compare", brief_file(), brief_file({"currency": '"CHF"'}, name="b.toml"), *ON, "--json")
    assert (answer.code, answer.json["error"]) == (2, "money.mixed_currency")


def test_d11_work_that_begins_in_the_past_is_not_proposed(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path
) -> None:
    past = {"start": "2020-01-06", "decision_by": "2019-12-20"}
    answer = sixfold("propose", brief_file(past), "-o", "p.pdf", *ON, "--json")
    assert answer.code == 1
    assert (None, "project.start", "date.in_past") in answer.places
    assert [path.name for path in tmp_path.iterdir()] == ["brief.toml"]
    assert sixfold("brief", "check", brief_file({"start": "1970-01-01"}), "--json").places[0][2] == "date.out_of_range"


ZONES = {
    "D21": "a" * 300, "D22": "Europe/Berlin\0", "D23": "../../etc/passwd", "D25": "", "D26": "localtime",
}  # fmt: skip


@pytest.mark.parametrize("zone", ZONES.values(), ids=ZONES)
def test_a_time_zone_of_the_settings_is_one_of_the_list(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path, zone: str
) -> None:
    (tmp_path / "sixfold.toml").write_text(f"[agency]\ntime_zone = {json.dumps(zone)}\n")
    answer = sixfold("propose", brief_file(), "-o", "p.pdf", *ON, "--json")
    assert (answer.code, answer.places) == (2, [(None, "agency.time_zone", "timezone.unknown")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brief.toml", "sixfold.toml"]


@pytest.mark.slow
def test_j37_two_million_rows_are_accepted(sixfold: Sixfold, tmp_path: Path) -> None:
    rows = b'{"messages":[{"role":"user","content":"%08d"},{"role":"assistant","content":"Ok."}]}\n'
    with (tmp_path / "train.jsonl").open("wb") as file:
        for start in range(0, 2_000_000, 10_000):
            file.write(b"".join(rows % number for number in range(start, start + 10_000)))
    answer = sixfold("tokens", "train.jsonl", "--model", "gpt-4o-mini", "--json")
    (tmp_path / "train.jsonl").unlink()
    assert (answer.code, answer.json["rows"], answer.json["examples"]) == (0, 2_000_000, 2_000_000)


AT_THE_TERMINAL_BY_OTHER_TESTS = {"M18", "D11", "U10", "J37", *ZONES}

# What no command takes, and why.
NOT_AT_THE_TERMINAL = {
    "J30": "no command takes a training and a holdout file together",
    "J38": "nobody declares a digest to a command",
    "D02": "a brief holds days and no times",
    "D10": "a proposal counts its validity from the day it is issued",
    "U05": "a command keeps no clients that could meet",
    "W06": "limits of the renderer, asserted in tests/engagements/documents/test_document.py",
}
AREAS_OF_THE_NETWORK = {
    "http", "filename", "training", "state", "concurrency", "auth", "cron", "gateway", "webhook", "csv",
}  # fmt: skip


def rows_of(shared_data: Path) -> Iterator[dict[str, str]]:
    yield from map(json.loads, (shared_data / "bad_inputs/bad_inputs.jsonl").read_text("utf-8").splitlines())


@pytest.mark.shared_data
def test_every_row_of_the_list_has_its_case_or_a_reason_for_having_none(shared_data: Path) -> None:
    here = {name.partition(" ")[0] for name in DATASETS | FIELDS} | AT_THE_TERMINAL_BY_OTHER_TESTS
    owed = {row["id"] for row in rows_of(shared_data) if row["area"] not in AREAS_OF_THE_NETWORK}
    assert owed - here == NOT_AT_THE_TERMINAL.keys()
    assert here <= owed
    assert not here & NOT_AT_THE_TERMINAL.keys()


@pytest.mark.shared_data
def test_the_answers_are_those_of_the_list(shared_data: Path) -> None:
    owed = {row["id"]: row["code"].removeprefix("warn:").partition("@")[0] for row in rows_of(shared_data)}
    for name, case in DATASETS.items():
        code = owed[name.partition(" ")[0]]
        assert {found for _, found in case.found} == ({code} - {"ok"}), name
    differing = {name for name, (_, _, code) in FIELDS.items() if (code or "ok") != owed[name.partition(" ")[0]]}
    # 100 % in figures is accepted; "50%" may answer this way; an amount is digits before it is text.
    assert differing == {"M31 1e2", "M31 text", "W03 amount"}
