"""A job as Fireworks describes it, of either kind, and the calls that ask for one.

Sources: the types of Fireworks' SDK, generated from its API description. The SDK takes any answer for the type it
expects, so what we read of it is checked here; fields that we do not know are left alone, and a state is any word.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from fireworks import BaseModel as SdkModel
from fireworks import Fireworks
from fireworks.resources.dpo_jobs import DpoJobsResource
from fireworks.resources.supervised_fine_tuning_jobs import SupervisedFineTuningJobsResource
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from backends.errors import AnswerInvalid, RunLost
from backends.fireworks.account import NOT_FOUND, Account, Refused, reading

Word = Annotated[str, Field(min_length=1, max_length=500)]
Count = Annotated[int, Field(ge=0)]


class Kind(StrEnum):
    """As it stands in a job's name."""

    SFT = "supervisedFineTuningJobs"
    DPO = "dpoJobs"


class Said(BaseModel):
    """What an answer must be before it is believed."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, allow_inf_nan=False)

    @classmethod
    def read(cls, answer: object) -> Self:
        """Raises `AnswerInvalid`."""
        if not isinstance(answer, SdkModel):
            raise AnswerInvalid("Fireworks answered what is no object")
        try:
            return cls.model_validate(answer.to_dict(mode="json", warnings=False))
        except ValueError as error:
            raise AnswerInvalid(f"Fireworks answered what it does not describe: {error}") from error


class Status(Said):
    code: str | None = None
    message: str | None = None

    @property
    def is_bad(self) -> bool:
        return self.code not in {None, "", "OK"}


class Progress(Said):
    """`percent` of the epoch that is named, which counts from 0."""

    percent: Count | None = None
    epoch: Count | None = None
    input_tokens: Count | None = None


class Money(Said):
    currency_code: str | None = None
    units: int = 0
    nanos: int = 0


class Job(Said):
    """A preference job has its settings one level deeper; they are told as the other's are."""

    name: Word
    state: Word
    dataset: Word
    display_name: str | None = None
    create_time: datetime | None = None
    update_time: datetime | None = None
    completed_time: datetime | None = None
    status: Status | None = None
    job_progress: Progress | None = None
    estimated_cost: Money | None = None
    metrics_file_signed_url: str | None = None
    evaluation_dataset: str | None = None
    base_model: str | None = None
    output_model: str | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    lora_rank: int | None = None
    batch_size_samples: int | None = None
    max_context_length: int | None = None
    optimizer_weight_decay: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _levelled(cls, told: object) -> object:
        inner = told.get("trainingConfig") if isinstance(told, Mapping) else None
        return {**inner, **told} if isinstance(told, Mapping) and isinstance(inner, Mapping) else told


_REFERENCE: Final = re.compile(r"accounts/[^/]+/(supervisedFineTuningJobs|dpoJobs)/([\w-]+)")


def name_of(account: Account, kind: Kind, job_id: str) -> str:
    return f"accounts/{account.account}/{kind}/{job_id}"


def job_of(account: Account, reference: str) -> Job:
    """Raises `RunLost`, and what `reading` raises."""
    kind, job_id = _parts(reference)
    try:
        with reading(), account.client() as client:
            job = Job.read(_resource(client, kind).get(job_id))
    except Refused as refusal:
        if refusal.status == NOT_FOUND:
            raise _lost(reference) from refusal
        raise
    if job.name != reference:
        raise AnswerInvalid(f"{reference} was asked for, and the answer tells of {job.name}")
    return job


def cancel(account: Account, reference: str) -> None:
    """Raises as `job_of` does."""
    kind, job_id = _parts(reference)
    with reading(), account.client() as client:
        _resource(client, kind).cancel(job_id, body={})


def metrics_url(account: Account, job: Job) -> str:
    """Where the file of its metrics lies; "" where none is told. Raises what `reading` raises."""
    kind, job_id = _parts(job.name)
    if kind is Kind.SFT:
        return job.metrics_file_signed_url or ""
    with reading(), account.client() as client:
        return client.dpo_jobs.get_metrics_file_endpoint(job_id).signed_url or ""


def _resource(client: Fireworks, kind: Kind) -> SupervisedFineTuningJobsResource | DpoJobsResource:
    return client.supervised_fine_tuning_jobs if kind is Kind.SFT else client.dpo_jobs


def _parts(reference: str) -> tuple[Kind, str]:
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise _lost(reference)
    return Kind(found[1]), found[2]


def _lost(reference: str) -> RunLost:
    return RunLost(f"Fireworks knows no job {reference}")
