"""How providers bill training: tokens x epochs, and what each adds for validation, padding, minimum and storage."""

from typing import Final

from estimator.brief import Route
from estimator.brief.stated import stated
from estimator.figures import Figure, Term, assumed, fact, greatest, modelled
from estimator.prices import Objective, ProviderTerms, TrainingPrice, ValidationBilling
from estimator.routes.model import Pricing

_LIVE_AND_PREVIOUS: Final = 2
_ADAPTER_GB: Final = "0.35"
_DPO_COMPLETIONS: Final = 2


def unit_price(key: str, row: TrainingPrice | None) -> Figure:
    """The published price, or a figure without a value where there is none."""
    if row is None:
        return fact(f"{key}.price", None, "USD", source="no row in the price book", as_of="")
    label = f"{row.provider}, {row.model}"
    return fact(f"{key}.price", row.usd, f"USD per {row.unit}", source=row.source, as_of=row.as_of, label=label)


def billed_tokens(key: str, route: Route, pricing: Pricing, terms: ProviderTerms, epochs: Figure) -> Figure:
    """Tokens billed for one run; unknown for reinforcement."""
    training, volume = pricing.brief.training, pricing.volume
    label = f"Billed tokens of one run, {route.provider}"
    if training.objective is Objective.RFT:
        return sampled_tokens(key, label)
    per_epoch: Figure | Term = volume.train_tokens
    if terms.unpacked and not training.packing:
        per_epoch = volume.train * stated(pricing.brief, "training.max_length", "tokens")
    billed: Term = epochs * per_epoch
    match terms.validation:
        case ValidationBilling.PER_EVALUATION:
            billed = billed + _evaluated(pricing)
        case ValidationBilling.ONE_PASS:
            billed = billed + volume.validation_tokens
        case ValidationBilling.NOT_BILLED | ValidationBilling.UNKNOWN:
            pass
    return in_completions(billed, training.objective).named(f"{key}.tokens", "tokens", label)


def most_tokens(key: str, pricing: Pricing, terms: ProviderTerms, tokens: Figure) -> Figure:
    """Billed tokens at the high end: every evaluation counted where nobody says whether validation is billed."""
    objective = pricing.brief.training.objective
    if terms.validation is not ValidationBilling.UNKNOWN or objective is Objective.RFT:
        return tokens
    most = tokens + in_completions(_evaluated(pricing), objective)
    return most.named(f"{key}.tokens_high", "tokens", "Billed tokens of one run, validation included")


def _evaluated(pricing: Pricing) -> Term:
    return stated(pricing.brief, "training.evaluations_per_run", "evaluations") * pricing.volume.validation_tokens


def in_completions(tokens: Term, objective: Objective) -> Term:
    """The tokens as they are; twice for preferences, whose pairs hold two completions each."""
    if objective is not Objective.DPO:
        return tokens
    source = "both completions counted; no provider says whether it bills one or two"
    return tokens * assumed("training.dpo_completions", _DPO_COMPLETIONS, "completions", source=source)


def sampled_tokens(key: str, label: str) -> Figure:
    """What reinforcement trains on is what the model writes on the way: nobody knows how much beforehand."""
    source = "reinforcement trains on what the model writes on the way, which only a trial shows"
    return modelled(f"{key}.tokens", None, "tokens", source=source, label=label)


def run_cost(key: str, pricing: Pricing, row: TrainingPrice | None, tokens: Figure, *, name: str = "run") -> Figure:
    """USD of one run. Reinforcement billed by the hour needs hours, which nobody can compute beforehand."""
    price = unit_price(key, row)
    if row is not None and row.unit == "hour of training":
        cost = stated(pricing.brief, "training.rft_hours", "h") * price
    else:
        cost = tokens / 1_000_000 * price
    if row is not None and row.min_charge_usd:
        least = fact(f"{key}.min_charge", row.min_charge_usd, "USD", source=row.source, as_of=row.as_of)
        cost = greatest(cost, least)
    return cost.named(f"{key}.{name}", "USD", "One training run")


def storage_cost(key: str, pricing: Pricing, terms: ProviderTerms) -> Term:
    """USD until the service ends: for the live and the previous model, or for every run's adapter."""
    months = stated(pricing.brief, "project.serving_months", "months")
    if terms.storage_usd_per_model_month is not None:
        unit, amount = "USD per model-month", terms.storage_usd_per_model_month
        source = "the live model and the one before it"
        kept: Figure | Term = assumed("storage.models", _LIVE_AND_PREVIOUS, "models", source=source)
    elif terms.storage_usd_per_gb_month is not None:
        unit, amount = "USD per GB-month", terms.storage_usd_per_gb_month
        kept = pricing.runs * adapter_size()
    else:
        return assumed(f"{key}.storage", 0, "USD", source=f"{terms.name} publishes no storage fee") + 0
    price = fact(f"{key}.storage", amount, unit, source=terms.source, as_of=terms.as_of, note=terms.storage_note)
    return months * kept * price


def adapter_size() -> Figure:
    source = "the middle of the 0.014-0.64 GB that adapters take (cost reference, section 5)"
    return assumed("storage.adapter_gb", _ADAPTER_GB, "GB", source=source)
