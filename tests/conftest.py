"""Where the shared test data is, and the marker for tests that need it."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("SIXFOLD_TEST_DATA", PROJECT.parent / "shared" / "data"))


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
