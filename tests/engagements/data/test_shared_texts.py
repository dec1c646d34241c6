"""Texts that break what they meet: hostile strings, attacks, personal data, records full of slips of the pen."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from engagements.core.roles import Role
from engagements.phases.data_preparation.checks.personal_data import find
from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.collecting.importing import Import
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.deduplication.near import clusters
from engagements.phases.data_preparation.formats.registry import FORMATS
from engagements.phases.data_preparation.preparing.options import PrepareOptions
from engagements.phases.data_preparation.preparing.page import card_of
from engagements.phases.data_preparation.preparing.prepare import prepare
from engagements.phases.data_preparation.preparing.report import report_of
from engagements.phases.data_preparation.records import Record, Task, record_of
from engagements.phases.data_preparation.splitting.policy import SPLITS, SplitPolicy
from estimator.tokens.normal import folded

pytestmark = pytest.mark.shared_data


class Shown(HTMLParser):
    """What a browser would make of a page: its elements, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements, self.handlers, self.text = Counter[str](), list[str](), ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def labelled(path: Path, texts: Sequence[str]) -> Path:
    """The texts as rows of a training set, one class after the other."""
    path.write_bytes(
        b"".join(json.dumps({"text": text, "label": f"class {n % 3}"}).encode() + b"\n" for n, text in enumerate(texts))
    )
    return path


def prepared(path: Path, rule: PersonalDataRule = PersonalDataRule.KEEP) -> tuple[dict[str, Any], list[Record], str]:
    """The report, what was kept, and the card."""
    check = CheckPolicy(task=Task.CLASSIFICATION, licence_required=False, personal_data=rule)
    options = PrepareOptions(task=Task.CLASSIFICATION, check=check, split=SplitPolicy(seed=7), processes=0)
    with prepare([path], options) as found:
        report = report_of(found)
        records = [record_of(json.loads(line)) for split in SPLITS for line in found.lines_of(split)]
        return report, records, card_of(found, report, name=path.name, made_on="23 November 2026")


# --- hostile strings --------------------------------------------------------------------------------------------------


@pytest.fixture
def naughty(shared_data: Path) -> list[str]:
    strings = json.loads((shared_data / "sets/24_naughty_strings/blns.json").read_bytes())
    assert len(strings) == 515
    # A message without a word is no example, in any format.
    return [text if text.strip() else f"#{text}" for text in strings]


def test_naughty_strings_are_prepared_byte_by_byte_and_make_no_element_of_the_card(naughty, tmp_path: Path) -> None:
    report, records, card = prepared(labelled(tmp_path / "naughty.jsonl", naughty))
    assert report["rows_in"] == 515 == len(records) + sum(report["dropped"].values())
    kept = [naughty[record.origin.row - 1] for record in records if record.origin.row]
    assert [record.question for record in records] == kept
    dull = prepared(labelled(tmp_path / "dull.jsonl", [f"text number {n} of this set" for n in range(515)]))[2]
    assert set(Shown(card).elements) <= set(Shown(dull).elements)
    assert Shown(card).handlers == []


@pytest.mark.parametrize("name", FORMATS)
def test_naughty_strings_come_back_from_every_format(naughty, tmp_path: Path, name: str) -> None:
    form = FORMATS[name]
    records = [
        Record(
            id=f"r-{number}", rejected={"role": "assistant", "content": f"{text} no"}, desirable=True,
            messages=[{"role": "user", "content": text}, {"role": "assistant", "content": f"{text} yes"}],
        )
        for number, text in enumerate(naughty)
    ]  # fmt: skip
    path = tmp_path / f"out.{form.extension}"
    path.write_bytes(b"".join(form.write_file(records)))
    again = list(Import(path, mapping=ColumnMapping(shape=name)))
    assert [(each.question, each.answer) for each in again] == [(each.question, each.answer) for each in records]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_naughty_strings_are_stored_and_shown_as_they_are(naughty, desk, reader, tmp_path: Path) -> None:
    everything = "\n".join(naughty)
    path = labelled(tmp_path / "naughty.jsonl", [*naughty, everything])
    desk.fill(path.read_bytes(), name=path.name)
    stored = {example["record"]["origin"]["row"]: example for example in pool_of(desk)}
    asked = {row: example["record"]["messages"][0]["content"] for row, example in stored.items()}
    assert [asked[row] for row in range(1, 517)] == [*naughty, everything]

    lead = reader(Role.DELIVERY_LEAD)
    page, dull = (Shown(lead.get(f"/examples/{stored[row]['id']}").text) for row in (516, 2))
    assert " ".join(everything.split()) in " ".join(page.text.split())
    assert page.elements["script"] == dull.elements["script"]
    assert page.handlers == dull.handlers


