"""The portfolio, what waits for whoever asks, and how an engagement stands for its client."""

from collections.abc import Iterator
from datetime import date, datetime

from engagements.client.models import Answer
from engagements.client.transport import Transport


class PortfolioLine(Answer):
    """One engagement. `health`: on_track, at_risk, late or unknown; None once it has ended. Days count from today."""

    id: str
    name: str
    client_id: str
    client: str
    state: str
    health: str | None
    reasons: list[str]
    phase: str | None
    phase_state: str | None
    gate_on: date | None
    working_days: int | None
    calendar_days: int | None
    currency: str | None
    budget_minor: int | None
    spent_minor: int | None
    spent_is_floor: bool
    earned_minor: int | None
    hours: float | None
    budget_hours: float | None
    owner_id: str | None
    owner: str | None
    changed_at: datetime


class WorkItem(Answer):
    """One thing that waits. `address`: the path of the page where it is done."""

    kind: str
    title: str
    engagement_id: str | None
    engagement: str
    due: date | None
    is_overdue: bool
    address: str


class Said(Answer):
    """Something done or in flight; `day_is` says of what `day` is the day: gate, due, or "" where it was done."""

    text: str
    day: date | None
    day_is: str
    address: str


class Step(Answer):
    """`state`: planned, current, done or blocked."""

    number: int
    name: str
    state: str
    said: str
    day: date | None


class Standing(Answer):
    """Done, in flight, and what needs the client."""

    engagement_id: str
    name: str
    state: str
    contact: str | None
    phases: list[Step]
    done: list[Said]
    in_flight: list[Said]
    needs_you: list[WorkItem]


class Portfolio:
    """Every engagement of the agency, newest first."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def __iter__(self) -> Iterator[PortfolioLine]:
        return self.list()

    def list(
        self,
        *,
        health: str | None = None,
        state: str | None = None,
        owner: str | None = None,
        search: str | None = None,
    ) -> Iterator[PortfolioLine]:
        """`owner`: an id; `search`: a part of a name."""
        query = {"health": health, "state": state, "owner": owner, "search": search}
        return self._calls.pages(PortfolioLine, "/api/v1/portfolio", query=query)

    def standing(self, engagement_id: str) -> Standing:
        """How it stands, as its client's people are told."""
        return self._calls.get(Standing, "/api/v1/engagements/{}/standing", engagement_id)


class Work:
    """What waits for whoever asks, what is overdue first."""

    def __init__(self, calls: Transport) -> None:
        self._calls = calls

    def __iter__(self) -> Iterator[WorkItem]:
        return self.list()

    def list(self) -> Iterator[WorkItem]:
        return self._calls.pages(WorkItem, "/api/v1/me/work")
