"""What a poll leaves for the next one: which events were told, and what is settled. A string of a few kilobytes."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from backends.events import RunState
from backends.openai_api import answers

_KEPT: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`told`: (seconds, digest of an id) of the events told last; those before `floor` are all told. `ended`: the
    final state once it was seen. `model`: the one that answered when it was tried. `results_waits`: polls that waited
    for a results file, -1 once that is settled."""

    told: tuple[tuple[int, str], ...] = ()
    floor: int = 0
    ended: RunState | None = None
    model: str | None = None
    results_waits: int = 0
    _digests: frozenset[str] = field(default=frozenset(), compare=False)

    @classmethod
    def read(cls, text: str) -> "Cursor":
        if not text:
            return cls()
        said = json.loads(text)
        told = tuple((at, digest) for at, digest in said["told"])
        ended = RunState(said["ended"]) if said["ended"] else None
        return cls(
            told=told, floor=said["floor"], ended=ended, model=said["model"], results_waits=said["results_waits"],
            _digests=frozenset(digest for _, digest in told),
        )  # fmt: skip

    def __str__(self) -> str:
        said = {
            "told": self.told, "floor": self.floor, "ended": self.ended, "model": self.model,
            "results_waits": self.results_waits,
        }  # fmt: skip
        return json.dumps(said, separators=(",", ":"))

    def is_new(self, event: answers.JobEvent) -> bool:
        return event.created_at >= self.floor and _digest(event.id) not in self._digests

    def after(self, events: Iterable[answers.JobEvent]) -> "Cursor":
        """With these told too. What is kept is bounded, but never parts those of one second."""
        told = sorted({*self.told, *((each.created_at, _digest(each.id)) for each in events)})
        floor = self.floor if len(told) <= _KEPT else told[-_KEPT][0]
        kept = tuple(each for each in told if each[0] >= floor)
        return replace(self, told=kept, floor=floor, _digests=frozenset(digest for _, digest in kept))

    @property
    def latest(self) -> int:
        return self.told[-1][0] if self.told else 0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
