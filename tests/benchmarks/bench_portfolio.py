"""The portfolio of a large agency: 5,000 engagements with burn and health, and how many statements one page takes.

One process, no socket, as in `bench_application`. All engagements are under way, each at a different place, so that
every rule of health is asked of every one of them.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

from bench_application import DAY, PAGES, Installation, ask, installation, timed
from measurement import Measurement
from sqlalchemy import insert, update

from engagements.core.models import Client, Engagement, EngagementActivity, EngagementState
from engagements.core.roles import system_actor
from engagements.db.columns import new_id
from engagements.delivery.models import PhaseState, Standing
from engagements.delivery.standing import LETTERS
from engagements.web.auth import SESSION_COOKIE
from estimator.phases import DELIVERY

ENGAGEMENTS = 5_000
BAR_MS = 300


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        yield from asyncio.run(_measured(installation(Path(folder))))


async def _measured(here: Installation) -> list[Measurement]:
    fill(here)
    cookie, key = {"cookie": f"{SESSION_COOKIE}={here.session}"}, {"x-api-key": here.key}
    return [
        await _measure(here, "portfolio page", "/", cookie),
        await _measure(here, "portfolio page of what is late", "/?view=late", cookie),
        await _measure(here, "portfolio over the API, at risk", "/api/v1/portfolio?health=at_risk", key),
    ]


async def _measure(here: Installation, name: str, path: str, headers: dict[str, str]) -> Measurement:
    await ask(here.app, "GET", path, headers)
    here.statements.clear()
    took_ms = [1_000 * await timed(here.app, "GET", path, headers) for _ in range(PAGES)]
    queries = len(here.statements) / PAGES
    return Measurement(
        name=f"{name} with {ENGAGEMENTS:,} engagements under way, median", measured=median(took_ms), unit="ms",
        bar=f"<= {BAR_MS}", holds=median(took_ms) <= BAR_MS, beside=f"{queries:.0f} statements a page",
    )  # fmt: skip


def fill(here: Installation) -> None:
    """Engagements straight into the tables: audit events of five thousand acceptances are not what is measured."""
    now = here.wiring.clock.now()
    with here.wiring.store.read() as session:
        client = session.get_one(Client, here.client_id)
        home, client_id = client.organisation_id, client.id
    engagements, activities, standings = [], [], []
    for index in range(ENGAGEMENTS):
        engagement_id = new_id(Engagement.PREFIX)
        at = now - timedelta(minutes=index)
        engagements.append(
            {
                "id": engagement_id, "organisation_id": home, "version": 1, "client_id": client_id,
                "name": f"Replies {index}", "state": EngagementState.ACTIVE, "state_reason": "",
                "owner_id": system_actor(home).id, "created_at": at, "changed_at": at,
            }
        )  # fmt: skip
        activities.append({"engagement_id": engagement_id, "at": at})
        standings.append(standing(index, engagement_id, home, client_id) | {"changed_at": at})
    with here.wiring.store.engine.begin() as connection:
        # What the installation opened without a plan steps back, so that the list holds what is under way.
        connection.execute(update(Engagement).values(state=EngagementState.CLOSED))
        connection.execute(insert(Engagement), engagements)
        connection.execute(insert(EngagementActivity), activities)
        connection.execute(insert(Standing), standings)


def standing(index: int, engagement_id: str, home: str, client_id: str) -> dict[str, object]:
    phase = DELIVERY[index % len(DELIVERY)]
    state = (PhaseState.IN_PROGRESS, PhaseState.BLOCKED, PhaseState.GATE_REVIEW, PhaseState.IN_PROGRESS)[index % 4]
    gate = DAY + timedelta(days=index % 60 - 10)
    return {
        "engagement_id": engagement_id, "organisation_id": home, "client_id": client_id, "phase": phase,
        "steps": "d" * (phase.number - 1) + LETTERS[state] + "p" * (6 - phase.number), "state": state,
        "planned_gate": gate, "agreed_gate": gate - timedelta(days=index % 3), "late_gate": gate + timedelta(days=9),
        "next_due": DAY + timedelta(days=index % 9 - 1), "currency": "EUR", "budget_minor": 5_000_000,
        "budget_late_minor": 6_000_000, "allowed_minor": 1_000_000 * phase.number,
        "earned_minor": 1_000_000 * (phase.number - 1), "spent_minor": 1_000 * (index % 5_500), "spent_unknown": 0,
        "minutes": index % 30_000, "budget_minutes": 27_000, "open_changes": 0, "open_alerts": index % 7 == 0,
    }  # fmt: skip
