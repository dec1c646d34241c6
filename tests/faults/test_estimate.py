import json
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]


def test_where_files_may_not_grow_it_is_2_says_so_and_leaves_the_older_estimate(
    start: Start, brief_file: Callable[..., Path], tmp_path: Path
) -> None:
    brief_file()
    (tmp_path / "estimate.json").write_bytes(b"an older estimate")
    limit = (20_480, 20_480)
    process = start(
        "estimate", "brief.toml", "--out", "estimate.json", "--json",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )  # fmt: skip
    out, _ = process.communicate(timeout=60)
    (problem,) = json.loads(out)["problems"]
    assert (process.returncode, problem["code"]) == (2, "file_unwritable")
    assert "File too large" in problem["message"]
    assert (tmp_path / "estimate.json").read_bytes() == b"an older estimate"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brief.toml", "estimate.json", "tmp"]


@pytest.mark.parametrize("reader", ["estimate", "fit", "compare"])
def test_interrupted_while_it_waits_for_its_input_it_is_130(start: Start, tmp_path: Path, reader: str) -> None:
    fifo = tmp_path / "prices.toml"
    subprocess.run(["mkfifo", fifo], check=True)
    options = {"estimate": ["--out", "e.json"], "fit": [], "compare": ["--vary", "data.examples=5"]}[reader]
    process = start(reader, "prices.toml", *options)
    with fifo.open("wb"):  # returns when the command has opened it to read
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.code, out) == (130, b"")
    assert b"Traceback" not in err
    assert not (tmp_path / "e.json").exists()
