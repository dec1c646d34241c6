"""What the worker tells, and where it says it stands.

A run that goes on from a checkpoint goes through steps again that it told of before; they are compared, not told twice.
"""

import errno
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import TypeAdapter

from backends.events import Checkpoint, Event, EventKind, Failure, Level, Metrics, RunState, Usage
from backends.peft_local.folder import RunFolder, Standing

_EVENTS: Final = TypeAdapter(Event)
_STATE_EVERY_S: Final = 2.0


@dataclass(slots=True, kw_only=True)
class Teller:
    """Of one attempt. Opened on the run's folder by the one process that holds its lock."""

    folder: RunFolder
    standing: Standing
    _told: dict[str, float | None] = field(default_factory=dict)
    _written_at: float = 0.0
    _before_s: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    @classmethod
    def opened(cls, folder: RunFolder) -> "Teller":
        """Takes up what was told before; half a line that a death left behind is cut off."""
        before = folder.standing()
        teller = cls(folder=folder, standing=before, _before_s=before.usage.seconds or 0.0)
        _cut_half_line(folder)
        for told in _lines(folder):
            metrics = told.get("metrics") or {}
            teller._told[told["id"]] = metrics.get("train_loss")
        attempt = before.attempt + 1
        teller.stand(Standing(
            attempt=attempt, step=before.step, total_steps=before.total_steps, usage=before.usage,
            environment=before.environment,
        ))  # fmt: skip
        return teller

    def stand(self, standing: Standing) -> None:
        self.standing = standing
        self.folder.stand(standing)
        self._written_at = time.monotonic()

    def change(self, state: RunState, *, failure: Failure | None = None, interrupted: bool = False) -> None:
        usage = replace(self.standing.usage, seconds=self.seconds)
        changed = {"state": state, "failure": failure, "interrupted": interrupted, "usage": usage}
        self.stand(self.standing.model_copy(update=changed))

    def found(self, environment: Mapping[str, str]) -> None:
        """What is known of the device and the settings as they really are."""
        self.standing = self.standing.model_copy(update={"environment": {**self.standing.environment, **environment}})

    @property
    def seconds(self) -> float:
        """Of the device, over all attempts."""
        return round(self._before_s + time.monotonic() - self._began, 3)

    def message(self, text: str, *, id: str, level: Level = Level.INFO, **data: object) -> None:  # noqa: A002 (an event's own word)
        """`id` is told once, however often the run goes on."""
        self._tell(Event(id=id, at=datetime.now(UTC), kind=EventKind.MESSAGE, message=text, level=level, data=data))

    def checkpoint(self, kept: Checkpoint) -> None:
        text = f"checkpoint at step {kept.step}"
        kind = EventKind.CHECKPOINT
        self._tell(Event(id=kept.id, at=datetime.now(UTC), kind=kind, message=text, checkpoint=kept))

    def metrics(self, metrics: Metrics, *, usage: Usage) -> None:
        """One event a step; state is written with it now and then, for reading it costs a file."""
        id_ = f"step-{metrics.step}"
        attempt = self.standing.attempt
        if id_ in self._told:
            self._compare(metrics, self._told[id_])
        else:
            text = _said(metrics)
            event = Event(
                id=id_, at=datetime.now(UTC), kind=EventKind.METRICS, message=text, metrics=metrics,
                data={"attempt": attempt},
            )  # fmt: skip
            self._tell(event)
        self.standing = self.standing.model_copy(update={
            "step": metrics.step, "total_steps": metrics.total_steps, "usage": replace(usage, seconds=self.seconds),
        })  # fmt: skip
        if time.monotonic() - self._written_at > _STATE_EVERY_S:
            self.stand(self.standing)

    def _compare(self, metrics: Metrics, before: float | None) -> None:
        if metrics.train_loss != before:
            self.message(
                f"step {metrics.step} was {before} before it was resumed, and is {metrics.train_loss} now",
                id=f"inexact-{metrics.step}", level=Level.WARNING,
            )  # fmt: skip

    def _tell(self, event: Event) -> None:
        if event.id in self._told:
            return
        self._told[event.id] = event.metrics.train_loss if event.metrics else None
        line = json.dumps(_EVENTS.dump_python(event, mode="json"), allow_nan=False).encode() + b"\n"
        _append(self.folder, line)


def _append(folder: RunFolder, line: bytes) -> None:
    """One write a line: two lines never mix. What a full disk cuts short is taken back."""
    descriptor = os.open(folder.events, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, line) < len(line):
            os.ftruncate(descriptor, before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _said(metrics: Metrics) -> str:
    losses = (("training loss", metrics.train_loss), ("full validation loss", metrics.full_valid_loss))
    told = ", ".join(f"{name}={value:.4f}" for name, value in losses if value is not None)
    return f"Step {metrics.step}/{metrics.total_steps}: {told}"


def _cut_half_line(folder: RunFolder) -> None:
    if not folder.events.exists():
        return
    content = folder.events.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(folder.events, whole)


def _lines(folder: RunFolder) -> Iterator[dict[str, Any]]:
    if not folder.events.exists():
        return
    with folder.events.open("rb") as file:
        for line in file:
            try:
                held = json.loads(line)
            except ValueError:
                continue
            if isinstance(held, dict) and isinstance(held.get("id"), str):
                yield held
