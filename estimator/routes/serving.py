"""How a model serves once it is trained, and what scoring the candidates costs."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import Final

from estimator.brief import Brief, Route
from estimator.brief.stated import requests_per_month, stated
from estimator.errors import UnknownName
from estimator.figures import Figure, Term, assumed, fact, modelled
from estimator.hardware import Gpu, Model, find_gpu, find_model
from estimator.inference import (
    HOURS_PER_MONTH,
    Fleet,
    Request,
    ServingOption,
    TokenRates,
    average_request,
    gpu_capacity,
    gpu_option,
    gpu_seconds_per_request,
    per_token_option,
)
from estimator.prices import GpuOffer, InferencePrice, PriceBook, ProviderTerms, ServedBy, TrainingPrice
from estimator.prices.genai import base_inference_price
from estimator.routes.model import Pricing

BASELINES: Final = 2
_EVALUATION_HOURS: Final = {ServedBy.HOSTED: 4, ServedBy.DEDICATED: 1}
_WEIGHTS_AND_CACHE: Final = 1.2
"""Serving needs the bf16 weights and up to a fifth more (accelerate's estimate-memory)."""
_USABLE_SHARE: Final = 0.9


@lru_cache(maxsize=256)
def open_model(name: str) -> Model | None:
    """The model of that name whose architecture is published; None for one that only its provider knows."""
    # Kept, for a name that is not found costs milliseconds of looking for one that comes close.
    try:
        return find_model(name)
    except UnknownName:
        return None


def base_price(brief: Brief, prices: PriceBook, on: date) -> InferencePrice | None:
    """What the prompted base model costs: our own row before that of `genai-prices`."""
    provider, _, model = brief.traffic.base_model.partition("/")
    own = prices.inference(provider=provider, model=model, variant="base")
    return own or base_inference_price(provider, model, on)


def base_option(brief: Brief, row: InferencePrice | None) -> ServingOption:
    """The prompted base model with its long prompt; unknown rates come out unknown."""
    model = brief.traffic.base_model.partition("/")[2]
    nothing = assumed("serving.base.fee", 0, "USD per month", source="a base model is billed by the token alone")
    return per_token_option(
        "serving.base",
        f"{model}, prompted",
        rates=token_rates("serving.base", row),
        request=base_request(brief),
        requests=requests_per_month(brief),
        fixed=nothing,
    )


def base_request(brief: Brief) -> Request:
    """A request to the prompted base: the unchanging part of its prompt is cached."""
    hit_rate = stated(brief, "traffic.cache_hit_percent", "%") / 100
    return average_request(
        "serving.base",
        prompt=stated(brief, "traffic.base_prompt_tokens", "tokens"),
        output=stated(brief, "traffic.output_tokens", "tokens"),
        prefix=stated(brief, "traffic.cached_prefix_tokens", "tokens"),
        hit_rate=hit_rate.named("serving.hit_rate", "share"),
    )


def tuned_request(brief: Brief) -> Request:
    """A request to the tuned model, whose prompt is billed in full: what a short one repeats is too little to cache."""
    source = "nothing of the short prompt is counted on to be cached, which takes 1,024 tokens that never change"
    return average_request(
        "serving.tuned",
        prompt=stated(brief, "traffic.tuned_prompt_tokens", "tokens"),
        output=stated(brief, "traffic.output_tokens", "tokens"),
        prefix=assumed("serving.tuned.prefix", 0, "tokens", source=source),
        hit_rate=assumed("serving.tuned.hit_rate", 0, "share", source=source),
    )


def token_rates(key: str, row: InferencePrice | None) -> TokenRates:
    """A row's rates as figures. Where no cached rate is offered, cached tokens cost what fresh ones do."""

    def rate(name: str, usd: Decimal | None) -> Figure:
        source, as_of = (row.source, row.as_of) if row else ("no row in the price book", "")
        label = f"{row.provider}, {row.model}" if row else ""
        return fact(f"{key}.{name}", usd, "USD per 1M tokens", source=source, as_of=as_of, label=label)

    if row is None:
        return TokenRates(
            input=rate("input", None), cached_input=rate("cached_input", None), output=rate("output", None)
        )
    cached = row.cached_input if row.cached_input is not None else row.input
    return TokenRates(
        input=rate("input", row.input), cached_input=rate("cached_input", cached), output=rate("output", row.output)
    )


def provider_option(
    key: str, name: str, route: Route, pricing: Pricing, terms: ProviderTerms, row: TrainingPrice
) -> ServingOption | None:
    """Serving a tuned model where it was trained; None where the book does not say how or for how much."""
    match row.serving:
        case ServedBy.PER_TOKEN | ServedBy.HOSTED:
            price = pricing.prices.inference(provider=route.provider, model=route.model, variant="tuned")
            if price is None:
                return None
            return per_token_option(
                f"{key}.serving",
                name,
                rates=token_rates(f"{key}.serving", price),
                request=tuned_request(pricing.brief),
                requests=requests_per_month(pricing.brief),
                fixed=_fee(key, terms, row),
            )
        case ServedBy.DEDICATED:
            return _dedicated(key, name, route, pricing, terms)
        case ServedBy.PROVISIONED | ServedBy.UNKNOWN:
            return None


def evaluation_cost(
    key: str, pricing: Pricing, terms: ProviderTerms, row: TrainingPrice | None, serving: ServingOption | None
) -> Term:
    """USD to score every run's model and two baselines on the test split, hosting while it lasts included."""
    if row is None or serving is None:
        source = "how the tuned model is served, or for how much, is not in the price book"
        return fact(f"{key}.evaluation", None, "USD", source=source, as_of="") + 0
    candidates = pricing.runs + assumed("evaluation.baselines", BASELINES, "models", source="base and best prompt")
    asked = pricing.volume.test * candidates * serving.per_request
    if row.serving not in _EVALUATION_HOURS:
        return asked
    hours = assumed(f"{key}.evaluation_hours", _EVALUATION_HOURS[row.serving], "h", source="our practice, per model")
    if serving.fleet is None:
        return asked + candidates * hours * hosting_fee(key, terms)
    return asked + candidates * hours * serving.fleet.least * _endpoint(key, pricing, terms)


def hosting_fee(key: str, terms: ProviderTerms) -> Figure:
    return fact(f"{key}.hosting", terms.hosting_usd_per_hour, "USD per h", source=terms.source, as_of=terms.as_of)


def own_option(
    key: str, name: str, *, brief: Brief, model: Model, gpu: Gpu, usd_per_h: Figure, operations: Figure
) -> ServingOption:
    """Serving on rented GPUs that run all month; as many as the traffic and the model's size need."""
    fleet = Fleet(
        least=gpus_to_hold(key, model, gpu),
        capacity=_capacity(f"{key}.serving", brief, model, gpu),
        usd_per_gpu=(usd_per_h * HOURS_PER_MONTH).named(f"{key}.serving.gpu_month", "USD per month", "One GPU"),
        operations=operations,
    )
    note = f"{model.name} on {gpu.name}, at {brief.traffic.utilisation_percent} % utilisation"
    return gpu_option(f"{key}.serving", name, requests=requests_per_month(brief), fleet=fleet, note=note)


def _capacity(key: str, brief: Brief, model: Model, gpu: Gpu) -> Figure:
    """Requests a month that one card serves; unknown where the card's peak is."""
    penalty = stated(brief, "traffic.adapter_penalty_percent", "%") / 100
    peak = None if gpu.bf16_tflops is None else Decimal(str(gpu.bf16_tflops))
    active = Decimal(model.active_parameters) / 10**9
    seconds = gpu_seconds_per_request(
        key,
        active_params_b=modelled(f"{key}.active_params", active, "B", source=f"counted from {model.source}"),
        peak_tflops=fact(f"{key}.peak", peak, "TFLOPs", source=gpu.source, as_of=gpu.as_of, label=gpu.name),
        request=tuned_request(brief),
        adapter_penalty=penalty.named("serving.adapter_penalty", "share"),
    )
    utilisation = stated(brief, "traffic.utilisation_percent", "%") / 100
    return gpu_capacity(key, gpu_seconds=seconds, utilisation=utilisation.named("serving.utilisation", "share"))


def gpus_to_hold(key: str, model: Model, gpu: Gpu) -> Figure:
    """Cards that hold the model's weights and what serving keeps beside them."""
    bytes_needed = 2 * model.parameters * _WEIGHTS_AND_CACHE
    held = ceil(bytes_needed / (gpu.visible_gib * 2**30 * _USABLE_SHARE))
    source = "bf16 weights and a fifth more (accelerate), in nine tenths of the card"
    return assumed(f"{key}.least_gpus", held, "GPUs", source=source)


def _fee(key: str, terms: ProviderTerms, row: TrainingPrice) -> Figure:
    if row.serving is ServedBy.HOSTED:
        monthly = hosting_fee(key, terms) * HOURS_PER_MONTH
        return monthly.named(f"{key}.serving.fee", "USD per month", "Fee while deployed")
    return assumed(f"{key}.serving.fee", 0, "USD per month", source=f"{terms.name} bills served tokens alone")


def _dedicated(key: str, name: str, route: Route, pricing: Pricing, terms: ProviderTerms) -> ServingOption | None:
    offer, model = _endpoint_offer(pricing, terms), open_model(route.model)
    if offer is None or model is None:
        return None
    gpu = find_gpu(offer.gpu)
    nothing = assumed(f"{key}.operations", 0, "USD per month", source=f"{terms.name} runs the endpoint")
    hourly = _endpoint(key, pricing, terms)
    return own_option(key, name, brief=pricing.brief, model=model, gpu=gpu, usd_per_h=hourly, operations=nothing)


def _endpoint_offer(pricing: Pricing, terms: ProviderTerms) -> GpuOffer | None:
    offers = pricing.prices.offers(provider=terms.endpoints) if terms.endpoints else []
    return offers[0] if offers else None


def _endpoint(key: str, pricing: Pricing, terms: ProviderTerms) -> Figure:
    """The provider's cheapest dedicated GPU by the hour."""
    offer = _endpoint_offer(pricing, terms)
    if offer is None:
        return fact(f"{key}.endpoint", None, "USD per GPU-h", source="no dedicated offer in the price book", as_of="")
    label = f"{offer.provider} {offer.gpu}, {offer.instance}"
    price, unit = offer.on_demand_usd_per_h, "USD per GPU-h"
    return fact(f"{key}.endpoint", price, unit, source=offer.source, as_of=offer.as_of, label=label)
