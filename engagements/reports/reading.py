"""Reports as they were issued, and the next one as a draft. A client's people read what was issued, nothing else."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from engagements.core.models import Engagement
from engagements.core.roles import Actor, Permission
from engagements.core.service import find, scoped
from engagements.db.store import Store
from engagements.documents.style import Stage
from engagements.proposals.frozen import frozen
from engagements.proposals.reading import Paper
from engagements.reports.document import report_pdf
from engagements.reports.errors import ReportConflict
from engagements.reports.issuing import Desk, Edition, composed
from engagements.reports.models import StatusReport
from engagements.reports.view import ReportView


def reports_of(session: Session, actor: Actor, engagement_id: str) -> SelectOfScalar[StatusReport]:
    """Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    return scoped(StatusReport, actor).where(col(StatusReport.engagement_id) == engagement_id)


def paper_of(session: Session, actor: Actor, report_id: str) -> Paper:
    """What was issued, byte for byte. Raises `NotFound` and `DocumentDamaged`."""
    report = find(session, actor, StatusReport, report_id)
    return Paper.of(frozen(session, report.organisation_id, report.pdf_sha256))


def draft_of(
    store: Store, actor: Actor, engagement_id: str, desk: Desk, edition: Edition, summary: str, *, at: datetime
) -> Paper:
    """The next report as it stands, DRAFT on every page (about a second). Raises `Forbidden` and `ReportConflict`."""
    if edition is Edition.INTERNAL:
        actor.require(Permission.VIEW_COST)
    with store.read() as session:
        draft = composed(session, actor, engagement_id, desk, summary, stage=Stage.DRAFT, edition=edition, at=at)
    return Paper(content=report_pdf(draft.view, draft.look), name=f"draft-status-{engagement_id}.pdf", sha256=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The next report before it is issued; or why there is none now."""

    view: ReportView | None
    refused: str = ""


def ahead(session: Session, actor: Actor, engagement_id: str, desk: Desk, *, at: datetime) -> Ahead | None:
    """None for who issues no reports."""
    if not actor.may(Permission.ISSUE_REPORTS):
        return None
    try:
        draft = composed(
            session, actor, engagement_id, desk, "", stage=Stage.DRAFT, edition=Edition.CLIENT, at=at
        )  # fmt: skip
    except ReportConflict as error:
        return Ahead(view=None, refused=f"{error.message}: {error.remedy}")
    return Ahead(view=draft.view)
