"""A backend that trains nothing and keeps the contract: for tests, and to rehearse an engagement's mechanics.

Every poll is a moment of its time: a run waits one, works for as many as it was made with, and ends. Its curve is a
formula of the seed and says so; its model repeats answers it was shown, more of them the longer it "trained". All it
knows lies in its folder.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from backends.checks import given_files, not_offered, refuse, unaltered
from backends.errors import Problem, RunLost
from backends.events import Checkpoint, Event, EventKind, Failure, Metrics, Poll, RunState, Usage
from backends.memory import Memory
from backends.protocol import Capabilities, Handle, Prediction
from backends.spec import Hyperparameters, Method, TrainingSpec

_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_STEPS_A_MOMENT: Final = 5
_MOMENTS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeBackend:
    """`moments`: polls that a run works for. `fails_at`: the moment at which it fails, with this code."""

    folder: Path
    name: str = "fake"
    moments: int = _MOMENTS
    fails_at: int | None = None
    failure: str = "out_of_memory"

    @property
    def capabilities(self) -> Capabilities:
        offered = frozenset(Hyperparameters.model_fields) - {"learning_rate_multiplier", "beta"}
        return Capabilities(
            methods=frozenset({Method.SFT}), data_format={Method.SFT: "openai_chat"}, hyperparameters=offered
        )

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:  # noqa: ARG002 (the contract's)
        return tuple(not_offered(spec, self.capabilities))

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        refuse(self.problems(spec, today=now.date()))
        for each in given_files(spec).values():
            unaltered(each)
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self._file(spec.run_id)
        if not file.exists():
            self._write(file, {"spec": spec.model_dump(mode="json", by_alias=True), "moment": 0, "cancelled": False})
        memory.remember("job", spec.run_id)
        return Handle(backend=self.name, reference=spec.run_id)

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        file = self._file(handle.reference)
        held = self._read(file)
        if not held["cancelled"] and held["moment"] <= self.moments:
            held["moment"] += 1
            self._write(file, held)
        return self._told(held, int(cursor or 0))

    def cancel(self, handle: Handle) -> None:
        file = self._file(handle.reference)
        held = self._read(file)
        if held["moment"] <= self.moments:
            self._write(file, held | {"cancelled": True})

    def predictor(self, model: str) -> "FakePredictor":
        run, _, step = model.partition("@")
        spec = TrainingSpec.model_validate(self._read(self._file(run))["spec"])
        return FakePredictor(known=_answers(spec), share=int(step) / (self.moments * _STEPS_A_MOMENT))

    def _told(self, held: Mapping[str, Any], seen: int) -> Poll:
        spec = TrainingSpec.model_validate(held["spec"])
        failed = self.fails_at is not None and held["moment"] > self.fails_at
        worked = min(held["moment"] - 1, self.moments if self.fails_at is None else self.fails_at)
        total = self.moments * _STEPS_A_MOMENT
        steps = range(1, worked * _STEPS_A_MOMENT + 1)
        events = tuple(_metrics(spec, step, total) for step in steps)
        kept = tuple(
            Checkpoint(id=f"{spec.run_id}@{step}", step=step, model=f"{spec.run_id}@{step}")
            for step in steps if step % _STEPS_A_MOMENT == 0
        )  # fmt: skip
        told = Poll(
            state=RunState.RUNNING if worked else RunState.QUEUED, cursor=str(len(events)), events=events[seen:],
            checkpoints=kept, usage=Usage(seen_tokens=100 * len(steps), billed_tokens=100 * len(steps)),
        )  # fmt: skip
        return _ended(told, cancelled=held["cancelled"], failure=self.failure if failed else "", total=total)

    def _file(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.json"

    def _read(self, file: Path) -> dict[str, Any]:
        try:
            held: dict[str, Any] = json.loads(file.read_text("utf-8"))
        except FileNotFoundError as error:
            raise RunLost(f"no run {file.stem}") from error
        return held

    def _write(self, file: Path, held: Mapping[str, Any]) -> None:
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(held), "utf-8")
        partial.replace(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakePredictor:
    """Knows this share of the answers it was shown, always the same ones first."""

    known: Mapping[str, str]
    share: float

    def predict_many(
        self, conversations: Sequence[Sequence[Mapping[str, object]]], *, max_tokens: int, temperature: float = 0.0
    ) -> list[Prediction]:
        assert max_tokens > 0
        assert temperature >= 0
        return [Prediction(text=self._answer(json.dumps(list(each))), finished=True) for each in conversations]

    def close(self) -> None:
        return None

    def _answer(self, asked: str) -> str:
        place = int.from_bytes(hashlib.sha256(asked.encode()).digest()[:4]) / 2**32
        return self.known.get(asked, "") if place < self.share else ""


def _answers(spec: TrainingSpec) -> dict[str, str]:
    """By the conversation before it, the last answer of every row of both files."""
    files = [each for each in (spec.train, spec.validation) if each]
    rows = [json.loads(line)["messages"] for each in files for line in each.path.read_text("utf-8").splitlines()]
    return {json.dumps(row[:-1]): row[-1]["content"] for row in rows}


def _metrics(spec: TrainingSpec, step: int, total: int) -> Event:
    """Training falls for ever; validation turns where more than three epochs are asked for."""
    reached, epochs = step / total, spec.hyperparameters.epochs or 3
    train = 0.2 + 2 * math.exp(-3 * reached) + 0.01 * ((spec.seed + step) % 3)
    valid = 0.3 + 2 * math.exp(-3 * reached) + max(0, epochs - 3) * reached**2 / 5
    whole = valid if step % _STEPS_A_MOMENT == 0 else None
    metrics = Metrics(
        step=step, total_steps=total, epoch=epochs * reached, train_loss=train, valid_loss=valid,
        full_valid_loss=whole, learning_rate=2e-4, grad_norm=1.0, tokens=100 * step,
    )  # fmt: skip
    return Event(
        id=f"{spec.run_id}-{step}", at=_EPOCH, kind=EventKind.METRICS, message=f"step {step} of {total}, made up",
        metrics=metrics,
    )  # fmt: skip


def _ended(told: Poll, *, cancelled: bool, failure: str, total: int) -> Poll:
    """The same, with the end it has come to, if it has."""
    if cancelled:
        return replace(told, state=RunState.CANCELLED)
    if failure:
        return replace(told, state=RunState.FAILED, failure=Failure(code=failure, message="as it was asked to"))
    if told.cursor == str(total):
        return replace(told, state=RunState.SUCCEEDED, model=told.checkpoints[-1].model)
    return told


def make(name: str, settings: Mapping[str, object]) -> FakeBackend:
    """Settings: `folder`, and `moments` where a run is to be watched."""
    moments = int(str(settings.get("moments", _MOMENTS)))
    return FakeBackend(name=name, folder=Path(str(settings["folder"])), moments=moments)
