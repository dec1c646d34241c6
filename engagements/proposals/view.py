"""What a proposal says: the frozen view model that its document is rendered from and that is kept when it is sent.

Nothing of our cost or margin is in here: what the client may not see cannot reach the page. Money in the client's
currency, shares from 0 to 1, None for what is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from estimator.money import Money


class Stage(StrEnum):
    """A draft carries no number and is marked on every page; a final one is numbered and may be sent."""

    DRAFT = "draft"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Document control. `version` counts from 1; `supersedes` names the version before it."""

    number: str
    version: int
    stage: Stage
    issued: date
    valid_until: date
    prepared_by: str
    reviewed_by: str
    confidentiality: str
    supersedes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who a proposal is from or for; a detail nobody gave is empty."""

    name: str
    legal_name: str
    address: str = ""
    registration: str = ""
    vat_id: str = ""
    email: str = ""
    website: str = ""
    contact: str = ""
    contact_role: str = ""
    purchase_order: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The three numbers first: what waiting costs a month, what it takes, what comes out."""

    cost_of_waiting: Money | None
    investment: Money
    metric: str
    baseline: Decimal | None
    target: Decimal
    payback_month: int | None
    payback_month_low: int | None
    test_items: int
    option: str
    decision_by: date
    go_live: date
    go_live_late: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """`work`: what the model is to do."""

    problem: str
    work: str
    affected: str | None
    magnitude: str | None
    why_now: str | None
    tried_before: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionView:
    """One line of the acceptance contract. `detectable` is the smallest gain so many items show, as a share."""

    id: str
    tier: str
    metric: str
    dataset: str
    operator: str
    threshold: Decimal
    items: int
    rule: str
    baseline: Decimal | None
    detectable: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachView:
    name: str
    score: int
    reasons: tuple[str, ...]
    recommended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FitView:
    """`there` and `lacking`: what fine-tuning needs, as found; what nobody has said counts as lacking."""

    verdict: str
    reasons: tuple[str, ...]
    there: tuple[str, ...]
    lacking: tuple[str, ...]
    approaches: tuple[ApproachView, ...]
    stop_at: Decimal
    stop_price: Money
    open_questions: tuple[str, ...]
    despite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """`begin` and `gate_date` None for ongoing management, which has no end."""

    number: int
    name: str
    goal: str
    activities: tuple[str, ...]
    client_input: str
    gate: str
    criteria: tuple[str, ...]
    begin: date | None
    work_end: date | None
    gate_date: date | None
    gate_late: date | None
    working_days: int | None
    hours: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    id: str
    phase: int
    name: str
    format: str
    acceptance: str
    reviewer: str
    due: date | None
    due_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaciRow:
    activity: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleView:
    """`share`: of one full-time post, from the start until go-live."""

    name: str
    hours: Decimal
    phases: tuple[int, ...]
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionLine:
    """`amounts` by option, None where it holds no such line."""

    label: str
    amounts: tuple[Money | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRow:
    name: str
    share: Decimal
    amounts: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionHead:
    """An option as a client reads it; `effort_low` to `effort_high` is its price by effort, P10 to P90."""

    id: str
    name: str
    promise: str
    recommended: bool
    months: int
    retrainings: int
    effort_p10: Money
    effort_p50: Money
    effort_p80: Money
    effort_p90: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalView:
    name: str
    why: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyRate:
    """What an hour of a role costs the client."""

    role: str
    per_hour: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """All options over the same rows. `rates` only where hours are billed; `caps` None where nothing is capped."""

    currency: str
    model: str
    options: tuple[OptionHead, ...]
    lines: tuple[OptionLine, ...]
    discounts: tuple[Money, ...]
    discount_reason: str
    nets: tuple[Money, ...]
    taxes: tuple[TaxRow, ...]
    grosses: tuple[Money, ...]
    caps: tuple[Money | None, ...]
    rates: tuple[HourlyRate, ...]
    optional: tuple[OptionalView, ...]
    round_price: Money
    included_rounds: int

    @property
    def recommended(self) -> int:
        """The index of the recommended option."""
        return next(index for index, option in enumerate(self.options) if option.recommended)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentView:
    """`parts`: how many equal payments it stands for, a month apart.

    `share`: to the tenth of a percent; those of all payments sum to one.
    """

    name: str
    trigger: str
    parts: int
    share: Decimal
    net: Money
    gross: Money
    expected: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """A dated price of somebody else's that the compute rests on."""

    name: str
    price: Decimal | None
    unit: str
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeView:
    """`cap` in the client's currency; `modification_flops` is the tuning compute, for the regulatory record."""

    route: str
    licence: str
    runs_low: Decimal
    runs_likely: Decimal
    runs_high: Decimal
    tokens_per_run: Decimal | None
    unit_prices: tuple[UnitPrice, ...]
    serving_per_month: Money | None
    base_serving_per_month: Money | None
    cap: Money
    account_owner: str
    alternatives: tuple[str, ...]
    modification_flops: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitView:
    name: str
    amounts: tuple[Money | None, ...]
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Money by case. `cumulative` by month from the start, in whole units of the currency."""

    name: str
    monthly_benefit: Money | None
    monthly_cost: Money | None
    npv: Money | None
    payback_month: int | None
    return_share: Decimal | None
    cumulative: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCurve:
    """A way to serve as a line: cost a month = fixed + requests x per request."""

    name: str
    fixed_month: float
    per_request: float

    def cost(self, requests: float) -> float:
        return self.fixed_month + requests * self.per_request


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCrossing:
    """Where one way of serving, dearer to begin with, becomes cheaper than another."""

    dearer_first: str
    cheaper_first: str
    requests: float
    cost_month: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueView:
    cases: tuple[CaseView, ...]
    benefits: tuple[BenefitView, ...]
    horizon_months: int
    horizon_reason: str
    discount_rate: Decimal
    break_even_requests: Decimal | None
    requests_per_month: int
    serving: tuple[ServingCurve, ...]
    crossings: tuple[ServingCrossing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumptionView:
    id: str
    statement: str
    threshold: str
    owner: str
    validate_by: str
    if_false: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionView:
    scope: str
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    what: str
    probability: str
    impact: str
    mitigation: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView:
    name: str
    owner: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyView:
    """`origin`: where the examples come from, None where the brief does not say."""

    classes: str
    origin: str | None
    location: str
    retention: str
    training_on_data: str
    agreement: str
    risk_class: str
    modifier: str
    documents: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsSection:
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsView:
    version: str
    sha256: str
    sections: tuple[TermsSection, ...]
    warranty_days: int
    warranty_covers: str
    warranty_not_covered: str
    review_days: Decimal
    change_procedure: str
    consent: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayView:
    day: date
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the numbers stand on, so that they can be computed again."""

    estimated_on: date
    seed: int
    draws: int
    price_book: str
    brief_sha256: str
    oldest_price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """A whole proposal."""

    title: str
    control: Control
    agency: Party
    client: Party
    headline: Headline
    situation: Situation
    criteria: tuple[CriterionView, ...]
    fit: FitView
    phases: tuple[PhaseView, ...]
    holidays: tuple[HolidayView, ...]
    deliverables: tuple[Deliverable, ...]
    roles: tuple[RoleView, ...]
    raci_roles: tuple[str, ...]
    raci: tuple[RaciRow, ...]
    price: PriceView
    instalments: tuple[InstalmentView, ...]
    compute: ComputeView
    value: ValueView
    assumptions: tuple[AssumptionView, ...]
    exclusions: tuple[ExclusionView, ...]
    risks: tuple[RiskView, ...]
    assets: tuple[AssetView, ...]
    privacy: PrivacyView
    terms: TermsView
    provenance: Provenance
    flags: tuple[str, ...]
    time_zone: str
