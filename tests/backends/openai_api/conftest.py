"""A stand-in provider whose clock the tests move, a run, its memory, and a ledger to count in."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backends.errors import OutcomeUnknown, Unreachable
from backends.memory import FileMemory
from backends.openai_api.backend import make
from backends.protocol import Handle
from backends.spec import DataFile, Hyperparameters, TrainingSpec
from backends.stand_in.faults import Fault
from backends.stand_in.serving import serving

KEY = "sk-that-nobody-may-see"
MODEL = "gpt-4o-mini-2024-07-18"


def lines(count, *, bad=()):
    rows = ({"messages": [
        {"role": "user", "content": f"which queue takes ticket {n}?"},
        {"role": "assistant", "content": f"Q{n % 3}" if n not in bad else "[unsafe on purpose]"},
    ]} for n in range(1, count + 1))  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


@dataclass
class World:
    """A provider and a product that can be restarted. `now` is the time of both, in seconds."""

    folder: Path
    stand_in: Any = None
    now: float = 1_795_000_000.0
    create_s: float = 30.0
    made: list = field(default_factory=list)

    def __call__(self):
        return self.now

    def backend(self, **settings):
        told = {"base_url": self.stand_in.base_url, "api_key": KEY, "create_s": self.create_s} | settings
        self.made.append(make("openai", told))
        return self.made[-1]

    def spec(self, run_id="run_1", *, rows=12, bad=(), **fields):
        path = self.folder / f"train-{rows}-{len(bad)}.jsonl"
        path.write_text(lines(rows, bad=bad), "utf-8")
        told = {"run_id": run_id, "backend": "openai", "model": MODEL, "train": DataFile.of(path), "seed": 7,
                "hyperparameters": Hyperparameters(epochs=1, batch_size=4)} | fields  # fmt: skip
        return TrainingSpec(**told)

    def memory(self, name="memory"):
        return FileMemory(path=self.folder / f"{name}.json")

    def moment(self):
        return datetime.fromtimestamp(self.now, UTC)

    def goes_wrong(self, kind, **fields):
        self.stand_in.faults.add(Fault(kind=kind, **fields))

    def start(self, spec=None, *, memory=None, backend=None):
        return (backend or self.backend()).start(spec or self.spec(), memory or self.memory(), now=self.moment())

    def start_until_settled(self, spec=None, *, memory=None):
        """As a supervisor does, each time a new process: again when it is told to, until it is known."""
        states = []
        for _ in range(100):
            try:
                return self.start(spec, memory=memory), states
            except (OutcomeUnknown, Unreachable) as error:
                states.append(error.code)
                self.now += error.retry_in_s
        raise AssertionError(f"it never settles: {states[-3:]}")

    def poll(self, handle, cursor=""):
        return self.backend().poll(handle, cursor=cursor)

    def until(self, handle, *states, cursor=""):
        for _ in range(200):
            told = self.poll(handle, cursor)
            if told.state in states:
                return told
            cursor, self.now = told.cursor, self.now + 1
        raise AssertionError(f"it stays {told}")

    def handle(self, job):
        return Handle(backend="openai", reference=job)

    def jobs(self):
        with self.stand_in.ledger.reading() as known:
            return list(known.jobs.values())

    def files(self):
        with self.stand_in.ledger.reading() as known:
            return [each.name for each in known.files.values()]

    def posts(self):
        return self.stand_in.asked.count("POST /fine_tuning/jobs")

    def wait(self, **parts):
        self.now += timedelta(**parts).total_seconds()


@pytest.fixture
def world(tmp_path, socket_enabled):
    world = World(tmp_path)
    with ExitStack() as stack:
        world.stand_in = stack.enter_context(serving(tmp_path / "stand-in", clock=world, api_key=KEY))
        yield world
        for each in world.made:
            each.close()
