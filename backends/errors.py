"""What can go wrong with a run, one class a fact.

BackendError
├── SpecRefused         the run cannot be started as it is described; `problems` says all of it
├── OutcomeUnknown      a request may have been acted on: ask again later, never send it anew by yourself
├── Unreachable         nothing was changed, the other side did not answer; ask again
├── AnswerInvalid       the other side answered what its own specification does not allow; nothing was changed
├── ProviderRefused     the other side said no, with a code that a person must act on
│   └── ProviderClosed  it takes no new jobs of this organisation, or of anybody
├── RunLost             no job is known by this handle (any more)
├── NotOffered          this backend cannot do that at all
├── DataAltered         a file is not the one that was described: its digest differs
├── CheckpointInvalid   a checkpoint or adapter is truncated, altered, or holds numbers that are none
└── BackendMissing      no backend of this name, or what it needs is not installed
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """`ERROR`: the run cannot be started like this. `WARNING`: it can, and a person should look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. `where` is a path in the spec such as `hyperparameters.epochs`; `line` counts from 1."""

    code: str
    message: str
    remedy: str
    where: str = ""
    line: int | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.where) if part)
        return f"{place}: {self.message} ({self.remedy})" if place else f"{self.message} ({self.remedy})"


class BackendError(Exception):
    """`code` is stable and for programs; the message is for people."""

    code: ClassVar[str] = "backend_error"


class SpecRefused(BackendError):
    """All that is wrong with a spec, at once."""

    code = "spec_refused"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        assert self.problems, "a refusal without a problem says nothing"
        super().__init__("; ".join(map(str, self.problems)))


class OutcomeUnknown(BackendError):
    """Whether the job exists is not known. `retry_in_s`: when `start` should be called again, with the same memory."""

    code = "outcome_unknown"

    def __init__(self, message: str, *, retry_in_s: float) -> None:
        self.retry_in_s = retry_in_s
        super().__init__(message)


class Unreachable(BackendError):
    """`retry_in_s`: how long the other side asked us to wait, or our own back-off."""

    code = "unreachable"

    def __init__(self, message: str, *, retry_in_s: float = 15.0) -> None:
        self.retry_in_s = retry_in_s
        super().__init__(message)


class AnswerInvalid(BackendError):
    code = "answer_invalid"


class ProviderRefused(BackendError):
    """`provider_code`, `param`: in the other side's own words; never parsed, always shown."""

    code = "provider_refused"

    def __init__(self, message: str, *, provider_code: str = "", param: str = "", remedy: str = "") -> None:
        self.provider_code = provider_code
        self.param = param
        self.remedy = remedy
        super().__init__(message)


class ProviderClosed(ProviderRefused):
    code = "provider_closed"


class RunLost(BackendError):
    code = "run_lost"


class NotOffered(BackendError):
    code = "not_offered"


class DataAltered(BackendError):
    code = "digest_mismatch"


class CheckpointInvalid(BackendError):
    code = "checkpoint_invalid"


class BackendMissing(BackendError):
    code = "backend_missing"


def unknown_backend(name: str, known: Iterable[str]) -> BackendMissing:
    listed = sorted(known)
    near = difflib.get_close_matches(name, listed, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(listed)}"
    return BackendMissing(f"no backend is called {name!r}; {hint}")
