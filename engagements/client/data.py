"""Raw material and what is made of it: uploads, sources, long work, the pool of examples and its checks."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, TypedDict, Unpack

from pydantic import AwareDatetime

from engagements.client.errors import Unreachable
from engagements.client.models import Answer, Content, Versioned
from engagements.client.transport import Transport

PIECE_BYTES: Final = 8 * 1024 * 1024
_TRIES: Final = 5


class Upload(Answer):
    """`received`: how many bytes have come. `state`: receiving, complete or abandoned."""

    id: str
    engagement_id: str
    name: str
    size_bytes: int
    sha256: str
    received: int
    state: str
    created_at: AwareDatetime
    changed_at: AwareDatetime


class Source(Versioned):
    """rows_in = kept + all that `dropped` counts by reason. `state`: fetching, new, importing, imported, failed,
    cancelled or removed."""

    engagement_id: str
    name: str
    kind: str
    author: str
    licence: str
    generator: str
    consent: str
    place: str
    format: str
    encoding: str
    sha256: str
    size_bytes: int
    mapping: Content
    state: str
    rows_in: int
    kept: int
    dropped: dict[str, int]
    problems: list[Content]
    created_by: str
    created_at: AwareDatetime
    changed_at: AwareDatetime


class SourcePreview(Answer):
    """The first rows as they came, and the records that the mapping makes of them."""

    format: str
    encoding: str
    columns: list[str]
    mapping: Content
    rows: list[Content]
    records: list[Content]
    problems: list[Content]


class Job(Versioned):
    """`state`: queued, running, done, failed or cancelled. `total` None where nobody knows."""

    engagement_id: str
    kind: str
    state: str
    subject_id: str
    step: str
    done: int
    total: int | None
    cancel_asked: bool
    result: Content
    error: str
    asked_by: str
    created_at: AwareDatetime
    ended_at: AwareDatetime | None


class FoundInExample(Answer):
    code: str
    severity: str
    group: str
    message: str
    where: str
    weight: int


class Example(Versioned):
    """`record` and what is found in it are None where it lies in a sealed test split."""

    engagement_id: str
    source_id: str
    row_number: int
    record_id: str
    state: str
    state_reason: str
    sealed: bool
    label: str | None
    group: str | None
    score: int | None
    duplicate_of: str | None
    cluster: str | None
    is_edited: bool
    record: Content | None
    findings: list[FoundInExample] | None
    created_at: AwareDatetime
    changed_at: AwareDatetime


class ExampleEdit(Answer):
    id: str
    number: int
    before: Content
    after: Content
    reason: str
    by: str
    by_name: str
    at: AwareDatetime


class Excluded(Answer):
    excluded: int


class PoolStanding(Answer):
    """None where it was never checked."""

    engagement_id: str
    states: dict[str, int]
    sealed: int
    job_id: str | None
    checked_at: AwareDatetime | None
    checked: int | None
    duplicates: int | None
    clusters: int | None
    personal_data: int | None
    acknowledged_by: str | None


class PoolReport(Answer):
    job_id: str
    checked_at: AwareDatetime
    report: Content


class Acknowledgement(Versioned):
    engagement_id: str
    job_id: str
    examples: int
    sha256: str
    note: str
    by: str
    by_name: str
    at: AwareDatetime


class SourceFields(TypedDict, total=False):
    """What its kind asks for, and how it is read; `mapping` names columns, such as {"input": ["text"]}."""

    name: str
    author: str
    licence: str
    generator: str
    consent: str
    format: str
    encoding: str
    mapping: Mapping[str, Any]


class CheckFields(TypedDict, total=False):
    task: str
    model: str
    limit_tokens: int
    languages: Sequence[str]
    personal_data: str
    licences: Sequence[str]
    labels: Sequence[str]
    output_schema: Mapping[str, Any]
    output_pattern: str
    categories: Sequence[Mapping[str, Any]]


class EditFields(TypedDict, total=False):
    """`messages` replaces all of them."""

    messages: Sequence[Mapping[str, Any]]
    label: str | None
    target: Mapping[str, Any] | None
    rejected: Mapping[str, Any] | None
    desirable: bool | None
    group: str | None
    weight: float


class Uploads:
    """Files of any size, in pieces. What was begun goes on where it stopped."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def send(self, engagement_id: str, path: Path) -> Upload:
        """All of it, to the end. Raises `Unreachable` after five pieces in a row were lost; calling again goes on."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        upload = self.declare(engagement_id, name=path.name, size_bytes=path.stat().st_size, sha256=sha256)
        with path.open("rb") as file:
            while upload.received < upload.size_bytes:
                upload = self._send_on(file, upload)
        return self.complete(upload.id)

    def declare(self, engagement_id: str, *, name: str, size_bytes: int, sha256: str) -> Upload:
        fields = {"name": name, "size_bytes": size_bytes, "sha256": sha256}
        return self._calls.post(Upload, "/api/v1/engagements/{}/data/uploads", engagement_id, fields=fields)

    def put(self, upload_id: str, content: bytes, *, first: int, size_bytes: int) -> Upload:
        """The bytes from `first` on, of `size_bytes` in all. Bytes that are there already may be sent again."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {first}-{first + len(content) - 1}/{size_bytes}",
        }
        return self._calls.put_bytes(Upload, "/api/v1/uploads/{}/content", upload_id, content=content, headers=headers)

    def get(self, upload_id: str) -> Upload:
        return self._calls.get(Upload, "/api/v1/uploads/{}", upload_id)

    def list(self, engagement_id: str) -> Iterator[Upload]:
        """Those under way."""
        return self._calls.pages(Upload, "/api/v1/engagements/{}/data/uploads", engagement_id)

    def complete(self, upload_id: str) -> Upload:
        """Raises `Invalid` (`digest_mismatch`) where it is not what was declared."""
        return self._calls.post(Upload, "/api/v1/uploads/{}/complete", upload_id, fields={})

    def abandon(self, upload_id: str) -> Upload:
        return self._calls.post(Upload, "/api/v1/uploads/{}/abandon", upload_id, fields={})

    def _send_on(self, file: BinaryIO, upload: Upload) -> Upload:
        for tried in range(1, _TRIES + 1):
            file.seek(upload.received)
            try:
                return self.put(upload.id, file.read(PIECE_BYTES), first=upload.received, size_bytes=upload.size_bytes)
            except Unreachable:
                if tried == _TRIES:
                    raise
                upload = self.get(upload.id)
        raise AssertionError("the last attempt returns or raises")


