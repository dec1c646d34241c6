"""What only the whole set shows."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.checks.balance import LabelCount, balance_of
from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.consistency import Conflict
from engagements.phases.data_preparation.checks.coverage import CategoryCoverage
from engagements.phases.data_preparation.checks.findings import CheckGroup, found
from engagements.phases.data_preparation.checks.heat_map import OTHERS, ROWS_MAX, HeatRow
from engagements.phases.data_preparation.checks.policy import Category, CheckPolicy
from engagements.phases.data_preparation.checks.report import CheckReport
from engagements.phases.data_preparation.checks.set_check import SetCheck
from engagements.phases.data_preparation.checks.vocabulary import Unseen
from engagements.phases.data_preparation.checks.volume import Sufficiency, volume_of
from engagements.phases.data_preparation.records import Origin, Record, Task
from estimator.errors import Severity

MakeRecord = Callable[..., Record]
MIT = Origin(source="crm", licence="MIT")


def checked(records: Iterable[Record], **policy: Any) -> SetCheck:
    asked = CheckPolicy(**policy)
    checks = SetCheck(asked)
    for record in records:
        checks.add(record, check_record(record, asked))
    return checks


def labelled(record: MakeRecord, question: str, label: str, **more: Any) -> Record:
    return record(question, label, label=label, **more)


def set_codes(checks: SetCheck) -> list[tuple[int, str]]:
    return [(each.number, each.finding.code) for each in checks.set_findings()]


def test_balance_counts_labels_and_says_how_uneven_they_are() -> None:
    balance = balance_of({"a": 60, "b": 30, "c": 8, "B ": 2})
    assert balance is not None
    assert (balance.labels, balance.examples, balance.small) == (4, 100, 2)
    # By hand: 0.6 ln(1/0.6) + 0.3 ln(1/0.3) + 0.08 ln(1/0.08) + 0.02 ln(1/0.02) = 0.948, and e^0.948 = 2.58.
    assert balance.effective == 2.58
    assert balance.largest[0] == LabelCount(label="a", examples=60)
    assert balance.smallest[0] == LabelCount(label="B ", examples=2)
    assert balance.spellings == (("B ", "b"),)
    assert len(balance.warnings) == 4


def test_equal_labels_are_as_many_as_they_are() -> None:
    balance = balance_of({"a": 20, "b": 20, "c": 20})
    assert balance is not None
    assert (balance.effective, balance.warnings) == (3.0, ())


def test_a_set_without_labels_has_no_balance() -> None:
    assert balance_of({}) is None


def test_equal_inputs_with_two_labels_are_in_conflict_whatever_their_case(record: MakeRecord) -> None:
    checks = checked([
        labelled(record, "Where is my card?", "card_arrival"), labelled(record, "Where is my PIN?", "pin"),
        labelled(record, "where is my  card", "card_lost"),
    ])  # fmt: skip
    assert checks.report().conflicts == (Conflict(numbers=(1, 3), labels=("card_arrival", "card_lost")),)
    assert set_codes(checks) == [(1, "set.conflict"), (3, "set.conflict")]


def test_the_same_question_below_another_prompt_is_no_conflict(record: MakeRecord) -> None:
    def asked(system: str, label: str) -> Record:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "card?"},
            {"role": "assistant", "content": label}]  # fmt: skip
        return record(messages=messages, label=label)

    assert checked([asked("Say the topic.", "card"), asked("Say the mood.", "calm")]).report().conflicts == ()


def test_free_answers_may_vary_and_are_only_noted(record: MakeRecord) -> None:
    checks = checked([record("Are you open on Sunday?", "No, Monday to Friday only, from nine to five."),
        record("Are you open on Sunday?", "We are closed on Sundays, but our site never sleeps.")])  # fmt: skip
    assert set_codes(checks) == [(1, "set.answers_vary"), (2, "set.answers_vary")]


def test_near_equal_inputs_of_a_cluster_are_in_conflict_too(record: MakeRecord) -> None:
    checks = checked([labelled(record, "My card is lost", "lost"), labelled(record, "My card got lost", "stolen"),
        labelled(record, "Where is the PIN?", "pin")])  # fmt: skip
    assert set_codes(checks) == []
    checks.use_clusters([0, 0, 2])
    assert set_codes(checks) == [(1, "set.near_conflict"), (2, "set.near_conflict")]
    assert checks.report().conflicts_found == 1


def test_a_label_that_is_mostly_written_otherwise_is_named(record: MakeRecord) -> None:
    records = [labelled(record, f"Question {number}?", "card lost" if number else "Card_lost") for number in range(3)]
    assert set_codes(checked(records)) == [(1, "label.spelling")]


def test_repetitions_name_the_first(record: MakeRecord) -> None:
    checks = checked([record("Hello there"), record("Hello there"), record("hello  there.")])
    assert [(each.number, each.finding.code, each.finding.message) for each in checks.set_findings()] == [
        (2, "row.duplicate_of", "the same example as number 1"),
        (3, "row.near_duplicate_of", "nearly the same example as number 1"),
    ]


def test_a_key_that_hardly_any_example_has_is_noted(record: MakeRecord) -> None:
    plain = [record(f"Question {number}?", meta={"channel": "mail"}) for number in range(39)]
    checks = checked([*plain, record("Question 40?", meta={"channel": "mail", "todo": "x"})])
    assert set_codes(checks) == [(40, "set.rare_key")]


def test_an_input_far_longer_than_the_others_is_an_outlier(record: MakeRecord) -> None:
    records = [record(f"Where is parcel number {number}?") for number in range(40)]
    assert set_codes(checked([*records, record("Where is it? " * 60)])) == [(41, "set.length_outlier")]


def test_a_wrong_label_is_told_by_the_words(record: MakeRecord) -> None:
    cards = [f"my bank card number {number} was lost or stolen" for number in range(12)]
    rates = [f"which exchange rate applies for {number} euros and dollars" for number in range(12)]
    records = [labelled(record, text, "card") for text in cards] + [labelled(record, text, "rate") for text in rates]
    wrong = labelled(record, "the exchange rate for pounds and dollars", "card")
    assert set_codes(checked([*records, wrong])) == [(25, "set.class_outlier")]


def test_words_of_a_held_out_split_that_training_lacks_are_counted(record: MakeRecord) -> None:
    checks, policy = SetCheck(CheckPolicy()), CheckPolicy()
    for split, text in (("train", "where is my card"), ("train", "my card"), ("test", "where is my zebra")):
        each = record(text)
        checks.add(each, check_record(each, policy), split=split)
    vocabulary = checks.report().vocabulary
    assert vocabulary.unseen == (Unseen(split="test", words=4, unseen=1, share=0.25, examples=("zebra",)),)
    assert (vocabulary.words, vocabulary.types) == (10, 5)


def test_gaps_in_the_declared_edge_cases_are_shown(record: MakeRecord) -> None:
    rude = Category(name="rude", field="meta.tags.letters", value="W", examples_min=2)
    refund = Category(name="refunds", field="label", value="refund", examples_min=1)
    records = [
        labelled(record, f"no {number}", "refund", meta={"tags": tags}) for number, tags in enumerate(("BW", "B"))
    ]
    assert checked(records, categories=(rude, refund)).report().coverage == (
        CategoryCoverage(name="rude", examples=1, examples_min=2, missing=1),
        CategoryCoverage(name="refunds", examples=2, examples_min=1, missing=0),
    )


@pytest.mark.parametrize(
    ("usable", "task", "sufficiency"),
    [
        (9, None, Sufficiency.REFUSED), (9, Task.CLASSIFICATION, Sufficiency.REFUSED), (10, None, Sufficiency.USUAL),
        (99, Task.CLASSIFICATION, Sufficiency.SCARCE), (100, Task.CLASSIFICATION, Sufficiency.USUAL),
        (501, Task.EXTRACTION, Sufficiency.AMPLE), (999, Task.PREFERENCE, Sufficiency.SCARCE),
    ],
)  # fmt: skip
def test_volume_is_held_against_the_guidance_of_its_task(
    usable: int, task: Task | None, sufficiency: Sufficiency
) -> None:
    assert volume_of(1_000, usable, task).sufficiency is sufficiency


def test_the_heat_map_shows_shares_by_label_and_group(record: MakeRecord) -> None:
    report = checked([
        labelled(record, "you idiot", "a"), labelled(record, "all fine", "a"), labelled(record, "all good", "b"),
        labelled(record, "jo@example.com", "b"),
    ]).report()  # fmt: skip
    assert report.heat_map.by == "label"
    assert report.heat_map.columns == (CheckGroup.PERSONAL, CheckGroup.SAFETY)
    assert set(report.heat_map.rows) == {
        HeatRow(name="a", examples=2, shares=(0.0, 0.5)), HeatRow(name="b", examples=2, shares=(0.5, 0.0)),
    }  # fmt: skip


def test_a_heat_map_of_very_many_labels_joins_the_quiet_ones(record: MakeRecord) -> None:
    records = [
        labelled(record, f"you idiot {number}" if number < 3 else f"fine {number}", f"l{number}")
        for number in range(90)
    ]
    heat = checked(records).report().heat_map
    assert len(heat.rows) == ROWS_MAX
    assert (heat.rows[-1].name, heat.rows[-1].examples) == (OTHERS, 90 - ROWS_MAX + 1)
    assert {row.name for row in heat.rows[:3]} == {"l0", "l1", "l2"}


def test_errors_are_mended_first_and_then_what_costs_most(record: MakeRecord) -> None:
    report = checked([
        record("Good day to you", ""), record("you idiot"), record("What an idiot you are"), record("jo@example.com"),
    ]).report()  # fmt: skip
    assert [(fix.code, fix.severity, fix.examples, fix.points) for fix in report.fix_first] == [
        ("row.bad_content", Severity.ERROR, 1, 18.75),
        ("safety.toxic", Severity.WARNING, 2, 15.0),
        ("personal_data.found", Severity.WARNING, 1, 5.0),
    ]
    assert report.scores.mean == 100 - 18.75 - 15 - 5
    assert (report.records, report.usable) == (4, 3)


def test_the_first_places_of_a_code_carry_id_and_row(record: MakeRecord) -> None:
    report = checked([record("you idiot", id="t-9", origin=Origin(source="crm", licence="MIT", row=7))]).report()
    (count,) = report.findings
    assert (count.code, count.examples) == ("safety.toxic", 1)
    assert [(place.number, place.id, place.row) for place in count.first] == [(1, "t-9", 7)]


def test_an_empty_set_is_reported_and_nothing_is_zero_that_is_unknown() -> None:
    report = SetCheck(CheckPolicy()).report()
    assert (report.records, report.scores.mean, report.lengths, report.balance) == (0, None, None, None)
    assert report.volume.sufficiency is Sufficiency.REFUSED


def test_languages_licences_and_sources_are_counted(record: MakeRecord) -> None:
    report = checked([
        record("Where is my parcel, I have been waiting for it since Monday"),
        record("Wo bleibt mein Paket, ich warte schon seit Montag darauf", origin=Origin()),
    ]).report()  # fmt: skip
    assert report.languages == {"en": 1, "de": 1}
    assert (report.licences, report.sources) == ({"MIT": 1, "unknown": 1}, {"crm": 1, "unknown": 1})


def test_the_report_is_plain_data() -> None:
    def plain(value: object) -> bool:
        match value:
            case dict():
                return all(isinstance(key, str) and plain(member) for key, member in value.items())
            case list():
                return all(map(plain, value))
            case _:
                return value is None or isinstance(value, bool | int | float | str)

    report = SetCheck(CheckPolicy(categories=(Category(name="x", field="label"),))).report()
    assert plain(report.to_json())
    assert set(report.to_json()) == set(CheckReport.__dataclass_fields__)


CODES = st.lists(st.sampled_from(["safety.toxic", "licence.missing", "row.bad_content"]), max_size=3, unique=True)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), CODES), max_size=20))
def test_counts_scores_and_heat_agree_with_the_findings(rows: list[tuple[str, list[str]]]) -> None:
    checks = SetCheck(CheckPolicy())
    for number, (label, codes) in enumerate(rows):
        messages = [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": label}]
        each = Record(id=str(number), messages=messages, label=label, origin=MIT)
        checks.add(each, [found(code, "x") for code in codes])
    report = checks.report()
    assert report.counts == {
        code: count for code in ("licence.missing", "row.bad_content", "safety.toxic")
        if (count := sum(code in codes for _, codes in rows))
    }  # fmt: skip
    assert report.errors == sum("row.bad_content" in codes for _, codes in rows)
    assert sum(report.scores.by_ten) == report.records == sum(row.examples for row in report.heat_map.rows)
    for place, group in enumerate(report.heat_map.columns):
        hot = sum(row.shares[place] * row.examples for row in report.heat_map.rows)
        assert round(hot) == sum(any(found(code, "x").group is group for code in codes) for _, codes in rows)
