"""Experiments: several specs of one question, each different in what it is to show; and which of them go on.

What decides is pure: who expands a matrix has not started anything, and who asks for survivors has not stopped any.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, inf, isfinite
from typing import Final

from pydantic import ValidationError

from backends.spec import DataFile, Hyperparameters, TrainingSpec
from estimator.errors import EstimatorError, Problem, UnknownName

LOWER: Final = 0.5
"""Of the default rate. Published defaults for adapters lie between 1e-4 and 3e-4 (formats reference, section 6), so
half of 2e-4 is the lower end of what anybody recommends, and not a rate that learns nothing."""
RUNS_MOST: Final = 10
"""Five to ten runs are what a choice is made among; more on one validation split choose by chance."""
HALVING: Final = 3
"""Successive halving keeps a third (Jamieson and Talwalkar 2016; the eta of Hyperband)."""
_KNOBS: Final = "hyperparameters."
_AXES: Final = frozenset({"model", "seed", "backend"})
_ID_MOST: Final = 64


class MatrixInvalid(EstimatorError):
    """An experiment that cannot be: an axis that is no field, a value that no run can have, too many runs."""

    code = "matrix_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """`name` is unique in its matrix and ends the run's id; `why`: what it is to show."""

    name: str
    why: str
    spec: TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """So many runs train up to this share of their steps; then `keep` of them go on."""

    runs: int
    share: float
    keep: int


def three(base: TrainingSpec, *, rate_field: str, default_rate: float, curated: DataFile | None) -> tuple[Variant, ...]:
    """Defaults, a lower learning rate, and the best examples alone (left out where no curated subset is given).

    `rate_field`: the knob that the backend takes, `learning_rate` or `learning_rate_multiplier`; `default_rate`: what
    it stands at in `base`.
    """
    lower, knob = default_rate * LOWER, rate_field.replace("_", " ")
    slower = base.hyperparameters.model_copy(update={rate_field: lower})
    found = [
        _variant(base, "defaults", "what the defaults give on all examples", {}),
        _variant(
            base, "lower-rate", f"whether a {knob} of {lower:g} in place of {default_rate:g} learns more steadily",
            {"hyperparameters": slower},
        ),
    ]  # fmt: skip
    if curated is not None:
        why = f"whether the best {curated.rows} of {base.train.rows} examples teach more than all of them"
        found.append(_variant(base, "curated", why, {"train": curated}))
    return tuple(found)


def grid(base: TrainingSpec, axes: Mapping[str, Sequence[object]]) -> tuple[Variant, ...]:
    """Every combination, the last axis fastest; an axis is `model`, `seed`, `backend` or `hyperparameters.NAME`.

    Raises `MatrixInvalid` with every axis and value that is wrong.
    """
    if problems := [*_problems(base, axes)]:
        raise MatrixInvalid(*problems)
    return tuple(
        _combined(base, number, dict(zip(axes, values, strict=True)))
        for number, values in enumerate(product(*axes.values()), start=1)
    )


def rungs(runs: int, *, factor: int = HALVING) -> tuple[Rung, ...]:
    """Successive halving: after each rung one of `factor` goes on, with `factor` times the steps, until one is left.

    9 runs: nine to a ninth of their steps, three to a third, one to the end. One run trains at once to its end.
    """
    assert runs >= 1, "nothing trains"
    assert factor >= 2, "every rung leaves some behind"
    counts = [runs]
    while counts[-1] > 1:
        counts.append(ceil(counts[-1] / factor))
    last = len(counts) - 1
    return tuple(
        Rung(runs=count, share=1 / factor ** (last - place), keep=counts[min(place + 1, last)])
        for place, count in enumerate(counts)
    )


def survivors(losses: Mapping[str, float | None], keep: int) -> tuple[str, ...]:
    """The names of the runs that go on: lowest validation loss first, the first named of two.

    One without a loss, or with one that is no number, goes on only where others do not fill the places.
    """
    assert keep >= 1, "a rung that nobody leaves ends the experiment"

    def rank(name: str) -> float:
        loss = losses[name]
        return inf if loss is None or not isfinite(loss) else loss

    return tuple(sorted(losses, key=rank)[:keep])


def _combined(base: TrainingSpec, number: int, values: Mapping[str, object]) -> Variant:
    knobs = {name.removeprefix(_KNOBS): value for name, value in values.items() if name.startswith(_KNOBS)}
    changes = {name: value for name, value in values.items() if not name.startswith(_KNOBS)}
    if knobs:
        changes["hyperparameters"] = Hyperparameters.model_validate(base.hyperparameters.model_dump() | knobs)
    why = ", ".join(f"{name.removeprefix(_KNOBS).replace('_', ' ')} {value}" for name, value in values.items())
    return _variant(base, f"g{number}", why, changes)


def _variant(base: TrainingSpec, name: str, why: str, changes: Mapping[str, object]) -> Variant:
    run_id = f"{base.run_id[: _ID_MOST - len(name) - 1]}-{name}"
    content = {field: getattr(base, field) for field in TrainingSpec.model_fields if field != "schema_"}
    return Variant(name=name, why=why, spec=TrainingSpec.model_validate({**content, **changes, "run_id": run_id}))


def _problems(base: TrainingSpec, axes: Mapping[str, Sequence[object]]) -> Iterator[Problem]:
    runs = 1
    for axis, values in axes.items():
        runs *= len(values)
        if not values:
            yield _problem(axis, "the axis has no value", "give at least one, or leave the axis out")
        elif len(set(map(repr, values))) < len(values):
            yield _problem(axis, "a value stands twice", "give each value once")
        yield from _axis_problems(base, axis, values)
    if runs > RUNS_MOST:
        yield _problem("", f"{runs} combinations are more than {RUNS_MOST} runs", "vary fewer things at once")


def _axis_problems(base: TrainingSpec, axis: str, values: Sequence[object]) -> Iterator[Problem]:
    knob = axis.removeprefix(_KNOBS) if axis.startswith(_KNOBS) else ""
    if axis not in _AXES and knob not in Hyperparameters.model_fields:
        known = [*sorted(_AXES), *(f"{_KNOBS}{name}" for name in Hyperparameters.model_fields)]
        yield from UnknownName("axis", axis, known=known, add=f"use {', '.join(sorted(_AXES))} or a knob").problems
        return
    for value in values:
        try:
            _combined(base, 1, {axis: value})
        except ValidationError as error:
            yield _problem(axis, f"{value!r}: {error.errors()[0]['msg']}", "give a value that a run can have")


def _problem(axis: str, message: str, remedy: str) -> Problem:
    return Problem(code=MatrixInvalid.code, where=f"axes.{axis}" if axis else "axes", message=message, remedy=remedy)
