"""Facts of engagements in several states, reports about them, and the text of their pages."""

import io
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pypdf
import pytest

from engagements.proposals.document import Look
from engagements.reports.document import report_pdf
from engagements.reports.facts import Facts
from engagements.reports.inside import Inside
from engagements.reports.view import ReportView, view_of
from engagements.settings import Agency


@pytest.fixture(scope="session")
def states() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("states.py"))))


@pytest.fixture(scope="session")
def view_about(states: SimpleNamespace) -> Callable[..., ReportView]:
    def written(
        facts: Facts, before: Facts | None = None, *, summary: str = "", inside: Inside | None = None
    ) -> ReportView:
        return view_of(states.control_of(facts, 2 if before else 1, before), facts, before, summary, inside)

    return written


@pytest.fixture(scope="session")
def pages_of() -> Callable[[ReportView], list[str]]:
    """The text of each page."""

    def rendered(view: ReportView) -> list[str]:
        pdf = report_pdf(view, Look.of(Agency(name="Halden & Roth")))
        return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]

    return rendered
