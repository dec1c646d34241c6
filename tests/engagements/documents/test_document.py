"""The sample document as a reader, a screen reader and a printer find it."""

import io
import logging
import re
from collections.abc import Callable, Iterator

import pikepdf
import pypdf
import pypdfium2
import pytest
import weasyprint

from engagements.documents.bundle import packaged
from engagements.documents.charts.lettering import Weight, width_of
from engagements.documents.palette import Palette
from engagements.documents.pdf import render_pdf
from engagements.documents.style import Paper, Stage

PAGES = 9
FAMILIES = {
    "Source-Sans-Pro", "Source-Sans-Pro-Semi-Bold", "Source-Serif-Pro", "Source-Serif-Pro-Semi-Bold",
    "Source-Sans-Pro-Bold",
}  # fmt: skip


@pytest.fixture(scope="module")
def pages(sample_pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(sample_pdf)).pages]


@pytest.fixture(scope="module")
def tags(sample_pdf: bytes) -> Iterator[list[pikepdf.Dictionary]]:
    with pikepdf.open(io.BytesIO(sample_pdf)) as document:
        yield list(walk(document.Root.StructTreeRoot.K))


def walk(node: object) -> Iterator[pikepdf.Dictionary]:
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from walk(child)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node
        yield from walk(node.get("/K"))


def fonts_of(pdf: bytes) -> set[str]:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        fonts = [font for page in document.pages for font in page.Resources.Font.values()]
        assert all("/FontFile3" in font.DescendantFonts[0].FontDescriptor for font in fonts)
        names = {str(font.BaseFont) for font in fonts}
    assert all(re.match("/[A-Z]{6}[+]", name) for name in names), "embedded as subsets"
    return {name[8:] for name in names}


def test_every_page_but_the_cover_has_its_number_and_the_document_s(pages: list[str]) -> None:
    assert len(pages) == PAGES
    assert "Page " not in pages[0]
    for number, text in enumerate(pages[1:], start=2):
        assert f"Page {number} of {PAGES}" in text
        assert "P-2026-0007 · v2" in text
        assert "Confidential: for Nordvind Energi AS only" in text


def test_the_running_title_is_the_section_that_the_page_begins_in(pages: list[str]) -> None:
    heads = [re.findall(r"(?m)^(.*?) ?P-2026-0007 · v2$", text)[-1] for text in pages[1:]]
    assert heads[0] == ""
    assert heads[1] == "Your situation"
    assert heads[-2:] == ["Annex: price schedule"] * 2


def test_the_contents_give_the_page_that_each_section_begins_on(sample_pdf: bytes, pages: list[str]) -> None:
    reader = pypdf.PdfReader(io.BytesIO(sample_pdf))
    bookmarks = [entry for entry in reader.outline if not isinstance(entry, list)][1:]
    assert [entry.title for entry in bookmarks][:2] == ["1 Summary", "2 Your situation"]
    for entry in bookmarks:
        number = reader.get_destination_page_number(entry)
        assert number is not None
        title = entry.title.lstrip("0123456789 ")
        assert re.search(rf"{re.escape(title)}\s*{number + 1}\b", pages[1]), f"{title} is on page {number + 1}"


def test_subsections_are_bookmarks_under_their_section(sample_pdf: bytes) -> None:
    outline = pypdf.PdfReader(io.BytesIO(sample_pdf)).outline
    below = [entry for entry in outline if isinstance(entry, list)]
    assert [entry.title for entry in below[0]] == ["Why fine-tuning, and not only a better prompt"]


def test_title_author_language_and_dates_are_those_of_the_html(sample_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(sample_pdf)) as document:
        assert str(document.docinfo.Title) == "Proposal for Nordvind Energi AS"
        assert str(document.docinfo.Author) == "Fjord & Partners"
        assert str(document.docinfo.CreationDate) == "D:20261122100000Z"
        assert str(document.docinfo.ModDate) == "D:20261122100000Z"
        assert str(document.Root.Lang) == "en"
        assert document.Root.ViewerPreferences.DisplayDocTitle
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"


def test_the_structure_is_tagged_for_reading_aloud(tags: list[pikepdf.Dictionary]) -> None:
    kinds = [str(tag.S) for tag in tags]
    assert {"/H1", "/H2", "/H3", "/P", "/L", "/LI", "/Table", "/THead", "/TR", "/TH", "/TD", "/Figure"} <= set(kinds)
    assert kinds.count("/H2") == 8  # contents, six sections, one annex: none of them split in two
    cells = [tag for tag in tags if str(tag.S) == "/TD"]
    assert all("/Headers" in cell.A for cell in cells)


def test_every_chart_says_in_words_what_it_shows(tags: list[pikepdf.Dictionary]) -> None:
    words = [str(tag.Alt) for tag in tags if str(tag.S) == "/Figure"]
    assert len(words) == 6
    assert any("Better: three ticket classes: €38,200 to €58,900, even odds €45,700" in said for said in words)
    assert any("equal at 310,000 requests" in said for said in words)
    assert any("3 Training and experiments: 25 Jan 2027 to 12 Feb 2027" in said for said in words)


def test_all_fonts_are_ours_embedded_and_cut_down(sample_pdf: bytes) -> None:
    assert fonts_of(sample_pdf) <= FAMILIES


def test_a_table_over_several_pages_repeats_its_head(pages: list[str]) -> None:
    annex = [text for text in pages if "work package 4" in text]
    assert len(annex) == 2
    assert all("Item Role Hours Rate Amount" in text for text in annex)


