"""One training run, as it is described before it begins and kept for ever after: what, on which data, how, by chance of
which seed. The same JSON is what a worker on another machine reads.

What is left None is the backend's to choose: a provider's "auto", or a default with its source.
"""

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from backends.graders import Grader

SCHEMA: Final = "sixfold.training-spec/1"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Method(StrEnum):
    """How it learns: from answers, from pairs of a better and a worse answer, or from a grader's points."""

    SFT = "sft"
    DPO = "dpo"
    RFT = "rft"


class Adapter(StrEnum):
    """What is trained. `QLORA`: LoRA over a base that lies in 4 bits. `FULL`: every weight."""

    LORA = "lora"
    RSLORA = "rslora"
    DORA = "dora"
    QLORA = "qlora"
    FULL = "full"


class Batching(StrEnum):
    """How rows of different lengths share a batch. `PACKED`: several in one sequence, none seeing another."""

    PADDED = "padded"
    LENGTH_GROUPED = "length_grouped"
    PACKED = "packed"


class Precision(StrEnum):
    """`AUTO`: bfloat16 where the hardware computes in it, else float32 (float16 is never chosen by itself)."""

    AUTO = "auto"
    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"


class Effort(StrEnum):
    """How long a model reasons before it answers."""

    DEFAULT = "default"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Schedule(StrEnum):
    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"


class DataFile(_Frozen):
    """A file of examples. `sha256` is of its bytes, and is checked before it is read; `format` is one of ours."""

    path: Path
    sha256: Digest
    rows: Annotated[int, Field(ge=1)]
    format: str = "openai_chat"

    @classmethod
    def of(cls, path: Path, *, format: str = "openai_chat") -> "DataFile":  # noqa: A002 (the field's own name)
        """Describes a file that lies here. Blank lines are no rows."""
        content = path.read_bytes()
        rows = sum(1 for line in content.splitlines() if line.strip())
        return cls(path=path, sha256=hashlib.sha256(content).hexdigest(), rows=rows, format=format)


class Hyperparameters(_Frozen):
    """Every knob that some backend offers; `problems` says which of those set are not offered by the one chosen.

    `batch_size`: examples an optimiser step. `learning_rate` is absolute, `learning_rate_multiplier` of the provider's
    own. `max_length` in tokens. `evaluations`, `checkpoints`: how many of each over the whole run, the last included;
    providers decide that themselves. `early_stopping`: stop after so many evaluations without a lower validation loss.
    Of reinforcement alone: `reasoning_effort`; `compute_multiplier`, on what exploring may take; `evaluation_interval`,
    in steps; `evaluation_samples`, answers to each example that is evaluated.
    """

    epochs: Annotated[int, Field(ge=1, le=50)] | None = None
    max_steps: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    learning_rate: Positive | None = None
    learning_rate_multiplier: Positive | None = None
    beta: Annotated[float, Field(gt=0, le=2)] | None = None
    adapter: Adapter | None = None
    rank: Annotated[int, Field(ge=1, le=1024)] | None = None
    alpha: Positive | None = None
    dropout: Share | None = None
    targets: tuple[str, ...] | Literal["all-linear"] | None = None
    schedule: Schedule | None = None
    warmup_ratio: Share | None = None
    weight_decay: Annotated[float, Field(ge=0, le=1)] | None = None
    max_grad_norm: Positive | None = None
    max_length: Annotated[int, Field(ge=8)] | None = None
    micro_batch_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    batching: Batching | None = None
    precision: Precision | None = None
    gradient_checkpointing: bool | None = None
    evaluations: Annotated[int, Field(ge=1, le=1000)] | None = None
    checkpoints: Annotated[int, Field(ge=1, le=100)] | None = None
    early_stopping: Annotated[int, Field(ge=1, le=100)] | None = None
    reasoning_effort: Effort | None = None
    compute_multiplier: Annotated[float, Field(gt=1e-5, le=10)] | None = None
    evaluation_interval: Annotated[int, Field(ge=1)] | None = None
    evaluation_samples: Annotated[int, Field(ge=1)] | None = None

    def given(self) -> dict[str, object]:
        """Those that somebody set."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}


class TrainingSpec(_Frozen):
    """`model`: a base model as the backend names it: a provider's name, a hub name, or a folder. `run_id` is ours, and
    names the run for ever: starting the same id twice is one job. `suffix`: a word for the tuned model's name.
    `grader`: of reinforcement, as OpenAI describes it. `labels`: kept with the job where the backend can.
    """

    schema_: Literal["sixfold.training-spec/1"] = Field(default=SCHEMA, alias="schema")
    run_id: RunId
    backend: str
    method: Method = Method.SFT
    model: Annotated[str, Field(min_length=1, max_length=500)]
    train: DataFile
    validation: DataFile | None = None
    hyperparameters: Hyperparameters = Hyperparameters()
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,18}$")] | None = None
    grader: Grader | None = None
    labels: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """sha256 of all that decides what comes out: not of the run's id, its labels, or where the files lie. A knob
        that nobody set is left out, so that one more among them changes no digest."""
        told = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"run_id", "labels"})
        for name in ("train", "validation"):
            if name in told:
                del told[name]["path"]
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
