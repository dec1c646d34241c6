"""The form of a new experiment as people fill it in: amounts with decimals, shares in per cent, axes as lists; and what
is wrong with it, at its fields."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson
from pydantic import model_validator

from engagements.core.schemas import In
from engagements.phases.training.schemas import ExperimentIn
from engagements.phases.training.showing import knobs
from engagements.proposals.proposal_pages import nested, rows_in
from estimator.errors import EstimatorError, Problem
from estimator.money import Money

AXES_MAX: Final = 3
"""Of a grid in the form; more than three knobs at once are more than ten runs."""
_PER_CENT: Final = 100
_TICKS: Final = ("accept_unknown_cost",)
_OF_A_RUN: Final = frozenset({"backend", "model", "method", "seed", "suffix", "grader"})
_GRADER: Final = "base.grader"
_FIELDS: Final[Mapping[str, str]] = {
    "cap_minor": "cap", "compute_cap": "cap", "more": "design", "axes": "axis.1.field", "cap.missing": "cap",
    "axes.of_a_grid": "axis.1.field",
}  # fmt: skip
"""By place, or by code where a problem has no place: the field that it is shown at."""
_OTHERWISE: Final = "base.backend"
_SHOULD: Final = "input should be "
_CAPS: Final = ("cap", "cap_tokens", "cap_hours")
_NO_CAP: Final = Problem(
    code="cap.missing", where="cap", message="nothing says how much may be spent",
    remedy="set a cap in money, in hours or in tokens",
)  # fmt: skip
"""Said with all else that is wrong: the schema comes to it only when the rest is right."""
_ANYTHING: Final = {"cap_tokens": "1000000000000", "cap_hours": "10000", "accept_unknown_cost": "yes"}
"""The widest caps that there are: they hold nothing."""


class NoFields(In):
    """A button."""


class ExperimentForm(ExperimentIn):
    """`cap` is an amount of the engagement's `currency`; `axis.1.field`, `axis.1.values` and so on are the axes."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        data = nested(values)
        data.pop("shown_backend", None)
        currency, cap = str(data.pop("currency", "")), data.pop("cap", None)
        base = data.get("base")
        if isinstance(base, dict):
            base["curated"] = base.get("curated") == "yes"
            base["grader"] = _described(str(base.get("grader", "")))
            _list_of(base.get("hyperparameters"), "targets")
        for name in _TICKS:
            data[name] = data.get(name) == "yes"
        if isinstance(share := data.get("curated_share"), str):
            data["curated_share"] = _share(share)
        axes = [each for each in rows_in(data, "axis") if isinstance(each, dict) and each.get("field")]
        data.pop("axis", None)
        data["axes"] = {each["field"]: _values(str(each.get("values", ""))) for each in axes}
        return data | ({"cap_minor": _minor(str(cap), currency)} if cap else {})


def to_look_at(values: Mapping[str, str]) -> Mapping[str, str]:
    """A form on its way: what it takes is shown before it has a name, and before a cap is chosen."""
    capped = any(values.get(name) for name in _CAPS)
    return {**values, "name": values.get("name") or "on its way"} | ({} if capped else _ANYTHING)


def at_fields(problems: Iterable[Problem], values: Mapping[str, str]) -> dict[str, Problem]:
    """Everything that is wrong, by the field of the form that it belongs to; what is said twice once."""
    found: dict[str, Problem] = {}
    for each in problems:
        field, said = _field(each, values), _said(each, values)
        there = found.get(field)
        if there is None:
            found[field] = replace(said, where=field)
        elif said.message not in there.message:
            found[field] = replace(there, message=f"{there.message}; {said.message}", remedy=said.remedy)
    if found and not any(values.get(name) for name in _CAPS):
        found.setdefault("cap", _NO_CAP)
    return found


def _field(problem: Problem, values: Mapping[str, str]) -> str:
    place = problem.where
    if place.startswith("runs."):
        place = ".".join(place.split(".")[2:])
        if place.split(".")[0] == "hyperparameters" or place in _OF_A_RUN:
            return f"base.{place}"
        return "dataset_version_id" if place.split(".")[0] in {"train", "validation"} else _OTHERWISE
    if f"{place}.".startswith(f"{_GRADER}."):
        return _GRADER
    if place.startswith("axes."):
        return _axis(place.removeprefix("axes."), values)
    return _FIELDS.get(place or problem.code, place or _OTHERWISE)


def _axis(name: str, values: Mapping[str, str]) -> str:
    """Of a knob or of one of its values, such as `hyperparameters.rank.0`."""
    rows = (number for number in range(1, AXES_MAX + 1) if (field := values.get(f"axis.{number}.field")) and
            f"{name}.".startswith(f"{field}."))  # fmt: skip
    return f"axis.{next(rows, 1)}.values"


def _said(problem: Problem, values: Mapping[str, str]) -> Problem:
    """In the words of the form: a number of cents is the amount that was typed, a field has its label."""
    if problem.where == "cap_minor" and problem.code != "budget_exceeded":
        message = f"{values.get('cap', '')[:40]!r} is no amount that may be spent"
        return replace(problem, code="cap.bad_format", message=message, remedy="write it like 40 or 40.50")
    label = knobs.label_of(problem.where.removeprefix(knobs.PLACE).rsplit(".", 1)[-1])
    if problem.message == "field required":
        return replace(problem, message=f"{label} is missing", remedy="")
    if problem.message.startswith(_SHOULD):
        wanted = problem.message.removeprefix(_SHOULD).replace("a valid integer", "a whole number").split(", unable")[0]
        return replace(problem, message=f"{label} should be {wanted}", remedy="")
    return problem


def _minor(amount: str, currency: str) -> object:
    """What is no amount is left for the schema to refuse."""
    try:
        return Money.parse(amount, currency).minor
    except EstimatorError:
        return amount


def _share(value: str) -> object:
    try:
        return float(value) / _PER_CENT
    except ValueError:
        return value


def _described(text: str) -> object:
    """A grader's JSON; what is none is left for the schema to refuse."""
    try:
        return orjson.loads(text) if text.strip() else None
    except orjson.JSONDecodeError:
        return text


def _list_of(knobs: object, name: str) -> None:
    """Names with commas are several, but for the word that stands for all."""
    if isinstance(knobs, dict) and isinstance(text := knobs.get(name), str) and text != "all-linear":
        knobs[name] = tuple(_parts(text))


def _values(text: str) -> tuple[object, ...]:
    return tuple(map(_value, _parts(text)))


def _parts(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _value(text: str) -> object:
    """A number where it reads as one: a run is described by what it is, not by how it was typed."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
