"""A proposal as PDF: our locked renderer beside WeasyPrint alone, on the same HTML, files and fonts.

Both are warm: each has imported WeasyPrint and rendered the document once. The peer runs in a process of its own
that does nothing but call `HTML(...).write_pdf(pdf_variant="pdf/ua-1")` for every line it reads, so that this process'
heap weighs on neither; ours is `render_pdf` with its fork, limits, refusals and transfer. The two take turns.
"""

import json
import runpy
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

from measurement import Measurement, paired_ratio

from engagements.documents import pdf
from engagements.documents.bundle import packaged

SAMPLE = Path(__file__).resolve().parents[1] / "engagements" / "documents" / "sample.py"
BAR = 1.25

PEER = """
import base64, json, sys
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

html, assets = json.loads(sys.stdin.readline())

class Fetcher(URLFetcher):
    def fetch(self, url, headers=None):
        media_type, content = assets[url.removeprefix("bundle:")]
        return URLFetcherResponse(url, base64.b64decode(content), {"Content-Type": media_type})

for _ in sys.stdin:
    pdf = HTML(string=html, base_url="bundle:", url_fetcher=Fetcher()).write_pdf(pdf_variant="pdf/ua-1")
    print(len(pdf), flush=True)
"""


def measure() -> Iterator[Measurement]:
    html = runpy.run_path(str(SAMPLE))["sample_html"]()
    begin = time.perf_counter()
    size = len(pdf.render_pdf(html, packaged()))
    cold_s = time.perf_counter() - begin
    with subprocess.Popen([sys.executable, "-c", PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        alone = bare(process, html)
        assert alone() == size, "both render the same document"
        ratio = paired_ratio(lambda: pdf.render_pdf(html, packaged()), alone)
    yield Measurement(
        name="sample proposal as PDF, warm, ours / WeasyPrint alone",
        measured=ratio,
        unit="x",
        bar=f"<= {BAR}",
        holds=ratio <= BAR,
        beside="WeasyPrint in a process of its own, same HTML and fonts, PDF/UA-1, turn by turn",
    )
    yield Measurement(
        name="sample proposal as PDF, first of a process",
        measured=cold_s,
        unit="s",
        bar="none: starts the renderer",
        holds=True,
        beside="WeasyPrint's import and first render included",
    )


def bare(process: "subprocess.Popen[bytes]", html: str) -> Callable[[], int]:
    """Renders once in the peer for each call, after handing it the document."""
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    files = {name: (asset.media_type, b64encode(asset.content).decode()) for name, asset in packaged().items()}
    stdin.write(json.dumps([html, files]).encode() + b"\n")

    def alone() -> int:
        stdin.write(b"render\n")
        stdin.flush()
        return int(stdout.readline())

    return alone