class Sources:
    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def add(self, engagement_id: str, kind: str, *, upload_id: str, **fields: Unpack[SourceFields]) -> Source:
        """Raises `Invalid` with all that its kind asks for and that is missing."""
        told = {"kind": kind, "upload_id": upload_id, **fields}
        return self._calls.post(Source, "/api/v1/engagements/{}/data/sources", engagement_id, fields=told)

    def fetch(
        self, engagement_id: str, kind: str, *, place: str, query: str = "", **fields: Unpack[SourceFields]
    ) -> Source:
        """From a folder, bucket, hub or database that the installation allows; a job brings it."""
        told = {"kind": kind, "place": place, "query": query, **fields}
        return self._calls.post(Source, "/api/v1/engagements/{}/data/sources", engagement_id, fields=told)

    def list(self, engagement_id: str) -> Iterator[Source]:
        return self._calls.pages(Source, "/api/v1/engagements/{}/data/sources", engagement_id)

    def get(self, source_id: str) -> Source:
        return self._calls.get(Source, "/api/v1/data-sources/{}", source_id)

    def change(self, source: Source, **fields: Unpack[SourceFields]) -> Source:
        return self._calls.patch(Source, "/api/v1/data-sources/{}", source.id, etag=source.etag, fields=dict(fields))

    def preview(self, source_id: str) -> SourcePreview:
        return self._calls.get(SourcePreview, "/api/v1/data-sources/{}/preview", source_id)

    def start_import(self, source_id: str) -> Job:
        return self._calls.post(Job, "/api/v1/data-sources/{}/import", source_id, fields={})

    def problems_csv(self, source_id: str) -> bytes:
        return self._calls.get_bytes("/api/v1/data-sources/{}/problems.csv", source_id)

    def remove(self, source: Source) -> None:
        """With its examples. Raises `Conflict` where a sealed dataset or a review holds one."""
        self._calls.delete("/api/v1/data-sources/{}", source.id, etag=source.etag)


