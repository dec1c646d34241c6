"""What the stand-in knows, in its folder: `ledger.json`, written by rename, and the bytes of its files."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError


class KeptFile(BaseModel):
    id: str
    name: str
    purpose: str
    size: int
    created_at: int
    arrived: float


class Told(BaseModel):
    """An event of a job, `at` on the provider's clock; `data` where it is one of metrics."""

    model_config = ConfigDict(frozen=True)
    at: float
    message: str
    level: str = "info"
    data: dict[str, object] | None = None


class KeptCheckpoint(BaseModel):
    """`inner_model`: what the backend that really trains calls it."""

    model_config = ConfigDict(frozen=True)
    step: int
    at: float
    metrics: dict[str, object]
    inner_model: str = ""


class JobFault(BaseModel):
    model_config = ConfigDict(frozen=True)
    code: str
    message: str
    param: str | None = None


class Pause(BaseModel):
    """After so many seconds of work, for so many."""

    model_config = ConfigDict(frozen=True)
    worked_s: float
    idle_s: float


class Inner(BaseModel):
    """A job's run with the backend that really trains it, as far as that was asked."""

    reference: str
    cursor: str = ""
    state: str = "queued"
    model: str | None = None
    told: list[Told] = []
    checkpoints: list[KeptCheckpoint] = []
    trained_tokens: int | None = None
    error: JobFault | None = None
    ended_at: float | None = None


class KeptJob(BaseModel):
    """`arrived`, `paused_at`, `ended_at`: on the provider's clock. `ended`: a final status that somebody asked for."""

    id: str
    request: dict[str, object]
    created_at: int
    arrived: float
    seed: int
    pauses: list[Pause] = []
    paused_at: float | None = None
    ended: str | None = None
    ended_at: float | None = None
    inner: Inner | None = None

    def worked(self, now: float) -> float:
        """Seconds of work until then."""
        until = min(each for each in (self.paused_at, self.ended_at, now) if each is not None)
        return until - self.arrived - sum(each.idle_s for each in self.pauses)

    def when(self, worked_s: float) -> float:
        """The provider's time after so much work."""
        return self.arrived + worked_s + sum(each.idle_s for each in self.pauses if each.worked_s < worked_s)


class Known(BaseModel):
    files: dict[str, KeptFile] = {}
    jobs: dict[str, KeptJob] = {}
    retry_counts: list[int] = []
    """`x-stainless-retry-count` of every job that somebody asked for: anything but 0 is a client that repeats."""


class Ledger:
    """One process writes it; threads take turns."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.RLock()
        (folder / "files").mkdir(parents=True, exist_ok=True)
        self._path = folder / "ledger.json"
        self._known = Known.model_validate_json(self._path.read_bytes()) if self._path.exists() else Known()

    @contextmanager
    def reading(self) -> Iterator[Known]:
        """Nobody writes meanwhile; do not change what is handed out."""
        with self._lock:
            yield self._known

    @contextmanager
    def writing(self) -> Iterator[Known]:
        """What is changed inside is on disk when this ends, or not changed at all."""
        with self._lock:
            changed = self._known.model_copy(deep=True)
            yield changed
            partial = self._path.with_suffix(".partial")
            with partial.open("w", encoding="utf-8") as file:
                file.write(changed.model_dump_json())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
            self._known = changed

    def latest(self) -> float:
        """The last moment that anything here knows of."""
        with self.reading() as known:
            moments = [each.arrived for each in known.files.values()]
            for job in known.jobs.values():
                moments += [job.arrived, job.paused_at or 0, job.ended_at or 0]
        return max(moments, default=0.0)

    def content(self, file_id: str) -> bytes:
        return (self._folder / "files" / file_id).read_bytes()

    def path(self, file_id: str) -> Path:
        return self._folder / "files" / file_id

    def keep(self, file_id: str, content: bytes) -> None:
        (self._folder / "files" / file_id).write_bytes(content)


def rows_of(content: bytes) -> list[dict[str, object]]:
    """Raises `ValueError` with the number of the first example that is none, from 1."""
    rows: list[dict[str, object]] = []
    for line in content.removeprefix(b"\xef\xbb\xbf").splitlines():
        if not line.strip():
            continue
        try:
            rows.append(_ROW.validate_json(line))
        except ValidationError:
            raise ValueError(f"Invalid file format. Example {len(rows) + 1} is no JSON object") from None
    return rows


_ROW: Final = TypeAdapter(dict[str, object])
