"""`tokens` reads files of any size in bounded memory."""

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

Process = Any  # a Popen with the exit code as a shell counts
Start = Callable[..., Process]

MIB = 1 << 20
STORY = b"It left Hamburg on Monday and is expected in Munich before noon; the courier rings twice. " * 20
ROW = (
    b'{"messages": [{"role": "user", "content": "Where is parcel %012d? ' + STORY + b'"}, '
    b'{"role": "assistant", "content": "Parcel %012d is on its way."}]}\n'
)


def write_rows(path: Path, size_bytes: int) -> int:
    """A file of distinct rows of about that size; returns how many."""
    rows = size_bytes // len(ROW % (0, 0))
    with path.open("wb") as file:
        for start in range(0, rows, 10_000):
            file.write(b"".join(ROW % (number, number) for number in range(start, min(start + 10_000, rows))))
    return rows


def high_water(process: Process) -> int:
    """Waits for a process and returns the most memory it held at once, in bytes.

    Read while it runs: what a child is billed at its end may be the memory of the process it was forked from.
    """
    most = 0
    while process.poll() is None:
        with suppress(FileNotFoundError, ProcessLookupError):
            status = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace")
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                most = int(found[1]) * 1024
        time.sleep(0.05)
    return most


def count_bounded(start: Start, folder: Path, size_bytes: int) -> None:
    rows = write_rows(folder / "train.jsonl", size_bytes)
    with (folder / "answer.json").open("wb") as answer:
        process = start("tokens", "train.jsonl", "--model", "gpt-4o-mini", "--json", out=answer)
        peak = high_water(process)
    (folder / "train.jsonl").unlink()
    counted = json.loads((folder / "answer.json").read_bytes())
    assert (process.returncode, counted["rows"], counted["examples"]) == (0, rows, rows)
    assert 20 * MIB < peak < 300 * MIB


@pytest.mark.slow
def test_100_mb_are_counted_within_300_mib(start: Start, tmp_path: Path) -> None:
    count_bounded(start, tmp_path, 100 * MIB)


@pytest.mark.slow
def test_2_gb_are_counted_within_300_mib(start: Start, tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < 4 << 30:
        pytest.skip("2 GB of rows need room")
    count_bounded(start, tmp_path, 2 << 30)


def test_one_line_of_200_mb_is_refused_within_300_mib(start: Start, tmp_path: Path) -> None:
    with (tmp_path / "train.jsonl").open("wb") as file:
        file.write(b"".join(ROW % (number, number) for number in range(12)) + b'{"messages": "')
        for _ in range(200):
            file.write(b"a" * MIB)
    with (tmp_path / "answer.json").open("wb") as answer:
        process = start("tokens", "train.jsonl", "--model", "gpt-4o-mini", "--json", out=answer)
        peak = high_water(process)
    (tmp_path / "train.jsonl").unlink()
    problems = json.loads((tmp_path / "answer.json").read_bytes())["problems"]
    assert process.returncode == 2
    assert [(problem["line"], problem["code"]) for problem in problems] == [(13, "row.too_large")]
    assert 20 * MIB < peak < 300 * MIB


def test_interrupted_while_it_counts_it_is_130_and_prints_no_half_answer(start: Start, tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", 100 * MIB)
    process = start("tokens", "train.jsonl", "--model", "gpt-4o-mini", "--json")
    while not any(file.path.endswith("train.jsonl") for file in psutil.Process(process.pid).open_files()):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    (tmp_path / "train.jsonl").unlink()
    assert (process.code, out) == (130, b"")
    assert b"Traceback" not in err


def test_a_file_that_grows_shrinks_or_goes_while_it_is_read_ends_in_an_answer(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    write_rows(path, 20 * MIB)
    process = start("tokens", "train.jsonl", "--model", "gpt-4o-mini", "--json")
    os.truncate(path, 5 * MIB + 7)
    out, err = process.communicate(timeout=60)
    assert process.returncode in {0, 2}, err
    assert json.loads(out)
