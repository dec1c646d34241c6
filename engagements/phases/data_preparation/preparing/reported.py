"""What a report says, as the facts of a datasheet."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engagements.phases.data_preparation.checks.policy import PersonalDataRule
from engagements.phases.data_preparation.preparing.facts import (
    DatasheetFacts,
    LeakageFact,
    SourceFact,
    SplitFact,
    personal_counts,
)
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.splitting.policy import Shares

_HANDLED: Final[Mapping[PersonalDataRule, str]] = {
    PersonalDataRule.KEEP: "Counted in the rows as they came, and left as it was",
    PersonalDataRule.REDACT: "Counted in the rows as they came; placeholders stand for it in what was written",
    PersonalDataRule.REFUSE: "Counted in the rows as they came; rows with it were left out",
}


def reported_facts(
    report: Mapping[str, Any], *, name: str, sha256: str, made_on: str, splits: Sequence[SplitFact],
    sources: Sequence[SourceFact],
) -> DatasheetFacts:  # fmt: skip
    """Of a report as `report.report_of` makes it; what it leaves out is unknown."""
    policy, check = report.get("policy", {}), report.get("check", {})
    task, split = policy.get("task"), policy.get("split")
    personal = personal_counts(check["counts"]) if "counts" in check else None
    return DatasheetFacts(
        name=name, sha256=sha256, made_on=made_on, splits=splits, sources=sources, task=Task(task) if task else None,
        seed=split["seed"] if split else None, rule=_rule(split) if split else None,
        languages=check.get("languages"), languages_sampled=check.get("languages_sampled"),
        dropped=report.get("dropped"), exact_duplicates=report.get("exact_duplicates"),
        near_duplicate_clusters=report.get("near_duplicate_clusters"), leakage=_leakage(report.get("decontamination")),
        personal_data=personal,
        personal_data_handling=_HANDLED[PersonalDataRule(policy["personal_data"])] if personal else None,
    )  # fmt: skip


def _rule(split: Mapping[str, Any]) -> str:
    stratified = ", stratified by label" if split["stratify"] else ""
    stay = "; what a former split held stays where it was" if split["previous"] else ""
    return f"By hash of the group{stratified}, {Shares(**split['shares'])} per cent{stay}"


def _leakage(found: Mapping[str, Any] | None) -> LeakageFact | None:
    if found is None:
        return None
    return LeakageFact(
        exact=found["exact"], normalised=found["normalised"], near=found["minhash"], near_rule=found["near_rule"],
        ngram=found["ngram"], embedding=found["embedding"],
    )  # fmt: skip
