"""Tables of what was collected: uploads, sources, jobs, examples, their findings and edits."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from engagements.core.models import words
from engagements.db.columns import Record
from engagements.phases.data_preparation.records import Provenance


class UploadState(StrEnum):
    """receiving -> complete | abandoned."""

    RECEIVING = "receiving"
    COMPLETE = "complete"
    ABANDONED = "abandoned"


class Upload(SQLModel, table=True):
    """A file on its way in, in pieces that may be sent again; not audited, for the source that it becomes is."""

    PREFIX: ClassVar[str] = "upl"
    __table_args__ = (CheckConstraint("received >= 0 and received <= size_bytes", name="received_in_size"),)

    id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    name: str = Field(max_length=255, description="As a label; on the disk it is called by its id or digest.")
    size_bytes: int = Field(sa_type=BigInteger)
    sha256: str = Field(max_length=64, description="As its sender declared it.")
    received: int = Field(default=0, sa_type=BigInteger)
    state: UploadState = Field(default=UploadState.RECEIVING, sa_column=Column(words(UploadState), nullable=False))
    created_by: str = Field(max_length=40)
    created_at: datetime
    changed_at: datetime


class UploadPart(SQLModel, table=True):
    """Bytes of an upload that have arrived, kept in the storage under `place`; what is not noted here is not there."""

    __tablename__ = "upload_part"

    upload_id: str = Field(primary_key=True, foreign_key="upload.id", max_length=40)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    size_bytes: int
    place: str = Field(max_length=100)


class SourceState(StrEnum):
    """(fetching ->) new -> importing -> imported | failed | cancelled -> removed; what failed may be tried again."""

    FETCHING = "fetching"
    NEW = "new"
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REMOVED = "removed"


class DataSource(Record, table=True):
    """Raw material, kept as it came, with all that its provenance asks for and what became of each of its rows.

    `mapping`: which columns are what, as chosen or found. `dropped`: rows left out, by reason; `problems` lists the
    first hundred of each. rows_in = kept + all dropped, once imported.
    """

    PREFIX: ClassVar[str] = "src"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"problems"})
    __tablename__ = "data_source"

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    name: str = Field(max_length=255)
    kind: Provenance = Field(sa_column=Column(words(Provenance), nullable=False))
    author: str = Field(default="", max_length=255)
    licence: str = Field(default="", max_length=255)
    generator: str = Field(default="", max_length=255, description="The model that made it, where it is synthetic.")
    consent: str = Field(default="", max_length=2000, description="What the people in it agreed to, and where.")
    place: str = Field(default="", max_length=2000, description="Where it was fetched from, without secrets.")
    format: str = Field(default="", max_length=40)
    encoding: str = Field(default="", max_length=40)
    sha256: str = Field(max_length=64)
    size_bytes: int = Field(sa_type=BigInteger)
    mapping: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: SourceState = Field(default=SourceState.NEW, sa_column=Column(words(SourceState), nullable=False))
    rows_in: int = 0
    kept: int = 0
    dropped: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    problems: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_by: str = Field(max_length=40)
    created_at: datetime
    changed_at: datetime


class JobKind(StrEnum):
    FETCH = "fetch"
    IMPORT = "import"
    CHECK = "check"
    SPLIT = "split"
    SEAL = "seal"
    SYNTHESISE = "synthesise"
    ERASE = "erase"


class JobState(StrEnum):
    """queued -> running -> done | failed | cancelled. A job whose worker died is claimed again when its lease ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DataJob(Record, table=True):
    """Long work as a row, audited when it is asked for, begun and ended; `DataJobProgress` says how far it is."""

    PREFIX: ClassVar[str] = "job"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"result", "error"})
    __tablename__ = "data_job"

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    kind: JobKind = Field(sa_column=Column(words(JobKind), nullable=False))
    state: JobState = Field(default=JobState.QUEUED, sa_column=Column(words(JobState), index=True, nullable=False))
    subject_id: str = Field(
        default="", index=True, max_length=40, description="The source, the version or the run it works on."
    )
    options: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    result: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    error: str = Field(default="", max_length=2000)
    cancel_asked: bool = False
    actor: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="Who asked for it.")
    created_at: datetime
    ended_at: datetime | None = None


