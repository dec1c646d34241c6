"""The folder of one run, readable after a kill at any moment: a file is whole or not there, and events are only added.

run.json       what was asked for and where it trains, without secrets
spec.json      the run as the backend gets it; paths beside it
data/          the files it learns from, in the backend's format, and the rows its checkpoints answer
memory.json    what a start must not forget
events.jsonl   all that it told
state.json     where it stood when somebody last looked
scores.json    checkpoints that were scored
verdict.json, record.json   at the end; model: the chosen one, where it lies on this machine
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_serializer

from backends.events import Event, Metrics, Poll, RunState
from backends.memory import FileMemory
from backends.protocol import Handle
from backends.spec import DataFile, TrainingSpec
from engagements.files import write_together, write_whole
from engagements.phases.training.judging.scoring import Scored
from engagements.settings import TrainingBackend
from estimator.errors import EstimatorError, Problem

_EVENT: Final = TypeAdapter(Event)
_POLL: Final = TypeAdapter(Poll)
_DATA: Final = "data"
_PIECE: Final = 1 << 20

M = TypeVar("M", bound=BaseModel)


class NoRun(EstimatorError):
    """No run lies in this folder, or what lies there cannot be read."""

    code = "no_run"


class RunBusy(EstimatorError):
    """Another process looks after this run."""

    code = "run_busy"


class Plan(BaseModel):
    """What was asked for, beyond the spec. `parent`: digest of the record that is repeated; `begun_at`: when it was
    written, before anything was sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal["sixfold.headless-run/1"] = Field(default="sixfold.headless-run/1", alias="schema")
    backend: TrainingBackend
    dataset_sha256: str
    metric: str
    max_tokens: int | None = None
    scored_rows: int
    score_base: bool
    parent: str | None = None
    begun_at: datetime
    predicted: dict[str, Any] = {}

    @field_serializer("backend")
    def _as_it_was_given(self, backend: TrainingBackend) -> dict[str, Any]:
        """An empty name is the default, and no name that anybody may give."""
        return backend.model_dump(mode="json", exclude_defaults=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`poll`: the last one that was answered, without its events. `silent`: the other side did not answer since."""

    handle: Handle
    poll: Poll
    looked_at: datetime
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    path: Path

    @property
    def is_planned(self) -> bool:
        return (self.path / "spec.json").is_file()

    @property
    def memory(self) -> FileMemory:
        return FileMemory(path=self.path / "memory.json")

    @property
    def scored(self) -> Path:
        return self.path / _DATA / "scored.jsonl"

    def begin(self, spec: TrainingSpec, plan: Plan) -> None:
        """Everything of a run before it starts, together: its files are copied, spec.json is renamed last.

        Raises `FileUnwritable`; then nothing is there that was not before.
        """
        (self.path / _DATA).mkdir(parents=True, exist_ok=True)
        files = [each for each in (spec.train.path, spec.validation and spec.validation.path) if each]
        scored = spec.train.path.parent / self.scored.name
        files += [scored] if scored.exists() else []
        here = spec.model_copy(update={name: _below(getattr(spec, name)) for name in ("train", "validation")})
        write_together(
            {self.path / _DATA / each.name: _pieces(each) for each in files}
            | {self.path / "run.json": plan.model_dump_json(by_alias=True, indent=1).encode()}
            | {self.path / "spec.json": here.model_dump_json(by_alias=True, indent=1).encode()}
        )

    def described(self) -> TrainingSpec:
        """As it was written: its files by their place below the folder. Raises `NoRun`."""
        return self._read("spec.json", TrainingSpec)

    def spec(self) -> TrainingSpec:
        """Its files as they lie on this machine. Raises `NoRun`."""
        found = self.described()
        return found.model_copy(update={
            name: file.model_copy(update={"path": (self.path / file.path).resolve()})
            for name in ("train", "validation") if (file := getattr(found, name)) is not None
        })  # fmt: skip

    def plan(self) -> Plan:
        """Raises `NoRun`."""
        return self._read("run.json", Plan)

    def events(self) -> list[Event]:
        """In order, each once; a line that a kill cut short is not there yet."""
        told: dict[str, Event] = {}
        with suppress(FileNotFoundError), (self.path / "events.jsonl").open("rb") as lines:
            for line in lines:
                with suppress(ValueError):
                    event = _EVENT.validate_python(json.loads(line))
                    told.setdefault(event.id, event)
        return list(told.values())

    def standing(self) -> Standing | None:
        """None before anybody has looked. Raises `NoRun`."""
        path = self.path / "state.json"
        try:
            held = json.loads(path.read_bytes())
            return Standing(
                handle=Handle(**held["handle"]), poll=_POLL.validate_python(held["poll"]), silent=held["silent"],
                looked_at=datetime.fromisoformat(held["looked_at"]),
            )  # fmt: skip
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _no_run(path, str(error)) from error

    def has_begun(self) -> bool:
        """Whether anything was sent: a start that was cut off remembers what it was about to do."""
        return (self.path / "memory.json").exists() or (self.path / "state.json").exists()

    def keep(self, standing: Standing, events: Sequence[Event]) -> None:
        """Events first, then where it stands: what is told twice after a kill between them is read once.

        Raises `FileUnwritable` and `OSError`.
        """
        self._add(events)
        told = {
            "handle": {"backend": standing.handle.backend, "reference": standing.handle.reference},
            "silent": standing.silent, "looked_at": standing.looked_at.isoformat(),
            "poll": _POLL.dump_python(standing.poll, mode="json"),
        }  # fmt: skip
        self.write("state.json", told)

    def scores(self) -> dict[str, Scored]:
        """By checkpoint, those that were kept."""
        return {
            name: Scored(**told | {"per_item": tuple(told["per_item"])})
            for name, told in self.read("scores.json").items()
        }

    def read(self, name: str) -> dict[str, Any]:
        """One of our own files; {} where it is not there (yet)."""
        try:
            held = json.loads((self.path / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return held if isinstance(held, dict) else {}

    def write(self, name: str, content: object) -> None:
        write_whole(self.path / name, json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Whether we are the one who looks after this run as long as this lasts; on a kill the lock goes by itself."""
        with (self.path / "lock").open("ab") as file:
            yield _is_ours(file)

    def sweep(self) -> None:
        """Takes away what a kill left half written; only for the one who looks after the run."""
        for folder in (self.path, self.path / _DATA):
            for partial in folder.glob("*.partial"):
                partial.unlink(missing_ok=True)

    def _add(self, events: Sequence[Event]) -> None:
        if not events:
            return
        with (self.path / "events.jsonl").open("ab+") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                file.write(b"\n")  # a kill cut the last line short: its event is told again
            for event in events:
                file.write(json.dumps(_EVENT.dump_python(event, mode="json")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self, name: str, kind: type[M]) -> M:
        path = self.path / name
        try:
            return kind.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise _no_run(path, "is not there") from error
        except OSError as error:
            raise _no_run(path, f"cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise _no_run(path, f"is not as it was written: {error.errors()[0]['msg']}") from error


def looked(before: Standing | None, handle: Handle, poll: Poll, *, at: datetime) -> Standing:
    """Where it stands after a poll: one that was not answered leaves what was known, and says so."""
    silent = poll.state is RunState.UNKNOWN
    known = before.poll if silent and before else replace(poll, events=())
    return Standing(handle=handle, poll=known, looked_at=at, silent=silent)


def metrics_of(events: Sequence[Event]) -> list[Metrics]:
    return [event.metrics for event in events if event.metrics is not None]


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _is_ours(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _below(file: DataFile | None) -> DataFile | None:
    return None if file is None else file.model_copy(update={"path": Path(_DATA) / file.path.name})


def _no_run(path: Path, message: str) -> NoRun:
    remedy = "name the folder that `sixfold train -o` made"
    return NoRun(Problem(code=NoRun.code, where=str(path), message=message, remedy=remedy))
