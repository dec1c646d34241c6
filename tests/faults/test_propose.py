"""Whatever happens to `propose`, a proposal is there whole or not at all, and an older one stays until then."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pypdf
import pytest

Process = Any  # a Popen with the exit code as a shell counts
Start = Callable[..., Process]

ON = ["--on", "2026-11-22"]
OLDER = {"proposal.pdf": b"an older proposal", "proposal.json": b"and its snapshot"}


@pytest.fixture
def proposing(start: Start, brief_file: Callable[..., Path], tmp_path: Path) -> Callable[..., Process]:
    """A proposal on its way to where an older one stands."""
    brief_file()
    for name, content in OLDER.items():
        (tmp_path / name).write_bytes(content)
    return lambda *options: start("propose", "brief.toml", "-o", "proposal.pdf", *ON, *options)


def standing(folder: Path) -> dict[str, bytes]:
    """The files of a folder but the brief; one that nobody finished has a name of its own and is none of them."""
    named = (path for path in folder.iterdir() if path.is_file() and path.suffix != ".partial")
    return {path.name: path.read_bytes() for path in named if path.name != "brief.toml"}


def is_whole(files: dict[str, bytes]) -> bool:
    """Whether the proposal can be read to its end and its snapshot is of the same proposal."""
    pages = pypdf.PdfReader(io.BytesIO(files["proposal.pdf"])).pages
    snapshot = json.loads(files["proposal.json"])
    return len(pages) > 5 and snapshot["sha256"] == hashlib.sha256(files["proposal.pdf"]).hexdigest()


def has_ended(group: int) -> bool:
    """Whether every process of a group is gone, within five seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("after_s", [0.4, 1.2, 2.0])
def test_killed_on_its_way_it_leaves_the_older_proposal(
    proposing: Callable[..., Process], tmp_path: Path, after_s: float
) -> None:
    process = proposing()
    time.sleep(after_s)
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert standing(tmp_path) == OLDER
    assert has_ended(process.pid), "the renderer outlived the command"


def being_written(folder: Path) -> bool:
    """Whether a file of some size stands beside its target, not yet in its place."""
    for partial in folder.glob(".*.partial"):
        with suppress(FileNotFoundError):
            if partial.stat().st_size > 0:
                return True
    return False


def test_killed_while_it_writes_it_leaves_whole_files_the_older_or_the_new(
    proposing: Callable[..., Process], tmp_path: Path
) -> None:
    process = proposing()
    while process.poll() is None and not being_written(tmp_path):
        pass
    process.kill()
    process.wait()
    files = standing(tmp_path)
    assert files.keys() == OLDER.keys()
    assert files["proposal.pdf"] == OLDER["proposal.pdf"] or pypdf.PdfReader(io.BytesIO(files["proposal.pdf"])).pages
    assert files["proposal.json"] == OLDER["proposal.json"] or json.loads(files["proposal.json"])


def test_interrupted_while_it_renders_it_is_130_and_leaves_the_older_proposal_and_nothing_else(
    proposing: Callable[..., Process], tmp_path: Path
) -> None:
    process = proposing()
    while process.poll() is None and not list((tmp_path / "tmp").iterdir()):
        time.sleep(0.01)  # what is being rendered lies there
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does: the renderer hears it too
    out, err = process.communicate(timeout=60)
    assert (process.code, out) == (130, b"")
    assert b"Traceback" not in err
    assert standing(tmp_path) == OLDER
    assert not list(tmp_path.glob(".*.partial"))
    assert has_ended(process.pid), "the renderer outlived the command"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_asked_to_end_it_ends_and_leaves_the_older_proposal(proposing: Callable[..., Process], tmp_path: Path) -> None:
    process = proposing()
    time.sleep(1.2)
    process.terminate()
    process.wait(timeout=60)
    assert process.returncode not in {0, 1}
    assert standing(tmp_path) == OLDER
    assert has_ended(process.pid), "the renderer outlived the command"


def test_two_at_once_leave_one_whole_proposal_with_its_snapshot(
    proposing: Callable[..., Process], tmp_path: Path
) -> None:
    two = [proposing("--number", f"P-2026-000{number}", "--json") for number in (1, 2)]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in two]
    assert [process.returncode for process in two] == [0, 0]
    files = standing(tmp_path)
    assert files.keys() == OLDER.keys()
    assert hashlib.sha256(files["proposal.pdf"]).hexdigest() in {answer["sha256"] for answer in answers}
    assert is_whole(files)
    assert not list(tmp_path.glob(".*.partial"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if not mount or not umount or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("nobody may mount a disk here")
    yield folder
    subprocess.run([umount, str(folder)], check=True)


def test_on_a_full_disk_it_is_2_says_so_and_leaves_the_older_proposal(
    proposing: Callable[..., Process], start: Start, small_disk: Path
) -> None:
    for name, content in OLDER.items():
        (small_disk / name).write_bytes(content)
    process = start("propose", small_disk.parent / "brief.toml", "-o", small_disk / "proposal.pdf", *ON, "--json")
    out, _ = process.communicate(timeout=60)
    (problem,) = json.loads(out)["problems"]
    assert (process.returncode, problem["code"]) == (2, "file_unwritable")
    assert "No space left on device" in problem["message"]
    assert problem["where"].endswith("proposal.pdf")
    assert {path.name: path.read_bytes() for path in small_disk.iterdir()} == OLDER
