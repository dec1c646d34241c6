"""Training on a provider's service: assembled from its billing rules, its way of serving and its announced end."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from estimator.brief import Route
from estimator.figures import Term, assumed
from estimator.inference import ServingOption
from estimator.prices import Confidence, Objective, ProviderTerms, TrainingPrice, ValidationBilling
from estimator.routes.billing import billed_tokens, most_tokens, run_cost, storage_cost
from estimator.routes.model import Pricing, RouteEstimate, example_lengths, programme_cost, tuning_of
from estimator.routes.serving import evaluation_cost, open_model, provider_option
from estimator.staleness import stale_notes
from estimator.sunset import Finding, Standing, check_sunset
from estimator.volume import epochs_of

_COUNTS_AS_WE_DO: Final = frozenset({"openai", "azure"})
_OTHER_TOKENISER: Final = Decimal("0.10")
_EXAMPLES_MIN: Final = 10
"""OpenAI's smallest file (formats reference, section 2)."""


def price_provider_route(route: Route, pricing: Pricing, key: str) -> RouteEstimate:
    """Price one provider's model for a brief. What is not published comes out unknown, with what to add.

    Raises `UnknownName` for a provider that no price file describes.
    """
    terms = pricing.prices.terms_of(route.provider)
    row = pricing.prices.training(
        provider=route.provider,
        model=route.model,
        objective=pricing.brief.training.objective,
        tuning=tuning_of(route, pricing.brief),
        params_b=_nominal_size_b(route.model),
    )
    epochs = epochs_of(pricing.brief, pricing.volume, openai_rule=route.provider in _COUNTS_AS_WE_DO)
    tokens = billed_tokens(key, route, pricing, terms, epochs)
    run = run_cost(key, pricing, row, tokens)
    most = most_tokens(key, pricing, terms, tokens)
    dearest = run if most is tokens else run_cost(key, pricing, row, most, name="run_validated")
    serving = provider_option(key, f"{terms.name}, {route.model}", route, pricing, terms, row) if row else None
    once: Term = evaluation_cost(key, pricing, terms, row, serving) + storage_cost(key, pricing, terms)
    spent_once = once.named(f"{key}.once", "USD", "Evaluation and storage")
    exact = pricing.volume.counted and route.provider in _COUNTS_AS_WE_DO
    source = "counted as billed" if exact else "tokenisers of open models count within about 10 % of o200k_base"
    spread = assumed(f"{key}.token_spread", 0 if exact else _OTHER_TOKENISER, "share", source=source)
    costs = [run, spent_once, *([serving.monthly] if serving else [])]
    return RouteEstimate(
        route=route,
        key=key,
        name=f"{terms.name}, {route.model}",
        tokens=tokens,
        epochs=epochs,
        run=run,
        run_low=(run * (1 - spread)).named(f"{key}.run_low", "USD", "One run, low"),
        run_high=(dearest * (1 + spread)).named(f"{key}.run_high", "USD", "One run, high"),
        once=spent_once,
        programme=programme_cost(key, pricing, run, spent_once),
        serving=serving,
        findings=[*_findings(route, pricing, terms, row, serving), *pricing.volume.findings],
        caveats=[*stale_notes(costs, pricing.on), *_caveats(row, terms, pricing)],
        licence=_licence(route, terms),
        shutdown=row.shutdown if row else None,
    )


def _findings(
    route: Route, pricing: Pricing, terms: ProviderTerms, row: TrainingPrice | None, serving: ServingOption | None
) -> Iterator[Finding]:
    name = f"{route.provider}/{route.model}"
    add = f"add [[training]] for {name} to a price file and pass it with --prices"
    if row is None:
        job = f"{pricing.brief.training.objective}, {tuning_of(route, pricing.brief)}"
        message = f"no price is known for {name} ({job})"
        yield Finding(code="price.unknown", standing=Standing.UNKNOWN, message=message, remedy=add)
        return
    yield from check_sunset(row, pricing.plan)
    if row.usd is None:
        message = f"{terms.name} publishes no training price for {route.model}"
        yield Finding(code="price.unknown", standing=Standing.UNKNOWN, message=message, remedy=add)
    yield from example_lengths(pricing, row.max_example_tokens or pricing.brief.training.max_length)
    train = pricing.volume.train.require()
    if route.provider in _COUNTS_AS_WE_DO and 0 < train < _EXAMPLES_MIN:
        message = f"{terms.name} takes no file of fewer than {_EXAMPLES_MIN} examples; {train} are left to train on"
        yield Finding(code="data.too_few", standing=Standing.REFUSED, message=message, remedy="collect more examples")
    if terms.access == "existing-customers-only":
        message = f"{terms.name} takes jobs only from organisations that already use a tuned model"
        remedy = "ask the client whether theirs does"
        yield Finding(code="access.restricted", standing=Standing.FLAGGED, message=message, remedy=remedy)
    if pricing.brief.training.objective is Objective.RFT:
        yield from _reinforcement(row, pricing)
    if serving is None or not serving.monthly.known:
        message = f"how {terms.name} serves a tuned {route.model}, or for how much, is not known"
        remedy = f'add its [[inference]] price (variant = "tuned") or its [[offer]] for {name} to a price file'
        yield Finding(code="serving.unknown", standing=Standing.UNKNOWN, message=message, remedy=remedy)


def _reinforcement(row: TrainingPrice, pricing: Pricing) -> Iterator[Finding]:
    if row.unit != "hour of training":
        message = "reinforcement is billed by the tokens the model writes, and how many that is is unknown"
        remedy = "price it by a trial, or take a route that bills by the hour"
        yield Finding(code="tokens.unknown", standing=Standing.UNKNOWN, message=message, remedy=remedy)
    elif pricing.brief.training.rft_hours is None:
        message = "reinforcement is billed by the hour, and how many hours is unknown"
        remedy = "state training.rft_hours from a trial"
        yield Finding(code="hours.unknown", standing=Standing.UNKNOWN, message=message, remedy=remedy)


def _caveats(row: TrainingPrice | None, terms: ProviderTerms, pricing: Pricing) -> Iterator[str]:
    if row is None:
        return
    if terms.validation is ValidationBilling.UNKNOWN and pricing.volume.validation.value:
        yield f"whether {terms.name} bills validation tokens is unknown: only the high end of a run counts them"
    if row.confidence is not Confidence.VENDOR:
        yield f"the price comes from a {row.confidence} source: verify before quoting"
    if terms.note:
        yield terms.note
    if row.min_charge_note:
        yield row.min_charge_note
    if pricing.brief.training.objective is Objective.DPO:
        yield "whether one or both completions of a preference pair are billed is unknown: both are counted"


def _licence(route: Route, terms: ProviderTerms) -> str:
    model = open_model(route.model)
    return model.licence if model else f"{terms.name} service terms"


def _nominal_size_b(name: str) -> Decimal | None:
    """The size providers sort a model by: the one in its name ("70b" for 68.98 billion), else its parameters."""
    named = re.search(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)b(?![a-z])", name.lower())
    if named:
        return Decimal(named[1])
    model = open_model(name)
    return Decimal(model.parameters) / 10**9 if model else None
