"""A world with Vertex AI in it, as the conformance suite has it."""

import sys
from pathlib import Path

import pytest

from backends.memory import FileMemory

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS / "provider"), str(TESTS / "backends" / "conformance")]


@pytest.fixture
def case(tmp_path):
    from cases_vertex import opened  # noqa: PLC0415  # its folder has just been made known

    with opened(tmp_path) as world:
        yield world


@pytest.fixture
def memory(tmp_path):
    return FileMemory(path=tmp_path / "memory.json")
