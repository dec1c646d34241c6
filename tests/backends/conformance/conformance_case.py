"""What the suite needs of a backend to try it: a world in which it works, and ways to disturb that world."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from backends.protocol import Backend
from backends.spec import DataFile, TrainingSpec


class Case(Protocol):
    """One backend in a world of its own. `backend()` gives a new instance over the same world, as after a restart."""

    def backend(self) -> Backend: ...

    def spec(self, run_id: str) -> TrainingSpec:
        """A small run that succeeds."""
        ...

    def let_time_pass(self) -> None:
        """A moment between two polls."""
        ...

    def cut_off(self) -> AbstractContextManager[None] | None:
        """Nothing answers inside; None where nothing lies between us and the work."""
        ...

    def begun(self) -> int:
        """How many jobs were really begun in this world."""
        ...


def rows(count: int) -> str:
    asked = ((f"which queue takes ticket {n}?", f"Q{n % 3}") for n in range(count))
    conversations = ([("user", question), ("assistant", answer)] for question, answer in asked)
    return "".join(
        json.dumps({"messages": [{"role": role, "content": content} for role, content in turns]}) + "\n"
        for turns in conversations
    )


def data_files(folder: Path) -> tuple[DataFile, DataFile]:
    """A training and a validation file of 12 and 4 short conversations."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", 12), ("validation", 4)):
        (folder / f"{name}.jsonl").write_text(rows(count), "utf-8")
    return DataFile.of(folder / "train.jsonl"), DataFile.of(folder / "validation.jsonl")
