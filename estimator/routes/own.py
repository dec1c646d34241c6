"""Training on GPUs we rent by the hour: does it fit, how long does it take, what does it cost?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from estimator.brief import Route
from estimator.brief.stated import stated, usd_per_unit
from estimator.errors import UnknownName
from estimator.figures import Figure, Term, assumed, ceiling, fact, modelled
from estimator.hardware import Gpu, MemoryBreakdown, Method, Model, TrainingSetup, advise, find_gpu, find_model
from estimator.hardware import training_time as time_of
from estimator.prices import GpuOffer, Objective, PriceBook
from estimator.routes.billing import adapter_size, in_completions, sampled_tokens
from estimator.routes.model import Pricing, RouteEstimate, example_lengths, programme_cost, tuning_of
from estimator.routes.serving import BASELINES, gpus_to_hold, own_option
from estimator.staleness import stale_notes
from estimator.sunset import Finding, Standing
from estimator.volume import epochs_of

_MINUTES: Final = 60
_FORM: Final = re.compile(r"-?(pcie|sxm)\d*", re.IGNORECASE)
_SCORING_HOURS: Final = 1
_STORAGE_USD_PER_GB_MONTH: Final = "0.023"
_SPEED_SOURCE: Final = "training speed model, 80 % interval (cost reference, section 3)"
_MEMORY_SOURCE: Final = "training memory model (cost reference, section 4)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of one run: the middle of the model and the ends of its 80 % interval."""

    likely: Figure
    low: Figure
    high: Figure


def price_own_route(route: Route, pricing: Pricing, key: str) -> RouteEstimate:
    """Price a route on rented GPUs. Raises `UnknownName` for a model or GPU that nothing describes."""
    assert route.gpu is not None, "the brief refuses a route of our own without a GPU"
    brief, model, gpu = pricing.brief, find_model(route.model), find_gpu(route.gpu)
    epochs = epochs_of(brief, pricing.volume, openai_rule=False)
    tokens = _tokens(key, pricing, epochs)
    setup = _setup(route, pricing, model, gpu)
    advice, hours = advise(setup), _hours(key, pricing, setup, tokens)
    price = gpu_price(key, pricing.prices, gpu, gpus=route.gpus, provider=route.gpu_provider or "")
    run = _cost(f"{key}.run", hours.likely, route.gpus, price)
    once = _once(key, pricing, model, gpu, price).named(f"{key}.once", "USD", "Evaluation and storage")
    serving = own_option(
        key,
        f"Own GPUs, {model.name}",
        brief=brief,
        model=model,
        gpu=gpu,
        usd_per_h=price,
        operations=_operations(key, pricing),
    )
    return RouteEstimate(
        route=route,
        key=key,
        name=f"Own GPUs, {model.name} on {route.gpus} x {gpu.name}",
        tokens=tokens,
        epochs=epochs,
        run=run,
        run_low=_cost(f"{key}.run_low", hours.low, route.gpus, price),
        run_high=_cost(f"{key}.run_high", hours.high, route.gpus, price),
        once=once,
        programme=programme_cost(key, pricing, run, once),
        serving=serving,
        findings=[
            *_findings(advice.memory, advice.text, hours, price, gpu),
            *example_lengths(pricing, brief.training.max_length),
            *pricing.volume.findings,
        ],
        caveats=[*stale_notes([run, once, serving.monthly], pricing.on), *_caveats(gpu, price, pricing)],
        licence=model.licence,
        hours=hours.likely,
        memory_gib=modelled(f"{key}.memory", round(advice.memory.peak_gib, 1), "GiB per GPU", source=_MEMORY_SOURCE),
    )


