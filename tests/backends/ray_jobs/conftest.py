"""A world with Ray Jobs in it, as the conformance suite has it."""

import sys
import time
from pathlib import Path

import pytest

from backends.events import ENDED
from backends.memory import FileMemory

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS / "provider"), str(TESTS / "backends" / "conformance")]


@pytest.fixture
def case(tmp_path):
    from cases_ray import opened  # noqa: PLC0415  # its folder has just been made known

    with opened(tmp_path) as world:
        yield world


@pytest.fixture
def memory(tmp_path):
    return FileMemory(path=tmp_path / "memory.json")


@pytest.fixture
def finish(case):
    """Polls a run to its end."""

    def finished(handle, until=ENDED, backend=None):
        watching = backend or case.backend()
        for _ in range(3_000):
            told = watching.poll(handle)
            if told.state in until:
                return told
            time.sleep(0.02)
        pytest.fail(f"it does not end; last: {told}")

    return finished
