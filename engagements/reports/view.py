"""What a status report says: the frozen view model that its document is rendered from.

The client edition has no `inside`; nothing else of it knows our cost, margin, rates or hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from engagements.delivery.models import MilestoneKind, RaidKind, RaidState
from engagements.documents.style import Stage
from engagements.reports.facts import ConditionFact, EvidenceFact, Facts, GateFact, MilestoneFact, RegisterFact
from engagements.reports.inside import Inside
from engagements.reports.moved import Moved, moved
from engagements.reports.needs import Need, Progress, needs_of, next_need, progress_of
from estimator.money import Money, sum_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Document control. `number` counts within the engagement; `since`: the day of the report before, None for the
    first; `address`: the page on which the digest of the issued document can be read."""

    number: int
    stage: Stage
    agency: str
    client: str
    engagement: str
    since: date | None
    prepared_by: str
    time_zone: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """Evidence that a number of the report stands on. `mark`: E1, E2, … as it is cited."""

    mark: str
    evidence: EvidenceFact


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """`moved` None for the first report; `summary`: the lead's own words."""

    control: Control
    summary: str
    facts: Facts
    needs: tuple[Need, ...]
    progress: Progress
    moved: Moved | None
    cited: tuple[Cited, ...]
    inside: Inside | None = None

    @property
    def risks(self) -> Sequence[RegisterFact]:
        """Risks and issues that are open."""
        open_now = {RaidKind.RISK, RaidKind.ISSUE}
        return [each for each in self.facts.register if each.kind in open_now and each.state is RaidState.OPEN]

    @property
    def settled(self) -> Sequence[RegisterFact]:
        """What the register has settled: assumptions held or broken, risks closed, decisions taken."""
        return [
            each for each in self.facts.register if each.state is not RaidState.OPEN or each.kind is RaidKind.DECISION
        ]

    @property
    def assumptions_open(self) -> int:
        return sum(each.kind is RaidKind.ASSUMPTION and each.state is RaidState.OPEN for each in self.facts.register)

    @property
    def payments(self) -> Sequence[MilestoneFact]:
        """All but the months of management that lie further ahead than the next."""
        return self._payments[: len(self._payments) - len(self.later_payments)]

    @property
    def later_payments(self) -> Sequence[MilestoneFact]:
        """Months of management after the next one to come: they are alike, and there may be many."""
        ahead = [each for each in self._payments if each.month is not None and each.reached_on is None]
        return ahead[1:]

    @property
    def later_total(self) -> Money | None:
        """None where one of them is unknown."""
        nets = [each.net for each in self.later_payments]
        known = [net for net in nets if net is not None]
        return sum_of(known, known[0].currency) if known and len(known) == len(nets) else None

    @property
    def _payments(self) -> Sequence[MilestoneFact]:
        paid = [each for each in self.facts.milestones if each.kind is MilestoneKind.PAYMENT]
        return sorted(paid, key=lambda each: (each.month is not None, each.month or 0))

    @property
    def sittings(self) -> Sequence[GateFact]:
        """Every decision of a gate, the latest first."""
        return tuple(reversed(self.facts.gates))

    @property
    def open_conditions(self) -> Sequence[ConditionFact]:
        return [each for each in self.facts.conditions if each.met_on is None]

    @property
    def is_measured(self) -> bool:
        return any(each.outcome for each in self.facts.criteria)

    @property
    def next_need(self) -> Need | None:
        return next_need(self.facts)

    def marks(self, evidence: Sequence[str]) -> str:
        """The marks of these ids: "E1, E4"."""
        return ", ".join(each.mark for each in self.cited if each.evidence.id in evidence)


def view_of(
    control: Control, facts: Facts, before: Facts | None, summary: str, inside: Inside | None = None
) -> ReportView:
    """`before`: what the report before was written from; with `inside` it is the internal edition."""
    return ReportView(
        control=control,
        summary=summary,
        facts=facts,
        needs=needs_of(facts),
        progress=progress_of(facts, since=before.day if before else None),
        moved=moved(before, facts) if before else None,
        cited=tuple(_cited(facts)),
        inside=inside,
    )


def _cited(facts: Facts) -> list[Cited]:
    """What gates and criteria stand on, in the order in which they are printed."""
    rows = {each.id: each for each in facts.evidence}
    named = [
        *(id_ for gate in reversed(facts.gates) for id_ in gate.evidence),
        *(id_ for criterion in facts.criteria for id_ in criterion.evidence),
    ]
    wanted = [rows[id_] for id_ in dict.fromkeys(named) if id_ in rows]
    return [Cited(mark=f"E{number}", evidence=each) for number, each in enumerate(wanted, start=1)]
