"""What a version says of itself: its report, and the datasheet made of all that is on record."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, func, select

from engagements.core.models import Client, Engagement, Organisation
from engagements.core.roles import Actor
from engagements.phases.data_preparation.models import DataSource, Example, ExampleState
from engagements.phases.data_preparation.pool.standing import newest_check, report_in
from engagements.phases.data_preparation.preparing.facts import (
    AgreementFact,
    DatasheetFacts,
    LeakageFact,
    SourceFact,
    SplitFact,
    personal_counts,
)
from engagements.phases.data_preparation.review.agreement import agreement_to_prove
from engagements.phases.data_preparation.review.models import ExampleReview
from engagements.phases.data_preparation.storage import Storage
from engagements.phases.data_preparation.versions.dividing import Division
from engagements.phases.data_preparation.versions.gathering import Entry, Gathered
from engagements.phases.data_preparation.versions.manifest import SealedSplit
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.data_preparation.versions.schemas import SealIn

_RAW: Final = "Yes, as it came, each file under its digest."
_TEST_ACCESS: Final = (
    "Only evaluations, each on record with its purpose; it is no material for training, prompts or checkpoints."
)
_ERASURE: Final = "Yes: they are found in every version and taken out, and what was trained on them is listed."
_KEPT_TOGETHER: Final = (
    "Whole groups are assigned by a seeded hash: examples of one customer, conversation or document, near duplicates, "
    "and what was generated from one another are never apart; what was in a split before stays there."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the system found, beside the examples themselves. `reviewers`: their names, in order."""

    sources: Sequence[SourceFact]
    reviewed: int
    reviewers: Sequence[str]
    dropped: Mapping[str, int]
    exact_duplicates: int
    agreement: AgreementFact | None
    check: "CheckFact | None"
    made_for: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFact:
    """The newest check of the pool. `answered`: who answers for the personal data in it, why and since when, or ""."""

    on: str
    personal: int
    answered: str
    answered_by: str
    languages: Mapping[str, int]
    languages_sampled: int | None
    gaps: Sequence[str]


def found_of(
    session: Session, storage: Storage, actor: Actor, engagement: Engagement, made: Gathered
) -> Findings:  # fmt: skip
    """Raises `BlobDamaged` where the report of the newest check is."""
    reviewed, reviewers = _reviews(session, engagement.id, {entry.example_id for entry in made.entries})
    sources = session.exec(select(DataSource).where(col(DataSource.engagement_id) == engagement.id)).all()
    duplicates = select(func.count()).where(
        col(Example.engagement_id) == engagement.id, col(Example.state) == ExampleState.EXCLUDED,
        col(Example.duplicate_of).is_not(None),
    )  # fmt: skip
    shares = Counter(entry.source_id for entry in made.entries)
    return Findings(
        sources=tuple(_source(source, shares[source.id]) for source in sources if shares[source.id]),
        reviewed=reviewed, reviewers=reviewers, dropped=_dropped(source for source in sources if shares[source.id]),
        exact_duplicates=session.exec(duplicates).one(), agreement=_agreement(session, actor, engagement.id),
        check=_check(session, storage, engagement.id),
        made_for=session.get_one(Client, engagement.client_id).name,
        made_by=session.get_one(Organisation, engagement.organisation_id).name,
    )  # fmt: skip


def report_of(
    made: Gathered, division: Division, found: Findings, content_sha256: str, *, at: datetime
) -> dict[str, Any]:
    """What evidence and card rest on, as JSON: counts, names of sources, licences and reviewers, no text."""
    licences = sorted({source.licence for source in found.sources if source.licence})
    personal = personal_counts(made.findings)
    return {
        "content_sha256": content_sha256,
        "groups": division.groups,
        "clusters": division.clusters,
        "left_out": list(division.left_out),
        "labels": {name: labels_of(entries) for name, entries in division.splits.items()},
        "edited": sum(entry.is_edited for entry in made.entries),
        "reviewed": found.reviewed,
        "reviewers": list(found.reviewers),
        "sources": [asdict(source) for source in found.sources],
        "agreement": asdict(found.agreement) if found.agreement else None,
        "licence": {"passed": all(source.licence for source in found.sources), "note": "; ".join(licences)},
        "personal_data": _personal_data(personal, found.check),
        "languages": dict(found.check.languages) if found.check else None,
        "languages_sampled": found.check.languages_sampled if found.check else None,
        "gaps": list(found.check.gaps) if found.check else None,
        "sealed_on": at.date().isoformat(),
    }  # fmt: skip