@pytest.mark.parametrize("taken_mm", [*range(164, 182, 2), *range(234, 250, 2)])
def test_no_row_and_no_item_of_a_list_stands_alone_over_or_under_a_break(taken_mm: int) -> None:
    """Twelve of each begin, or end, where a page does."""
    table = "".join(f"<tr><td>row {number}</td></tr>" for number in range(12))
    items = "".join(f"<li>item {number}</li>" for number in range(12))
    head = '<title>Lines</title><link rel="stylesheet" href="bundle:print.css">'
    before = f'<div style="height: {taken_mm}mm"></div>'
    for content, name in ((f"<table><tbody>{table}</tbody></table>", "row"), (f"<ul>{items}</ul>", "item")):
        pdf = render_pdf(f'<html lang="en"><head>{head}</head><body>{before}{content}</body></html>', packaged())
        found = [page.extract_text().count(f"{name} ") for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
        assert sum(found) == 12
        assert 1 not in found


def test_a_subtotal_stays_with_the_last_line_above_it(pages: list[str]) -> None:
    for text in pages:
        lines = text.splitlines()
        for index, line in enumerate(lines):
            if "subtotal" in line:
                assert "work package 4" in lines[index - 1]
            if line.startswith("Total") and "64" in line:
                assert "subtotal" in lines[index - 1]


def test_references_carry_the_number_of_what_they_refer_to(pages: list[str]) -> None:
    assert "Figure 4 Four times in five" in "".join(pages)
    text = " ".join(pages[1].split())
    assert "as Figure 4 shows" in text
    assert "three options in Table 2" in text


ODD_CLIENT = (
    "<b>Łódź</b> & {{ 7 * 7 }} Энергия Ελλάς 50\N{NARROW NO-BREAK SPACE}400 – “Ørsted” ≥ 94 % "
    f"<img src='file:///etc/passwd'> {'Donaudampfschifffahrt' * 12}"
)


@pytest.fixture(scope="module")
def odd_client_pdf(sample_html: Callable[..., str]) -> bytes:
    return render_pdf(sample_html(client=ODD_CLIENT), packaged())


def test_names_of_other_scripts_and_numbers_of_other_locales_need_no_other_font(odd_client_pdf: bytes) -> None:
    assert fonts_of(odd_client_pdf) <= FAMILIES


def test_user_text_is_printed_as_it_was_typed(odd_client_pdf: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(odd_client_pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == f"Proposal for {ODD_CLIENT}"
    printed = "".join(reader.pages[0].extract_text().split())
    assert "".join(ODD_CLIENT.split()) in printed


def test_text_stays_on_the_paper_even_where_a_client_s_word_is_endless(odd_client_pdf: bytes) -> None:
    with pypdfium2.PdfDocument(odd_client_pdf) as document:
        for page in document:
            width, height = page.get_size()
            text = page.get_textpage()
            boxes = [text.get_rect(index) for index in range(text.count_rects())]
            assert all(
                left >= 0 and bottom >= 0 and right <= width and top <= height for left, bottom, right, top in boxes
            )


@pytest.fixture(scope="module")
def letter_draft(sample_html: Callable[..., str]) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(render_pdf(sample_html(paper=Paper.LETTER, stage=Stage.DRAFT), packaged())))


def test_a_draft_is_marked_on_every_page_and_a_final_document_on_none(
    letter_draft: pypdf.PdfReader, pages: list[str]
) -> None:
    assert all("DRAFT" in page.extract_text() for page in letter_draft.pages)
    assert not any("DRAFT" in text for text in pages)


def test_the_paper_is_a_variable(letter_draft: pypdf.PdfReader, sample_pdf: bytes) -> None:
    for reader, size in ((letter_draft, (612, 792)), (pypdf.PdfReader(io.BytesIO(sample_pdf)), (595.3, 841.9))):
        for page in reader.pages:
            assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(size, abs=0.1)
        assert "Contents" in reader.pages[1].extract_text()  # the cover fits its page


def test_the_accent_reaches_text_rules_and_charts(sample_html: Callable[..., str]) -> None:
    html = sample_html(palette=Palette(accent="#7a1f3d"))
    assert "--accent:#7a1f3d;--strong:#7a1f3d" in html
    assert 'fill="#7a1f3d"' in html
    assert "#0f5c63" not in html


def test_a_label_takes_the_room_that_was_kept_for_it(sample_pdf: bytes) -> None:
    for words, size, weight in (
        ("equal at 310,000 requests", 8, Weight.SEMIBOLD),
        ("Better: three ticket classes", 8, Weight.REGULAR),
    ):
        with pypdfium2.PdfDocument(sample_pdf) as document:
            boxes = [box for page in document for box in boxes_of(page, words)]
        assert len(boxes) == 1
        left, right = boxes[0]
        assert right - left == pytest.approx(width_of(words, size, weight), abs=1.0)


def boxes_of(page: pypdfium2.PdfPage, words: str) -> Iterator[tuple[float, float]]:
    text = page.get_textpage()
    search = text.search(words, match_case=True)
    while found := search.get_next():
        first, count = found
        yield text.get_charbox(first, loose=True)[0], text.get_charbox(first + count - 1, loose=True)[2]


def test_the_style_sheet_says_nothing_that_the_renderer_does_not_understand(
    sample_html: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "weasyprint"):
        weasyprint.CSS(string=packaged()["print.css"].content.decode())
    assert [record.getMessage() for record in caplog.records] == []
