"""The record that a run can be repeated from: canonical JSON, named by its sha256.

What it holds is enough to begin the same run again: the spec with the digests of its files, the digest of the dataset
they were cut from, and the seed; the environment says on what it really ran, the rest what came out. Paths are where
the files lay then, and are no part of what is repeated.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from backends.spec import Digest, TrainingSpec
from estimator.errors import EstimatorError, Problem

SCHEMA: Final = "sixfold.run-record/1"
_BYTES_MOST: Final = 4_000_000


class RecordInvalid(EstimatorError):
    """A file that is no record of a run, or one that was altered."""

    code = "record_invalid"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ChosenCheckpoint(_Frozen):
    """`model`: what a predictor of the backend takes; `sha256` of its weights, where they are ours."""

    id: str
    step: Annotated[int, Field(ge=0)]
    model: str
    sha256: Digest | None = None
    metric: str = ""
    value: float | None = None
    reason: str


class RunRecord(_Frozen):
    """`dataset_sha256`: the digest of the prepared dataset, where it is known. `parent`: digest of the record that this
    run was repeated from. `metrics`: measured numbers by name. `environment`: as the backend says it really was;
    `software`: ours, by package. `verdict`: what the curves say, in its words."""

    schema_: Literal["sixfold.run-record/1"] = Field(default=SCHEMA, alias="schema")
    spec: TrainingSpec
    spec_sha256: Digest
    dataset_sha256: Digest | None = None
    environment: dict[str, str] = {}
    metrics: dict[str, float] = {}
    checkpoint: ChosenCheckpoint | None = None
    verdict: str = ""
    parent: Digest | None = None
    software: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_of_its_spec(self) -> Self:
        if self.spec.digest != self.spec_sha256:
            raise ValueError("the spec is not the one that was recorded: its digest differs")
        return self


def canonical(record: RunRecord) -> bytes:
    """Keys sorted, no blanks, UTF-8: the same record is the same bytes."""
    told = record.model_dump(mode="json", by_alias=True)
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(record: RunRecord) -> str:
    """The name of a record: sha256 of its canonical bytes."""
    return sha256(canonical(record)).hexdigest()


def read_record(path: Path) -> RunRecord:
    """Raises `RecordInvalid`."""
    try:
        with path.open("rb") as file:
            return RunRecord.model_validate_json(file.read(_BYTES_MOST))
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors()]
        raise RecordInvalid(*[problem for fault in faults for problem in _invalid(path, fault).problems]) from error


def _invalid(path: Path, message: str) -> RecordInvalid:
    remedy = "name the record.json that a run left in its folder"
    return RecordInvalid(Problem(code=RecordInvalid.code, where=str(path), message=message, remedy=remedy))
