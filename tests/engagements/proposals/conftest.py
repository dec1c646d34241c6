"""Clients of many kinds: the example brief with some fields changed, estimated, written as a proposal, rendered."""

import io
import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import pypdf
import pytest

from engagements.proposals.document import Look, ProposalDocument, proposal_document
from engagements.proposals.view import ProposalView
from engagements.proposals.writing import Issue, write_proposal
from engagements.settings import Agency
from estimator import Estimate, estimate
from estimator.brief import Brief, read_brief
from estimator.brief.example import example_brief
from estimator.prices import PriceBook

DAY = date(2026, 11, 22)
HOUSE = Agency()
NUMBERED = Issue(number="P-2026-0007")

Changes = Mapping[str, object]
AS_IT_IS: Changes = MappingProxyType({})
BriefOf = Callable[..., Brief]
EstimateOf = Callable[..., Estimate]
ViewOf = Callable[..., ProposalView]


@pytest.fixture(scope="session")
def brief_of() -> BriefOf:
    """The example with fields changed, by their path; None leaves a field out."""

    def changed(changes: Changes = AS_IT_IS) -> Brief:
        data: dict[str, Any] = tomllib.loads(example_brief(DAY))
        for path, value in changes.items():
            *sections, field = path.split(".")
            section = data
            for name in sections:
                section = section[name]
            if value is None:
                section.pop(field, None)
            else:
                section[field] = value
        return read_brief(json.dumps(data, default=str), form="json")

    return changed


@pytest.fixture(scope="session")
def estimate_of(brief_of: BriefOf) -> EstimateOf:
    packaged = PriceBook.load()

    def estimated(changes: Changes = AS_IT_IS, *, prices: PriceBook = packaged) -> Estimate:
        return estimate(brief_of(changes), prices, on=DAY)

    return estimated


@pytest.fixture(scope="session")
def view_of(estimate_of: EstimateOf) -> ViewOf:
    """The proposal of a changed brief; by `agency` and `issue` where they matter."""

    def written(changes: Changes = AS_IT_IS, *, agency: Agency = HOUSE, issue: Issue = NUMBERED) -> ProposalView:
        return write_proposal(estimate_of(changes), agency, issue)

    return written


@pytest.fixture(scope="session")
def document_of() -> Callable[..., ProposalDocument]:
    def rendered(view: ProposalView, agency: Agency = HOUSE) -> ProposalDocument:
        return proposal_document(view, Look.of(agency))

    return rendered


@pytest.fixture(scope="session")
def pages_of() -> Callable[[ProposalDocument], list[str]]:
    """The text of each page."""
    return lambda document: [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document.pdf)).pages]


@pytest.fixture(scope="session")
def example_estimate(estimate_of: EstimateOf) -> Estimate:
    return estimate_of()


@pytest.fixture(scope="session")
def example(example_estimate: Estimate) -> ProposalView:
    """The proposal of the packaged example: sound, numbered."""
    return write_proposal(example_estimate, HOUSE, NUMBERED)


@pytest.fixture(scope="session")
def example_document(example: ProposalView, document_of: Callable[..., ProposalDocument]) -> ProposalDocument:
    return document_of(example)


@pytest.fixture(scope="session")
def example_pages(example_document: ProposalDocument, pages_of: Callable[[ProposalDocument], list[str]]) -> list[str]:
    return pages_of(example_document)
