"""What the client may not see: our cost, our margin and our hourly rates stand nowhere in what is sent or kept."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from engagements.proposals.document import ProposalDocument
from engagements.proposals.view import ProposalView
from engagements.proposals.writing import Issue, write_proposal
from engagements.rendering import Formats
from engagements.settings import Agency
from estimator import Estimate
from estimator.money import Money
from estimator.plain import plain

FORMATS = (Formats("en_GB"), Formats("en_US"))
# Figures that no other number of a proposal falls on by chance.
OWN_RATES = {
    "delivery_lead": "87.63", "ml_engineer": "98.17", "data_engineer": "78.29", "mlops_engineer": "92.41",
    "annotation_lead": "55.83", "annotator": "24.37",
}  # fmt: skip
INSIDE = {"commercial.margin_percent": 37.3, "commercial.cost_per_h": OWN_RATES}


def ways_to_write(amount: Decimal) -> set[str]:
    money = Money.of(amount, "EUR")
    written = {f"{money.amount:f}", f"{amount:f}", f"{float(amount)}"}
    for formats in FORMATS:
        written |= {formats.amount(money), formats.whole_money(money), formats.money(money), formats.iso_money(money)}
    return written


def secrets_of(estimate: Estimate) -> Iterator[Decimal]:
    """Our costs of every option and phase, of the compute, of a month and a retraining, and of every hour."""
    assert estimate.quote is not None
    assert estimate.compute is not None
    figures = estimate.figures()
    for option in estimate.quote.options:
        yield from (option.cost_p50.require(), option.cost_p80.require(), option.cost_p90.require())
        yield from (Decimal(str(round(option.cost.quantile(percent), 2))) for percent in (10, 50, 80, 90))
        yield Decimal(str(round(option.cost.mean, 2)))
        yield from (figures[f"{line.key}.cost"].require() for line in option.lines if f"{line.key}.cost" in figures)
    yield from (figures[key].require() for key in ("management.cost_month", "management.cost_retraining"))
    yield from map(Decimal, OWN_RATES.values())


@pytest.fixture(scope="module", params=["fixed", "time_and_materials"])
def inside(request: pytest.FixtureRequest, estimate_of: Callable[..., Estimate]) -> Estimate:
    """An estimate whose costs and margin are like no other number in it."""
    return estimate_of({**INSIDE, "commercial.pricing": request.param})


@pytest.fixture(scope="module")
def sent(inside: Estimate) -> ProposalView:
    return write_proposal(inside, Agency(), Issue(number="P-2026-0007"))


@pytest.fixture(scope="module")
def document(sent: ProposalView, document_of: Callable[..., ProposalDocument]) -> ProposalDocument:
    return document_of(sent)


def test_no_cost_of_ours_is_printed_or_kept(
    inside: Estimate, document: ProposalDocument, pages_of: Callable[[ProposalDocument], list[str]]
) -> None:
    printed, kept = "\n".join(pages_of(document)), document.snapshot_bytes.decode()
    secrets = set(secrets_of(inside))
    assert len(secrets) > 25
    for secret in secrets:
        for written in ways_to_write(secret):
            assert written not in printed, f"{written} is our cost"
            assert written not in kept, f"{written} is our cost"


def test_neither_margin_nor_markup_is_printed_or_kept(
    inside: Estimate, document: ProposalDocument, pages_of: Callable[[ProposalDocument], list[str]]
) -> None:
    assert inside.quote is not None
    text = "\n".join(pages_of(document)).lower() + document.snapshot_bytes.decode().lower()
    markup = inside.quote.markup.require()
    for written in ("37.3", "0.373", f"{markup:.3f}", f"{100 * markup:.1f}", "margin", "markup", "mark-up"):
        assert written not in text


def test_the_snapshot_has_no_field_for_what_is_internal(sent: ProposalView) -> None:
    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from keys(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from keys(inner)

    named = " ".join(keys(json.loads(json.dumps(plain(sent)))))
    assert not [word for word in ("margin", "markup", "cost_per_h", "cost_p", "our_cost", "seniority") if word in named]


def test_a_price_is_not_our_cost_under_another_name(inside: Estimate, sent: ProposalView) -> None:
    """With a margin of 37.3 % every price is 1 / 0.627 of a cost; a rate by the hour too."""
    for rate in sent.price.rates:
        assert rate.per_hour.amount not in map(Decimal, OWN_RATES.values())
    if sent.price.rates:
        by_role = {rate.role: rate.per_hour for rate in sent.price.rates}
        assert by_role["ML engineer"] == Money.of(Decimal("98.17") / Decimal("0.627"), "EUR")
        assert len(by_role) == len(OWN_RATES)
