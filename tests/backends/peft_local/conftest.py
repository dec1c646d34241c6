"""A tiny model, small files, and the parts of a run without a process of its own."""

import json
from functools import partial
from pathlib import Path

import pytest
from tiny_llama import tiny_llama

from backends.spec import DataFile, Hyperparameters, TrainingSpec


def conversation(number: int) -> dict[str, object]:
    """Of lengths that differ."""
    asked = f"which queue takes ticket {number}?" + " It is urgent." * (number % 5)
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": f"Q{number % 3}"}]}


def rows_file(path: Path, rows: list[dict[str, object]]) -> DataFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return DataFile.of(path)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def make_spec(model):
    """Describes a run with its files in a folder: `make_spec(folder, epochs=1, ...)`; `rows` of the training file, by
    default 24 of different lengths."""

    def made(folder, run_id="run_1", *, rows=None, validation=True, seed=0, **knobs):
        train = rows_file(folder / "data" / "train.jsonl", rows or [conversation(n) for n in range(24)])
        held_out = rows_file(folder / "data" / "validation.jsonl", [conversation(n) for n in range(24, 30)])
        told = {"epochs": 2, "batch_size": 6, "micro_batch_size": 3, "rank": 4, "learning_rate": 5e-3} | knobs
        return TrainingSpec(
            run_id=run_id, backend="peft", model=str(model), train=train, seed=seed,
            validation=held_out if validation else None, hyperparameters=Hyperparameters(**told),
        )  # fmt: skip

    return made


@pytest.fixture
def spec(make_spec, tmp_path):
    """The same, in this test's own folder."""
    return partial(make_spec, tmp_path)
