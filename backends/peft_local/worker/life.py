"""Signs of life, and being asked to end."""

import signal
import threading
import time
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from backends.peft_local.folder import RunFolder

_EVERY_S: Final = 1.0
_ALLOWED_S: Final = 900.0
"""How long the work may go without a word; a model of many gigabytes is loaded under a longer allowance."""


class Stopped(BaseException):
    """Asked to end before there was anything to save. No `Exception`: nothing on the way may hold it."""


@dataclass(slots=True, kw_only=True)
class Life:
    """A thread beats for the work as long as the work itself was heard of: a hung kernel stops the heart too."""

    folder: RunFolder
    asked: bool = False
    _saves: bool = False
    _until: float = field(default_factory=lambda: time.monotonic() + _ALLOWED_S)
    _over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        signal.signal(signal.SIGTERM, self._asked_to_end)
        threading.Thread(target=self._beat, daemon=True).start()

    def moved(self, *, allow_s: float = _ALLOWED_S) -> None:
        self._until = time.monotonic() + allow_s

    def saves_from_now_on(self) -> None:
        """Before this a request to end is obeyed at once, after it at the next step."""
        self._saves = True

    def end(self) -> None:
        self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(_EVERY_S):
            if time.monotonic() < self._until:
                self.folder.beat()

    def _asked_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if not self._saves:
            raise Stopped
