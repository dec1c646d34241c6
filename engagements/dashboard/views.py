"""What pages show: frozen, with words instead of states, ready for the filters of `rendering`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Final
from urllib.parse import urlencode

from babel import Locale

from engagements.core.models import EngagementState
from engagements.core.service import moves_from
from engagements.proposals.models import ProposalState
from engagements.rendering import Badge
from estimator.phases import Phase

# The parts of Unicode's list that are places to do business with; the others are ISO's reserved and private codes.
_NO_COUNTRIES: Final = frozenset({"EU", "EZ", "UN", "XA", "XB", "XK", "ZZ", "QO"})


ENGAGEMENT_BADGES: Final[Mapping[EngagementState, Badge]] = {
    EngagementState.PROPOSED: Badge(tone="quiet", label="Proposed"),
    EngagementState.ACTIVE: Badge(tone="accent", label="Active"),
    EngagementState.ON_HOLD: Badge(tone="warn", label="On hold"),
    EngagementState.CLOSING: Badge(tone="accent", label="Closing"),
    EngagementState.CLOSED: Badge(tone="good", label="Closed"),
    EngagementState.TERMINATED: Badge(tone="bad", label="Terminated"),
}
PROPOSAL_BADGES: Final[Mapping[ProposalState, Badge]] = {
    ProposalState.DRAFT: Badge(tone="quiet", label="Draft"),
    ProposalState.IN_REVIEW: Badge(tone="warn", label="In review"),
    ProposalState.APPROVED: Badge(tone="accent", label="Approved"),
    ProposalState.SENT: Badge(tone="accent", label="Sent"),
    ProposalState.ACCEPTED: Badge(tone="good", label="Accepted"),
    ProposalState.DECLINED: Badge(tone="bad", label="Declined"),
    ProposalState.EXPIRED: Badge(tone="warn", label="Expired"),
    ProposalState.WITHDRAWN: Badge(tone="quiet", label="Withdrawn"),
    ProposalState.SUPERSEDED: Badge(tone="quiet", label="Superseded"),
}


_VIEWS: Final[Sequence[tuple[str, str]]] = (
    ("", "All"),
    ("attention", "Needs attention"),
    ("late", "Late"),
    ("at_risk", "At risk"),
    ("on_track", "On track"),
    *((state.value, badge.label) for state, badge in ENGAGEMENT_BADGES.items()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One way to look at a list; `count` None where it is not counted."""

    label: str
    address: str
    count: int | None
    is_current: bool


def portfolio_tabs(counts: Mapping[str, int], *, view: str, search: str, owner: str) -> Sequence[Tab]:
    """Those that hold something, all of them, and the one that is looked at."""
    kept = {"search": search, "owner": owner}
    return [
        Tab(label=label, address=address("/", {"view": key, **kept}), count=counts.get(key, 0), is_current=key == view)
        for key, label in _VIEWS
        if counts.get(key) or key in {"", view}
    ]


_BECOMES: Final[Mapping[EngagementState, tuple[str, str]]] = {
    EngagementState.PROPOSED: ("Proposed", ""),
    EngagementState.ACTIVE: ("Active", "Work goes on."),
    EngagementState.ON_HOLD: ("On hold", "Work rests for a reason; it can go on later."),
    EngagementState.CLOSING: ("Closing", "What is left is handed over."),
    EngagementState.CLOSED: ("Closed", "It has ended well. This cannot be undone."),
    EngagementState.TERMINATED: ("Terminated", "It ends early, for a reason. This cannot be undone."),
}


def state_choices(state: EngagementState) -> Sequence[tuple[str, str, str]]:
    """What an engagement can become: value, name and what that means."""
    return [(after.value, *_BECOMES[after]) for after in EngagementState if after in moves_from(state)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStep:
    """One phase in a stepper. `state`: planned, current, done or blocked; `said`: the same in words.

    `day`: when it ended or, with `day_is_gate`, when its gate is planned.
    """

    number: int
    label: str
    state: str
    said: str
    gate: str
    day: date | None = None
    day_is_gate: bool = False

    @property
    def short(self) -> str:
        return f"{self.label} {self.said.lower()}"


@cache
def planned_phases(state: EngagementState) -> tuple[PhaseStep, ...]:
    """The six phases of an engagement whose delivery has not begun, or never will."""
    said = "Not begun" if state in {EngagementState.CLOSED, EngagementState.TERMINATED} else "Planned"
    return tuple(
        PhaseStep(number=phase.number, label=phase.label, state="planned", said=said, gate=f"after {phase.label}")
        for phase in Phase
    )


def sample_phases() -> tuple[PhaseStep, ...]:
    """A stepper with every state in it, for the page of components."""
    states = ("done", "done", "current", "blocked", "planned", "planned")
    return tuple(
        replace(phase, state=state, said={"current": "In progress"}.get(state, state.capitalize()))
        for phase, state in zip(planned_phases(EngagementState.ACTIVE), states, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where a list stands and the addresses of its neighbours; `total` 0 where it is not counted."""

    first: int = 0
    last: int = 0
    total: int = 0
    before: str = ""
    after: str = ""
    before_label: str = "Before"
    after_label: str = "Next"


def numbered_pages(path: str, filters: Mapping[str, str], *, page: int, size: int, total: int) -> Pages:
    """Pages 1, 2, 3 … of a list that is counted; the filters stay in the address."""
    return Pages(
        first=(page - 1) * size + 1, last=min(page * size, total), total=total,
        before=address(path, {**filters, "page": str(page - 1) if page > 2 else ""}) if page > 1 else "",
        after=address(path, {**filters, "page": str(page + 1)}) if page * size < total else "",
    )  # fmt: skip


def address(path: str, filters: Mapping[str, str]) -> str:
    """A path with the filters that say something."""
    query = urlencode({name: value for name, value in filters.items() if value})
    return f"{path}?{query}" if query else path


@cache
def countries(locale: str) -> Sequence[tuple[str, str]]:
    """ISO 3166-1 codes with their names, by name."""
    names = Locale.parse(locale).territories
    known = ((code, name) for code, name in names.items() if len(code) == 2 and code.isalpha())
    return sorted(((code, name) for code, name in known if code not in _NO_COUNTRIES), key=lambda pair: pair[1])
