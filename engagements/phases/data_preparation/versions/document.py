"""The datasheet of a version as an annex on paper."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlmodel import Session

from engagements.core.models import Client, Engagement, Organisation
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.documents.bundle import packaged
from engagements.documents.pdf import Asset, render_pdf
from engagements.documents.style import Stage, root_rule
from engagements.phases.data_preparation.preparing.sheet import Datasheet, datasheet_from
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.proposals.agency import agency_of
from engagements.proposals.document import Look, Meta
from engagements.proposals.reading import Paper
from engagements.rendering import environment
from engagements.settings import Agency

_KEPT: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetView:
    """A datasheet with what stands around it on paper."""

    sheet: Datasheet
    card_sha256: str
    number: int
    agency: str
    engagement: str
    client: str
    sealed_at: datetime
    sealed_by: str
    erased: int


def composed(session: Session, actor: Actor, version_id: str, agency: Agency) -> tuple[SheetView, Look]:
    """Raises `NotFound`, and `SettingsInvalid` for a logo that cannot be used."""
    version = find(session, actor, DatasetVersion, version_id)
    engagement = find(session, actor, Engagement, version.engagement_id)
    own = agency_of(session.get_one(Organisation, version.organisation_id), agency)
    view = SheetView(
        sheet=datasheet_from(version.card), card_sha256=version.card_sha256, number=version.number, agency=own.name,
        engagement=engagement.name, client=session.get_one(Client, version.client_id).name,
        sealed_at=version.sealed_at, sealed_by=version.sealed_by_name, erased=version.erased,
    )  # fmt: skip
    return view, Look.of(own)


def datasheet_paper(view: SheetView, look: Look) -> Paper:
    """Raises `PdfError`; then there is no document, not even in part."""
    content = _rendered(datasheet_html(view, look), look.logo)
    name = f"datasheet-v{view.number}-{view.card_sha256[:12]}.pdf"
    return Paper(content=content, name=name, sha256=hashlib.sha256(content).hexdigest())


@lru_cache(maxsize=_KEPT)
def _rendered(html: str, logo: Asset | None) -> bytes:
    return render_pdf(html, {**packaged(), **({"logo": logo} if logo else {})})


def datasheet_html(view: SheetView, look: Look) -> str:
    template = environment(look.locale).get_template("documents/datasheet/datasheet.html")
    day = f"{view.sheet.made_on}T00:00:00Z"
    return template.render(
        view=view,
        sheet=view.sheet,
        document=Meta(
            title=f"Datasheet: {view.sheet.name}, {view.engagement}",
            author=view.agency,
            description=f"What {view.sheet.name} is made of, and how",
            created=day,
            modified=day,
        ),
        style=root_rule(look.palette, paper=look.paper, stage=Stage.FINAL),
        logo=look.logo is not None,
    )
