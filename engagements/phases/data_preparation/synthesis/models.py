"""Tables of generated examples: runs, with what they were asked for and what they cost, and each request of a run."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Text
from sqlmodel import Field, SQLModel

from engagements.core.models import words
from engagements.db.columns import Record
from engagements.phases.data_preparation.synthesis.budget import Purpose


class SynthesisState(StrEnum):
    """planned -> running -> done | stopped (by its cap, or by hand) | failed."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


ENDED: Final = frozenset({SynthesisState.DONE, SynthesisState.STOPPED, SynthesisState.FAILED})


class SynthesisRun(Record, table=True):
    """One run of a larger model. Money in minor units; `spent_minor` None while a price is unknown.

    The cap, in money or in tokens, is never passed: a request whose worst case would not fit is not sent. `lost_*`:
    what requests without an answer may have cost at most, which is no part of what was spent. `unjudged`: kept although
    no judge answered. `judge_check`: how it did on cases whose grade is known. `samples`: the start of a few of
    those that were left out, by reason.
    """

    PREFIX: ClassVar[str] = "syn"
    UNSHOWN: ClassVar[frozenset[str]] = frozenset({"samples"})
    __tablename__ = "synthesis_run"
    __table_args__ = (
        CheckConstraint("cap_minor > 0 or cap_tokens > 0", name="capped"),
        CheckConstraint("cap_minor is null or cap_minor > 0", name="cap_positive"),
    )

    engagement_id: str = Field(foreign_key="engagement.id", index=True, max_length=40)
    client_id: str = Field(foreign_key="client.id", max_length=40)
    endpoint: str = Field(max_length=500, description="By its name in the settings.")
    model: str = Field(max_length=200)
    plan: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="Gaps, personas, seeds, seed.")
    prompt: str = Field(sa_column=Column(Text, nullable=False))
    cap_minor: int | None = Field(default=None, sa_type=BigInteger)
    cap_tokens: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    price: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON), description="Per 1M tokens, by purpose.")
    worst_minor: int | None = Field(default=None, sa_type=BigInteger, description="Of the whole plan, at most.")
    worst_tokens: int | None = Field(default=None, sa_type=BigInteger)
    state: SynthesisState = Field(
        default=SynthesisState.PLANNED, sa_column=Column(words(SynthesisState), nullable=False)
    )
    asked: int = 0
    answered: int = 0
    generated: int = 0
    dropped: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    samples: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    kept: int = 0
    unjudged: int = 0
    judge_check: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    estimated: int = 0
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    spent_minor: int | None = Field(default=None, sa_type=BigInteger)
    lost_tokens: int = Field(default=0, sa_type=BigInteger)
    lost_minor: int | None = Field(default=None, sa_type=BigInteger)
    job_id: str | None = Field(default=None, max_length=40)
    source_id: str | None = Field(default=None, max_length=40)
    cost_id: str | None = Field(default=None, max_length=40)
    error: str = Field(default="", max_length=2000)
    created_by: str = Field(max_length=40)
    created_at: datetime
    ended_at: datetime | None = None


class CallState(StrEnum):
    """sent -> answered | refused | lost. Written before it is sent, so that a killed worker leaves what it had out."""

    SENT = "sent"
    ANSWERED = "answered"
    REFUSED = "refused"
    LOST = "lost"


class SynthesisCall(SQLModel, table=True):
    """One request of a run, by its purpose, its number and the attempt. `part`: which example of an answer is judged.

    Not audited: its run is, and the cost it makes. `content` is emptied when the run has ended, for what was kept of
    it lies in examples then.
    """

    __tablename__ = "synthesis_call"

    run_id: str = Field(primary_key=True, foreign_key="synthesis_run.id", max_length=40)
    purpose: Purpose = Field(sa_column=Column(words(Purpose), primary_key=True))
    number: int = Field(primary_key=True)
    part: int = Field(primary_key=True, default=0)
    attempt: int = Field(primary_key=True, default=1)
    state: CallState = Field(default=CallState.SENT, sa_column=Column(words(CallState), nullable=False))
    most_input: int = Field(sa_type=BigInteger)
    most_output: int = Field(sa_type=BigInteger)
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    is_estimated: bool = False
    content: str = Field(default="", sa_column=Column(Text, nullable=False))
    finish_reason: str = Field(default="", max_length=40)
    failure: str = Field(default="", max_length=400)
    sent_at: datetime
    ended_at: datetime | None = None
