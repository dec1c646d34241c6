"""The files that every document brings with it: the print style sheet, the draft mark and the fonts."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from engagements.documents.pdf import Asset, PdfFailed
from engagements.rendering import TEMPLATES
from estimator.errors import Problem

_FOLDER: Final = TEMPLATES / "documents"
_FONTS: Final = (
    "SourceSansPro-Regular.otf", "SourceSansPro-It.otf", "SourceSansPro-Semibold.otf", "SourceSansPro-Bold.otf",
    "SourceSerifPro-Regular.otf", "SourceSerifPro-Semibold.otf",
)  # fmt: skip


@cache
def packaged() -> Mapping[str, Asset]:
    """`bundle:print.css`, `bundle:draft.svg` and `bundle:fonts/<file>`; a logo joins them: `{**packaged(), ...}`.

    Raises PdfFailed if a font is not there.
    """
    if missing := [name for name in _FONTS if not (_FOLDER / "fonts" / name).is_file()]:
        raise PdfFailed(*(_missing(name) for name in missing))
    return {
        "print.css": _asset(_FOLDER / "print.css", "text/css"),
        "draft.svg": _asset(_FOLDER / "draft.svg", "image/svg+xml"),
        **{f"fonts/{name}": _asset(_FOLDER / "fonts" / name, "font/otf") for name in _FONTS},
    }


def _asset(path: Path, media_type: str) -> Asset:
    return Asset(content=path.read_bytes(), media_type=media_type)


def _missing(name: str) -> Problem:
    return Problem(
        code=PdfFailed.code, message=f"the font {name} is not in templates/documents/fonts", remedy="run `make` once"
    )
