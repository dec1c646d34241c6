"""Where the client's benefit comes from: working time, fewer errors, cheaper serving."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from estimator.brief import Brief
from estimator.brief.stated import requests_per_month, stated, usd_per_unit
from estimator.figures import Figure, Term, assumed, fact, total
from estimator.inference import ServingOption
from estimator.roi.model import Benefit, Case

_POINT: Final = {Case.LOW: "low", Case.EXPECTED: "likely", Case.HIGH: "high"}
_GAIN_REACHED: Final = {Case.LOW: Decimal("0.5"), Case.EXPECTED: Decimal(1), Case.HIGH: Decimal(1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingChange:
    """From the prompted base to the tuned model; None where nobody says how that one is served. USD."""

    base: ServingOption
    tuned: ServingOption | None


def benefits_of(brief: Brief, case: Case, serving: ServingChange) -> tuple[Benefit, ...]:
    """Review time saved, errors avoided and inference saved."""
    return (_review_saving(brief, case), _errors_avoided(brief, case), _inference_saving(brief, serving))


def monthly_benefit(case: Case, brief: Brief, benefits: tuple[Benefit, ...]) -> Figure:
    """What is known of the benefit; nothing known is unknown, something known is at least that much."""
    counted = [benefit.monthly for benefit in benefits if benefit.monthly.known]
    summed = total(counted) if counted else benefits[0].monthly + 0
    return summed.named(f"roi.{case}.monthly_benefit", brief.commercial.currency, "Benefit per month at full volume")


def _review_saving(brief: Brief, case: Case) -> Benefit:
    value, point = brief.value, _POINT[case]
    reviewed = stated("value.reviewed_percent", value.reviewed_percent, "%")
    minutes = getattr(value.minutes_saved, point) if value.minutes_saved else None
    saved = stated(f"value.minutes_saved.{point}", minutes, "minutes per request")
    wage = stated("value.labour_cost_per_hour", value.labour_cost_per_hour, f"{brief.commercial.currency} per hour")
    saving = reviewed / 100 * saved / 60 * wage
    return _by_volume(brief, f"roi.{case}.review", "Working time saved", saving, "minutes saved and what an hour costs")


def _errors_avoided(brief: Brief, case: Case) -> Benefit:
    """The promised gain in full where expected; half of it in the low case."""
    task = brief.task
    before = stated("task.baseline_percent", task.baseline_percent, "%")
    after = stated("task.target_percent", task.target_percent, "%")
    convention = "our convention: half the gain in the low case"
    reached = assumed(f"roi.{case}.gain_reached", _GAIN_REACHED[case], "share", source=convention)
    cost = stated("value.cost_per_error", brief.value.cost_per_error, f"{brief.commercial.currency} per error")
    avoided = (after - before) / 100 * reached * cost
    return _by_volume(brief, f"roi.{case}.errors", "Errors avoided", avoided, "the baseline and what an error costs")


def _by_volume(brief: Brief, key: str, name: str, saving: Term, missing: str) -> Benefit:
    currency = brief.commercial.currency
    per_request = saving.named(f"{key}.per_request", currency, f"{name}, one request")
    monthly = (requests_per_month(brief) * per_request).named(key, currency, name)
    return Benefit(name=name, per_request=per_request, monthly=monthly, missing="" if monthly.known else missing)


def _inference_saving(brief: Brief, serving: ServingChange) -> Benefit:
    """What serving the tuned model saves against the prompted base; negative if it costs more."""
    currency, rate = brief.commercial.currency, usd_per_unit(brief)

    def saving(key: str, cost: Callable[[ServingOption], Figure], label: str) -> Figure:
        nobody = fact("serving.unknown", None, "USD", source="how the tuned model is served is unknown", as_of="")
        tuned = cost(serving.tuned) if serving.tuned else nobody
        return ((cost(serving.base) - tuned) / rate).named(key, currency, label)

    monthly = saving("roi.inference_saving", lambda option: option.monthly, "Serving, prompted base less tuned")
    per_request = saving("roi.inference_saving.per_request", lambda option: option.per_request, "One request")
    missing = "" if monthly.known else "serving prices"
    return Benefit(name="Inference", per_request=per_request, monthly=monthly, missing=missing)
