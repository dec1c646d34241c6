"""Documents that ask for what is not theirs: each is refused, or harmless, and nothing outside hears of it."""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pikepdf
import pypdf
import pytest

from engagements.documents.pdf import Asset, PdfFailed, PdfRefused, render_pdf

TOKEN = "swordfish-4711"
SVG = "http://www.w3.org/2000/svg"
PICTURE = f'<svg xmlns="{SVG}" width="300" height="20"><text y="12">{TOKEN}</text></svg>'


@dataclass
class Outside:
    """A file and an address that no document may reach, and what was asked of the address."""

    file: str
    address: str
    asked: list[str]


@pytest.fixture
def outside(tmp_path: Path, socket_enabled: None) -> Iterator[Outside]:
    secret = tmp_path / "secret.svg"
    secret.write_text(PICTURE, "utf-8")
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/svg+xml")
            self.end_headers()
            self.wfile.write(PICTURE.encode())

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Outside(file=secret.as_uri(), address=f"http://127.0.0.1:{server.server_port}/secret.svg", asked=asked)
    server.shutdown()
    thread.join()
    server.server_close()


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html lang=en><head><title>Page</title>{head}</head><body><p>text{body}</body></html>"


def svg(inside: str) -> str:
    names = f'xmlns="{SVG}" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {names} width="9" height="9"><title>x</title>{inside}</svg>'


def data_svg(inside: str) -> str:
    return f'<img alt=x src="data:image/svg+xml,{quote(svg(inside))}">'


# Each is written around one URL. What WeasyPrint fetches is refused; what it does not is left to be harmless.
REFUSED = {
    "image": lambda url: page(f'<img alt=x src="{url}">'),
    "upper-case scheme": lambda url: page(f'<img alt=x src="{url.replace("file", "FILE").replace("http", "HTTP")}">'),
    "style sheet": lambda url: page("", f'<link rel="stylesheet" href="{url}">'),
    "import": lambda url: page("", f'<style>@import "{url}";</style>'),
    "background": lambda url: page(f'<div style="background: url({url})">x</div>'),
    "list mark": lambda url: page(f'<ul style="list-style-image: url({url})"><li>x</ul>'),
    "content": lambda url: page("", f"<style>p::before {{ content: url({url}) }}</style>"),
    "page background": lambda url: page("", f"<style>@page {{ background: url({url}) }}</style>"),
    "border image": lambda url: page(f'<div style="border: 3px solid; border-image: url({url}) 30">x</div>'),
    "font": lambda url: page(
        "", f"<style>@font-face {{ font-family: X; src: url({url}) }} p {{ font-family: X }}</style>"
    ),
    "attachment of the document": lambda url: page("", f'<link rel="attachment" href="{url}">'),
    "attachment in the text": lambda url: page(f'<a rel="attachment" href="{url}">x</a>'),
    "svg image": lambda url: page(svg(f'<image href="{url}" width="9" height="9"/>')),
    "svg xlink image": lambda url: page(svg(f'<image xlink:href="{url}" width="9" height="9"/>')),
    "nested svg": lambda url: page(data_svg(f'<image href="{url}" width="9" height="9"/>')),
    "object": lambda url: page(f'<object data="{url}">x</object>'),
    "embed": lambda url: page(f'<embed src="{url}">'),
    "colour profile": lambda url: page("", f"<style>@color-profile --x {{ src: url({url}) }}</style>"),
}  # fmt: skip
HARMLESS = {
    "link": lambda url: page(f'<a href="{url}">x</a>'),
    "script": lambda url: page("", f'<script src="{url}"></script>'),
    "frame": lambda url: page(f'<iframe src="{url}"></iframe>'),
    "refresh": lambda url: page("", f'<meta http-equiv="refresh" content="0; url={url}">'),
    "icon": lambda url: page("", f'<link rel="icon" href="{url}">'),
    "video": lambda url: page(f'<video poster="{url}" src="{url}"></video>'),
    "svg use": lambda url: page(svg(f'<use href="{url}#x"/>')),
    "svg fill": lambda url: page(svg(f'<rect width="9" height="9" fill="url({url}#x)"/>')),
    "user text": lambda url: page(f"&lt;img src='{url}'&gt;"),
}


