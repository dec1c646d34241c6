"""HTML in, PDF out: `render_pdf` hands a document to a locked process and takes back its bytes, or says why not.

    PdfError
    ├── PdfTimeout   it took longer than its limits allow
    ├── PdfTooLarge  the HTML, the pages, the PDF or the memory they need are over the limit
    ├── PdfRefused   it asks for a file, an address or an image that it did not bring with it
    └── PdfFailed    it cannot be rendered whole: an unreadable image, a link to nowhere, a fault of the renderer

The first document starts the renderer, which takes about a second; `start()` lets that run beside other work. Later
documents find it warm. Importing this module loads neither WeasyPrint nor Jinja.
"""

import atexit
import dataclasses
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from estimator.errors import EstimatorError, Problem

_RENDERER: Final = Path(__file__).with_name("render.py")
_STARTED: Final = b"+"  # as in render.py, which imports nothing of ours
# Where the loader and Fontconfig look on machines that keep Pango apart (Homebrew, Nix); nothing else is passed on.
_PASSED_ON: Final = ("LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH")
# C0 and C1 controls but tab and line ends, the two bidirectional overrides, which let "100" be read as "001",
# and halves of surrogate pairs.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")


class PdfError(EstimatorError):
    """No PDF came of it, whole or in part."""


class PdfTimeout(PdfError):
    code = "pdf.timeout"


class PdfTooLarge(PdfError):
    code = "pdf.too_large"


class PdfRefused(PdfError):
    code = "pdf.refused"


class PdfFailed(PdfError):
    code = "pdf.failed"


