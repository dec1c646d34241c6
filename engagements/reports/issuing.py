"""Issuing freezes: the number, the facts and the bytes of a report are kept, and nothing is rendered again.

Rendering takes a second, so it comes before the transaction (`prepare`); the transaction takes what was prepared only
if the facts are still the same, else `Stale` says to prepare again (`proposals.sending.until_fresh` does).
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.models import Client, Engagement, EngagementState, Organisation
from engagements.core.outbox import EventType, tell
from engagements.core.roles import Actor
from engagements.core.service import claim, find, scoped
from engagements.db.columns import new_id
from engagements.db.store import Store
from engagements.delivery.standing import latest_baseline
from engagements.documents.style import Stage
from engagements.notices.telling import tell_people
from engagements.people.models import User
from engagements.proposals.agency import agency_of
from engagements.proposals.document import Look
from engagements.proposals.frozen import PDF, freeze
from engagements.proposals.sending import Stale
from engagements.reports.document import report_pdf
from engagements.reports.errors import ReportConflict
from engagements.reports.facts import Facts
from engagements.reports.gathering import facts_of
from engagements.reports.inside import Inside, inside_of
from engagements.reports.models import StatusReport
from engagements.reports.view import Control, ReportView, view_of
from engagements.settings import Agency

_REPORTED: Final = frozenset({EngagementState.ACTIVE, EngagementState.ON_HOLD, EngagementState.CLOSING})


class Edition(StrEnum):
    """For whom a report is: the internal edition shows our cost, and is never issued."""

    CLIENT = "client"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A report as it would be issued now. `since`: the day of the one before."""

    report_id: str
    view: ReportView
    look: Look
    since: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    composed: Composed
    pdf: bytes


@dataclass(slots=True, kw_only=True)
class Preparation:
    """Holds what `prepare` made until the transaction takes it."""

    made: Prepared | None = None

    def take(self, store: Store, actor: Actor, engagement_id: str, desk: "Desk", summary: str, *, at: datetime) -> None:
        self.made = prepare(store, actor, engagement_id, desk, summary, at=at)

    @property
    def prepared(self) -> Prepared:
        assert self.made is not None, "what is issued was prepared before"
        return self.made


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an installation writes reports with."""

    agency: Agency
    base_url: str


def composed(
    session: Session, actor: Actor, engagement_id: str, desk: Desk, summary: str, *, stage: Stage, edition: Edition,
    at: datetime,
) -> Composed:  # fmt: skip
    """Raises `NotFound`, and `ReportConflict` where there is nothing to report on."""
    engagement = find(session, actor, Engagement, engagement_id)
    _refuse_idle(engagement)
    own = agency_of(session.get_one(Organisation, engagement.organisation_id), desk.agency)
    client = session.get_one(Client, engagement.client_id)
    facts = facts_of(session, actor, engagement_id, time_zone=own.time_zone, at=at)
    last = last_report(session, actor, engagement_id)
    report_id = new_id(StatusReport.PREFIX)
    control = Control(
        number=last.number + 1 if last else 1,
        stage=stage,
        agency=own.name,
        client=client.legal_name or client.name,
        engagement=engagement.name,
        since=last.day if last else None,
        prepared_by=actor.name,
        time_zone=own.time_zone,
        address=f"{desk.base_url}/reports/{report_id}" if stage is Stage.FINAL else "",
    )
    before = Facts.kept(last.facts) if last else None
    view = view_of(control, facts, before, summary, _inside(session, engagement_id, edition, facts))
    return Composed(report_id=report_id, view=view, look=Look.of(own), since=control.since)


def _inside(session: Session, engagement_id: str, edition: Edition, facts: Facts) -> Inside | None:
    if edition is Edition.CLIENT:
        return None
    baseline = latest_baseline(session, engagement_id)
    assert baseline is not None, "facts begin with a baseline"
    return inside_of(session, baseline, facts.price, today=facts.day)


def prepare(store: Store, actor: Actor, engagement_id: str, desk: Desk, summary: str, *, at: datetime) -> Prepared:
    """Render what would be issued now. About a second, so outside any transaction. Raises what `composed` raises."""
    with store.read() as session:
        ready = composed(session, actor, engagement_id, desk, summary, stage=Stage.FINAL, edition=Edition.CLIENT, at=at)
        _refuse_a_twin(last_report(session, actor, engagement_id), ready.view)
    return Prepared(composed=ready, pdf=report_pdf(ready.view, ready.look))


def issue(session: Session, actor: Actor, engagement_id: str, prepared: Prepared, *, at: datetime) -> StatusReport:
    """Freeze what was prepared and tell the client's people and the owner. Raises `Stale` and `ReportConflict`."""
    engagement = claim(session, actor, Engagement, engagement_id)
    _refuse_idle(engagement)
    ready, view = prepared.composed, prepared.composed.view
    last = last_report(session, actor, engagement_id)
    facts = facts_of(session, actor, engagement_id, time_zone=view.control.time_zone, at=at)
    if facts != view.facts or (last.number if last else 0) + 1 != view.control.number:
        raise Stale
    name = f"status-report-{view.control.number}.pdf"
    document = freeze(session, engagement.organisation_id, prepared.pdf, media_type=PDF, name=name, at=at)
    report = StatusReport(
        id=ready.report_id, organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, number=view.control.number, day=facts.day, since=ready.since,
        health=facts.health, summary=view.summary, facts=facts.to_keep(), pdf_sha256=document.sha256,
        created_by=actor.id, created_at=at,
    )  # fmt: skip
    session.add(report)
    audit.record(session, actor, "report.issued", report, at=at, client_sees=True)
    _tell(session, actor, engagement, report, at=at)
    return report


def last_report(session: Session, actor: Actor, engagement_id: str) -> StatusReport | None:
    mine = scoped(StatusReport, actor).where(col(StatusReport.engagement_id) == engagement_id)
    return session.exec(mine.order_by(col(StatusReport.number).desc()).limit(1)).first()


def _refuse_idle(engagement: Engagement) -> None:
    if engagement.state not in _REPORTED:
        message = f"an engagement that is {engagement.state} has no status to report"
        raise ReportConflict(message, remedy="reports go from the acceptance of a proposal to the end of the work")


def _refuse_a_twin(last: StatusReport | None, view: ReportView) -> None:
    """Who presses twice issues once."""
    if last and last.day == view.facts.day and last.facts == view.facts.to_keep() and last.summary == view.summary:
        message = f"report {last.number} of today says the very same"
        raise ReportConflict(message, remedy="issue the next one when something has moved, or say more in the summary")


def _tell(session: Session, actor: Actor, engagement: Engagement, report: StatusReport, *, at: datetime) -> None:
    told = {"report": report.id, "engagement": engagement.id}
    tell(session, engagement.organisation_id, EventType.REPORT_ISSUED, told, at=at)
    theirs = select(User.id).where(
        col(User.organisation_id) == engagement.organisation_id, col(User.client_id) == engagement.client_id,
        col(User.active),
    )  # fmt: skip
    owner = {engagement.owner_id} if engagement.owner_id else set()
    tell_people(
        session, engagement.organisation_id, ({*session.exec(theirs), *owner}) - {actor.id},
        topic=f"report:{report.id}", kind=EventType.REPORT_ISSUED,
        text=f"Status report {report.number} of {engagement.name} is here", address=f"/reports/{report.id}", at=at,
        engagement_id=engagement.id,
    )  # fmt: skip
