"""Planted near duplicates (set 29 of the shared data): what goes, what stays together, what is reported."""

import json
from pathlib import Path

import pytest

from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.preparing.options import PrepareOptions
from engagements.phases.data_preparation.preparing.prepare import prepare
from engagements.phases.data_preparation.preparing.report import report_of
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.splitting.policy import SPLITS, SplitPolicy

pytestmark = pytest.mark.shared_data


def test_set_29_loses_its_duplicates_reports_its_conflicts_and_keeps_its_hard_negatives(shared_data: Path) -> None:
    folder = shared_data / "sets" / "29_neardup_banking"
    truth = [json.loads(line) for line in (folder / "truth_pairs.jsonl").read_bytes().splitlines()]
    check = CheckPolicy(task=Task.CLASSIFICATION, licence_required=False, personal_data=PersonalDataRule.KEEP)
    options = PrepareOptions(task=Task.CLASSIFICATION, check=check, split=SplitPolicy(seed=7), processes=0)
    with prepare([folder / "rows.jsonl"], options) as found:
        report = report_of(found)
        split_of = {
            record_id: SPLITS[side]
            for record_id, side in zip(found.material.ids, found.division.split.tolist(), strict=True)
        }
        conflicts = {frozenset(pair) for pair in found.conflicts}
    duplicates = ("exact", "case", "whitespace_punct", "unicode")
    gone = dict.fromkeys(duplicates, 0)
    together = 0
    for pair in truth:
        here = [split_of.get(pair[end]) for end in "ab"]
        if pair["kind"] in duplicates:
            gone[pair["kind"]] += None in here
        if pair["kind"].startswith("hard_negative"):
            assert None not in here
        if pair["kind"] == "conflicting_label":
            assert frozenset((pair["a"], pair["b"])) in conflicts
        together += pair["duplicate"] and (None in here or here[0] is here[1])
    assert gone == {"exact": 60, "case": 60, "whitespace_punct": 60, "unicode": 40}
    assert report["exact_duplicates"] == 220
    assert together >= 0.95 * sum(pair["duplicate"] for pair in truth)
