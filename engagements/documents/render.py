"""The process in which WeasyPrint lives: started by `pdf.py` from this file's path, isolated, without an environment.

It imports WeasyPrint once, then forks for each document, so that a document pays for neither the import nor the sins
of the one before. Nothing of ours is imported here, and nothing else of ours imports WeasyPrint.

    control socket (argv[1])   one byte and one descriptor for each document; its end is the end of this process
    document socket            down: a JSON line, then the bytes it announces (the HTML, then every asset)
                               up:   STARTED, a JSON line, then the PDF

The parent never writes after its request, so the moment its end can be read it has gone or has given up, and the
child ends itself.
"""

import gc
import json
import logging
import math
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import threading
from base64 import b64decode
from calendar import timegm
from collections.abc import Mapping
from pathlib import Path
from time import strptime
from types import FrameType
from typing import Final, NoReturn, TypedDict
from urllib.parse import unquote_to_bytes

from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

STARTED: Final = b"+"
_IMAGE_TYPES: Final = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}


class Limits(TypedDict):
    """What one document may use; see `pdf.Limits`."""

    wall_s: float
    cpu_s: int
    memory_bytes: int
    data_url_bytes: int
    pages: int
    pdf_bytes: int


class Request(TypedDict):
    """The JSON line of a request; `sizes` are those of the HTML and then of each asset, in the order of `assets`."""

    assets: list[dict[str, str]]
    sizes: list[int]
    limits: Limits
    scratch: str


class NotAdmitted(Exception):
    """The document asked for something that it did not bring with it."""


class TooLarge(Exception):
    """The document came out larger than its limits allow."""


class DocumentFault(Exception):
    """WeasyPrint left something out that the document was to show."""


class BundleFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint carries no types
    """Hands out `bundle:<name>` for the names in a mapping and bounded `data:` images, and opens nothing at all.

    WeasyPrint survives what a fetcher raises and leaves the part out, in some places whatever the exception; so every
    refusal is noted in `refused`, and a document with one is not handed over.
    """

    def __init__(self, assets: Mapping[str, tuple[str, bytes]], data_url_bytes: int) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False)
        self.refused: list[str] = []
        self._assets = assets
        self._data_url_bytes = data_url_bytes

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002  # as called
        """Never reaches the fetcher of the superclass, which can open files and connections."""
        try:
            media_type, content = self._admitted(url)
        except (NotAdmitted, ValueError):
            self.refused.append(url[:100])
            raise
        return URLFetcherResponse(url, content, {"Content-Type": media_type})

    def _admitted(self, url: str) -> tuple[str, bytes]:
        scheme, _, rest = url.partition(":")
        if scheme == "bundle" and rest in self._assets:
            return self._assets[rest]
        if scheme != "data" or len(url) > self._data_url_bytes:
            raise NotAdmitted(url[:100])
        head, comma, data = rest.partition(",")
        media_type, *parameters = head.split(";")
        if not comma or media_type not in _IMAGE_TYPES:
            raise NotAdmitted(url[:100])
        content = unquote_to_bytes(data)
        return media_type, b64decode(content) if "base64" in parameters else content


class Complaints(logging.Handler):
    """What WeasyPrint could not do: read an image or a font, find where a link leads, tell the language."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        # Of the warnings, which are mostly about style, only this one changes every line of the page.
        if record.levelno >= logging.ERROR or message.startswith("Font-face"):
            self.messages.append(message[:200])


def main(control: socket.socket) -> None:
    """Fork for every descriptor that arrives, until the other end of `control` is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children answer over their own socket; the kernel reaps them
    _warm_up()
    gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            _serve(socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])


def _warm_up() -> None:
    # Fontconfig, the default stylesheet, the tags and the font subsetter are loaded by the first document of a process.
    HTML(string="<html lang=en><title>-</title><h1>-</h1><table><tr><td>-").write_pdf(pdf_variant="pdf/ua-1")


