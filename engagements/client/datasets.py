"""Sealed datasets: versions, their datasheets, what is different, what came of them; and persons erased from them."""

from collections.abc import Iterator, Sequence

from pydantic import AwareDatetime

from engagements.client.data import Job
from engagements.client.models import Answer, Content, Versioned
from engagements.client.transport import Transport


class Split(Answer):
    """`sha256`: of its JSON Lines as they were sealed; `erased`: how many have left them since."""

    name: str
    examples: int
    sha256: str
    erased: int


class DatasetVersion(Versioned):
    """`sha256`: of its manifest; runs name it. `is_complete`: nothing was erased from it."""

    engagement_id: str
    number: int
    name: str
    parent_id: str | None
    sha256: str
    policy: Content
    splits: list[Split]
    examples: int
    leakage: Content
    report: Content
    card_sha256: str
    evidence_id: str | None
    note: str
    erased: int
    is_complete: bool
    sealed_at: AwareDatetime
    sealed_by: str
    sealed_by_name: str


class Card(Answer):
    """`content`: the datasheet, section by section; an answer of None is unknown."""

    version_id: str
    name: str
    sha256: str
    erased: int
    content: Content


class Ids(Answer):
    """How many, and the first hundred."""

    count: int
    first: list[str]


class Moved(Answer):
    record_id: str
    before: str
    after: str


class LabelShift(Answer):
    """Examples of a label in a split, and their share of it from 0 to 1."""

    split: str
    label: str
    before: int
    after: int
    share_before: float | None
    share_after: float | None


class DatasetDifference(Answer):
    """`left_test`: how many of a test split stand in another one now."""

    before: str
    after: str
    unchanged: int
    added: Ids
    removed: Ids
    edited: Ids
    moved: int
    moves: list[Moved]
    left_test: int
    shifts: list[LabelShift]


class SealedRead(Versioned):
    """That somebody opened a sealed test split."""

    version_id: str
    purpose: str
    by: str
    by_name: str
    at: AwareDatetime


class OpenedSplit(Answer):
    """The test split itself, as canonical records."""

    read: SealedRead
    sha256: str
    erased: int
    examples: list[Content]


class Use(Answer):
    """Evidence that rests on a dataset."""

    evidence_id: str
    kind: str
    name: str
    because: str
    is_serving: bool
    at: AwareDatetime


class VersionUse(Answer):
    version_id: str
    number: int
    name: str
    split: str | None
    uses: list[Use]


class LineageEdit(Answer):
    number: int
    reason: str
    by_name: str
    at: AwareDatetime


class LineageReview(Answer):
    round_id: str
    reviewer_name: str
    decision: str
    corrected: bool
    at: AwareDatetime


class ExampleLineage(Answer):
    """From an example back to its row, and on to all that was made of it."""

    example_id: str
    record_id: str
    state: str
    state_reason: str
    sha256: str
    source_id: str
    source: str
    source_kind: str
    licence: str
    row_number: int
    made_from: str | None
    edits: list[LineageEdit]
    reviews: list[LineageReview]
    versions: list[VersionUse]


class SourceShare(Answer):
    source_id: str
    name: str
    kind: str
    licence: str
    examples: int


class VersionLineage(Answer):
    version_id: str
    name: str
    parent_id: str | None
    children: list[str]
    sources: list[SourceShare]
    reviewers: list[str]
    uses: list[Use]
    reads: int


class FoundVersion(Answer):
    version_id: str
    name: str
    train: int
    validation: int
    test: int


class FoundSource(Answer):
    source_id: str
    name: str
    rows: int


class Found(Answer):
    """Where a person's data is. `uses`: runs and releases that have seen it."""

    examples: int
    sources: list[FoundSource]
    versions: list[FoundVersion]
    uploads: int
    checks: int
    generations: int
    uses: list[Use]


class Erasure(Versioned):
    """`outstanding`: evidence ids of releases that still serve what learned from the erased examples."""

    engagement_id: str
    request: str
    note: str
    state: str
    found: Found
    erased: bool
    outstanding: list[str]
    by: str
    by_name: str
    at: AwareDatetime
    done_at: AwareDatetime | None


