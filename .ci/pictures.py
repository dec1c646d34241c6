"""Draw the README's pictures anew from what `make demo` left in out/: the proposal, a terminal, the application.

Run: python .ci/pictures.py   (from the project's root, after make demo)
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from itertools import takewhile
from pathlib import Path

import pypdfium2
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

import engagements.cli
from engagements.cli import output

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out"
PICTURES = ROOT / ".github" / "pictures"
SHEETS = {"proposal-1.png": (1, 3, 8), "proposal-2.png": (6, 7, 9)}
"""Three pages of the proposal side by side, by the number printed on them."""
PAGE_WIDTH_PX, GAP_PX = 620, 14
LEAD, ANYWHERE = "roth@haldenroth.example", "http://127.0.0.1:8640"
"""Who is signed in, and what the links of the demo's settings begin with."""


def draw_sheet(name: str, numbers: tuple[int, ...]) -> None:
    document = pypdfium2.PdfDocument(OUT / "proposal.pdf")
    pages = []
    for number in numbers:
        page = document[number - 1]
        pages.append(page.render(scale=PAGE_WIDTH_PX / page.get_width()).to_pil())
    _beside(pages, name)


def _beside(pages: list[Image.Image], name: str) -> None:
    pages = [page.resize((PAGE_WIDTH_PX, page.height * PAGE_WIDTH_PX // page.width)) for page in pages]
    height = max(page.height for page in pages)
    sheet = Image.new("RGB", (len(pages) * (PAGE_WIDTH_PX + GAP_PX) + GAP_PX, height + 2 * GAP_PX), "#c9cfd3")
    for index, page in enumerate(pages):
        sheet.paste(page, (GAP_PX + index * (PAGE_WIDTH_PX + GAP_PX), GAP_PX))
    sheet.quantize(64, dither=Image.Dither.NONE).save(PICTURES / name, optimize=True)


def draw_terminal(name: str, *arguments: str) -> None:
    """What a command prints, as a vector picture."""
    with chdir(OUT), Path(os.devnull).open("w") as nowhere:
        recorder = Console(record=True, width=112, force_terminal=True, file=nowhere, highlight=False)
        # Commands are imported when they are called, and take this console then.
        output.console = recorder
        engagements.cli.cli.main(args=arguments, standalone_mode=False)
    recorder.save_svg(str(PICTURES / name), title=f"sixfold {' '.join(arguments)}", code_format=_own_fonts())


def draw_pages(name: str) -> None:
    """Three pages of the application side by side, as an account lead sees them: portfolio, engagement, estimate."""
    with _signed_in() as (page, base):
        page.goto(base)
        pages = [_seen(page)]
        page.locator("table a[href*='/engagements/']").first.click()
        pages.append(_seen(page))
        page.locator("a[href*='/estimates/']").first.click()
        pages.append(_seen(page))
    _beside(pages, name)


def draw_delivery(name: str) -> None:
    """What blocks a gate, what was spent and where it ends, and the first page of the status report."""
    with _signed_in() as (page, base):
        page.goto(base)
        page.locator("table a[href*='/engagements/']").first.click()
        home = page.url
        pages = []
        for path in ("/gates/training", "/actuals"):
            page.goto(home + path)
            pages.append(_seen(page))
    report = pypdfium2.PdfDocument(OUT / "status.pdf")[0]
    pages.append(report.render(scale=PAGE_WIDTH_PX / report.get_width()).to_pil())
    _beside(pages, name)


@contextmanager
def _signed_in() -> Iterator[tuple[Page, str]]:
    with _serving() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1240, "height": 1400}, reduced_motion="reduce")
        page.goto(_sixfold("sign-in", LEAD)["link"].replace(ANYWHERE, base))
        page.get_by_role("button", name="Sign in").click()
        yield page, base
        browser.close()


def _seen(page: Page) -> Image.Image:
    page.wait_for_load_state("networkidle")
    return Image.open(io.BytesIO(page.screenshot()))


@contextmanager
def _serving() -> Iterator[str]:
    """The server of the demo's folder on a free port."""
    serve = [sys.executable, "-m", "engagements", "serve", "--port", "0", "--json"]
    with subprocess.Popen(serve, cwd=OUT, stdout=subprocess.PIPE, text=True) as server:
        said = [*takewhile(lambda line: line != "}\n", server.stdout), "}"]
        try:
            yield json.loads("".join(said))["url"]
        finally:
            server.terminate()


def _sixfold(*arguments: str) -> dict:
    command = [sys.executable, "-m", "engagements", *arguments, "--json"]
    return json.loads(subprocess.run(command, cwd=OUT, capture_output=True, text=True, check=True).stdout)


def _own_fonts() -> str:
    """Rich's frame with the reader's monospaced font in place of the ones it would fetch from the network."""
    head, _, rest = CONSOLE_SVG_FORMAT.partition("@font-face")
    _, _, rest = rest.rpartition("@font-face")
    _, _, rest = rest.partition("}}")
    return head + rest.replace("Fira Code", "ui-monospace, Menlo")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, numbers in SHEETS.items():
        draw_sheet(name, numbers)
    draw_terminal("estimate.svg", "estimate", "brief.toml")
    draw_pages("application.png")
    draw_delivery("delivery.png")


if __name__ == "__main__":
    main()
