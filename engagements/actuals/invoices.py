"""Hand lines over to the accounts: collected, numbered, frozen with their digest, and what they hold locked."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, func, select

from engagements.actuals.invoicing import Collected, InvoiceLine, collect
from engagements.actuals.models import CostEntry, EntryState, Invoice, TimeEntry
from engagements.actuals.rates import agreed_baseline
from engagements.actuals.when import When
from engagements.core import audit
from engagements.core.errors import Conflict
from engagements.core.models import Engagement, Organisation
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import claim, find, scoped
from engagements.db.columns import new_id
from engagements.delivery.models import Baseline, Milestone, MilestoneKind
from estimator.brief.sections import PricingModel
from estimator.money import Money
from estimator.plain import plain


class NothingToInvoice(Conflict):
    code = "nothing_to_invoice"


def invoices_of(session: Session, actor: Actor, engagement_id: str) -> Sequence[Invoice]:
    """The newest first. Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    chosen = scoped(Invoice, actor).where(Invoice.engagement_id == engagement_id)
    return session.exec(chosen.order_by(col(Invoice.number).desc())).all()


def invoiceable(session: Session, actor: Actor, engagement_id: str) -> Collected:
    """What an invoice made now would hold. Raises `NothingAgreed`."""
    baseline = agreed_baseline(session, engagement_id)
    invoices = invoices_of(session, actor, engagement_id)
    charged = {source for invoice in invoices for line in invoice.lines for source in line["sources"]}
    return collect(
        PricingModel(baseline.plan["pricing"]),
        payments=[each for each in _reached(session, engagement_id) if each.id not in charged],
        time=_approved(session, TimeEntry, engagement_id),
        costs=_approved(session, CostEntry, engagement_id),
        cap_left_minor=_cap_left(baseline, invoices),
    )


def make_invoice(session: Session, actor: Actor, engagement_id: str, *, when: When) -> Invoice:
    """Freezes what can be invoiced now and locks it. Raises `NothingToInvoice`."""
    engagement = claim(session, actor, Engagement, engagement_id)
    # The numbers of a tenant run without a gap, so whoever takes one waits for the one before.
    session.exec(select(Organisation).where(Organisation.id == actor.organisation_id).with_for_update()).one()
    baseline, found = agreed_baseline(session, engagement.id), invoiceable(session, actor, engagement.id)
    if not found.lines:
        waiting = f"; {len(found.unpriced)} entries wait for a price" if found.unpriced else ""
        message = f"nothing approved or reached is left to invoice{waiting}"
        raise NothingToInvoice(message, remedy="approve time and costs, or pass the gate of a payment, first")
    last = session.exec(select(func.max(Invoice.number)).where(Invoice.organisation_id == actor.organisation_id)).one()
    invoice = Invoice(
        id=new_id(Invoice.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, number=(last or 0) + 1, day=when.today,
        lines=[plain(line) for line in found.lines],
        net_minor=found.net_minor, currency=baseline.plan["currency"], sha256="", created_by=actor.id,
        created_at=when.at,
    )  # fmt: skip
    invoice.sha256 = digest_of(invoice)
    session.add(invoice)
    audit.record(session, actor, "invoice.exported", invoice, at=when.at)
    _lock(session, actor, invoice, found, when)
    told = {"engagement": engagement.id, "invoice": invoice.id, "number": invoice.number}
    tell(session, engagement.organisation_id, EventType.INVOICE_EXPORTED, told, at=when.at)
    return invoice


def digest_of(invoice: Invoice) -> str:
    """sha256 of what the accounts get, as canonical JSON: number, day, currency, lines and their sum."""
    content = {
        "engagement_id": invoice.engagement_id, "number": invoice.number, "day": invoice.day.isoformat(),
        "currency": invoice.currency, "net_minor": invoice.net_minor, "lines": invoice.lines,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _lock(session: Session, actor: Actor, invoice: Invoice, found: Collected, when: When) -> None:
    for noun, rows in (("time", found.time), ("cost", found.costs)):
        for row in rows:
            row.state, row.invoice_id = EntryState.INVOICED, invoice.id
            audit.record(session, actor, f"{noun}.invoiced", row, at=when.at)


def _approved(session: Session, kind: type[Any], engagement_id: str) -> Sequence[Any]:
    chosen = select(kind).where(kind.engagement_id == engagement_id, kind.state == EntryState.APPROVED)
    return session.exec(chosen.order_by(col(kind.day), col(kind.id)).with_for_update()).all()


def _reached(session: Session, engagement_id: str) -> Sequence[Milestone]:
    chosen = select(Milestone).where(
        Milestone.engagement_id == engagement_id, Milestone.kind == MilestoneKind.PAYMENT,
        col(Milestone.reached_on).is_not(None), col(Milestone.net_minor).is_not(None),
    )  # fmt: skip
    return session.exec(chosen.order_by(col(Milestone.code))).all()


def _cap_left(baseline: Baseline, invoices: Sequence[Invoice]) -> int | None:
    cap: Mapping[str, str] | None = baseline.plan.get("cap")
    if cap is None:
        return None
    whole = Money.of(Decimal(cap["amount"]), cap["currency"])
    return max(0, whole.minor - sum(invoice.net_minor for invoice in invoices))


def lines_of(invoice: Invoice) -> Sequence[InvoiceLine]:
    """The frozen lines, read back."""
    return [InvoiceLine(**{**line, "sources": tuple(line["sources"])}) for line in invoice.lines]
