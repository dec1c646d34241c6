"""The devices that torchrun's processes train on: one trainer on each, as where a run is a single process.

The first process of a machine takes the locks of all devices there, for processes on one CPU share one; the others wait
until it has. All of that is before they meet, for whoever waits in PyTorch is given up after a while.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from backends.peft_local.folder import taken

_EVERY_S: Final = 0.2


def devices_of(environment: Mapping[str, str], *, on_gpu: bool) -> list[str]:
    """Names of the locks, as a backend names them (`cpu`, `cuda:2`), of all processes on this machine. `environment`:
    as torchrun sets it; where it shows some cards alone, they keep their own numbers."""
    if not on_gpu:
        return ["cpu"]
    shown = [each.strip() for each in environment.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    numbers = [int(each) for each in shown if each.isdigit()]
    count = int(environment.get("LOCAL_WORLD_SIZE", "1"))
    return [f"cuda:{numbers[place] if place < len(numbers) else place}" for place in range(count)]


@contextmanager
def alone_on(locks: Sequence[Path], *, leads: bool, launcher: int) -> Iterator[None]:
    """Waits until nobody else trains on these devices; they are ours until the end, or the death, of whoever `leads`.

    `launcher`: the id of the process that started all of ours; the leader leaves it in the locks for the others.
    """
    held = _taken_in_time(locks, launcher) if leads else []
    while not leads and not _are_held_for(locks, launcher):
        time.sleep(_EVERY_S)
    yield
    for each in held:
        os.close(each)


def all_taken(locks: Sequence[Path]) -> list[int] | None:
    """Descriptors that hold all of them, or none of them: who held some while it waits would keep others waiting."""
    held: list[int] = []
    for path in locks:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (found := taken(path)) is None:
            for each in held:
                os.close(each)
            return None
        held.append(found)
    return held


def _taken_in_time(locks: Sequence[Path], launcher: int) -> list[int]:
    if (held := all_taken(locks)) is None:
        sys.stderr.write(f"waits: another trainer is on {' or '.join(path.name for path in locks)}\n")
        sys.stderr.flush()
    while held is None:
        time.sleep(_EVERY_S)
        held = all_taken(locks)
    for each in held:
        os.ftruncate(each, 0)
        os.pwrite(each, str(launcher).encode(), 0)
    return held


def _are_held_for(locks: Sequence[Path], launcher: int) -> bool:
    try:
        return all(path.read_bytes() == str(launcher).encode() for path in locks)
    except FileNotFoundError:
        return False
