"""Text that tries to be more than text: it is printed as it was typed, or refused with a code, and reaches nothing."""

import io
from collections.abc import Callable

import pypdf
import pypdfium2
import pytest

from engagements.proposals.document import ProposalDocument
from engagements.proposals.lint import lint
from engagements.proposals.view import ProposalView
from engagements.settings import Agency
from estimator.brief import Brief
from estimator.errors import BriefInvalid

ViewOf = Callable[..., ProposalView]
DocumentOf = Callable[..., ProposalDocument]
PagesOf = Callable[[ProposalDocument], list[str]]

MARKUP = (
    "a</p><img src='file:///etc/passwd' alt=x>b & {{ 7*7 }} {% for x in y %} ${7*7} @import url(http://127.0.0.1/x);}"
)
ENDLESS = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


def everywhere(text: str) -> dict[str, object]:
    """A brief in which every line and paragraph of the client's own is this text, the paragraphs as long as may be."""
    line, prose = text[:200], (f"{text} " * (2_000 // (len(text) + 1))).strip()
    return {
        "client.name": line,
        "client.legal_name": line,
        "client.address": prose[:300],
        "client.contact_name": line,
        "client.contact_role": line,
        "client.purchase_order": line,
        "project.title": line,
        "project.problem": prose,
        "project.affected": prose,
        "project.magnitude": prose,
        "project.why_now": prose,
        "project.tried_before": [prose, line],
        "task.metric": line,
        "criteria": [{"tier": "must", "metric": line, "threshold_percent": 99, "items": 100}],
        "data.owner": line,
        "commercial.discount_percent": 5,
        "commercial.discount_reason": line,
        "commercial.tax": [{"name": line, "percent": 19}],
        "commercial.milestones": [{"name": line, "gate": 0, "percent": 50}, {"name": line, "gate": 5, "percent": 50}],
        "commercial.optional": [{"name": line, "why": prose, "hours": {"ml_engineer": 2}}],
        "assumptions": [{"statement": prose, "threshold": line, "if_false": line, "owner": line, "validate_by": line}],
        "exclusions": [{"what": prose, "why": line}],
        "risks": [{"what": prose, "probability": "high", "impact": "low", "mitigation": line, "owner": line}],
    }


@pytest.fixture(scope="module", params=[MARKUP, ENDLESS], ids=["markup", "endless words"])
def hostile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def view(hostile: str, view_of: ViewOf) -> ProposalView:
    return view_of(everywhere(hostile), agency=Agency(name=hostile[:200], address=hostile, signatory=hostile[:200]))


@pytest.fixture(scope="module")
def document(view: ProposalView, document_of: DocumentOf) -> ProposalDocument:
    return document_of(view)


def test_it_is_no_hole(view: ProposalView) -> None:
    assert lint(view) == []


def test_it_is_printed_as_it_was_typed_wherever_it_stands(
    hostile: str, document: ProposalDocument, pages_of: PagesOf
) -> None:
    typed, pages = "".join(hostile[:200].split()), ["".join(text.split()) for text in pages_of(document)]
    assert typed in pages[0]
    assert "".join(pages).count(typed) >= 40
    metadata = pypdf.PdfReader(io.BytesIO(document.pdf)).metadata
    assert metadata is not None
    assert metadata.title == f"{hostile[:200]}: proposal for {hostile[:200]}"


def test_nothing_leaves_the_paper_and_nothing_stands_on_the_cover_twice(document: ProposalDocument) -> None:
    with pypdfium2.PdfDocument(document.pdf) as pdf:
        for number, page in enumerate(pdf):
            width, height = page.get_size()
            text = page.get_textpage()
            boxes = [text.get_rect(index) for index in range(text.count_rects())]
            assert all(
                left >= 0 and bottom >= 0 and right <= width and top <= height for left, bottom, right, top in boxes
            ), f"page {number + 1}"
            if number == 0:
                assert not [(one, other) for one in boxes for other in boxes if overlap(one, other)]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes of text share more than a sliver; ascenders and descenders of lines may touch."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return one != other and wide > 1 and high > 2.5


def test_it_asks_for_no_file_and_no_address(document: ProposalDocument) -> None:
    assert b"/URI" not in document.pdf
    assert b"/EmbeddedFile" not in document.pdf
    assert b"/JavaScript" not in document.pdf


@pytest.mark.parametrize(
    "text",
    ["مرحبا بكم", "שלום עולם", "客户支持团队", "日本語", "한국어", "Support 🚀", "👩‍👩‍👧‍👦", "हिन्दी", "ไทย"],
)
def test_a_script_that_our_fonts_lack_is_refused_not_printed_as_boxes(text: str, view_of: ViewOf) -> None:
    problems = lint(view_of({"project.title": text}))
    assert {problem.code for problem in problems} == {"text.no_glyph"}
    assert "title" in {problem.where for problem in problems}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("100\N{RIGHT-TO-LEFT OVERRIDE}001", "text.bidi_control"),
        ("a\x00b", "text.control_char"),
        ("a\x1b[31mb", "text.control_char"),
        ("o" + "\N{COMBINING ACUTE ACCENT}" * 2_000, "text.too_many_marks"),
        ("o" + "\N{COMBINING ACUTE ACCENT}" * 20, "text.too_many_marks"),
        ("x" * 201, "text.too_long"),
        (" \N{ZERO WIDTH SPACE} ", "text.blank"),
        ("half \ud83d", "row.bad_unicode"),
    ],
)
def test_what_no_page_can_show_does_not_get_past_the_brief(
    text: str, code: str, brief_of: Callable[..., Brief]
) -> None:
    with pytest.raises(BriefInvalid) as refusal:
        brief_of({"project.title": text})
    assert [(problem.where, problem.code) for problem in refusal.value.problems] == [("project.title", code)]
