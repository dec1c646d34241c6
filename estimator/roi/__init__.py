"""What the engagement is worth to the client: benefit by month, payback, net present value, and the low case.

A benefit nobody could put a number on stays out of the sum and is named; it is never counted as zero in silence. The
horizon ends with the planned service or with the model's announced shutdown, whichever comes first.
"""

from estimator.roi.benefits import ServingChange, benefits_of
from estimator.roi.cash import Timing, monthly_discount_rate, months_of, payback_month, present_value, timing_of
from estimator.roi.model import Benefit, Case, CaseResult, Outlay, Roi
from estimator.roi.returns import expected_benefit, return_on_investment

__all__ = [
    "Benefit",
    "Case",
    "CaseResult",
    "Outlay",
    "Roi",
    "ServingChange",
    "Timing",
    "benefits_of",
    "expected_benefit",
    "monthly_discount_rate",
    "months_of",
    "payback_month",
    "present_value",
    "return_on_investment",
    "timing_of",
]
