"""Sentences of a proposal that depend on its numbers; templates only place them."""

from decimal import Decimal
from typing import Final

from engagements.proposals.method import method
from engagements.proposals.view import ProposalView, ServingCurve
from engagements.rendering import Formats
from estimator.money import Money

_VERDICTS: Final = {
    "fine_tune": "Fine-tuning fits this task; section 3 says why.",
    "prove_first": "Fine-tuning may fit this task; phases 1 and 2 have to show the gain before more is spent.",
    "do_not_fine_tune": "Our own assessment advises against fine-tuning; section 3 says why we go on.",
}
_MODELS: Final = {
    "fixed": "fixed price",
    "time_and_materials": "estimate by effort, capped",
    "retainer": "fixed price, retainer for management",
    "value": "price by value",
}
_PROMISES: Final = {
    "fixed": "The price is fixed; what the work takes beyond it is our risk, and the allowance for that is a line.",
    "time_and_materials": "You pay the hours worked at the rates of annex A, never more than the cap; payments "
    "at gates are on account and settled with the hours worked.",
    "retainer": "Delivery is a fixed price; ongoing management is a monthly retainer at a discount.",
    "value": "The price is a share of the value we expect to create for you, never below that of a fixed price.",
}
_HOLIDAYS_NAMED: Final = 4
# A third of the training compute that marks a general-purpose model (Commission guidelines of July 2025, indicative).
_MODIFIER_FLOPS: Final = Decimal(10) ** 23 / 3


def sentences(view: ProposalView, formats: Formats) -> dict[str, str]:
    """By the name a template uses."""
    return {
        "fit_sentence": _VERDICTS[view.fit.verdict],
        "price_words": _MODELS[view.price.model],
        "price_sentence": _PROMISES[view.price.model],
        "payback_words": _payback(view),
        "range_caption": _range_caption(view, formats),
        "range_note": _range_note(view, formats),
        "holiday_words": _holidays(view, formats),
        "cash_caption": _cash_caption(view),
        "break_even_caption": _break_even_caption(view, formats),
        "discount_rate": exact_percent(view.value.discount_rate, formats),
        "detectable_words": _detectable(view, formats),
        "client_roles": _client_roles(view),
        "account_words": "yours" if view.compute.account_owner == "Client" else "ours",
        "modification_words": _modification(view.compute.modification_flops, formats),
    }


def _payback(view: ProposalView) -> str:
    head = view.headline
    if head.payback_month is None:
        return "not paid back within the time considered"
    low = "never" if head.payback_month_low is None else f"month {head.payback_month_low}"
    return f"paid back in month {head.payback_month}, in the low case {low}"


def _range_caption(view: ProposalView, formats: Formats) -> str:
    option = view.price.options[view.price.recommended]
    even, likely = formats.whole_money(option.effort_p50), formats.whole_money(option.effort_p80)
    return f"{option.name} would come to {even} at even odds; four times in five it stays below {likely}"


def _client_roles(view: ProposalView) -> str:
    ours = set(method().role_names.values())
    return ", ".join(role.lower() for role in view.raci_roles if role not in ours)


def _holidays(view: ProposalView, formats: Formats) -> str:
    named = [f"{holiday.name} ({formats.short_date(holiday.day)})" for holiday in view.holidays[:_HOLIDAYS_NAMED]]
    more = len(view.holidays) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    holidays = f" Public holidays are left out: {listed}." if named else ""
    return f"Hatched bars wait for your review; a day late there is a day late at the end.{holidays}"


def _cash_caption(view: ProposalView) -> str:
    low, expected, _ = view.value.cases
    if expected.payback_month is None:
        return "Not paid back in the time considered"
    in_low_case = "not in the time considered" if low.payback_month is None else f"in month {low.payback_month}"
    return f"Paid back in month {expected.payback_month}; in the low case {in_low_case}"


def _break_even_caption(view: ProposalView, formats: Formats) -> str:
    """What the planned volume costs, the cheapest way first, the prompted base beside it."""
    planned, currency = view.value.requests_per_month, view.price.currency

    def monthly(curve: ServingCurve) -> str:
        return formats.money(Money.of(Decimal(str(round(curve.cost(planned), 4))), currency))

    base, *tuned = view.value.serving
    cheapest = min(tuned, key=lambda curve: curve.cost(planned))
    return f"The planned volume costs {monthly(cheapest)} a month ({cheapest.name}) or {monthly(base)} ({base.name})"


def _range_note(view: ProposalView, formats: Formats) -> str:
    draws = formats.number(view.provenance.draws)
    discounted = any(discount.minor for discount in view.price.discounts)
    return f"{draws} simulated engagements with correlated phases{', before the discount' if discounted else ''}."


def _detectable(view: ProposalView, formats: Formats) -> str:
    main = view.criteria[0]
    if main.detectable is None:
        return ""
    points = formats.number(main.detectable * 100, 1)
    return f"{formats.number(main.items)} items show a gain of {points} points or more (two-sided 5%, power 80%)."


def exact_percent(share: Decimal | None, formats: Formats) -> str:
    """With every decimal that was agreed: a threshold of 99.5% is not one of 100%."""
    decimals = 0 if share is None else len(f"{(share * 100).normalize():f}".partition(".")[2])
    return formats.percent(share, decimals)


def _modification(flops: Decimal | None, formats: Formats) -> str:
    if flops is None:
        return ""
    mantissa, exponent = f"{flops:.1E}".split("E")
    power = str(int(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    share = flops / _MODIFIER_FLOPS
    written = formats.percent(share, max(0, -(share * 100).adjusted()))
    return (
        f"The planned runs take about {mantissa} × 10{power} floating-point operations (6 per active parameter and "
        f"token), {written} of a third of 10²³."
    )
