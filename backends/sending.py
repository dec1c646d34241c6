"""A create that may have left us: when, how often, and when it may be sent once more (reliability reference, 2.4)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from backends.errors import AnswerInvalid, OutcomeUnknown, ProviderRefused, Unreachable

HORIZON: Final = timedelta(minutes=10)
"""How long a job may stay hidden from its provider's list before it is taken for never made."""
ASK_AGAIN_S: Final = 15.0
_ASK_A_PERSON_S: Final = 3600.0
_SENDS_MAX: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A create that left us: when last, and how often. As text it is what a run's memory keeps; "" is never."""

    at: datetime
    times: int

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        if not text:
            return None
        said = json.loads(text)
        return cls(at=datetime.fromisoformat(said["at"]), times=said["times"])

    def __str__(self) -> str:
        return json.dumps({"at": self.at.isoformat(), "times": self.times})

    def wait_out(self, now: datetime) -> None:
        """Returns once it may be sent again. Raises `OutcomeUnknown` before the horizon, and where it was sent again
        already: a person looks for it then."""
        if now < self.at + HORIZON:
            raise OutcomeUnknown("the job was sent and is not seen yet", retry_in_s=ASK_AGAIN_S)
        if self.times >= _SENDS_MAX:
            said = f"the job was sent {self.times} times and never seen; look for it with the provider"
            raise OutcomeUnknown(said, retry_in_s=_ASK_A_PERSON_S)


@contextmanager
def looking(*, was_sent: bool) -> Iterator[None]:
    """Around what is asked before a create. What keeps us from looking says nothing of a job that was sent before."""
    try:
        yield
    except (Unreachable, AnswerInvalid, ProviderRefused) as error:
        if was_sent:
            raise OutcomeUnknown(f"it may have begun: {error}", retry_in_s=ASK_AGAIN_S) from error
        if isinstance(error, AnswerInvalid):
            raise Unreachable(str(error)) from error
        raise
