"""A way to train and serve, priced: what one run costs, what the whole programme costs, what stands against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from estimator.brief import Brief, Route
from estimator.brief.stated import stated
from estimator.figures import Figure, Term
from estimator.inference import ServingOption
from estimator.prices import PriceBook, Tuning
from estimator.sunset import Finding, PlanDates, Standing, worst
from estimator.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """What all routes of one estimate share."""

    brief: Brief
    prices: PriceBook
    volume: Volume
    plan: PlanDates
    runs: Figure
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEstimate:
    """Costs in USD. `run_low` and `run_high` bound one run; `programme` holds all runs, failures, evaluation, storage.

    `shutdown` is the model's announced end, None where none is announced. `hours` and `memory_gib` (per GPU, of one
    run) are there for GPUs of our own.
    """

    route: Route
    key: str
    name: str
    tokens: Figure
    epochs: Figure
    run: Figure
    run_low: Figure
    run_high: Figure
    once: Figure
    programme: Figure
    serving: ServingOption | None
    findings: Sequence[Finding]
    caveats: Sequence[str]
    licence: str
    shutdown: date | None = None
    hours: Figure | None = None
    memory_gib: Figure | None = None

    @property
    def standing(self) -> Standing:
        return worst(list(self.findings))

    @property
    def usable(self) -> bool:
        """Whether a plan may stand on it: nothing refuses it and its cost is known."""
        return self.standing in {Standing.OPEN, Standing.FLAGGED} and self.programme.known


def programme_cost(key: str, pricing: Pricing, run: Figure, once: Figure) -> Figure:
    """All experiments, those that fail, and what is spent once."""
    failed = stated(pricing.brief, "training.failed_run_percent", "%")
    cost: Term = run * pricing.runs * (1 + failed / 100) + once
    return cost.named(f"{key}.programme", "USD", "All runs, evaluation and storage")


def example_lengths(pricing: Pricing, limit: int) -> Iterator[Finding]:
    """A usual example longer than what is trained of it: the end is cut off, and the answer with it."""
    mean = pricing.volume.tokens_per_example.value
    if mean is not None and mean > limit:
        message = f"an example has {mean:,.0f} tokens on average, and what follows token {limit:,} is cut off"
        remedy = "shorten the examples, or raise training.max_length where the model allows it"
        yield Finding(code="tokens.too_long", standing=Standing.FLAGGED, message=message, remedy=remedy)


def tuning_of(route: Route, brief: Brief) -> Tuning:
    return route.tuning or brief.training.tuning


def key_of(route: Route, brief: Brief) -> str:
    """`route.together.llama-3-1-8b.lora`, `route.own.qwen3-8b.qlora.rtx-4090.x2`: lower-case, one word a part."""
    cards = f"x{route.gpus}" if route.gpus > 1 else None
    parts = [route.provider, route.model, tuning_of(route, brief), route.gpu, cards, route.gpu_provider]
    return ".".join(["route", *(_slug(part) for part in parts if part)])


def _slug(text: str) -> str:
    slug = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower())
    return "-".join(part for part in slug.split("-") if part) or "unnamed"
