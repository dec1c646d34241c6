"""Where the client's benefit comes from: working time, fewer errors, cheaper serving."""

from collections.abc import Callable, Iterable
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


def counted(benefits: Iterable[Benefit]) -> tuple[Benefit, ...]:
    """What enters the sum: all that has a number, unless each of them lacks something, for then nothing is known."""
    numbered = tuple(benefit for benefit in benefits if benefit.monthly.known)
    return numbered if any(not benefit.missing for benefit in numbered) else ()


def monthly_benefit(case: Case, brief: Brief, benefits: tuple[Benefit, ...]) -> Figure:
    """What is known of the benefit; nothing known is unknown, something known is at least that much."""
    known = [benefit.monthly for benefit in counted(benefits)]
    summed = total(known) if known else benefits[0].monthly + 0
    return summed.named(f"roi.{case}.monthly_benefit", brief.commercial.currency, "Benefit per month at full volume")


def _review_saving(brief: Brief, case: Case) -> Benefit:
    point, currency = _POINT[case], brief.commercial.currency
    reviewed = stated(brief, "value.reviewed_percent", "%")
    saved = stated(brief, f"value.minutes_saved.{point}", "minutes per request")
    wage = stated(brief, "value.labour_cost_per_hour", f"{currency} per hour")
    saving = reviewed / 100 * saved / 60 * wage
    return _by_volume(brief, f"roi.{case}.review", "Working time saved", saving, "minutes saved and what an hour costs")


def _errors_avoided(brief: Brief, case: Case) -> Benefit:
    """The promised gain in full where expected; half of it in the low case."""
    before = stated(brief, "task.baseline_percent", "%")
    after = stated(brief, "task.target_percent", "%")
    convention = "our convention: half the gain in the low case"
    reached = assumed(f"roi.{case}.gain_reached", _GAIN_REACHED[case], "share", source=convention)
    cost = stated(brief, "value.cost_per_error", f"{brief.commercial.currency} per error")
    avoided = (after - before) / 100 * reached * cost
    return _by_volume(brief, f"roi.{case}.errors", "Errors avoided", avoided, "the baseline and what an error costs")


def _by_volume(brief: Brief, key: str, name: str, saving: Term, missing: str) -> Benefit:
    currency = brief.commercial.currency
    per_request = saving.named(f"{key}.per_request", currency, f"{name}, one request")
    monthly = (requests_per_month(brief) * per_request).named(key, currency, name)
    return Benefit(name=name, per_request=per_request, monthly=monthly, missing="" if monthly.known else missing)


def _inference_saving(brief: Brief, serving: ServingChange) -> Benefit:
    """What serving the tuned model saves against the prompted base; negative if it costs more.

    Where nobody knows what the base costs, serving is counted in full: the saving is at least that.
    """
    currency, rate, base_known = brief.commercial.currency, usd_per_unit(brief), serving.base.monthly.known

    def saving(key: str, cost: Callable[[ServingOption], Figure], label: str) -> Figure:
        nobody = fact("serving.unknown", None, "USD", source="how the tuned model is served is unknown", as_of="")
        tuned = cost(serving.tuned) if serving.tuned else nobody
        saved = cost(serving.base) - tuned if base_known else 0 - tuned
        return (saved / rate).named(key, currency, label)

    monthly = saving("roi.inference_saving", lambda option: option.monthly, "Serving, prompted base less tuned")
    per_request = saving("roi.inference_saving.per_request", lambda option: option.per_request, "One request")
    lacking = "" if base_known else "the price of the prompted base"
    missing = lacking if monthly.known else "serving prices"
    return Benefit(name="Serving saved", per_request=per_request, monthly=monthly, missing=missing)
