"""What the stand-in takes. All else is refused with the field that is wrong, misspelled names too."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backends.graders import Grader

LEARNING_RATE: Final = 2e-4
"""What a multiplier of 1 stands for: the rate most sources agree on for LoRA (formats and training reference, section
6)."""

Auto = Literal["auto"]
Kind = Literal["supervised", "dpo", "reinforcement"]
NotNull = Annotated[str, StringConstraints(min_length=1)]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Hyperparameters(Request):
    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[int, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0)] = "auto"


class _PreferenceHyperparameters(_Hyperparameters):
    beta: Auto | Annotated[float, Field(gt=0, le=2)] = "auto"


class _ReinforcementHyperparameters(_Hyperparameters):
    reasoning_effort: Literal["default", "low", "medium", "high"] = "default"
    compute_multiplier: Auto | Annotated[float, Field(gt=1e-5, le=10)] = "auto"
    eval_interval: Auto | Annotated[int, Field(ge=1)] = "auto"
    eval_samples: Auto | Annotated[int, Field(ge=1)] = "auto"


class _Supervised(Request):
    hyperparameters: _Hyperparameters = _Hyperparameters()


class _Preference(Request):
    hyperparameters: _PreferenceHyperparameters = _PreferenceHyperparameters()


class _Reinforcement(Request):
    hyperparameters: _ReinforcementHyperparameters = _ReinforcementHyperparameters()
    grader: Grader


class Method(Request):
    """Nothing is graded here: a grader is held against its description and kept, and losses are made up."""

    type: Kind
    supervised: _Supervised | None = None
    dpo: _Preference | None = None
    reinforcement: _Reinforcement | None = None

    @model_validator(mode="after")
    def _has_a_grader(self) -> Self:
        if self.type == "reinforcement" and self.reinforcement is None:
            raise ValueError("reinforcement needs a grader")
        return self

    @property
    def hyperparameters(self) -> _Hyperparameters:
        """Those of its type, which has its name."""
        chosen: _Supervised | _Preference | _Reinforcement | None = getattr(self, self.type)
        if chosen is not None:
            return chosen.hyperparameters
        return _Hyperparameters() if self.type == "supervised" else _PreferenceHyperparameters()

    @property
    def grader(self) -> Grader | None:
        return self.reinforcement.grader if self.type == "reinforcement" and self.reinforcement else None


Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16),
]


class CreateJob(Request):
    model: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    training_file: NotNull
    validation_file: NotNull | None = None
    suffix: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    metadata: Metadata | None = None
    method: Method = Method(type="supervised")
    hyperparameters: _Hyperparameters | None = None
    integrations: Annotated[list[object], Field(max_length=0)] | None = None

    @model_validator(mode="after")
    def _is_held_against_something(self) -> Self:
        """Reinforcement needs both files (formats and training reference, section 2)."""
        if self.method.type == "reinforcement" and self.validation_file is None:
            raise ValueError("reinforcement needs a validation file")
        return self


class Message(BaseModel):
    """Its other fields are kept as they come."""

    model_config = ConfigDict(extra="allow", strict=True)
    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, object]] | None = None


class CreateCompletion(BaseModel):
    """What it needs of a chat completion; other fields are held against the specification, where there is one."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    model: NotNull
    messages: Annotated[list[Message], Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    stream: bool | None = None
