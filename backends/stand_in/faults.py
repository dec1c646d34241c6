"""What goes wrong on purpose. A fault is taken by the requests it is meant for, as often as it says, in its turn."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Kind(StrEnum):
    """`…_BEFORE`: nothing is done. `…_AFTER`: it is done, and the caller does not learn it.

    ANSWER            the fault's status with its code and message, or its `text`, before or (`done`) after the work
    DROP_REPLY        the work is done, and the connection is reset
    KILL_BEFORE/AFTER the process `pid` is killed with SIGKILL, before or after the work; no answer
    HANG              the work is done, and for `seconds` nothing is answered
    BODY              the work is done, and `text` is answered with 200: HTML, other JSON
    TRUNCATE          the work is done, and half of the answer comes, well framed
    ALTER             the answer's fields, or those of every item of a list, are replaced by those of `value`
    HIDE_JOBS         jobs younger than `seconds` are not in the list
    HIDE_FILES        files younger than `seconds` are not in the list
    FILTER_IGNORED    the filter by metadata does nothing
    FILTER_REFUSED    it is refused with 400
    FILE_NOT_READY    a job whose files are younger than `seconds` is refused with 400; their status is `uploaded`
    EVENTS_DOUBLED    every event is listed twice
    EVENTS_LATE       every third event appears `seconds` after its time
    """

    ANSWER = "answer"
    DROP_REPLY = "drop_reply"
    KILL_BEFORE = "kill_before"
    KILL_AFTER = "kill_after"
    HANG = "hang"
    BODY = "body"
    TRUNCATE = "truncate"
    ALTER = "alter"
    HIDE_JOBS = "hide_jobs"
    HIDE_FILES = "hide_files"
    FILTER_IGNORED = "filter_ignored"
    FILTER_REFUSED = "filter_refused"
    FILE_NOT_READY = "file_not_ready"
    EVENTS_DOUBLED = "events_doubled"
    EVENTS_LATE = "events_late"


CREATE_JOB = "POST /fine_tuning/jobs"
GET_JOB = "GET /fine_tuning/jobs/{job}"


class Fault(BaseModel):
    """`on`: the operation it is meant for, as method and path with `{job}`, `{file}`, `{model}`. `times`: how many
    requests take it; None for ever. `seconds` are the provider's own, which may run faster than ours."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    on: str = CREATE_JOB
    times: Annotated[int, Field(ge=1)] | None = 1
    done: bool = False
    status: Annotated[int, Field(ge=200, le=599)] = 500
    code: str | None = None
    message: str = "it went wrong on purpose"
    retry_after: str | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0
    text: str = ""
    value: dict[str, object] = {}
    pid: int | None = None


LASTING = frozenset({
    Kind.HIDE_JOBS, Kind.HIDE_FILES, Kind.FILTER_IGNORED, Kind.FILTER_REFUSED, Kind.FILE_NOT_READY,
    Kind.EVENTS_DOUBLED, Kind.EVENTS_LATE,
})  # fmt: skip
"""These are how the provider is, until they are taken back; `on` and `times` mean nothing to them."""


@dataclass(slots=True)
class Faults:
    _waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._waiting += faults

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def told(self) -> Sequence[Fault]:
        with self._lock:
            return tuple(self._waiting)

    def lasting(self, kind: Kind) -> Fault | None:
        with self._lock:
            return next((each for each in self._waiting if each.kind is kind), None)

    def take(self, operation: str) -> Fault | None:
        """The first that is meant for this operation, used up by one."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.on == operation and fault.kind not in LASTING:
                    if fault.times == 1:
                        del self._waiting[place]
                    elif fault.times is not None:
                        self._waiting[place] = fault.model_copy(update={"times": fault.times - 1})
                    return fault
        return None
