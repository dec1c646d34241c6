"""Work that one process at a time does, for as long as it renews its lease; whoever lost it writes nothing more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Final

from engagements.db.store import StoreBusy, StoreFull

LEASE: Final = timedelta(seconds=60)
"""Of a claim (reliability reference, section 3): a process that is silent for so long is taken for dead."""
RENEWED_EVERY_S: Final = 15.0


class LeaseLost(Exception):
    """Another process has taken the work over; this one writes nothing more."""


@contextmanager
def renewed(renew: Callable[[], None], *, name: str, every_s: float = RENEWED_EVERY_S) -> Iterator[None]:
    """Around a step that takes long: `renew` is called beside it until the step is over, or it raises `LeaseLost`."""
    ended = Event()

    def renew_on() -> None:
        while not ended.wait(every_s):
            try:
                renew()
            except LeaseLost:
                return
            except (StoreBusy, StoreFull):
                continue

    beside = Thread(target=renew_on, name=f"lease-{name}", daemon=True)
    beside.start()
    try:
        yield
    finally:
        ended.set()
        beside.join()
