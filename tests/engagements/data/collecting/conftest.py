"""Files as a client sends them, and what became of them."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engagements.phases.data_preparation.collecting.importing import Import, RowAccount
from engagements.phases.data_preparation.collecting.mapping import ColumnMapping
from engagements.phases.data_preparation.records import Record


@dataclass(frozen=True, kw_only=True)
class Read:
    records: list[Record]
    account: RowAccount
    mapping: ColumnMapping
    reading: Import

    @property
    def dropped(self) -> list[tuple[int | None, str]]:
        """Line and code of what dropped a row."""
        return [(each.line, each.code) for each in self.account.problems if each.code in self.account.dropped]

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.account.problems]


def read_file(path: Path, **options: Any) -> Read:
    reading = Import(path, **options)
    records = list(reading)
    account = reading.account
    assert account.rows_in == account.kept + sum(account.dropped.values())
    assert account.kept == len(records)
    assert len({record.id for record in records}) == len(records)
    return Read(records=records, account=account, mapping=reading.mapping, reading=reading)


@pytest.fixture
def read_path() -> Callable[..., Read]:
    return read_file


@pytest.fixture(scope="session")
def read_set(shared_data: Path) -> Callable[..., Read]:
    """A file of the public sets, read once in the same way; nobody changes what was read."""
    return functools.cache(lambda name, **options: read_file(shared_data / "sets" / name, **options))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Writes a file with these bytes and reads it."""

    def written(content: bytes, name: str = "raw.csv", **options: Any) -> Read:
        path = tmp_path / name
        path.write_bytes(content)
        return read_file(path, **options)

    return written
