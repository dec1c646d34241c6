"""Where the shared test data is, and the marker for tests that need it; the `sixfold` command and briefs for it."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from engagements.cli import run
from estimator.brief.example import example_brief

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("SIXFOLD_TEST_DATA", PROJECT.parent / "shared" / "data"))
DAY = date(2026, 11, 22)
AS_IT_IS: Mapping[str, str] = MappingProxyType({})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED_DATA.is_dir():
        return
    left_out = pytest.mark.skip(reason=f"no shared test data in {SHARED_DATA}; set SIXFOLD_TEST_DATA to its folder")
    for item in items:
        if item.get_closest_marker("shared_data"):
            item.add_marker(left_out)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, specifications and vectors; ask for it only in tests marked `shared_data`."""
    return SHARED_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def places(self) -> list[tuple[int | None, str, str]]:
        """Line, place and code of each problem that `--json` lists."""
        return [(problem["line"], problem["where"], problem["code"]) for problem in self.json["problems"]]


@pytest.fixture
def sixfold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Answer]:
    """The command itself, called in this process in a folder of its own and without settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SIXFOLD_")]:
        monkeypatch.delenv(name)

    def answer(*arguments: object) -> Answer:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Answer(code=code, out=out.decode(), err=err.decode())

    return answer


@pytest.fixture
def brief_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the example with the value of some keys changed, each where it stands first, and returns its path."""

    def write(changes: Mapping[str, str] = AS_IT_IS, *, name: str = "brief.toml") -> Path:
        text = example_brief(DAY)
        for key, value in changes.items():
            text, changed = re.subn(rf"(?m)^{key} = .*$", lambda _, new=f"{key} = {value}": new, text, count=1)
            assert changed, f"the example has no {key}"
        path = tmp_path / name
        path.write_text(text, "utf-8", newline="\n")
        return path

    return write
