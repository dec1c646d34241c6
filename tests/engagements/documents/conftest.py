"""The sample document, rendered once for all tests that look at it."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from engagements.documents.bundle import packaged
from engagements.documents.pdf import render_pdf


@pytest.fixture(scope="session")
def sample_html() -> Callable[..., str]:
    """Writes the sample: `sample_html(palette=…, paper=…, stage=…, client=…)`, all with defaults."""
    written: Callable[..., str] = runpy.run_path(str(Path(__file__).with_name("sample.py")))["sample_html"]
    return written


@pytest.fixture(scope="session")
def sample_pdf(sample_html: Callable[..., str]) -> bytes:
    return render_pdf(sample_html(), packaged())