def gpu_price(key: str, prices: PriceBook, gpu: Gpu, *, gpus: int = 1, provider: str = "") -> Figure:
    """USD per GPU-hour on demand: the middle offer for so many cards, or the cheapest of a named provider.

    Of two in the middle the dearer one. An instance is rented whole, so one of eight cards is no offer for a single
    card; an offer that does not say whether it is SXM or PCIe stands for both. Providers' endpoints are left out: they
    serve models, nobody trains on them.
    """
    endpoints = {terms.endpoints for terms in prices.terms.values()}
    rented = [offer for offer in prices.offers(provider=provider) if offer.provider not in endpoints]
    of_card = [offer for offer in rented if _is_of(offer, gpu)]
    offers = [offer for offer in of_card if gpus % offer.gpus == 0]
    if not offers:
        whose = f" from {provider}" if provider else ""
        source = f"no offer of {gpu.name}{whose} in the price book; add [[offer]] to a price file"
        if of_card:
            sizes = " or ".join(str(size) for size in sorted({offer.gpus for offer in of_card}))
            source = f"{gpu.name}{whose} is rented {sizes} at a time; change gpus, or add [[offer]] to a price file"
        return fact(f"{key}.gpu_hour", None, "USD per GPU-h", source=source, as_of="")
    chosen = offers[0] if provider else offers[len(offers) // 2]
    span = f"{offers[0].on_demand_usd_per_h}-{offers[-1].on_demand_usd_per_h} USD over {len(offers)} offers"
    span = span if len(offers) > 1 else "one offer"
    return fact(
        f"{key}.gpu_hour",
        chosen.on_demand_usd_per_h,
        "USD per GPU-h",
        source=chosen.source,
        as_of=chosen.as_of,
        label=f"{chosen.provider} {chosen.gpu}, {chosen.instance}",
        note=span,
    )


@lru_cache(maxsize=256)
def _card(offered: str) -> str | None:
    """The catalogue's name of a card on offer; None for one it does not describe."""
    try:
        return find_gpu(offered).name
    except UnknownName:
        return None


def _is_of(offer: GpuOffer, gpu: Gpu) -> bool:
    """Whether a card is on offer: the same chip, and not said to be of another form."""
    card = _card(offer.gpu)
    if card is None or _FORM.sub("", card) != _FORM.sub("", gpu.name):
        return False
    named = {form.lower() for form in _FORM.findall(f"{offer.gpu} {offer.instance}")}
    ours = {form.lower() for form in _FORM.findall(gpu.name)}
    return not named or not ours or named == ours


def _tokens(key: str, pricing: Pricing, epochs: Figure) -> Figure:
    objective, label = pricing.brief.training.objective, "Tokens of one run"
    if objective is Objective.RFT:
        return sampled_tokens(key, label)
    return in_completions(epochs * pricing.volume.train_tokens, objective).named(f"{key}.tokens", "tokens", label)


def _setup(route: Route, pricing: Pricing, model: Model, gpu: Gpu) -> TrainingSetup:
    training, mean = pricing.brief.training, pricing.volume.tokens_per_example.value
    padded = not training.packing and mean is not None
    return TrainingSetup(
        model=model,
        gpu=gpu,
        method=Method(tuning_of(route, pricing.brief)),
        seq=training.max_length,
        micro_batch=training.micro_batch,
        gpus=route.gpus,
        rank=training.lora_rank,
        mean_tokens=min(float(mean), float(training.max_length)) if padded and mean is not None else None,
    )


def _hours(key: str, pricing: Pricing, setup: TrainingSetup, tokens: Figure) -> Hours:
    """From the speed of the cards; for reinforcement, which depends on what the model writes, as the brief says."""
    if pricing.brief.training.objective is Objective.RFT:
        trial = stated(pricing.brief, "training.rft_hours", "h", "Hours of one run")
        return Hours(likely=trial, low=trial, high=trial)
    time = time_of(setup, max(1, int(tokens.value))) if tokens.value is not None else None

    def figure(name: str, hours: float | None, label: str) -> Figure:
        rounded = None if hours is None else round(hours, 4)
        return modelled(f"{key}.{name}", rounded, "h", source=_SPEED_SOURCE, inputs=(tokens,), label=label)

    return Hours(
        likely=figure("hours", time.hours if time else None, "Hours of one run"),
        low=figure("hours_low", time.low if time else None, "Hours of one run, low"),
        high=figure("hours_high", time.high if time else None, "Hours of one run, high"),
    )


def _cost(key: str, hours: Figure, gpus: int, price: Figure) -> Figure:
    """Every begun minute is paid."""
    paid = ceiling(hours * _MINUTES) / _MINUTES
    return (paid * gpus * price).named(key, "USD", "One training run")


def _once(key: str, pricing: Pricing, model: Model, gpu: Gpu, price: Figure) -> Term:
    """An hour of scoring per candidate, and every run's adapter kept until the service ends."""
    candidates = pricing.runs + assumed("evaluation.baselines", BASELINES, "models", source="base and best prompt")
    hours = assumed(f"{key}.scoring_hours", _SCORING_HOURS, "h", source="our practice, per model")
    cards = gpus_to_hold(key, model, gpu)
    months = stated(pricing.brief, "project.serving_months", "months")
    source = "usual list price of object storage, unconfirmed"
    storage = assumed("storage.usd_per_gb_month", _STORAGE_USD_PER_GB_MONTH, "USD per GB-month", source=source)
    return candidates * hours * cards * price + months * pricing.runs * adapter_size() * storage


def _operations(key: str, pricing: Pricing) -> Figure:
    own = stated(pricing.brief, "traffic.operations_per_month", "per month")
    return (own * usd_per_unit(pricing.brief)).named(f"{key}.operations", "USD per month", "Looking after own GPUs")


def _findings(memory: MemoryBreakdown, text: str, hours: Hours, price: Figure, gpu: Gpu) -> Iterator[Finding]:
    if not memory.fits:
        remedy = "change the method, the card or their number"
        yield Finding(code="gpu.does_not_fit", standing=Standing.REFUSED, message=text, remedy=remedy)
    elif memory.tight:
        yield Finding(code="gpu.tight", standing=Standing.FLAGGED, message=text, remedy="try one step before promising")
    if not price.known:
        message = f"no price is known for an hour of {gpu.name}"
        yield Finding(code="price.unknown", standing=Standing.UNKNOWN, message=message, remedy=price.source)
    if not hours.likely.known:
        message = f"how long {gpu.name} trains this model is unknown"
        remedy = "state the tokens (or training.rft_hours from a trial), or add the card's peak to the catalogue"
        yield Finding(code="speed.unknown", standing=Standing.UNKNOWN, message=message, remedy=remedy)


def _caveats(gpu: Gpu, price: Figure, pricing: Pricing) -> Iterator[str]:
    if price.note:
        yield f"GPU prices span {price.note}"
    if gpu.unconfirmed:
        yield f"the peak of {gpu.name} is unconfirmed"
    if gpu.note:
        yield gpu.note
    if pricing.brief.training.objective is Objective.DPO:
        yield "the pass of the reference model is not in the hours"
