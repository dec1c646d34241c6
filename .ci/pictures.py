"""Draw the README's pictures anew from what `make demo` left in out/: pages of the proposal, and a terminal.

Run: python .ci/pictures.py   (from the project's root, after make demo)
"""

import os
from contextlib import chdir
from pathlib import Path

import pypdfium2
from PIL import Image
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


def draw_sheet(name: str, numbers: tuple[int, ...]) -> None:
    document = pypdfium2.PdfDocument(OUT / "proposal.pdf")
    pages = []
    for number in numbers:
        page = document[number - 1]
        pages.append(page.render(scale=PAGE_WIDTH_PX / page.get_width()).to_pil())
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


if __name__ == "__main__":
    main()