def assert_harmless(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert not document.attachments
    shown = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert TOKEN not in shown
    assert TOKEN.encode() not in pdf


@pytest.mark.parametrize("way", REFUSED)
def test_a_document_that_asks_for_what_it_did_not_bring_is_refused(way: str, outside: Outside) -> None:
    for url in (outside.file, outside.address):
        with pytest.raises(PdfRefused) as refusal:
            render_pdf(REFUSED[way](url), {})
        assert {problem.code for problem in refusal.value.problems} == {"pdf.refused"}
        assert "secret.svg" in str(refusal.value)
    assert outside.asked == []


@pytest.mark.parametrize("way", HARMLESS)
def test_what_is_not_fetched_stays_outside(way: str, outside: Outside) -> None:
    for url in (outside.file, outside.address):
        assert_harmless(render_pdf(HARMLESS[way](url), {}))
    assert outside.asked == []


def test_a_style_sheet_inside_a_drawing_is_not_fetched(outside: Outside) -> None:
    for url in (outside.file, outside.address):
        with pytest.raises((PdfRefused, PdfFailed)):
            render_pdf(page(svg(f"<style>@import url({url});</style>")), {})
    assert outside.asked == []


def test_every_refusal_is_named_at_once() -> None:
    with pytest.raises(PdfRefused) as refusal:
        render_pdf(page('<img alt=x src="file:///a"><img alt=x src="http://127.0.0.1:9/b">'), {})
    assert [problem.message for problem in refusal.value.problems] == ["file:///a", "http://127.0.0.1:9/b"]


@pytest.mark.parametrize(
    "name",
    [
        "bundle:../logo.svg",
        "bundle:/logo.svg",
        "bundle:./logo.svg",
        "bundle://logo.svg",
        "bundle:logo.svg?x",
        "BUNDLE:logo.svg",
        "bundle:LOGO.svg",
        "//127.0.0.1/logo.svg",
        "ftp://127.0.0.1/logo.svg",
        "data:text/css,p{}",
        "data:font/otf;base64,AAAA",
        "data:image/png;base64",
    ],
)
def test_only_the_exact_name_of_an_asset_is_admitted(name: str) -> None:
    logo = {"logo.svg": Asset(content=PICTURE.encode(), media_type="image/svg+xml")}
    with pytest.raises(PdfRefused):
        render_pdf(page(f'<img alt=x src="{name}">'), logo)
    assert render_pdf(page('<img alt=x src="bundle:logo.svg">'), logo)


@pytest.mark.parametrize("name", ["../../secret.svg", "/etc/hostname", "secret.svg"])
def test_a_relative_name_leads_nowhere(name: str) -> None:
    with pytest.raises((PdfRefused, PdfFailed)):
        render_pdf(page(f'<img alt=x src="{name}">'), {})


def test_a_base_address_leads_nowhere(outside: Outside) -> None:
    folder = outside.file.removesuffix("secret.svg")
    with pytest.raises(PdfRefused, match=r"secret\.svg"):
        render_pdf(page('<img alt=x src="secret.svg">', f'<base href="{folder}">'), {})


def test_a_font_of_the_machine_is_not_read_by_name() -> None:
    style = '<style>@font-face { font-family: X; src: local("DejaVu Sans") } p { font-family: X }</style>'
    try:
        assert_harmless(render_pdf(page("", style), {}))
    except PdfRefused as refusal:  # where the machine has that font, its file was asked for
        assert "file:" in str(refusal)  # noqa: PT017


def test_a_data_image_is_shown_up_to_its_size() -> None:
    small = page(data_svg("<rect width='9' height='9'/>"))
    large = page(data_svg("<rect width='9' height='9'/>" + " " * (1 << 20)))
    assert render_pdf(small, {})
    with pytest.raises(PdfRefused):
        render_pdf(large, {})


def test_entities_in_an_image_reach_no_file(outside: Outside) -> None:
    image = f'<!DOCTYPE svg [<!ENTITY e SYSTEM "{outside.file}">]><svg xmlns="{SVG}"><text>&e;</text></svg>'
    with pytest.raises(PdfFailed):
        render_pdf(page(f'<img alt=x src="data:image/svg+xml,{quote(image)}">'), {})


def test_entities_that_multiply_end_in_an_error() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE svg [<!ENTITY e0 "ha">{entities}]><svg xmlns="{SVG}"><text>&e11;</text></svg>'
    with pytest.raises(PdfFailed):
        render_pdf(page(f'<img alt=x src="data:image/svg+xml,{quote(bomb)}">'), {})
