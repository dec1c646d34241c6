"""What every backend answers. One instance serves many runs, from many threads, and holds nothing that a restart would
miss: all that must last lies with the other side, in the run's folder, or in the caller's `Memory`.

A run is known by a `Handle` of two strings, so any process can take it up again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from backends.errors import Problem
from backends.events import Poll
from backends.memory import Memory
from backends.spec import Adapter, Method, TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """`backend`: its name in the registry, `reference`: its own name for the job."""

    backend: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What it offers. `data_format`: the format of ours that it takes for each method, by name.

    `hyperparameters`: the names of those that it takes; the others are refused. `local`: it computes on hardware of
    ours, so it costs hours rather than tokens. `device`: what it computes on, as its runs call it (`Usage.device`);
    empty where that shows only when one runs.
    """

    methods: frozenset[Method]
    data_format: Mapping[Method, str]
    hyperparameters: frozenset[str]
    adapters: frozenset[Adapter] = frozenset()
    pausable: bool = False
    local: bool = False
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """An answer. Token counts are None where the other side does not say; `finished`: it ended by itself, not by the
    limit. `seconds`: how long the caller waited."""

    text: str
    finished: bool
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None


class Predictor(Protocol):
    """Answers with one model. Deterministic at temperature 0 as far as the other side is. Close it when done.

    `predict_many` may answer as a batch; order is kept. Raises `Unreachable`, `ProviderRefused`, `AnswerInvalid`.
    """

    def predict_many(
        self, conversations: Sequence[Sequence[Mapping[str, object]]], *, max_tokens: int, temperature: float = 0.0
    ) -> list[Prediction]: ...

    def close(self) -> None: ...


class Backend(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:
        """All that speaks against this run, found without starting it and without a network; the files are read."""
        ...

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        """Begins the run, or finds it begun: at most one live job for each run id, however often this is called.

        Raises `SpecRefused`, `DataAltered`, `ProviderRefused` (a person must act; nothing was begun) and
        `Unreachable` (nothing was begun) or `OutcomeUnknown` (it may have been): call again with the same memory.
        """
        ...

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        """Where it stands, and what is new since `cursor` ("" for the beginning). State `UNKNOWN` where the other side
        does not answer, or answers what its specification does not allow. Raises `RunLost`."""
        ...

    def cancel(self, handle: Handle) -> None:
        """Asks it to stop; `poll` says when it has. No error where it has ended already. Raises `RunLost`,
        `Unreachable`."""
        ...

    def predictor(self, model: str) -> Predictor:
        """`model`: of a `Poll`, of a `Checkpoint`, or a base model's name."""
        ...


@runtime_checkable
class Pausable(Protocol):
    """A backend that can set a run aside and go on with it later, at the same step. Raises as `cancel` does."""

    def pause(self, handle: Handle) -> None: ...

    def resume(self, handle: Handle) -> None: ...


@runtime_checkable
class KeepsModels(Protocol):
    """A backend that trains models which lie on this machine, where they can be looked at beforehand."""

    def model_folder(self, model: str) -> Path | None:
        """Where the base model lies that a run names so; None where there is none."""
        ...