class Datasets:
    """Versions of datasets. What is sealed never changes, but for what an erasure takes away."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Iterator[DatasetVersion]:
        """Newest first."""
        return self._calls.pages(DatasetVersion, "/api/v1/engagements/{}/dataset-versions", engagement_id)

    def seal(self, engagement_id: str, **choices: object) -> Job:
        """The job that seals what is accepted. `choices`: name, note, seed, shares, hold_out, stratify, task,
        personal_data, all of them optional."""
        return self._calls.post(Job, "/api/v1/engagements/{}/dataset-versions", engagement_id, fields=choices)

    def get(self, version_id: str) -> DatasetVersion:
        return self._calls.get(DatasetVersion, "/api/v1/dataset-versions/{}", version_id)

    def card(self, version_id: str) -> Card:
        return self._calls.get(Card, "/api/v1/dataset-versions/{}/card", version_id)

    def card_pdf(self, version_id: str) -> bytes:
        return self._calls.get_bytes("/api/v1/dataset-versions/{}/card.pdf", version_id)

    def diff(self, version_id: str, against: str | None = None) -> DatasetDifference:
        """What `version_id` has that `against` has not, and the other way round; without it, the version before."""
        query = {"against": against}
        return self._calls.get(DatasetDifference, "/api/v1/dataset-versions/{}/diff", version_id, query=query)

    def lineage(self, version_id: str) -> VersionLineage:
        return self._calls.get(VersionLineage, "/api/v1/dataset-versions/{}/lineage", version_id)

    def manifest(self, version_id: str) -> bytes:
        return self._calls.get_bytes("/api/v1/dataset-versions/{}/manifest", version_id)

    def export(self, version_id: str, split: str = "train", *, form: str = "canonical") -> bytes:
        """A split as a file, in the format of a provider if one is named; never the test split."""
        query = {"split": split, "format": form}
        return self._calls.get_bytes("/api/v1/dataset-versions/{}/export", version_id, query=query)

    def open_test_split(self, version_id: str, purpose: str) -> OpenedSplit:
        """For an evaluation, which `purpose` names. Every call is written down."""
        fields = {"purpose": purpose}
        return self._calls.post_once(OpenedSplit, "/api/v1/dataset-versions/{}/test-split", version_id, fields=fields)

    def accesses(self, version_id: str) -> Iterator[SealedRead]:
        """Every time its test split was opened, the last first."""
        return self._calls.pages(SealedRead, "/api/v1/dataset-versions/{}/accesses", version_id)

    def record_evidence(self, version_id: str) -> DatasetVersion:
        """At gate 1, where that failed when it was sealed."""
        return self._calls.post(DatasetVersion, "/api/v1/dataset-versions/{}/evidence", version_id)

    def example_lineage(self, example_id: str) -> ExampleLineage:
        return self._calls.get(ExampleLineage, "/api/v1/examples/{}/lineage", example_id)


class Erasures:
    """Persons who asked to be forgotten. Texts are as they stand in the data; they are not kept."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Iterator[Erasure]:
        return self._calls.pages(Erasure, "/api/v1/engagements/{}/erasures", engagement_id)

    def preview(self, engagement_id: str, texts: Sequence[str] = (), *, example_ids: Sequence[str] = ()) -> Found:
        """Where a person is; nothing is changed."""
        fields = {"texts": list(texts), "example_ids": list(example_ids)}
        return self._calls.post_once(Found, "/api/v1/engagements/{}/erasures/preview", engagement_id, fields=fields)

    def open(
        self,
        engagement_id: str,
        request: str,
        texts: Sequence[str] = (),
        *,
        example_ids: Sequence[str] = (),
        note: str = "",
    ) -> Erasure:
        """Erases a person everywhere, by a job. `request`: the reference of the letter."""
        fields = {"request": request, "texts": list(texts), "example_ids": list(example_ids), "note": note}
        return self._calls.post(Erasure, "/api/v1/engagements/{}/erasures", engagement_id, fields=fields)

    def get(self, erasure_id: str) -> Erasure:
        return self._calls.get(Erasure, "/api/v1/erasures/{}", erasure_id)

    def settle(self, erasure_id: str, retired: Sequence[str] = (), *, note: str = "") -> Erasure:
        """Ends it. `retired`: evidence ids of releases that serve no more."""
        fields = {"retired": list(retired), "note": note}
        return self._calls.post(Erasure, "/api/v1/erasures/{}/settle", erasure_id, fields=fields)
