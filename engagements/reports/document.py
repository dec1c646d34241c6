"""A status report as a document: its view model becomes HTML, the HTML becomes a PDF."""

from functools import lru_cache
from typing import Final

from engagements.documents.bundle import packaged
from engagements.documents.pdf import Asset, render_pdf
from engagements.documents.style import root_rule
from engagements.proposals.document import Look, Meta
from engagements.rendering import Formats, environment
from engagements.reports import drawings, words
from engagements.reports.view import ReportView

_KEPT: Final = 16
_WORDS: Final = {
    name: getattr(words, name)
    for name in (
        "CHANGE_WORDS", "DELIVERABLE_WORDS", "GATE_WORDS", "HEALTH_WORDS", "PHASE_WORDS", "RAID_WORDS", "VERDICT_WORDS",
    )
}  # fmt: skip


def report_pdf(view: ReportView, look: Look) -> bytes:
    """Raises `PdfError`; then there is no document, not even in part."""
    return _rendered(report_html(view, look), look.logo)


@lru_cache(maxsize=_KEPT)
def _rendered(html: str, logo: Asset | None) -> bytes:
    """The same HTML gives the same bytes, so a preview that is issued a moment later is not rendered again."""
    return render_pdf(html, {**packaged(), **({"logo": logo} if logo else {})})


def report_html(view: ReportView, look: Look) -> str:
    """The report as HTML, every number written by a filter of the look's locale."""
    formats = Formats(look.locale)
    template = environment(look.locale).get_template("documents/status/status.html")
    return template.render(
        view=view,
        facts=view.facts,
        control=view.control,
        inside=view.inside,
        document=_meta(view),
        style=root_rule(look.palette, paper=look.paper, stage=view.control.stage),
        logo=look.logo is not None,
        burn=drawings.burn(view.inside, view.facts.day, formats, look.palette) if view.inside else None,
        timeline=drawings.timeline(view.facts, formats, look.palette),
        words=_WORDS,
    )


def _meta(view: ReportView) -> Meta:
    day = f"{view.facts.day.isoformat()}T00:00:00Z"
    return Meta(
        title=f"Status report {view.control.number}: {view.control.engagement}, {view.control.client}",
        author=view.control.agency,
        description=f"Where {view.control.engagement} stands on {view.facts.day.isoformat()}",
        created=day,
        modified=day,
    )
