"""The processor that a run computes on, named alike by the parent and by its worker: runs are compared by it."""

import platform
from functools import cache
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_FIELD: Final = "model name"


def processor_said(*, threads: int) -> str:
    """Such as `cpu (AMD EPYC 7B13, 2 threads)`; with the architecture alone where the kernel names no model."""
    counted = "1 thread" if threads == 1 else f"{threads} threads"
    return f"cpu ({_model()}, {counted})"


@cache
def _model() -> str:
    try:
        lines = _CPUINFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith(_FIELD))
    return next(filter(None, named), "") or platform.machine()