_ERRORS: Final[dict[str, type[PdfError]]] = {
    kind.code: kind for kind in (PdfTimeout, PdfTooLarge, PdfRefused, PdfFailed)
}
_REMEDIES: Final = {
    PdfTimeout.code: "shorten the document, or allow it more time",
    PdfTooLarge.code: "shorten the document, or raise the limit",
    PdfRefused.code: "put it into the bundle of assets, or take it out of the document",
    PdfFailed.code: "mend the document",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file that a document brings with it and names as `bundle:<name>`."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one document may use. Time and memory are those of reliability-and-security.md, section 9.

    `memory_bytes` is what a document may need beyond the renderer itself; `data_url_bytes` bounds one `data:` image.
    """

    wall_s: float = 30
    cpu_s: int = 20
    memory_bytes: int = 512 << 20
    html_bytes: int = 4 << 20
    data_url_bytes: int = 1 << 20
    pages: int = 200
    pdf_bytes: int = 32 << 20


class _RendererGone(Exception):
    """The renderer ended before it took the document up."""


class Renderer:
    """One WeasyPrint process that serves any number of threads, started on first use and again when it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._last_words: IO[bytes] | None = None

    def start(self) -> None:
        """Start the process unless it runs; returns at once, while the process is still loading."""
        self._running()

    def close(self) -> None:
        """End the process; documents under way still end in their PDF."""
        with self._lock:
            self._end()
            self._let_go()

    def abandon(self) -> None:
        """Leave the process to the parent that this one was forked from."""
        if self._process:
            self._process.returncode = 0  # not ours to wait for
        self._let_go()

    def render(self, html: bytes, assets: Mapping[str, Asset], limits: Limits) -> bytes:
        """See `render_pdf`; the time to wait for a free renderer counts."""
        deadline = time.monotonic() + limits.wall_s
        if not self._slots.acquire(timeout=limits.wall_s):
            raise _error(PdfTimeout.code, f"no renderer was free for {limits.wall_s:g} s")
        # Made by the child and removed by whoever of the two lives longer.
        scratch = str(Path(tempfile.gettempdir()) / f"sixfold-document-{secrets.token_hex(8)}")
        try:
            return _pdf_of(self._exchange(_request(html, assets, limits, scratch), deadline))
        except TimeoutError:
            raise _error(PdfTimeout.code, f"no PDF within {limits.wall_s:g} s") from None
        finally:
            self._slots.release()
            shutil.rmtree(scratch, ignore_errors=True)

    def _exchange(self, request: bytes, deadline: float) -> bytes:
        why = "it ended without a word"
        for _ in range(2):  # the process may have died since the last document; one fresh start is due
            control = self._running()
            try:
                return _ask(self._connect(control), request, deadline)
            except _RendererGone:
                why = self._bury(control) or why
        raise _error(PdfFailed.code, f"the renderer does not start: {why}")

    def _running(self) -> socket.socket:
        with self._lock:
            if not self._control:
                self._control, theirs = socket.socketpair()
                self._last_words = tempfile.TemporaryFile()  # noqa: SIM115  # read if the process does not start
                with theirs:
                    self._process = _launch(theirs.fileno(), self._last_words)
            return self._control

    def _connect(self, control: socket.socket) -> socket.socket:
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            try:
                socket.send_fds(control, [b"d"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise _RendererGone from None
        return ours

    def _bury(self, control: socket.socket) -> str:
        """Let go of the process behind `control`, unless another thread did; returns the last line that it wrote."""
        with self._lock:
            if control is not self._control or not self._last_words:
                return ""
            self._end()
            self._last_words.seek(0)
            said = self._last_words.read().decode(errors="replace")
            self._let_go()
            return said.strip().rpartition("\n")[2]

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _let_go(self) -> None:
        for ours in (self._control, self._last_words):
            if ours:
                ours.close()
        self._process = self._control = self._last_words = None


def render_pdf(html: str, assets: Mapping[str, Asset], *, limits: Limits = Limits()) -> bytes:
    """The document as PDF/UA-1: tagged, with bookmarks, and with the language, title, author and dates of its HTML.

    Assets are named in the HTML and in style sheets as `bundle:<name>`; besides them only `data:` images are admitted.
    Equal arguments give equal bytes. Any number of threads may call this.

    Raises PdfTimeout, PdfTooLarge, PdfRefused or PdfFailed; then there is no PDF, not even a part of one.
    """
    if found := _UNPRINTABLE.search(html):
        raise _error(PdfRefused.code, f"U+{ord(found[0]):04X} at character {found.start() + 1} is not printable text")
    source = html.encode()
    if len(source) > limits.html_bytes:
        raise _error(PdfTooLarge.code, f"{len(source):,} bytes of HTML; at most {limits.html_bytes:,}")
    return _renderer.render(source, assets, limits)


def start() -> None:
    """Start the renderer now, so that it loads while other work goes on; `render_pdf` would start it too."""
    _renderer.start()


def _launch(control: int, last_words: IO[bytes]) -> "subprocess.Popen[bytes]":
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return subprocess.Popen(  # noqa: S603  # our own file; nothing of a user's is in the line
        [sys.executable, "-I", str(_RENDERER), str(control)],
        # One arena: glibc reserves a large one for each thread, which would count against a document's memory.
        env={"MALLOC_ARENA_MAX": "1", **passed_on},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=last_words,
        pass_fds=[control],
        start_new_session=True,  # Ctrl-C is for the parent, which ends this process by ending itself
    )


def _request(html: bytes, assets: Mapping[str, Asset], limits: Limits, scratch: str) -> bytes:
    head = {
        "assets": [{"name": name, "media_type": asset.media_type} for name, asset in assets.items()],
        "sizes": [len(html), *(len(asset.content) for asset in assets.values())],
        "limits": dataclasses.asdict(limits),
        "scratch": scratch,
    }
    return b"".join([json.dumps(head).encode(), b"\n", html, *(asset.content for asset in assets.values())])


def _ask(connection: socket.socket, request: bytes, deadline: float) -> bytes:
    """The whole reply; raises TimeoutError past the deadline, and closes the connection, which ends the child."""
    reply = bytearray()
    with connection:
        try:
            connection.settimeout(_left(deadline))
            connection.sendall(request)
            while chunk := connection.recv(1 << 20):
                reply += chunk
                connection.settimeout(_left(deadline))
        except TimeoutError:
            # Closing alone would not reach the child if a process forked from this one held a copy.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            raise
        except OSError:
            reply.clear()
    if not reply:
        raise _RendererGone
    return bytes(reply)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def _pdf_of(reply: bytes) -> bytes:
    head, newline, pdf = reply.removeprefix(_STARTED).partition(b"\n")
    answer = json.loads(head) if newline else {}
    if "code" in answer:
        raise _error(answer["code"], *answer["reasons"])
    if len(pdf) != answer.get("size"):
        raise _error(PdfFailed.code, "the renderer ended without an answer: it crashed, or ran out of time or memory")
    return pdf


def _error(code: str, *reasons: str) -> PdfError:
    return _ERRORS[code](*(Problem(code=code, message=reason, remedy=_REMEDIES[code]) for reason in reasons))


def _leave_to_the_parent() -> None:
    global _renderer  # noqa: PLW0603  # the one renderer of this process
    _renderer.abandon()
    _renderer = Renderer()


@atexit.register
def _close() -> None:
    _renderer.close()


_renderer = Renderer()
os.register_at_fork(after_in_child=_leave_to_the_parent)
