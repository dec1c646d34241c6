"""A run's folder, the only thing that the one who watches and the process that trains share.

    spec.json        the run, as it was described                            written by the parent, once
    wish.json        what was asked for last: cancel, pause, resume         parent
    launches.json    how often it was started, how often in vain             parent
    state.json       where it stands                                         whoever holds `lock`
    events.jsonl     what it told, a line an event                           worker
    heartbeat        the machine's monotonic clock when it last moved        worker (the parent when it starts one)
    exit.json        how that process ended                                  parent
    process.json     the trainer's process                                   worker and parent, the same content
    lock             held by the trainer as long as it lives
    door             held by a parent for as long as it looks after the run
    checkpoints/     step-N/ with manifest.json written last
    adapter, model   what came out (one of the two), with manifest.json
    audit.json       what was found before the first step
    log.txt          the trainer's output, cut at a length

Files are written beside their place and renamed, so a reader sees the old or the new one.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from backends.events import ENDED, Failure, RunState, Usage

RESULTS: Final = ("adapter", "model")


class Standing(BaseModel):
    """Where a run stands. `interrupted`: its trainer was told to end by nobody of ours, saved, and can go on."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    state: RunState = RunState.QUEUED
    interrupted: bool = False
    attempt: Annotated[int, Field(ge=0)] = 0
    step: Annotated[int, Field(ge=0)] = 0
    total_steps: int | None = None
    failure: Failure | None = None
    usage: Usage = Usage()
    environment: dict[str, str] = {}

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def door(self) -> Path:
        return self.path / "door"

    @property
    def audit(self) -> Path:
        return self.path / "audit.json"

    @property
    def process(self) -> Path:
        return self.path / "process.json"

    @property
    def launches(self) -> Path:
        return self.path / "launches.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def exit(self) -> Path:
        return self.path / "exit.json"

    def exit_code(self) -> int | None:
        """Of the trainer that was started last, where whoever started it was there to see."""
        held, process = read_json(self.exit) or {}, read_json(self.process) or {}
        return held.get("code") if held and held.get("id") == process.get("id") else None

    def result(self) -> Path | None:
        """What came out, where it is whole: its manifest is written last."""
        made = (self.path / name for name in RESULTS)
        return next((each for each in made if (each / "manifest.json").is_file()), None)

    def standing(self) -> Standing:
        """Raises `ValueError` for a file that is none of ours."""
        held = read_json(self.path / "state.json")
        return Standing() if held is None else Standing.model_validate(held)

    def stand(self, standing: Standing) -> None:
        write_json(self.path / "state.json", standing.model_dump(mode="json"))

    def wish(self) -> str:
        held = read_json(self.path / "wish.json") or {}
        return str(held.get("wish", ""))

    def wished_s_ago(self) -> float:
        held = read_json(self.path / "wish.json") or {}
        return _since(held.get("at"))

    def make_wish(self, wish: str) -> None:
        """`wish`: cancel, pause, resume or stalled."""
        write_json(self.path / "wish.json", {"wish": wish, "at": time.monotonic()})

    def beat(self) -> None:
        """Says that the run moves: the monotonic clock of the machine, which a change of date does not touch and which
        stands still while the machine sleeps."""
        with suppress(OSError):
            (self.path / "heartbeat").write_text(f"{time.monotonic():.3f}", "ascii")

    def beaten_s_ago(self) -> float:
        try:
            return _since(float((self.path / "heartbeat").read_text("ascii")))
        except (OSError, ValueError):
            return 0.0


def _since(moment: object) -> float:
    """Seconds since a moment of the monotonic clock; 0 for one of another boot of the machine."""
    return max(0.0, time.monotonic() - moment) if isinstance(moment, float) else 0.0


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Whole or not at all, and on disk before this returns. Raises `OSError`."""
    write_whole(path, json.dumps(content, indent=1, allow_nan=False).encode() + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """None where there is no such file. Raises `ValueError` for one that is no JSON object."""
    try:
        held = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    if not isinstance(held, dict):
        raise ValueError(f"{path.name} holds no object")  # noqa: TRY004 (what a file holds, not what a caller passed)
    return held


@contextmanager
def waiting_for(path: Path) -> Iterator[None]:
    """Holds a lock of this machine, when it is free."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def taken(path: Path) -> int | None:
    """A file descriptor that holds the lock as long as it, or a copy in a child, is open; None: another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def sync_folder(path: Path) -> None:
    """Makes names in it durable, as fsync makes contents."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
