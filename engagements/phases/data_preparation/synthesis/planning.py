"""Planning a run: what is missing, what would be asked, what it could cost at most. Nothing is sent or spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from engagements.actuals.rates import agreed_baseline, currency_of
from engagements.core import audit
from engagements.core.errors import Conflict, Invalid
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.db.columns import new_id
from engagements.delivery.under_way import claim_active
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.synthesis import pricing, seeds
from engagements.phases.data_preparation.synthesis.budget import Budget, Cap, Price, Purpose, Tokens, rounded
from engagements.phases.data_preparation.synthesis.controls import controls_for
from engagements.phases.data_preparation.synthesis.endpoints import Endpoints
from engagements.phases.data_preparation.synthesis.gaps import Gap, gaps_of
from engagements.phases.data_preparation.synthesis.models import SynthesisRun
from engagements.phases.data_preparation.synthesis.plan import Plan, asks_for
from engagements.phases.data_preparation.synthesis.prompts import PERSONAS, VERSION, template_text
from engagements.phases.data_preparation.synthesis.schemas import SynthesisIn
from engagements.phases.data_preparation.synthesis.worst_case import worst_case
from estimator.errors import Problem
from estimator.prices import PriceBook


class NothingMissing(Conflict):
    """Every category has as many examples as it shall have."""

    code = "nothing_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A plan with its worst case, ready to be kept."""

    data: SynthesisIn
    plan: Plan
    currency: str
    prices: Mapping[Purpose, Price] | None
    worst: Mapping[Purpose, Tokens]


def gaps_in(
    session: Session, actor: Actor, engagement_id: str, *, declared: tuple[str, ...], target: int, per_gap_max: int
) -> tuple[Gap, ...]:
    """Raises `NotFound`."""
    find(session, actor, Engagement, engagement_id)
    counts = seeds.counts_of(session, engagement_id)
    named = {label: count for label, count in counts.items() if label} or counts
    return gaps_of(named, declared, target=target, per_gap_max=per_gap_max)


def draft(
    session: Session, actor: Actor, engagement_id: str, data: SynthesisIn, *, endpoints: Endpoints, book: PriceBook,
    at: datetime,
) -> Drafted:  # fmt: skip
    """Reads only, for comparing texts takes its time. Raises `NotConfigured`, `NothingMissing` and `Invalid`."""
    engagement = find(session, actor, Engagement, engagement_id)
    endpoint = endpoints.named(data.endpoint)
    found = gaps_in(
        session, actor, engagement.id, declared=data.categories, target=data.target, per_gap_max=data.per_gap_max
    )
    gaps = tuple(gap for gap in found if gap.category or data.task is not Task.CLASSIFICATION)
    if not gaps:
        _refuse_to_fill_nothing(session, engagement.id, data)
    currency = currency_of(agreed_baseline(session, engagement.id))
    prices = pricing.prices_of(session, engagement.id, data, endpoint, currency=currency, book=book, on=at.date())
    plan = _planned(session, engagement.id, data, gaps)
    worst = worst_case(plan, seeds.records_of(session, plan.examples_shown))
    return Drafted(data=data, plan=plan, currency=currency, prices=prices, worst=worst)


def keep(session: Session, actor: Actor, engagement_id: str, drafted: Drafted, *, at: datetime) -> SynthesisRun:
    """Raises `NotUnderWay`."""
    engagement, data = claim_active(session, actor, engagement_id), drafted.data
    worst = Budget(cap=Cap(currency=drafted.currency), prices=drafted.prices, spent=dict(drafted.worst))
    row = SynthesisRun(
        id=new_id(SynthesisRun.PREFIX), organisation_id=engagement.organisation_id, engagement_id=engagement.id,
        client_id=engagement.client_id, endpoint=data.endpoint, model=data.model, plan=drafted.plan.as_json(),
        prompt=template_text(), cap_minor=data.cap_minor, cap_tokens=data.cap_tokens, currency=drafted.currency,
        price=pricing.as_json(drafted.prices), worst_minor=rounded(worst.spent_minor), worst_tokens=worst.used.total,
        created_by=actor.id, created_at=at,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor, "synthesis_run.planned", row, at=at)
    return row


def _planned(session: Session, engagement_id: str, data: SynthesisIn, gaps: tuple[Gap, ...]) -> Plan:
    categories = [gap.category for gap in gaps]
    unnamed = [] if data.task is Task.CLASSIFICATION else [""]
    usable = seeds.seeds_by_category(session, engagement_id, [*categories, *unnamed], chance=data.chance)
    shown = {name: usable[name] or usable.get("", []) for name in categories}
    asks = asks_for(
        gaps, seeds=shown, personas=data.personas or PERSONAS, per_request=data.per_request, chance=data.chance
    )
    of_controls = seeds.records_of(session, [each for names in shown.values() for each in names])
    controls = controls_for(data.task, of_controls, pairs=data.controls if data.judges else 0, chance=data.chance)
    return Plan(
        task=data.task, gaps=gaps, asks=asks, guidance=data.guidance, temperature=data.temperature, chance=data.chance,
        output_tokens_max=data.output_tokens_max, concurrency=data.concurrency, judge_model=data.judges,
        score_min=data.score_min, licence=data.licence, template=VERSION, controls=controls,
    )  # fmt: skip


def _refuse_to_fill_nothing(session: Session, engagement_id: str, data: SynthesisIn) -> None:
    if data.categories or seeds.counts_of(session, engagement_id):
        message = f"every category has {data.target} examples already"
        raise NothingMissing(message, remedy="name other categories, or a larger target")
    message, remedy = "there are no examples and no declared categories", "name the categories that are wanted"
    raise Invalid.of(Problem(code="field_missing", where="categories", message=message, remedy=remedy))
