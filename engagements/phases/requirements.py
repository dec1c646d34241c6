"""What a gate asks for, and what stands against passing it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """`unknown`: it was measured, and what would decide it is not known, such as a cost."""

    MET = "met"
    MISSING = "missing"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing a gate asks for. `code` is unique within the gate, and what an override names.

    `said`: the number, as a client may read it; `inside`: what only the agency reads beside it. `remedy`: how to meet
    it, empty once it is met. `evidence`: ids of the records it rests on. `must` False: advice, which blocks nothing.
    """

    code: str
    title: str
    status: Status
    said: str
    remedy: str = ""
    inside: str = ""
    must: bool = True
    evidence: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        return self.must and self.status is not Status.MET


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A must-meet requirement that is not met. `code`: of the requirement, and its status: `leakage.failed`."""

    code: str
    requirement: str
    message: str
    remedy: str


def blockers_of(requirements: Iterable[Requirement]) -> tuple[Blocker, ...]:
    return tuple(
        Blocker(code=f"{each.code}.{each.status}", requirement=each.code, message=each.said, remedy=each.remedy)
        for each in requirements
        if each.blocks
    )
