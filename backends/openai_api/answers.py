"""What an answer must be before it is believed: OpenAI's own shapes, as its description has them (openai/openai-openapi
@f85dbe2), and no more of them than we use. Other dialects are read into the same shapes.

Numbers are checked strictly: a count is a whole number from 0 on, never text. Fields that we do not know are left
alone.
"""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._/-]*$")]
Moment = Annotated[int, Field(ge=0, le=253_402_300_799)]
"""Seconds since 1970 on the provider's clock, up to the last that a calendar date can name."""
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, StringConstraints(max_length=20_000)]


def listed(said: object) -> list[object]:
    """For dialects: a list, or none at all. Raises `ValueError`, which makes the whole answer invalid."""
    if said is None or isinstance(said, list):
        return said or []
    raise ValueError("a list is expected")


def mapped(said: object) -> dict[str, object]:
    """The same of an object."""
    if said is None or isinstance(said, dict):
        return said or {}
    raise ValueError("an object is expected")


class Answer(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class JobError(Answer):
    """Null in every field, or an empty object, is how some servers write that there is none."""

    code: Text | None = None
    message: Text | None = None
    param: Text | None = None


def _finite(value: object) -> object:
    """What no number is, such as a loss of NaN written as text, was not measured."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None


Measured = Annotated[float | None, BeforeValidator(_finite)]


class Measures(Answer):
    step: Measured = None
    total_steps: Measured = None
    train_loss: Measured = None
    train_mean_token_accuracy: Measured = None
    valid_loss: Measured = None
    valid_mean_token_accuracy: Measured = None
    full_valid_loss: Measured = None
    full_valid_mean_token_accuracy: Measured = None
    train_accuracy: Measured = None
    learning_rate: Measured = None


class JobEvent(Answer):
    """`data` is any object; that of a metrics event is read as `Measures`."""

    id: Id
    created_at: Moment
    level: str
    message: Text
    type: str = "message"
    data: dict[str, object] | None = None


class JobCheckpoint(Answer):
    id: Id
    created_at: Moment
    step_number: Count
    fine_tuned_model_checkpoint: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    fine_tuning_job_id: Id
    metrics: Measures


class Job(Answer):
    """`events`, `checkpoints`: where a dialect tells them with the job; None where they are asked for by themselves."""

    id: Id
    kind: Literal["fine_tuning.job"] = Field(alias="object")
    created_at: Moment
    status: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    model: Text
    training_file: Id
    validation_file: Id | None = None
    fine_tuned_model: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None
    trained_tokens: Count | None = None
    result_files: list[Id] = []
    error: JobError | None = None
    seed: int | None = None
    method: dict[str, object] | None = None
    metadata: dict[str, str] | None = None
    events: list[JobEvent] | None = None
    checkpoints: list[JobCheckpoint] | None = None


class UploadedFile(Answer):
    id: Id
    created_at: Moment
    filename: Text
    status: Text = ""


class Jobs(Answer):
    data: list[Job]
    has_more: bool = False


class JobEvents(Answer):
    data: list[JobEvent]
    has_more: bool = False


class JobCheckpoints(Answer):
    data: list[JobCheckpoint]
    has_more: bool = False


class UploadedFiles(Answer):
    data: list[UploadedFile]
    has_more: bool = False


class ModelAnswer(Answer):
    """`shutdown_date`: a calendar date, where the provider says one."""

    id: Text
    shutdown_date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class Models(Answer):
    data: list[ModelAnswer]


class _Called(Answer):
    name: Text
    arguments: Text


class _ToolCall(Answer):
    function: _Called


class _Message(Answer):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(Answer):
    message: _Message
    finish_reason: str | None = None


class _Usage(Answer):
    prompt_tokens: Count
    completion_tokens: Count


class Completion(Answer):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _Usage | None = None