class DataJobProgress(SQLModel, table=True):
    """Whoever claims a job holds it for as long as `lease_until` is renewed; `fence` counts the claims."""

    __tablename__ = "data_job_progress"

    job_id: str = Field(primary_key=True, foreign_key="data_job.id", max_length=40)
    fence: int = 0
    lease_until: datetime | None = None
    step: str = Field(default="", max_length=200)
    done: int = Field(default=0, sa_type=BigInteger)
    total: int | None = Field(default=None, sa_type=BigInteger)


class ExampleState(StrEnum):
    """pending -> accepted | rejected by review; excluded: a duplicate, an erasure or a choice, with its reason."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXCLUDED = "excluded"


class Example(SQLModel, table=True):
    """One record of an engagement as it stands now; every edit of it is an `ExampleEdit`, the first text is kept there.

    Not audited row by row: its source, its reviews and the versions that hold it are. `payload` is the JSON of
    `records.Record`. `score` 0 to 100 as the last check found it, None while unchecked.
    """

    __tablename__ = "example"
    __table_args__ = (
        UniqueConstraint("engagement_id", "record_id"),
        Index("ix_example_standing", "engagement_id", "state", "score"),
        Index("ix_example_content", "engagement_id", "sha256"),
        Index("ix_example_source", "source_id", "row_number"),
        Index("ix_example_label", "engagement_id", "label"),
        Index("ix_example_cluster", "engagement_id", "cluster"),
    )
    PREFIX: ClassVar[str] = "exa"

    id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    source_id: str = Field(foreign_key="data_source.id", max_length=40)
    row_number: int
    record_id: str = Field(max_length=200, description="Unique in its engagement.")
    sha256: str = Field(max_length=64, description="Of its content: `Record.content_sha256`.")
    payload: str = Field(sa_column=Column(Text, nullable=False))
    label: str | None = Field(default=None, max_length=400)
    group_key: str | None = Field(default=None, max_length=400)
    state: ExampleState = Field(default=ExampleState.PENDING, sa_column=Column(words(ExampleState), nullable=False))
    state_reason: str = Field(default="", max_length=400)
    duplicate_of: str | None = Field(default=None, max_length=40)
    cluster: str | None = Field(default=None, max_length=40)
    score: int | None = None
    findings: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    is_edited: bool = False
    version: int = Field(default=1, description="Counts edits and choices; the ETag of the example.")
    created_at: datetime
    changed_at: datetime


class ExampleFinding(SQLModel, table=True):
    """That the last check found something of a code in an example; what it was stands in `Example.findings`."""

    __tablename__ = "example_finding"

    engagement_id: str = Field(primary_key=True, foreign_key="engagement.id", max_length=40)
    code: str = Field(primary_key=True, max_length=80)
    example_id: str = Field(primary_key=True, foreign_key="example.id", index=True, max_length=40)


class ExampleEdit(SQLModel, table=True):
    """What an example read before and after one edit; never changed."""

    __tablename__ = "example_edit"
    __table_args__ = (UniqueConstraint("example_id", "number"),)
    PREFIX: ClassVar[str] = "edt"

    id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    example_id: str = Field(foreign_key="example.id", max_length=40)
    number: int
    before: str = Field(sa_column=Column(Text, nullable=False))
    after: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(default="", max_length=2000)
    by: str = Field(max_length=40)
    by_name: str = Field(max_length=255)
    at: datetime


class Acknowledgement(Record, table=True):
    """That a named person has looked at the personal data that a check found, and takes it upon themselves.

    `sha256`: of the ids of those examples; another set of them has to be acknowledged anew.
    """

    PREFIX: ClassVar[str] = "ack"

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    job_id: str = Field(foreign_key="data_job.id", max_length=40)
    examples: int
    sha256: str = Field(max_length=64)
    note: str = Field(max_length=2000)
    by: str = Field(max_length=40)
    by_name: str = Field(max_length=255)
    at: datetime
