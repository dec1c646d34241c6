"""Factories: a chat row that is sound unless told otherwise, and a file of rows."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]


def chat(user: object = "Where is my parcel?", answer: object = "It will arrive on Monday.", **more: object) -> Row:
    """One question and its answer; `more` are further keys of the row."""
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}], **more}


@pytest.fixture
def sound_row() -> Callable[..., Row]:
    return chat


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes bytes, or rows as JSON Lines, and returns the path; rows are padded with sound ones to `at_least`."""

    def write(content: bytes | Iterable[object], *, at_least: int = 0) -> Path:
        path = tmp_path / "train.jsonl"
        if not isinstance(content, bytes):
            rows = list(content)
            rows += [
                chat(f"Question number {number}?", f"Answer number {number}.") for number in range(at_least - len(rows))
            ]
            content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        path.write_bytes(content)
        return path

    return write
