"""What the client may not see: our cost, margin, rates and hours stand in no report of theirs, nor in what is kept."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pypdf
import pytest

from engagements.core.roles import Role
from engagements.delivery.standing import latest_baseline
from engagements.rendering import Formats
from engagements.reports.issuing import last_report
from estimator.money import Money

FORMATS = (Formats("en_GB"), Formats("en_US"))
# Figures that no other number of a report falls on by chance.
LABELLING, MINUTES = 77_731, 1_337


def ways_to_write(amount: Decimal) -> set[str]:
    money = Money.of(amount, "EUR")
    written = {f"{money.amount:f}", f"{money.minor}"}
    for formats in FORMATS:
        written |= {formats.amount(money), formats.whole_money(money), formats.whole_amount(money)}
    return written


def secrets_of(budget: Mapping[str, Any]) -> Iterator[Decimal]:
    """Our cost of every phase and of all, what an hour costs us and is sold for, and what was logged."""
    yield Decimal(LABELLING) / 100
    yield Decimal(str(round(budget["cost"]["mean"], 2)))
    for phase in budget["phases"]:
        yield Decimal(str(round(phase["cost"]["mean"], 2)))
        yield Decimal(str(round(phase["cost"]["quantiles"][32], 2)))


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_cost_rate_or_hour_of_ours_reaches_the_client(house, under_way, reader) -> None:
    lead, home = house.api(Role.ACCOUNT_LEAD), f"/api/v1/engagements/{under_way.engagement_id}"
    member = reader(Role.DELIVERY_MEMBER).actor.id
    lead.post(f"{home}/phases/data_preparation/start", {})
    time = {"phase": "data_preparation", "role": "data_engineer", "day": "2026-11-23", "minutes": MINUTES}
    cost = {"phase": "data_preparation", "kind": "labelling", "day": "2026-11-23", "currency": "EUR"}
    assert lead.post(f"{home}/time", time | {"person_id": member}).status_code == 201
    assert lead.post(f"{home}/costs", cost | {"amount_minor": LABELLING}).status_code == 201

    report = lead.post(f"{home}/reports", {"summary": "All goes well."}).json()
    printed = text_of(lead.get(f"/api/v1/reports/{report['id']}/document").content)
    with house.wiring.store.read() as session:
        baseline = latest_baseline(session, under_way.engagement_id)
        issued = last_report(session, lead.actor, under_way.engagement_id)
        assert baseline is not None
        assert issued is not None
        secrets, kept = set(secrets_of(baseline.budget)), json.dumps(issued.facts)
    assert len(secrets) > 12
    for secret in secrets:
        for written in ways_to_write(secret):
            assert written not in printed, f"{written} is our cost"
            assert written not in kept, f"{written} is our cost"
    for word in ("margin", "earned value", "cpi", "budget"):
        assert not re.search(rf"\b{word}\b", printed + kept, re.IGNORECASE), word

    named = set(re.findall(r'"(\w+)": ', kept))
    assert not {name for name in named if re.search("cost|margin|rate|hours|minutes|spent|inside", name)}

    inside = lead.get(f"{home}/reports/preview?edition=internal")
    assert inside.status_code == 200
    said = text_of(inside.content)
    assert "Internal: not for the client" in said
    assert "777.31" not in said  # the phase is charged with the time too
    assert "Whole engagement" in said
    assert "a margin of" in said
    assert "CPI" in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_internal_edition_is_for_who_may_see_cost(house, under_way) -> None:
    preview = f"/api/v1/engagements/{under_way.engagement_id}/reports/preview"
    lead = house.api(Role.DELIVERY_LEAD)
    assert lead.get(preview).status_code == 200
    assert lead.get(f"{preview}?edition=internal").status_code == 403
    assert lead.get(f"{preview}?edition=secret").status_code in {400, 422}
