"""What one benchmark says: a figure, the bar it is held against, and the peer it was measured beside."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """`measured` in `unit`; `bar` in words; `holds` whether it is cleared; `beside` what ran in the same process."""

    name: str
    measured: float
    unit: str
    bar: str
    holds: bool
    beside: str = ""


def best_seconds(work: Callable[[], object], *, repeats: int = 5) -> float:
    """The fastest of several runs: on shared cores the least disturbed run says most about the code."""
    return min(_seconds(work) for _ in range(repeats))


def paired_ratio(ours: Callable[[], object], peer: Callable[[], object], *, repeats: int = 7) -> float:
    """Median of ours / peer over interleaved runs, so that a noisy neighbour strikes both alike."""
    return median(_seconds(ours) / _seconds(peer) for _ in range(repeats))


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
