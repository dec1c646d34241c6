"""Processes of ours: started, known again by anybody, and ended.

A process id alone may mean another process by now, so the moment at which it began is kept beside it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from backends.peft_local.folder import read_json, write_json

LOG_BYTES: Final = 1_000_000
_CUT: Final = Path(__file__).with_name("log.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """`began`: in the kernel's own ticks since the machine started, "" where the kernel does not say. `leads`: it has
    a group of its own, which is what is signalled."""

    id: int
    began: str
    leads: bool

    @classmethod
    def of(cls, pid: int) -> "Process":
        return cls(id=pid, began=_began(pid), leads=_leads(pid))

    @classmethod
    def this(cls) -> "Process":
        return cls.of(os.getpid())

    def remembered(self, path: Path) -> None:
        write_json(path, asdict(self))

    @property
    def is_being_noted(self) -> bool:
        """A child of ours is still in the process table: once it ends, a thread of ours writes down how."""
        told = _told(self.id)
        return bool(told) and (told[1], told[19]) == (str(os.getpid()), self.began)

    def signal(self, number: signal.Signals) -> None:
        """To it and its group, if it is still the one that was meant."""
        if _began(self.id) != self.began:
            return
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if self.leads else os.kill)(self.id, number)


def process_in(path: Path) -> Process | None:
    held = read_json(path)
    try:
        return (
            None if held is None else Process(id=int(held["id"]), began=str(held["began"]), leads=bool(held["leads"]))
        )
    except (KeyError, TypeError, ValueError):
        return None


def launched(
    command: Sequence[str], *, log: Path, exit_file: Path, kept_open: Sequence[int], environment: Mapping[str, str]
) -> Process:
    """Starts a process that outlives us, in a group of its own, with this environment and no other. Its output goes
    through a second small process into the log, which is cut at a length; how it ended goes into `exit_file`. Raises
    `OSError`."""
    reader = subprocess.Popen(  # noqa: S603 (our own file)
        [sys.executable, "-I", "-S", str(_CUT), str(log), str(LOG_BYTES)],
        stdin=subprocess.PIPE, start_new_session=True, env={},
    )  # fmt: skip
    assert reader.stdin
    with reader.stdin as pipe:
        started = subprocess.Popen(  # noqa: S603 (arguments of ours, no shell)
            command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, pass_fds=kept_open, start_new_session=True,
            cwd=log.parent, env=dict(environment),
        )  # fmt: skip
    # Somebody must take note of their ends, or they stay in the process table as long as we run.
    threading.Thread(target=reader.wait, daemon=True).start()
    threading.Thread(target=_note_end, args=(started, exit_file), daemon=True).start()
    return Process.of(started.pid)


def _note_end(started: subprocess.Popen[bytes], exit_file: Path) -> None:
    """How it ended, noted while it is still in the process table: whoever finds it gone finds the note."""
    if sys.platform == "darwin":
        code: int | None = started.wait()
    else:
        told = os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
        assert told is not None
        code = told.si_status if told.si_code == os.CLD_EXITED else -told.si_status
    with suppress(OSError):
        write_json(exit_file, {"id": started.pid, "code": code})
    started.wait()


def environment_for(*, threads: int, device: str) -> dict[str, str]:
    """Built from nothing: no secrets, no proxies, no network. `device`: auto, cpu, mps, cuda or cuda:N."""
    gpu = device.partition(":")[2] or "0"
    found = {
        "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(threads), "PYTHONFAULTHANDLER": "1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    }  # fmt: skip
    return found | ({"CUDA_VISIBLE_DEVICES": "" if device == "cpu" else gpu} if device != "auto" else {})


def _began(pid: int) -> str:
    """Empty for a process that is gone, and where there is no /proc."""
    told = _told(pid)
    return told[19] if told else ""


def _told(pid: int) -> list[str]:
    """What the kernel tells of a process after its name: state, parent, ... (proc(5), from the third field on)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return []
    # The name in brackets may hold anything.
    return told.rpartition(")")[2].split()


def _leads(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except OSError:
        return False