class Jobs:
    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def list(self, engagement_id: str) -> Iterator[Job]:
        return self._calls.pages(Job, "/api/v1/engagements/{}/data/jobs", engagement_id)

    def get(self, job_id: str) -> Job:
        return self._calls.get(Job, "/api/v1/data-jobs/{}", job_id)

    def cancel(self, job_id: str) -> Job:
        return self._calls.post(Job, "/api/v1/data-jobs/{}/cancel", job_id, fields={})

    def follow(self, job_id: str) -> Iterator[Job]:
        """The job whenever it has moved, to its end."""
        return self._calls.follow(Job, "/api/v1/data-jobs/{}/events", job_id, last="ended")


class Examples:
    """The pool of an engagement."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def standing(self, engagement_id: str) -> PoolStanding:
        return self._calls.get(PoolStanding, "/api/v1/engagements/{}/data", engagement_id)

    def list(
        self,
        engagement_id: str,
        *,
        state: str | None = None,
        label: str | None = None,
        source_id: str | None = None,
        finding: str | None = None,
        cluster: str | None = None,
        score_max: int | None = None,
    ) -> Iterator[Example]:
        """As they came in; with `score_max` the lowest score first."""
        query = {
            "state": state, "label": label, "source_id": source_id, "finding": finding, "cluster": cluster,
            "score_max": score_max,
        }  # fmt: skip
        return self._calls.pages(Example, "/api/v1/engagements/{}/data/examples", engagement_id, query=query)

    def get(self, example_id: str) -> Example:
        return self._calls.get(Example, "/api/v1/examples/{}", example_id)

    def edits(self, example_id: str) -> Iterator[ExampleEdit]:
        return self._calls.pages(ExampleEdit, "/api/v1/examples/{}/edits", example_id)

    def edit(self, example: Example, *, reason: str, **fields: Unpack[EditFields]) -> Example:
        written = {**fields, "reason": reason}
        return self._calls.patch(Example, "/api/v1/examples/{}", example.id, etag=example.etag, fields=written)

    def exclude(self, example_id: str, reason: str) -> Example:
        return self._calls.post(Example, "/api/v1/examples/{}/exclude", example_id, fields={"reason": reason})

    def include(self, example_id: str) -> Example:
        return self._calls.post(Example, "/api/v1/examples/{}/include", example_id, fields={})

    def exclude_duplicates(self, engagement_id: str) -> int:
        """How many were left out."""
        path = "/api/v1/engagements/{}/data/exclude-duplicates"
        return self._calls.post(Excluded, path, engagement_id, fields={}).excluded

    def check(self, engagement_id: str, **fields: Unpack[CheckFields]) -> Job:
        return self._calls.post(Job, "/api/v1/engagements/{}/data/checks", engagement_id, fields=dict(fields))

    def report(self, engagement_id: str) -> PoolReport:
        """Of the newest check. Raises `Conflict` (`not_checked`) where there was none."""
        return self._calls.get(PoolReport, "/api/v1/engagements/{}/data/checks/newest", engagement_id)

    def acknowledge(self, engagement_id: str, note: str, *, person: str = "") -> Acknowledgement:
        """Answers for the personal data that the newest check found. A key has to name the `person`."""
        fields = {"note": note, "person": person}
        return self._calls.post(
            Acknowledgement, "/api/v1/engagements/{}/data/acknowledge", engagement_id, fields=fields
        )
