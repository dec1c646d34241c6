"""What follows from an entry, in its own transaction: totals, alerts, and the warnings its writer reads at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from engagements.actuals.alerts import check_alerts
from engagements.actuals.burn import Burn
from engagements.actuals.place import Place
from engagements.actuals.schemas import WarningOut
from engagements.actuals.thresholds import OF_COST, of_budget
from engagements.actuals.totals import refresh_totals
from engagements.actuals.when import When
from engagements.core.roles import Actor, Permission
from estimator.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The budget as it stands after the entry."""

    burn: Burn

    def warnings_for(self, actor: Actor, phase: Phase) -> Iterator[WarningOut]:
        """Of the entry's phase and of the whole: the highest threshold passed, in money only for who may see cost."""
        for line in (self.burn.of(phase), self.burn.whole):
            highest = {each.kind: each for each in of_budget(line)} if line else {}
            for kind, each in highest.items():
                if kind not in OF_COST or actor.may(Permission.VIEW_COST):
                    yield WarningOut(
                        kind=kind.value, phase=each.phase, threshold=each.threshold, used_percent=each.reached,
                        text=each.text,
                    )  # fmt: skip


def followed(session: Session, place: Place, *, when: When) -> Followed:
    session.flush()
    refresh_totals(session, place.engagement.id, at=when.at)
    return Followed(burn=check_alerts(session, place.engagement, place.baseline, when=when))
