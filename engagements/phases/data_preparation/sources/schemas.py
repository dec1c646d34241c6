"""What comes in and goes out about uploads and sources."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field

from engagements.core.schemas import In, Line, Out, Text, absent
from engagements.phases.data_preparation.models import SourceState, UploadState
from engagements.phases.data_preparation.records import Provenance, Task
from estimator.brief.fields import refusal

UPLOAD_BYTES_MAX: Final = 50 * 1024**3


def _some_bytes(value: int) -> int:
    if value < 1:
        raise refusal("dataset_empty", "the file is empty", "send a file with rows in it")
    if value > UPLOAD_BYTES_MAX:
        raise refusal("body_too_large", f"the file holds more than {UPLOAD_BYTES_MAX:,} bytes", "send it in parts")
    return value


FileFormatName = Annotated[str, Field(pattern=r"^(|jsonl|json|csv|tsv|excel|parquet|text)$")]
"""Empty: as its name and content say."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UploadIn(In):
    """`name`: as the sender calls the file; only its last part is kept, as a label."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "name": "tickets.csv", "size_bytes": 4, "sha256": "0" * 64,
    }]})  # fmt: skip

    name: Annotated[str, Field(max_length=4000)]
    size_bytes: Annotated[int, Field(strict=True), AfterValidator(_some_bytes)]
    sha256: Sha256


class UploadOut(Out):
    """`received`: how many bytes have come, from the first on; the next piece begins there."""

    id: str
    engagement_id: str
    name: str
    size_bytes: int
    sha256: str
    received: int
    state: UploadState
    created_at: datetime
    changed_at: datetime


class MappingIn(In):
    """Which column is what, or which `shape` the rows have; several columns of `input` are joined by a blank line.

    `system_prompt` is said before every example.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"input": ["text"], "target": "category"}]})

    shape: Line = ""
    task: Task | None = None
    input: Annotated[list[Line], Field(max_length=20)] = Field(default_factory=list)
    target: Line = ""
    id: Line = ""
    group: Line = ""
    system: Line = ""
    author: Line = ""
    licence: Line = ""
    language: Line = ""
    weight: Line = ""
    system_prompt: Annotated[str, Field(max_length=20_000)] = ""


class SourceIn(In):
    """Either `upload_id` or `place` (with `query` where it is a database).

    What has to be said of it follows from its `kind`: a `licence` always, an `author` of what experts wrote, the
    `generator` of what a model wrote, the `consent` of the people in what a product recorded.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "kind": "historical", "licence": "the client's own", "upload_id": "upl_06dh6m9h7k0000000000000000",
    }]})  # fmt: skip

    kind: Provenance
    upload_id: str | None = None
    place: Annotated[str, Field(max_length=2000)] = ""
    query: Annotated[str, Field(max_length=20_000)] = ""
    name: Line = ""
    author: Line = ""
    licence: Line = ""
    generator: Line = ""
    consent: Text = ""
    format: FileFormatName = ""
    encoding: Annotated[str, Field(max_length=40)] = ""
    mapping: MappingIn | None = None


class SourcePatch(In):
    """Until it is imported, and again after that has failed."""

    name: Line = absent()
    author: Line = absent()
    licence: Line = absent()
    generator: Line = absent()
    consent: Text = absent()
    format: FileFormatName = absent()
    encoding: Annotated[str, Field(max_length=40)] = absent()
    mapping: MappingIn = absent()


class SourceOut(Out):
    """rows_in = kept + all that `dropped` counts by reason; `problems` lists the first hundred of each."""

    id: str
    version: int
    engagement_id: str
    name: str
    kind: Provenance
    author: str
    licence: str
    generator: str
    consent: str
    place: str
    format: str
    encoding: str
    sha256: str
    size_bytes: int
    mapping: dict[str, Any]
    state: SourceState
    rows_in: int
    kept: int
    dropped: dict[str, int]
    problems: list[dict[str, Any]]
    created_by: str
    created_at: datetime
    changed_at: datetime

    @property
    def left_out(self) -> int:
        return self.rows_in - self.kept

    @property
    def kept_share(self) -> float | None:
        return self.kept / self.rows_in if self.rows_in else None


class SourcePreviewOut(Out):
    """The first rows as they came, and the examples that the mapping makes of them."""

    format: str
    encoding: str
    columns: list[str]
    mapping: dict[str, Any]
    rows: list[dict[str, Any]]
    records: list[dict[str, Any]]
    problems: list[dict[str, Any]]
