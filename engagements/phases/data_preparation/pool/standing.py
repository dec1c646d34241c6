"""How the pool stands: its newest check, the report of it, and whether somebody answers for the personal data in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.errors import Conflict, Invalid
from engagements.core.models import Engagement
from engagements.core.roles import Actor, ActorKind
from engagements.core.service import find
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.models import Acknowledgement, DataJob, JobKind, JobState
from engagements.phases.data_preparation.pool.schemas import AcknowledgeIn, CheckIn, StandingOut
from engagements.phases.data_preparation.pool.sealed import sealed_count
from engagements.phases.data_preparation.pool.service import states_of
from engagements.phases.data_preparation.storage import Storage
from estimator.errors import Problem


class NothingToAcknowledge(Conflict):
    code = "nothing_to_acknowledge"


class PersonalDataUnacknowledged(Conflict):
    """The check found personal data, and nobody has answered for it."""

    code = "row.sensitive"


class NothingChecked(Conflict):
    """The pool was never checked."""

    code = "not_checked"


class DatasetEmpty(Conflict):
    code = "dataset_empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The newest check that came to its end."""

    job: DataJob
    acknowledged: Acknowledgement | None

    @property
    def personal(self) -> int:
        """Examples with personal data."""
        found: int = self.job.result["personal_data"]["examples"]
        return found


def ask_check(session: Session, actor: Actor, engagement_id: str, data: CheckIn, *, at: datetime) -> DataJob:
    """Raises `NotUnderWay`, `JobRunning` and `DatasetEmpty`."""
    engagement = claim_active(session, actor, engagement_id)
    queue.refuse_second(session, {JobKind.CHECK, JobKind.IMPORT}, engagement_id)
    states = states_of(session, engagement_id)
    if not sum(states.values()) - states["excluded"]:
        raise DatasetEmpty("there are no examples to be checked", remedy="import a source first")
    options = data.model_dump(mode="json", exclude_defaults=True)
    return queue.ask_for(session, actor, engagement, JobKind.CHECK, options=options, at=at)


def newest_check(session: Session, engagement_id: str) -> Checked | None:
    chosen = select(DataJob).where(
        col(DataJob.engagement_id) == engagement_id, col(DataJob.kind) == JobKind.CHECK,
        col(DataJob.state) == JobState.DONE,
    )  # fmt: skip
    job = session.exec(chosen.order_by(col(DataJob.id).desc()).limit(1)).first()
    if job is None:
        return None
    answered = select(Acknowledgement).where(
        col(Acknowledgement.engagement_id) == engagement_id,
        col(Acknowledgement.sha256) == job.result["personal_data"]["sha256"],
    )  # fmt: skip
    return Checked(job=job, acknowledged=session.exec(answered.limit(1)).first())


def standing_of(session: Session, actor: Actor, engagement_id: str) -> StandingOut:
    """Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    checked = newest_check(session, engagement_id)
    result = checked.job.result if checked else {}
    by = checked.acknowledged.by_name if checked and checked.acknowledged else None
    return StandingOut(
        engagement_id=engagement_id, states=dict(states_of(session, engagement_id)),
        sealed=sealed_count(session, engagement_id), job_id=checked.job.id if checked else None,
        checked_at=checked.job.ended_at if checked else None, checked=result.get("examples"),
        duplicates=result.get("duplicates"), clusters=result.get("clusters"),
        personal_data=checked.personal if checked else None, acknowledged_by=by,
    )  # fmt: skip


def report_of(session: Session, actor: Actor, engagement_id: str) -> DataJob:
    """The newest check that came to its end. Raises `NotFound` and `NothingChecked`."""
    find(session, actor, Engagement, engagement_id)
    checked = newest_check(session, engagement_id)
    if checked is None:
        raise NothingChecked("this pool was not checked yet", remedy="check it first")
    return checked.job


def report_in(storage: Storage, job: DataJob) -> Mapping[str, Any]:
    """What the check wrote. Raises `NothingChecked` where an erasure took it away, and `BlobDamaged`."""
    if "report_sha256" not in job.result:
        raise NothingChecked("the report quoted what was erased since", remedy="check it again")
    report: dict[str, Any] = orjson.loads(b"".join(storage.read(job.result["report_sha256"])))
    return report


def acknowledge(
    session: Session, actor: Actor, engagement_id: str, data: AcknowledgeIn, *, at: datetime
) -> Acknowledgement:
    """For the personal data that the newest check found.

    Raises `NothingToAcknowledge`, and `Invalid` without a name.
    """
    engagement = claim_active(session, actor, engagement_id)
    checked = newest_check(session, engagement_id)
    if checked is None or not checked.personal:
        raise NothingToAcknowledge("no check has found personal data", remedy="nothing has to be acknowledged")
    by_name = data.person or (actor.name if actor.kind is ActorKind.USER else "")
    if not by_name:
        message, remedy = "a key is no person", "name who has looked at it"
        raise Invalid.of(Problem(code="field_missing", where="person", message=message, remedy=remedy))
    row = Acknowledgement(
        id=new_id(Acknowledgement.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, job_id=checked.job.id, examples=checked.personal,
        sha256=checked.job.result["personal_data"]["sha256"], note=data.note, by=actor.id, by_name=by_name, at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "acknowledgement.made", row, at=at, reason=data.note)
    return row


def require_acknowledged(session: Session, engagement_id: str) -> None:
    """What a seal asks first. Raises `PersonalDataUnacknowledged`."""
    checked = newest_check(session, engagement_id)
    if checked is not None and checked.personal and checked.acknowledged is None:
        message = f"personal data stands in {checked.personal:,} of the examples, and nobody has answered for it"
        remedy = "redact or exclude them and check again, or have a named person acknowledge them on the checks page"
        raise PersonalDataUnacknowledged(message, remedy=remedy)