def datasheet_facts(
    version: DatasetVersion, found: Findings, splits: Sequence[SealedSplit], parent: DatasetVersion | None
) -> DatasheetFacts:
    report, leakage = version.report, version.leakage
    return DatasheetFacts(
        name=version.name, sha256=version.sha256, made_on=version.sealed_at.date().isoformat(),
        task=SealIn.model_validate(version.policy).task, made_by=found.made_by, made_for=found.made_for,
        parent=parent.name if parent else "", seed=version.policy["seed"], rule=_KEPT_TOGETHER,
        splits=tuple(
            SplitFact(name=each.name, examples=each.examples, sha256=each.sha256, labels=report["labels"][each.name])
            for each in splits
        ),
        sources=found.sources, dropped=found.dropped, exact_duplicates=found.exact_duplicates,
        near_duplicate_clusters=report["clusters"],
        leakage=LeakageFact(
            exact=leakage["exact"], normalised=leakage["normalised"], near=leakage["minhash"],
            near_rule=leakage["near_rule"], ngram=leakage["ngram"], embedding=leakage["embedding"],
        ),
        reviewed=found.reviewed, reviewers=len(found.reviewers), edited=report["edited"], agreement=found.agreement,
        languages=report["languages"], languages_sampled=report["languages_sampled"], gaps=report["gaps"],
        personal_data=report["personal_data"]["found"] if report["personal_data"] else None,
        personal_data_handling=report["personal_data"]["note"] if report["personal_data"] else None,
        raw_material=_RAW, test_access=_TEST_ACCESS, erasure=_ERASURE, note=version.note,
    )  # fmt: skip


def _personal_data(found: Mapping[str, int], check: CheckFact | None) -> dict[str, Any] | None:
    """None where nobody looked: then nobody can say that there is none."""
    if check is None:
        return None
    return {
        "found": dict(found), "passed": not check.personal or bool(check.answered_by), "note": check.answered,
        "by": check.answered_by, "on": check.on,
    }  # fmt: skip


def _check(session: Session, storage: Storage, engagement_id: str) -> CheckFact | None:
    checked = newest_check(session, engagement_id)
    if checked is None:
        return None
    report, answer = report_in(storage, checked.job), checked.acknowledged
    on = answer.at if answer else checked.job.ended_at or checked.job.created_at
    return CheckFact(
        on=on.date().isoformat(), personal=checked.personal,
        answered=f"{answer.by_name} answers for it: {answer.note}" if answer else "",
        answered_by=answer.by_name if answer else "", languages=report["languages"],
        languages_sampled=report["languages_sampled"],
        gaps=[
            f"{each['name']}: {each['missing']:,} more examples are needed" for each in report["coverage"]
            if each["missing"]
        ],
    )  # fmt: skip


def _agreement(session: Session, actor: Actor, engagement_id: str) -> AgreementFact | None:
    found = agreement_to_prove(session, actor, engagement_id)
    if found is None:
        return None
    return AgreementFact(measure=found.measure, value=found.value, items=found.items, target=found.target)


def labels_of(entries: Iterable[Entry]) -> dict[str, int]:
    """How many of each label, the most frequent first."""
    return dict(Counter(entry.label for entry in entries if entry.label is not None).most_common())


def _source(source: DataSource, examples: int) -> SourceFact:
    return SourceFact(
        name=source.name, kind=source.kind, examples=examples, author=source.author, licence=source.licence,
        generator=source.generator, consent=source.consent, rows_in=source.rows_in, kept=source.kept,
    )  # fmt: skip


def _dropped(sources: Iterable[DataSource]) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    for source in sources:
        reasons.update(source.dropped)
    return dict(reasons)


def _reviews(session: Session, engagement_id: str, members: set[str]) -> tuple[int, list[str]]:
    """How many of these examples somebody reviewed, and who did."""
    said = select(ExampleReview.example_id, ExampleReview.reviewer_name).where(
        col(ExampleReview.engagement_id) == engagement_id
    )
    mine = [(example_id, name) for example_id, name in session.exec(said) if example_id in members]
    return len({example_id for example_id, _ in mine}), sorted({name for _, name in mine})
