import hashlib
import io
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import psutil
import pytest

from engagements.documents import pdf
from engagements.documents.bundle import packaged
from engagements.documents.pdf import Asset, Limits, PdfFailed, PdfRefused, PdfTimeout, PdfTooLarge, render_pdf

STAMPS = '<meta name="dcterms.created" content="2026-11-22T10:00:00Z">'
# Balancing very many columns keeps WeasyPrint busy for longer than any limit below.
ENDLESS = f'<div style="columns: 100000">{"word " * 3000}</div>'


def page(body: str) -> str:
    return f"<!doctype html><html lang=en><head><title>Page</title>{STAMPS}</head><body>{body}</body></html>"


def renderer_process() -> psutil.Process:
    pdf.start()
    process = pdf._renderer._process
    assert process is not None
    return psutil.Process(process.pid)


def documents_under_way(renderer: psutil.Process) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if started_by(process, renderer)]


def started_by(process: psutil.Process, renderer: psutil.Process) -> bool:
    try:
        return os.getsid(process.pid) == renderer.pid and process.pid != renderer.pid and process.is_running()
    except (psutil.Error, ProcessLookupError):
        return False


def computed_s(process: psutil.Process) -> float:
    try:
        return float(process.cpu_times().user)
    except psutil.NoSuchProcess:
        return 0.0


def soon(holds: Callable[[], bool], within_s: float = 60) -> bool:
    deadline = time.monotonic() + within_s
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held


def run_script(source: str, folder: Path) -> subprocess.Popen[str]:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(source), "utf-8")
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_equal_input_gives_equal_bytes_in_every_process(tmp_path: Path) -> None:
    html = page("<h1>Offer</h1><p style='font-family: Source Sans Pro'>EUR 50,400.00</p>")
    styled = html.replace("<title>", '<link rel="stylesheet" href="bundle:print.css"><title>')
    script = f"""
        import hashlib
        from engagements.documents.bundle import packaged
        from engagements.documents.pdf import render_pdf
        print(hashlib.sha256(render_pdf({styled!r}, packaged())).hexdigest())
    """
    first, second = render_pdf(styled, packaged()), render_pdf(styled, packaged())
    elsewhere, errors = run_script(script, tmp_path).communicate(timeout=60)
    assert first == second
    assert (elsewhere.strip(), errors) == (hashlib.sha256(first).hexdigest(), "")


def test_a_script_without_a_main_guard_renders_and_leaves_no_process_behind(tmp_path: Path) -> None:
    script = """
        import sys
        from engagements.documents import pdf
        assert not {"weasyprint", "jinja2", "babel"} & set(sys.modules)
        print(len(pdf.render_pdf("<!doctype html><html lang=en><title>T</title><p>hi", {})) > 1000)
        print(pdf._renderer._process.pid)
    """
    output, errors = run_script(script, tmp_path).communicate(timeout=60)
    answer, pid = output.split()
    assert (answer, errors) == ("True", "")
    assert not psutil.pid_exists(int(pid))


@pytest.mark.parametrize("date", ["2026", "2026-11", "2026-11-22", "2026-11-22T10:00:00+01:00"])
def test_a_date_may_be_as_short_as_a_year(date: str) -> None:
    html = f'<!doctype html><html lang=en><head><title>T</title><meta name="dcterms.created" content="{date}">'
    with pikepdf.open(io.BytesIO(render_pdf(html, {}))) as document:
        assert str(document.docinfo.CreationDate).startswith("D:2026")


@pytest.mark.parametrize("moment", ["while the renderer starts", "while it renders"])
def test_nothing_survives_the_death_of_the_parent(tmp_path: Path, moment: str) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    script = f"""
        import tempfile, threading, time
        tempfile.tempdir = {str(scratch)!r}
        from engagements.documents import pdf
        threading.Thread(target=pdf.render_pdf, args=({page(ENDLESS)!r}, {{}})).start()
        while not pdf._renderer._process:
            time.sleep(0.01)
        print(pdf._renderer._process.pid, flush=True)
        time.sleep(60)
    """
    parent = run_script(script, tmp_path)
    assert parent.stdout is not None
    renderer = psutil.Process(int(parent.stdout.readline()))
    if moment == "while it renders":
        assert soon(lambda: any(scratch.iterdir()))
        assert documents_under_way(renderer)
    parent.kill()
    parent.communicate()
    assert soon(lambda: not psutil.pid_exists(renderer.pid) and not documents_under_way(renderer))
    assert not list(scratch.iterdir())


def test_a_document_that_takes_too_long_ends_in_a_timeout_while_others_go_on() -> None:
    renderer = renderer_process()
    with ThreadPoolExecutor() as pool:
        endless = pool.submit(render_pdf, page(ENDLESS), {}, limits=Limits(wall_s=2))
        assert render_pdf(page("<p>quick"), {})
        with pytest.raises(PdfTimeout) as refusal:
            endless.result()
    assert [problem.code for problem in refusal.value.problems] == ["pdf.timeout"]
    assert soon(lambda: not documents_under_way(renderer))
    assert render_pdf(page("<p>still here"), {})


def test_a_document_that_computes_too_much_ends_in_a_timeout() -> None:
    with pytest.raises(PdfTimeout, match="1 s of computing"):
        render_pdf(page(ENDLESS), {}, limits=Limits(cpu_s=1))


