"""A world with Fireworks in it, as the conformance suite has it."""

import sys
from pathlib import Path

import pytest

from backends.memory import FileMemory
from backends.spec import Method

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS / "provider"), str(TESTS / "backends" / "conformance")]


@pytest.fixture
def case(tmp_path, request):
    from cases_fireworks import opened  # noqa: PLC0415  # its folder has just been made known

    with opened(tmp_path, method=getattr(request, "param", Method.SFT)) as world:
        yield world


@pytest.fixture
def memory(tmp_path):
    return FileMemory(path=tmp_path / "memory.json")
