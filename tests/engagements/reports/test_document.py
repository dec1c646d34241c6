"""The report as a client reads it: what it must say, in two to four pages, in every state."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pikepdf
import pypdf
import pytest

from engagements.documents.style import Stage
from engagements.proposals.document import Look
from engagements.reports.document import report_html, report_pdf
from engagements.reports.view import ReportView
from engagements.settings import Agency

LOOK = Look.of(Agency(name="Halden & Roth"))
ViewAbout = Callable[..., ReportView]


@pytest.fixture(scope="module")
def eventful(states: Any, view_about: ViewAbout) -> ReportView:
    return view_about(states.two_gates_passed(), states.in_data_preparation(), summary="Two gates are passed.")


@pytest.fixture(scope="module")
def eventful_pages(eventful: ReportView, pages_of: Callable[[ReportView], list[str]]) -> list[str]:
    return pages_of(eventful)


def test_an_eventful_month_fits_four_pages_and_begins_with_what_is_asked(eventful_pages: list[str]) -> None:
    assert len(eventful_pages) <= 4
    assert "Overall: at risk" in eventful_pages[0]
    assert "Two gates are passed." in eventful_pages[0]
    assert "What we need from you" in eventful_pages[0]
    assert "overdue since 28 Jan 2027" in eventful_pages[0]


def test_an_override_shows_with_its_reason_and_what_was_not_met(eventful_pages: list[str]) -> None:
    text = " ".join(eventful_pages)
    assert "Passed by override." in text
    assert "No human baseline was measured; 100 items by two reviewers were asked for." in text
    assert "The reviewers are away until February; the gate does not turn on their score." in text


def test_criteria_stand_with_their_intervals_and_lead_to_their_evidence(
    eventful: ReportView, eventful_pages: list[str]
) -> None:
    text = " ".join(eventful_pages)
    for word in ("pass", "fail", "inconclusive", "95 % interval 69.3 % to 76.7 %, 540 items"):
        assert word in text
    assert eventful.marks(eventful.facts.criteria[0].evidence) == "E4, E5"
    for each in eventful.cited:
        assert each.evidence.sha256 in text
        assert each.evidence.id in text


def test_values_agreed_first_changed_and_pending_stand_apart(eventful_pages: list[str]) -> None:
    text = " ".join(eventful_pages)
    assert "105,234.00 8,400.00 113,634.00 5,150.00" in text
    assert "Then 7 further months of management, the last on 5 November 2027, EUR 18,011.00 together." in text


@pytest.mark.parametrize("name", ["opened", "everything_unknown"])
def test_what_is_empty_says_why_and_what_comes(
    name: str, states: Any, view_about: ViewAbout, pages_of: Callable[[ReportView], list[str]]
) -> None:
    pages = pages_of(view_about(getattr(states, name)()))
    text = " ".join(pages)
    assert 2 <= len(pages) <= 3
    assert "This is the first report." in text
    assert "No gate has been decided yet." in text
    assert ("unknown" in text) == (name == "everything_unknown")


def test_it_is_tagged_titled_and_says_who_it_is_from(eventful: ReportView) -> None:
    content = report_pdf(eventful, LOOK)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        with pdf.open_metadata() as meta:
            assert meta["pdfuaid:part"] == "1"
    info = pypdf.PdfReader(io.BytesIO(content)).metadata
    assert info is not None
    assert info.title == "Status report 2: Draft replies for the service desk, Nordwind Energie GmbH"
    assert info.author == "Halden & Roth"


def test_a_draft_is_marked_and_names_no_page_where_its_digest_stands(eventful: ReportView) -> None:
    draft = replace(eventful, control=replace(eventful.control, stage=Stage.DRAFT, address=""))
    html = report_html(draft, LOOK)
    assert "draft.svg" in html
    assert "a draft has no digest" in html
    assert "draft.svg" not in report_html(eventful, LOOK)


def test_words_of_people_are_escaped(states: Any, view_about: ViewAbout) -> None:
    hostile = "<img src=x onerror=alert(1)> & <b>"
    facts = states.opened()
    facts = replace(facts, milestones=tuple(replace(each, name=hostile) for each in facts.milestones))
    html = report_html(view_about(facts, summary=hostile), LOOK)
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;" in html
