"""Every template is part of a document that is rendered; none is left over."""

from datetime import date

from engagements.documents.bundle import packaged
from engagements.proposals.document import Look, proposal_html
from engagements.proposals.writing import Issue, write_proposal
from engagements.rendering import TEMPLATES, environment
from engagements.settings import Agency
from estimator import estimate
from estimator.brief import read_brief
from estimator.brief.example import example_brief
from estimator.prices import PriceBook

ON = date(2026, 11, 22)


def test_every_template_is_rendered():
    result = estimate(read_brief(example_brief(ON)), PriceBook.load(), on=ON)
    look = Look.of(Agency(name="Halden & Roth"))
    proposal_html(write_proposal(result, Agency(name="Halden & Roth"), Issue()), look)
    loaded = {name for _, name in environment(look.locale).cache}
    written = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")}
    written |= {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("_*.svg")}
    assert written - loaded == set()


def test_every_style_picture_and_font_is_brought_along():
    brought = {f"documents/{name}" for name in packaged()}
    rest = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*")
        if path.is_file() and path.suffix != ".html" and not path.name.startswith("_") and path.suffix != ".txt"
    }
    assert rest == brought
