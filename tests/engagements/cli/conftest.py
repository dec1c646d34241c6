"""A dataset in a folder, for commands that train."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from engagements.phases.data_preparation.records import Record

LABELS = ("billing", "outage", "moving")


@pytest.fixture
def record() -> Callable[[int], Record]:
    """A ticket by its number, with its label."""

    def made(number: int) -> Record:
        said = (
            {"role": "user", "content": f"ticket {number} {number * 7919}"},
            {"role": "assistant", "content": LABELS[number % 3]},
        )
        return Record(id=f"r{number}", messages=said, label=LABELS[number % 3])

    return made


@pytest.fixture
def prepared(tmp_path: Path, record: Callable[[int], Record]) -> Path:
    """A dataset in a folder, as preparing leaves it."""
    folder = tmp_path / "ds"
    folder.mkdir()
    splits = {}
    for split, (first, last) in {"train": (0, 40), "validation": (40, 60), "test": (60, 70)}.items():
        content = b"".join(record(number).as_line() for number in range(first, last))
        (folder / f"{split}.jsonl").write_bytes(content)
        splits[split] = {"sha256": sha256(content).hexdigest()}
    report = {"digest": "d" * 64, "policy": {"task": "classification"}, "splits": splits}
    (folder / "report.json").write_text(json.dumps(report), "utf-8")
    return folder
