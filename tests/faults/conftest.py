"""The command in a process of its own, to be killed, starved and crowded."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from typing import IO, Any

import pytest


class Process(subprocess.Popen[bytes]):
    """The command under way."""

    @property
    def code(self) -> int:
        """Its exit code as a shell counts: Python ends by the signal itself where it is interrupted deep down."""
        return self.returncode if self.returncode >= 0 else 128 - self.returncode


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts the command in the folder of the test, as the head of a group of processes that ends with the test."""
    started: list[Process] = []
    (tmp_path / "tmp").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIXFOLD_")}
    environment["TMPDIR"] = str(tmp_path / "tmp")

    def begin(*arguments: object, out: IO[bytes] | None = None, **options: Any) -> Process:
        process = Process(
            [sys.executable, "-m", "engagements", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            stdout=out or subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **options,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        process.communicate()
