"""What the stand-in takes. All else is refused with the field that is wrong, misspelled names too."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Auto = Literal["auto"]
NotNull = Annotated[str, StringConstraints(min_length=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Hyperparameters(_Request):
    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[int, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0)] = "auto"


class _PreferenceHyperparameters(_Hyperparameters):
    beta: Auto | Annotated[float, Field(gt=0, le=2)] = "auto"


class _Supervised(_Request):
    hyperparameters: _Hyperparameters = _Hyperparameters()


class _Preference(_Request):
    hyperparameters: _PreferenceHyperparameters = _PreferenceHyperparameters()


class Method(_Request):
    """Reinforcement is not taken: the stand-in has no grader."""

    type: Literal["supervised", "dpo"]
    supervised: _Supervised | None = None
    dpo: _Preference | None = None

    @property
    def hyperparameters(self) -> _Hyperparameters:
        chosen = self.supervised if self.type == "supervised" else self.dpo
        return chosen.hyperparameters if chosen else _PreferenceHyperparameters()


Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16),
]


class CreateJob(_Request):
    model: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    training_file: NotNull
    validation_file: NotNull | None = None
    suffix: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    metadata: Metadata | None = None
    method: Method = Method(type="supervised")
    hyperparameters: _Hyperparameters | None = None
    integrations: Annotated[list[object], Field(max_length=0)] | None = None


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