def pool_of(desk: Any) -> Iterator[dict[str, Any]]:
    """Every example in the pool."""
    cursor = ""
    while cursor is not None:
        answer = desk.api.get(f"{desk.home}/examples?limit=200{cursor and '&cursor='}{cursor}").json()
        yield from answer["items"]
        cursor = answer["next"]


# --- attacks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def probes(shared_data: Path) -> Callable[[str], list[str]]:
    folder = shared_data / "sets/31_injection_probes"

    def of(kind: str) -> list[str]:
        match kind:
            case "extraction":
                groups = json.loads((folder / "sysprompt_extraction_attacks.json").read_text("utf-8"))
                return [text for texts in groups.values() if isinstance(texts, list) for text in texts]
            case "persona":
                return [json.loads(path.read_text("utf-8"))[0] for path in sorted(folder.glob("dan_*.json"))]
            case "harmful wish":
                lines = (folder / "harmbench_harmbench_prompts.txt").read_text("utf-8").splitlines()
                return [line for line in lines if line.strip()]
            case _:
                return list(json.loads((folder / f"payloads_{kind}.json").read_text("utf-8"))["payloads"])

    return of


ATTACKS = frozenset({"row.prompt_injection", "row.markup", "safety.code_injection"})


@pytest.mark.parametrize(
    ("kind", "rows", "flagged"),
    [
        ("extraction", 28, 28),
        ("persona", 14, 13),
        ("sql_injection", 10, 10),
        # The one that is left is written in entities throughout, and so harmless where it is shown.
        ("web_html_js", 17, 16),
        # A wish in plain words is no attack on anybody's instructions; telling it takes a model.
        ("harmful wish", 200, 0),
    ],
)
def test_attacks_are_flagged_in_training_data(probes, tmp_path: Path, kind: str, rows: int, flagged: int) -> None:
    texts = probes(kind)
    report, _, card = prepared(labelled(tmp_path / "probes.jsonl", texts))
    assert (len(texts), report["rows_in"]) == (rows, rows)
    assert len({each["line"] for each in report["problems"] if each["code"] in ATTACKS}) == flagged
    assert not {"script", "img", "iframe", "svg"} & set(Shown(card).elements)


# --- personal data ----------------------------------------------------------------------------------------------------


def test_labelled_personal_data_is_replaced_before_anything_is_kept(shared_data: Path, tmp_path: Path) -> None:
    rows = json.loads((shared_data / "sets/30_pii_small/generated_small.json").read_text("utf-8"))
    assert (len(rows), sum(len(row["spans"]) for row in rows), sum(not row["spans"] for row in rows)) == (100, 173, 11)
    path = labelled(tmp_path / "personal.jsonl", [row["full_text"] for row in rows])
    _, records, _ = prepared(path, PersonalDataRule.REDACT)
    left: Counter[str] = Counter()
    for record in records:
        row = rows[(record.origin.row or 0) - 1]
        left.update(span["entity_type"] for span in row["spans"] if span["entity_value"] in record.question)
        assert row["spans"] or record.question == row["full_text"]
        assert not find(record.question)
    for kind in ("CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "IP_ADDRESS", "US_SSN", "US_DRIVER_LICENSE"):
        assert left[kind] == 0


# --- records of people ------------------------------------------------------------------------------------------------


def test_two_thirds_of_the_records_with_slips_are_found_and_no_two_people_taken_for_one(shared_data: Path) -> None:
    """A record of ten short fields changes more by one slip than a sentence does: at half the runs of letters in
    common, nine of ten are found."""
    with (shared_data / "sets/32_febrl1_dedup/dataset1.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    people = [row["rec_id"].split("-")[1] for row in rows]
    assert (len(rows), len(set(people))) == (1000, 500)
    texts = [folded(" ".join(value for name, value in row.items() if name != "rec_id")) for row in rows]
    for threshold, recalled in ((0.7, 331), (0.5, 461)):
        found: dict[int, list[str]] = {}
        for person, number in zip(people, clusters(texts, seed=7, threshold=threshold).number.tolist(), strict=True):
            found.setdefault(number, []).append(person)
        assert all(len(set(together)) == 1 for together in found.values())
        assert sum(len(together) == 2 for together in found.values()) == recalled