def test_a_document_that_needs_too_much_memory_ends_in_its_error_while_the_next_one_renders() -> None:
    rows = "".join(f"<tr><td>{number}</td><td>words</td></tr>" for number in range(600))
    with pytest.raises((PdfTooLarge, PdfFailed)):
        render_pdf(page(f"<table>{rows}</table>"), {}, limits=Limits(memory_bytes=8 << 20))
    assert render_pdf(page("<p>next"), {})


def test_a_killed_renderer_costs_no_document() -> None:
    renderer = renderer_process()
    rows = "".join(f"<tr><td>{number}</td><td>words</td></tr>" for number in range(150))
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(render_pdf, page(f"<table>{rows}</table>"), {})
        assert soon(lambda: bool(documents_under_way(renderer)))
        renderer.kill()
        assert under_way.result().startswith(b"%PDF")
    assert render_pdf(page("<p>after"), {}).startswith(b"%PDF")
    assert renderer_process().pid != renderer.pid


def test_a_killed_document_is_an_error_and_never_half_a_file() -> None:
    renderer = renderer_process()
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(render_pdf, page(ENDLESS), {})
        assert soon(lambda: any(computed_s(document) > 0.3 for document in documents_under_way(renderer)))
        for document in documents_under_way(renderer):
            document.kill()
        with pytest.raises(PdfFailed, match="ended without an answer"):
            under_way.result()


def test_threads_render_at_the_same_time_and_each_gets_its_own() -> None:
    htmls = [page(f"<h1>{number}</h1>") for number in range(8)]
    alone = [render_pdf(html, {}) for html in htmls]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda html: render_pdf(html, {}), htmls))
    assert together == alone
    assert len(set(alone)) == len(alone)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_process_starts_a_renderer_of_its_own() -> None:
    ours = renderer_process().pid
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        rendered = render_pdf(page("<p>forked"), {}).startswith(b"%PDF")
        os.write(writing, f"{rendered} {renderer_process().pid}".encode())
        pdf._renderer.close()
        os._exit(0)
    os.waitpid(child, 0)
    rendered_there, theirs = os.read(reading, 100).decode().split()
    os.close(reading)
    os.close(writing)
    assert rendered_there == "True"
    assert int(theirs) != ours
    assert renderer_process().pid == ours
    assert render_pdf(page("<p>here"), {})


def test_scratch_files_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    css = Asset(
        content=b"@font-face { font-family: S; src: url(bundle:s.otf) } p { font-family: S }", media_type="text/css"
    )
    font = packaged()["fonts/SourceSansPro-Regular.otf"]
    html = page('<link rel="stylesheet" href="bundle:s.css"><p>set in S')
    render_pdf(html, {"s.css": css, "s.otf": font})
    with pytest.raises(PdfTimeout):
        render_pdf(html + ENDLESS, {"s.css": css, "s.otf": font}, limits=Limits(wall_s=1))
    assert soon(lambda: not list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(html_bytes=100), "bytes of HTML; at most 100"),
        (Limits(pages=2), "4 pages; at most 2"),
        (Limits(pdf_bytes=1000), "bytes of PDF; at most 1,000"),
    ],
)
def test_a_document_over_a_limit_is_refused_with_both_numbers(limits: Limits, message: str) -> None:
    html = page('<p style="break-after: page">.' * 4)
    with pytest.raises(PdfTooLarge, match=message) as refusal:
        render_pdf(html, {}, limits=limits)
    assert refusal.value.code == "pdf.too_large"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<a href='#nowhere'>x</a>", "No anchor #nowhere"),
        ("<img alt=logo src='bundle:logo.png'>", "Failed to load image"),
        ("<svg xmlns='http://www.w3.org/2000/svg'><title>t</title></svg>" + "<div>" * 1000, "RecursionError"),
        ("<p style='font-size: 1e9px'>x", "ZeroDivisionError"),
        ("<style>@font-face { font-family: X; src: url(bundle:logo.png) }</style>", "Font-face 'X' cannot be loaded"),
    ],
)
def test_a_document_that_would_lose_a_part_fails_instead(body: str, message: str) -> None:
    broken_logo = Asset(content=b"\x89PNG but not really", media_type="image/png")
    with pytest.raises(PdfFailed, match=message):
        render_pdf(page(body), {"logo.png": broken_logo})


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x85", "\u202d", "\u202e", "\ud800"])
def test_signs_that_cannot_be_printed_are_refused_with_their_place(sign: str) -> None:
    with pytest.raises(PdfRefused, match=f"U\\+{ord(sign):04X} at character 4 "):
        render_pdf(f"<p>{sign}", {})


def test_a_renderer_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "render.py"
    broken.write_text("raise OSError('cannot load library libpango-1.0.so.0')", "utf-8")
    monkeypatch.setattr(pdf, "_RENDERER", broken)
    renderer = pdf.Renderer()
    with pytest.raises(PdfFailed, match=r"does not start: OSError: cannot load library libpango-1\.0\.so\.0"):
        renderer.render(b"<p>", {}, Limits())
    renderer.close()


def test_waiting_for_a_free_renderer_counts_as_time(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = pdf.Renderer()
    monkeypatch.setattr(renderer, "_slots", threading.BoundedSemaphore(1))
    assert renderer._slots.acquire()
    with pytest.raises(PdfTimeout, match=r"no renderer was free for 0\.1 s"):
        renderer.render(b"<p>", {}, Limits(wall_s=0.1))
