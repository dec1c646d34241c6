"""Beginning a run and looking after it until it ends. Whoever dies on the way loses nothing: asked again, the same job
is found, and what was told since comes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from backends.errors import OutcomeUnknown, Unreachable
from backends.events import ENDED, Metrics
from backends.protocol import Backend, Handle
from engagements.cli.training.folder import RunFolder, Standing, looked, metrics_of
from engagements.core.clock import SystemClock
from engagements.phases.training.judging.verdicts import Verdict, judge

LOCAL_EVERY_S: Final = 1.0
ELSEWHERE_EVERY_S: Final = 15.0
"""As often as a provider may be asked for its jobs (reliability reference, section 2.4)."""
SILENT_MOST_S: Final = 120.0

Told = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is shown while it works: where it stands, all points so far, and what they say."""

    standing: Standing
    points: list[Metrics] = field(default_factory=list)

    def verdict(self) -> Verdict:
        return judge(self.points, ended=self.standing.poll.state in ENDED)


def now() -> datetime:
    return SystemClock().now()


def every_s(backend: Backend, asked: float | None) -> float:
    """Seconds between two looks."""
    if asked is not None:
        return asked
    return LOCAL_EVERY_S if backend.capabilities.local else ELSEWHERE_EVERY_S


def begin(folder: RunFolder, backend: Backend, *, told: Told) -> Handle:
    """The job of this run, begun now or long ago; asked again for as long as the other side does not answer.

    Raises `SpecRefused`, `DataAltered` and `ProviderRefused`: then a person must act, and nothing was begun.
    """
    spec = folder.spec()
    while True:
        try:
            return backend.start(spec, folder.memory, now=now())
        except (OutcomeUnknown, Unreachable) as error:
            told(f"{error}; asking again in {error.retry_in_s:.0f} s")
            time.sleep(error.retry_in_s)


def follow(
    folder: RunFolder, backend: Backend, handle: Handle, *, wait_s: float, show: Callable[[Progress], None]
) -> Progress:
    """Looks until it has ended, and keeps what it is told.

    Raises `RunLost` where the other side knows no such job any more.
    """
    before = folder.standing()
    cursor = before.poll.cursor if before else ""
    points = metrics_of(folder.events())
    waited_s = wait_s
    while True:
        poll = backend.poll(handle, cursor=cursor)
        before = standing = looked(before, handle, poll, at=now())
        folder.keep(standing, poll.events)
        cursor = poll.cursor
        points += metrics_of(poll.events)
        progress = Progress(standing=standing, points=points)
        show(progress)
        if poll.state in ENDED:
            return progress
        # One who does not answer is not asked as if it did.
        waited_s = min(2 * max(waited_s, 1.0), SILENT_MOST_S) if standing.silent else wait_s
        time.sleep(waited_s)
