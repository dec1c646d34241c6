"""What goes out about long work."""

from datetime import datetime
from typing import Any, Self

from sqlmodel import Session

from engagements.core.schemas import Out
from engagements.phases.data_preparation.models import DataJob, DataJobProgress, JobKind, JobState


class JobOut(Out):
    """`done` of `total` in the present `step`; `total` null where nobody knows. `result`: ids, numbers."""

    id: str
    version: int
    engagement_id: str
    kind: JobKind
    state: JobState
    subject_id: str
    step: str
    done: int
    total: int | None
    cancel_asked: bool
    result: dict[str, Any]
    error: str
    asked_by: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def share(self) -> float | None:
        """How much of the present step is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else None

    @classmethod
    def told(cls, row: DataJob, progress: DataJobProgress | None) -> Self:
        fields: dict[str, Any] = row.model_dump(exclude={"organisation_id", "client_id", "options", "actor"})
        return cls(
            **fields, asked_by=row.actor.get("name", ""), step=progress.step if progress else "",
            done=progress.done if progress else 0, total=progress.total if progress else None,
        )  # fmt: skip


def job_out(session: Session, row: DataJob) -> JobOut:
    return JobOut.told(row, session.get(DataJobProgress, row.id))