def _serve(parent: socket.socket) -> NoReturn:
    """Render the one document of this child, answer and end."""
    parent.sendall(STARTED)
    with parent.makefile("rb") as stream:
        request: Request = json.loads(stream.readline())
        parts = [stream.read(size) for size in request["sizes"]]
    if [len(part) for part in parts] != request["sizes"]:
        os._exit(1)  # the parent ended while it was still asking
    threading.Thread(target=_end_with, args=(parent, request["scratch"]), daemon=True).start()
    Path(request["scratch"]).mkdir(mode=0o700)
    _confine(parent, request["limits"], largest_file=max(map(len, parts)))
    tempfile.tempdir = request["scratch"]
    assets = {
        asset["name"]: (asset["media_type"], part) for asset, part in zip(request["assets"], parts[1:], strict=True)
    }
    answer, pdf = _outcome(parts[0].decode(), assets, request["limits"])
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)  # the work is done; a second answer would only spoil the first
    _answer(parent, answer, pdf)


def _outcome(html: str, assets: Mapping[str, tuple[str, bytes]], limits: Limits) -> tuple[dict[str, object], bytes]:
    fetcher = BundleFetcher(assets, limits["data_url_bytes"])
    try:
        pdf = render(html, fetcher, limits)
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent is told and this process ends
        if fetcher.refused:
            return {"code": "pdf.refused", "reasons": fetcher.refused}, b""
        return _fault(error, limits), b""
    return {"size": len(pdf)}, pdf


def _fault(error: Exception, limits: Limits) -> dict[str, object]:
    match error:
        case MemoryError() | SystemError():  # short of memory, Python sometimes fails to make even the MemoryError
            code, reasons = "pdf.too_large", [f"it needs more than {limits['memory_bytes'] >> 20} MiB of memory"]
        case TooLarge():
            code, reasons = "pdf.too_large", [str(error)]
        case DocumentFault():
            code, reasons = "pdf.failed", list(error.args)
        case _:
            code, reasons = "pdf.failed", [f"{type(error).__name__}: {error}"[:200]]
    return {"code": code, "reasons": reasons}


def render(html: str, fetcher: BundleFetcher, limits: Limits) -> bytes:
    """A tagged PDF/UA-1 whose language, title, author and dates are those of the HTML, and whose bytes repeat.

    Raises TooLarge past the page or size limit, DocumentFault for anything refused or left out.
    """
    complaints = Complaints()
    logging.getLogger("weasyprint").handlers[:] = [complaints]
    document = HTML(string=html, base_url="bundle:", url_fetcher=fetcher).render()
    if len(document.pages) > limits["pages"]:
        raise TooLarge(f"{len(document.pages)} pages; at most {limits['pages']}")
    if created := document.metadata.created:
        # Without HarfBuzz's subsetter fontTools would stamp the clock into every font.
        day = f"{created}-01-01"[:10]  # a W3C date may be a year or a month
        os.environ["SOURCE_DATE_EPOCH"] = str(timegm(strptime(day, "%Y-%m-%d")))
    pdf: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
    if fetcher.refused or complaints.messages:
        raise DocumentFault(*complaints.messages)
    if len(pdf) > limits["pdf_bytes"]:
        raise TooLarge(f"{len(pdf):,} bytes of PDF; at most {limits['pdf_bytes']:,}")
    return pdf


def _confine(parent: socket.socket, limits: Limits, *, largest_file: int) -> None:
    """Bound this process by the kernel's own means; the last of them also ends code that never returns to Python."""

    def out_of_time(_signal: int, _frame: FrameType | None) -> NoReturn:
        _answer(parent, {"code": "pdf.timeout", "reasons": [f"{limits['cpu_s']} s of computing were not enough"]}, b"")

    signal.signal(signal.SIGXCPU, out_of_time)
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_s"], limits["cpu_s"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The one thing written to disk is a copy of each font, for Fontconfig.
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere than on Linux the kernel does not keep to this limit
        now_bytes = int(statm.read_text("ascii").split()[0]) * resource.getpagesize()
        most = now_bytes + limits["memory_bytes"]
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(math.ceil(limits["wall_s"]) + 1)
    # A process of one document is gone before collecting cycles could pay.
    gc.disable()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)


def _end_with(parent: socket.socket, scratch: str) -> None:
    """End this process when the parent has ended, or no longer waits."""
    parent.recv(1)
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(1)


def _answer(parent: socket.socket, answer: dict[str, object], pdf: bytes) -> NoReturn:
    try:
        parent.sendall(json.dumps(answer).encode() + b"\n" + pdf)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
