"""OpenAI's notebook as a plain loop, which the benchmark beside this one runs as well."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def notebook() -> Any:
    spec = importlib.util.spec_from_file_location("notebook", Path(__file__).parents[3] / "benchmarks/notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.notebook
