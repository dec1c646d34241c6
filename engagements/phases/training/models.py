"""Tables of training: experiments, their runs with all that was heard of them, and the model versions that came out."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from backends.events import EventKind, Level
from engagements.core.models import words
from engagements.db.columns import Record


class ExperimentState(StrEnum):
    """planned -> running -> done | cancelled."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class Strategy(StrEnum):
    """`ALL`: every run to its end. `SUCCESSIVE_HALVING`: all begin, and those behind stop at each rung."""

    ALL = "all"
    SUCCESSIVE_HALVING = "successive_halving"


class TrainingState(StrEnum):
    """planned -> waiting -> submitting (-> submit_unknown) -> validating | queued | running <-> paused -> finalizing ->
    scoring -> succeeded | failed | cancelled. What the other side forgot is `provider_lost`: a person decides.

    `submitting`: the intent is written and the answer is not. `submit_unknown`: whether a job exists is not known.
    `finalizing`: it is said to be done, and its model has not answered yet. `scoring`: its checkpoints are measured.
    """

    PLANNED = "planned"
    WAITING = "waiting"
    SUBMITTING = "submitting"
    SUBMIT_UNKNOWN = "submit_unknown"
    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINALIZING = "finalizing"
    SCORING = "scoring"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PROVIDER_LOST = "provider_lost"


ENDED: Final = frozenset({TrainingState.SUCCEEDED, TrainingState.FAILED, TrainingState.CANCELLED})
RESTING: Final = ENDED | {TrainingState.PLANNED, TrainingState.PROVIDER_LOST}
"""Nothing is done about these until somebody asks."""
SENT: Final = frozenset({TrainingState.SUBMITTING, TrainingState.SUBMIT_UNKNOWN})
AT_WORK: Final = frozenset({TrainingState.VALIDATING, TrainingState.QUEUED, TrainingState.RUNNING})


class Wish(StrEnum):
    """What somebody wants of a run that only the supervisor can ask of the backend."""

    NONE = "none"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"


