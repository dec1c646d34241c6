"""What a proposal says in words: each sentence that depends on its numbers, and the case in which it is said."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from engagements.proposals.document import Look, proposal_html
from engagements.proposals.view import ProposalView
from engagements.rendering import Formats
from engagements.settings import Agency
from estimator import Estimate
from estimator.money import Money
from estimator.phases import Phase

BRITISH = Formats("en_GB")
HOUSE_LOOK = Look.of(Agency())

ViewOf = Callable[..., ProposalView]


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def example_text(example_pages: list[str]) -> str:
    return words(" ".join(example_pages))


def test_the_shares_of_the_payments_sum_to_what_is_printed_below_them(example: ProposalView) -> None:
    shares = [payment.share for payment in example.instalments]
    assert sum(shares) == 1
    assert all(share == share.quantize(Decimal("0.001")) for share in shares)


def test_a_stop_at_gate_2_settles_what_has_been_paid(example_estimate: Estimate, example_text: str) -> None:
    assert example_estimate.quote is not None
    stop = BRITISH.money(example_estimate.quote.stop_price)
    assert (
        f"what has been paid by then counts towards {stop}; only the difference is invoiced, or refunded"
        in example_text
    )


def test_each_phase_says_when_it_is_and_what_it_delivers(example: ProposalView, example_text: str) -> None:
    for phase in example.phases:
        ids = ", ".join(each.id for each in example.deliverables if each.phase == phase.number)
        when = "From go-live"
        if phase.begin and phase.gate_date:
            when = BRITISH.date_range(phase.begin, phase.gate_date)
        assert f"{words(when)}; delivers {ids}" in example_text


def test_the_team_has_the_hours_of_the_option_and_its_share_of_full_time(
    example_estimate: Estimate, example_text: str
) -> None:
    """Hours in all phases; the share is that of the hours before go-live in working days of 8 hours."""
    assert example_estimate.quote is not None
    hours = {
        phase: by_role.get("ml_engineer", 0.0) for phase, by_role in example_estimate.quote.recommended.hours.items()
    }
    delivery = sum(worked for phase, worked in hours.items() if phase is not Phase.MANAGEMENT)
    share = delivery / (8 * example_estimate.schedule.working_days_p50)
    row = f"ML engineer 1, 2, 3, 4, 6 {BRITISH.number(sum(hours.values()))} {BRITISH.percent(share)}"
    assert row in example_text


def test_the_three_numbers_have_one_size(example: ProposalView) -> None:
    """The size of the longest: an amount may not look less for having more digits."""
    long = replace(example, headline=replace(example.headline, investment=Money.parse("1112767964.00", "EUR")))
    assert '<div class="key-figures">' in proposal_html(example, HOUSE_LOOK)
    assert '<div class="key-figures long">' in proposal_html(long, HOUSE_LOOK)


def test_a_range_that_no_discount_has_touched_says_so(view_of: ViewOf, example: ProposalView) -> None:
    discounted = view_of({"commercial.discount_percent": 5, "commercial.discount_reason": "First engagement"})
    said = "correlated phases, before the discount."
    assert said in proposal_html(discounted, HOUSE_LOOK)
    assert said not in proposal_html(example, HOUSE_LOOK)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"task.baseline_source": "estimated", "task.baseline_items": None},
            "The baseline of 68% is estimated, so phase 2 measures it",
        ),
        ({"data.owner": None}, "<strong>What is still to be put in place:</strong> Nobody at the client is named"),
        ({"client.contact_name": None, "client.contact_email": None}, '<tr><th scope="row">Name</th>'),
    ],
)
def test_what_is_not_known_is_said_and_leaves_no_empty_row(
    changes: dict[str, object], said: str, view_of: ViewOf
) -> None:
    html = proposal_html(view_of(changes), HOUSE_LOOK)
    assert said in html
    assert "<td>–</td><td>–</td>" not in html


def test_the_tuning_compute_is_set_against_the_threshold_of_a_modifier(example: ProposalView) -> None:
    """6 FLOPs x 8.2 billion parameters x 4,114,800 tokens x 5 runs is 1.0E18; a third of 1E23 is 3.3E22."""
    html = proposal_html(example, HOUSE_LOOK)
    assert "about 1.0 × 10¹⁸ floating-point operations (6 per active parameter and token)" in html
    assert "0.003% of a third of 10²³" in html


def test_the_low_case_of_time_and_materials_pays_the_cap(view_of: ViewOf, example: ProposalView) -> None:
    said = "and the later go-live, and pays the cap."
    assert said in proposal_html(view_of({"commercial.pricing": "time_and_materials"}), HOUSE_LOOK)
    assert said not in proposal_html(example, HOUSE_LOOK)
