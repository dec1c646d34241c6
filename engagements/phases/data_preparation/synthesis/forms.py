"""Forms of generated examples, as people fill them in: lists a line each, money with its decimals, parts left blank."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import model_validator

from engagements.core.schemas import In
from engagements.phases.data_preparation.synthesis.schemas import SynthesisIn
from engagements.proposals.proposal_pages import nested
from estimator.brief.fields import refusal
from estimator.errors import EstimatorError
from estimator.money import Money

_LISTS: Final = ("categories", "personas")
_PARTS: Final = ("price", "judge_price", "rate")


class NoFields(In):
    """A button."""


class SynthesisForm(SynthesisIn):
    """`cap` is an amount of the engagement's `currency`. A part whose own fields are all blank is left out."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        data = nested(values)
        currency, cap = str(data.pop("currency", "")), data.pop("cap", None)
        for name in _LISTS:
            if isinstance(lines := data.get(name), str):
                data[name] = tuple(line.strip() for line in lines.splitlines() if line.strip())
        for name in _PARTS:
            if isinstance(part := data.get(name), dict) and set(part) <= {"currency"}:
                del data[name]
        data.setdefault("temperature", None)
        return data | ({"cap_minor": _minor(str(cap), currency)} if cap else {})


def _minor(amount: str, currency: str) -> int:
    try:
        return Money.parse(amount, currency).minor
    except EstimatorError as error:
        (problem,) = error.problems[:1]
        raise refusal(problem.code, problem.message, problem.remedy) from error