class Experiment(Record, table=True):
    """Several runs of one question, over one dataset, within one cap. Money in minor units of `currency`.

    `matrix`: what was asked for. `curated`: ids of the records of the best-quality subset, where a run is of them.
    `cap_minor` holds predicted costs; a cost that nobody can predict is held by `cap_tokens` or `cap_hours`. `rung`:
    how many decisions of successive halving were taken, `decisions` what they were.
    """

    PREFIX: ClassVar[str] = "exp"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"curated", "choice"})
    __table_args__ = (
        CheckConstraint("cap_minor is null or cap_minor > 0", name="cap_positive"),
        CheckConstraint("cap_tokens is null or cap_tokens > 0", name="tokens_positive"),
        CheckConstraint("cap_hours is null or cap_hours > 0", name="hours_positive"),
        CheckConstraint("cap_minor is not null or cap_tokens is not null or cap_hours is not null", name="capped"),
        CheckConstraint("rung >= 0", name="rung_counts"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    name: str = Field(max_length=200)
    dataset_version_id: str = Field(index=True, max_length=40)
    dataset_sha256: str = Field(max_length=64)
    matrix: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    curated: list[Any] | None = Field(default=None, sa_column=Column(JSON))
    metric: str = Field(max_length=60)
    answer_tokens_max: int | None = None
    scored_rows_max: int
    strategy: Strategy = Field(default=Strategy.ALL, sa_column=Column(words(Strategy), nullable=False))
    priority: int = 0
    cap_minor: int | None = Field(default=None, sa_type=BigInteger)
    cap_tokens: int | None = Field(default=None, sa_type=BigInteger)
    cap_hours: float | None = None
    currency: str = Field(max_length=3)
    state: ExperimentState = Field(
        default=ExperimentState.PLANNED, sa_column=Column(words(ExperimentState), index=True, nullable=False)
    )
    cancel_asked: bool = False
    rung: int = 0
    decisions: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    chosen_run_id: str | None = Field(default=None, max_length=40)
    choice: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    error: str = Field(default="", max_length=2000)
    created_by: str = Field(max_length=40)
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


class TrainingRun(Record, table=True):
    """One run: what was asked for as it is kept for ever, where it stands, and what it gave.

    `spec`: of `backends.spec`, its paths relative to the folder of data. `reserved_minor`: the high end of what it was
    predicted to cost, None where nobody can say; `spent_minor` what it did cost. `stopped_because`: why we ended it.
    `incidents`: what should not have happened and did not change the run, newest last.
    """

    PREFIX: ClassVar[str] = "trn"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"spec", "record", "choice", "prediction", "environment"})
    __tablename__ = "training_run"
    __table_args__ = (
        UniqueConstraint("experiment_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("attempt > 0", name="attempt_positive"),
        CheckConstraint("reserved_minor is null or reserved_minor >= 0", name="reserved_not_negative"),
        CheckConstraint("spent_minor is null or spent_minor >= 0", name="spent_not_negative"),
        Index("ix_training_run_backend", "backend", "state"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    experiment_id: str = Field(foreign_key="experiment.id", max_length=40)
    number: int
    name: str = Field(max_length=100)
    why: str = Field(default="", max_length=500)
    backend: str = Field(max_length=60)
    model: str = Field(max_length=500, description="The base model, as the backend calls it.")
    spec: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    digest: str = Field(max_length=64)
    is_curated: bool = False
    attempt: int = 1
    retry_of: str | None = Field(default=None, max_length=40)
    state: TrainingState = Field(
        default=TrainingState.PLANNED, sa_column=Column(words(TrainingState), index=True, nullable=False)
    )
    wish: Wish = Field(default=Wish.NONE, sa_column=Column(words(Wish), nullable=False))
    stopped_because: str = Field(default="", max_length=200)
    reference: str = Field(default="", index=True, max_length=400, description="The backend's own name for the job.")
    failure: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    incidents: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    prediction: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    reserved_minor: int | None = Field(default=None, sa_type=BigInteger)
    spent_minor: int | None = Field(default=None, sa_type=BigInteger)
    cost_id: str | None = Field(default=None, max_length=40)
    checkpoint_id: str | None = Field(default=None, max_length=200)
    choice: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    environment: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    evidence_id: str | None = Field(default=None, max_length=40)
    record: str = Field(default="", sa_column=Column(Text, nullable=False))
    record_sha256: str | None = Field(default=None, max_length=64)
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


class TrainingProgress(SQLModel, table=True):
    """Where a run is at this moment, and who looks after it; changes too often for the trail.

    Whoever claims a run holds it as long as `lease_until` is renewed; `fence` counts the claims, and every write says
    which it is of. `cursor` is stored in the transaction of the events it follows. `trouble`: how often in a row its
    backend could not be asked. `wait_until`: until when a step that is waited for may take. `latest`: of each measure
    the last that was told; `usage` and `verdict` as of now. `result`: the model that came out, before it has answered.
    `held_back`: paused by us, until the others have come as far.
    """

    __tablename__ = "training_progress"
    __table_args__ = (Index("ix_training_progress_due", "next_due_at", "lease_until"),)

    run_id: str = Field(primary_key=True, foreign_key="training_run.id", max_length=40)
    next_due_at: datetime | None = None
    lease_until: datetime | None = None
    fence: int = 0
    cursor: str = Field(default="", max_length=2000)
    trouble: int = 0
    said: str = Field(default="", max_length=500)
    wait_until: datetime | None = None
    judged_at: datetime | None = None
    heard_at: datetime | None = None
    events: int = 0
    step: int = 0
    total_steps: int | None = None
    latest: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    usage: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    verdict: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    provider_state: str = Field(default="", max_length=100)
    result: str = Field(default="", max_length=500)
    held_back: bool = False


class RunMemory(SQLModel, table=True):
    """What a start must not forget (`backends.memory`); one row a key, each committed by itself."""

    __tablename__ = "training_memory"

    run_id: str = Field(primary_key=True, foreign_key="training_run.id", max_length=40)
    key: str = Field(primary_key=True, max_length=100)
    value: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime


class RunEvent(SQLModel, table=True):
    """What a run told, once, in the order in which it came. `metrics` has no number that is none: those are named in
    its `not_finite`."""

    __tablename__ = "training_event"
    __table_args__ = (UniqueConstraint("run_id", "event_id"), CheckConstraint("number > 0", name="number_positive"))

    run_id: str = Field(primary_key=True, foreign_key="training_run.id", max_length=40)
    number: int = Field(primary_key=True)
    event_id: str = Field(max_length=200)
    at: datetime
    kind: EventKind = Field(sa_column=Column(words(EventKind), nullable=False))
    level: Level = Field(sa_column=Column(words(Level), nullable=False))
    message: str = Field(max_length=2000)
    step: int | None = None
    metrics: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class RunCheckpoint(SQLModel, table=True):
    """Weights that a run kept, and what they were found to be worth on validation. `score` None: not measured."""

    __tablename__ = "training_checkpoint"
    __table_args__ = (CheckConstraint("tries >= 0", name="tries_count"),)

    run_id: str = Field(primary_key=True, foreign_key="training_run.id", max_length=40)
    checkpoint_id: str = Field(primary_key=True, max_length=200)
    step: int
    model: str = Field(max_length=500)
    sha256: str | None = Field(default=None, max_length=64)
    metrics: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    score: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    tries: int = 0
    failure: str = Field(default="", max_length=500)
    scored_at: datetime | None = None


class BaseScore(SQLModel, table=True):
    """What a base model was worth on validation before any training: measured once an experiment, on the rows that its
    checkpoints are measured on. `run_id`: whose turn it is to measure it. `score` None: not measured, and `failure`
    says why once it is given up."""

    __tablename__ = "training_base"
    __table_args__ = (CheckConstraint("tries >= 0", name="tries_count"),)

    experiment_id: str = Field(primary_key=True, foreign_key="experiment.id", max_length=40)
    backend: str = Field(primary_key=True, max_length=60)
    model: str = Field(primary_key=True, max_length=500)
    run_id: str = Field(max_length=40)
    score: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    tries: int = 0
    failure: str = Field(default="", max_length=500)
    scored_at: datetime | None = None


class ModelVersion(Record, table=True):
    """A model that a run gave, with all that it takes to make it again. Numbered in its engagement.

    `checkpoint_sha256`: of its weights; where nobody is given them, of the provider's name for it. `parent_id`: the
    version that this one went on from.
    """

    PREFIX: ClassVar[str] = "mdl"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"spec", "environment", "metrics"})
    __tablename__ = "model_version"
    __table_args__ = (
        UniqueConstraint("engagement_id", "number"), UniqueConstraint("run_id"),
        CheckConstraint("number > 0", name="positive"),
    )  # fmt: skip

    engagement_id: str = Field(foreign_key="engagement.id", max_length=40)
    client_id: str = Field(foreign_key="client.id", index=True, max_length=40)
    number: int
    name: str = Field(max_length=200)
    experiment_id: str = Field(index=True, max_length=40)
    run_id: str = Field(max_length=40)
    backend: str = Field(max_length=60)
    base_model: str = Field(max_length=500)
    model: str = Field(max_length=500, description="What the backend's predictor takes.")
    checkpoint_id: str = Field(max_length=200)
    checkpoint_sha256: str = Field(max_length=64)
    step: int
    reason: str = Field(max_length=2000)
    is_candidate: bool = False
    dataset_version_id: str = Field(index=True, max_length=40)
    dataset_sha256: str = Field(max_length=64)
    spec: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    config_sha256: str = Field(max_length=64)
    seed: int
    environment: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    metrics: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    parent_id: str | None = Field(default=None, max_length=40)
    record_sha256: str = Field(max_length=64)
    created_at: datetime


class TrainingLane(SQLModel, table=True):
    """A backend as all processes see it: its row is locked while a run is let in, and it says how long nobody asks it.

    `failures`: answers in a row that did not come.
    """

    __tablename__ = "training_lane"

    backend: str = Field(primary_key=True, max_length=60)
    failures: int = 0
    open_until: datetime | None = None
    said: str = Field(default="", max_length=500)
