"""What an engagement is worth, kept apart: what was agreed first, what changes added, what is still pending."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from engagements.changes.models import ChangeRequest, ChangeState
from engagements.changes.quoted import agreed_money
from engagements.changes.states import PENDING
from engagements.delivery.models import Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Net prices in minor units of `currency`. Approved changes move the baseline; pending ones never do.

    `pending`: the sum of what was assessed and is not decided; `pending_unknown` more have no price yet. `forecast`:
    if the client agrees to all that is pending.
    """

    currency: str
    original: int
    approved: int
    pending: int
    pending_unknown: int
    approved_count: int
    pending_count: int

    @property
    def agreed(self) -> int:
        return self.original + self.approved

    @property
    def forecast(self) -> int:
        return self.original + self.approved + self.pending


def value_of(session: Session, engagement_id: str, *, for_client: bool = False) -> Value | None:
    """None before anything was agreed. `for_client`: only what was sent counts as pending.

    The original is the last plan of its own: another acceptance begins anew, and changes before it are in its price.
    """
    chosen = select(Baseline).where(Baseline.engagement_id == engagement_id).order_by(col(Baseline.number).desc())
    original = session.exec(chosen.where(col(Baseline.change_id).is_(None)).limit(1)).first()
    if original is None:
        return None
    changes = session.exec(select(ChangeRequest).where(ChangeRequest.engagement_id == engagement_id)).all()
    net = agreed_money(original.plan, "net")
    approved = [each for each in changes if each.state is ChangeState.AGREED and each.on_baseline >= original.number]
    states = {ChangeState.SENT} if for_client else PENDING
    pending = [each for each in changes if each.state in states]
    return Value(
        currency=net.currency,
        original=net.minor,
        approved=sum(each.net_minor or 0 for each in approved),
        pending=sum(each.net_minor or 0 for each in pending),
        pending_unknown=sum(each.net_minor is None for each in pending),
        approved_count=len(approved),
        pending_count=len(pending),
    )
