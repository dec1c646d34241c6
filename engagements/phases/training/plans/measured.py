"""Hours and memory of a run where no table knows the hardware: what runs like it took there before, named with its day.

The seconds of a whole run, loading and evaluation included, are taken as in proportion to its tokens: what is loaded
once weighs less in a longer run, so that one is rather said to take too long than too short.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import inf, log
from statistics import fmean, quantiles
from typing import Final

from engagements.phases.training.plans.prediction import Hours, Prediction, Shape

APART: Final = 1.25
"""Two runs of one setting lie at least so far apart, either way: our judgement, for what else a machine does at the
time. The same much more room than was measured is still the same room."""
SPEEDS_LEAST: Final = 10
"""Speeds of single steps that a tenth can be cut off of at either end."""
_HOUR_S: Final = 3600
_GIB: Final = 2**30
_FIRST: Final = "a first run measures it"
_NAMES: Final = ("hours", "memory_gib")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """A run that succeeded. `tokens`: that went through, counted as predictions count them; `seconds` of the device,
    loading included. `memory_bytes` None: nobody said."""

    run_id: str
    name: str
    on: date
    device: str
    devices: int
    shape: Shape
    tokens: float
    seconds: float
    memory_bytes: int | None

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds

    @property
    def said(self) -> str:
        return f"measured on run {self.name} ({self.run_id}) on {self.on}"


def runs_alike(runs: Sequence[MeasuredRun], shape: Shape, *, device: str) -> list[MeasuredRun]:
    """Of the same device, method, adapter and precision, the nearest size first; among equals the order is kept.

    `runs`: of one backend and base model, newest first. `device` empty: nobody knows beforehand, so it is taken to be
    that of the newest run.
    """
    device = device or (runs[0].device if runs else "")
    alike = [each for each in runs if each.device == device and _kind(each.shape) == _kind(shape)]
    return sorted(alike, key=lambda each: _distance(each.shape, shape))


def roomy(alike: Sequence[MeasuredRun], shape: Shape) -> MeasuredRun | None:
    """The nearest whose memory was measured and whose batches held as many tokens; one with smaller ones says too
    little."""
    return next(
        (each for each in alike if each.memory_bytes is not None and _room(each.shape) * APART >= _room(shape)), None
    )


def as_measured(found: Prediction, alike: Sequence[MeasuredRun], speeds: Sequence[float], *, device: str) -> Prediction:
    """The prediction with what it does not know taken from runs like it; what it knows stays.

    `speeds`: tokens a second of single steps of the nearest run, in any unit: only how far they lie apart is looked at.
    Without any run like it, hours and memory stay unknown, and the reason says what helps.
    """
    if found.shape is None or found.needs_no_measurement:
        return found
    assert found.tokens is not None, "what nobody counted cannot be measured"
    if not alike:
        where = f" on {device}" if device else ""
        return _with_reason(found, f"no finished run like it is measured{where} yet: {_FIRST}")
    taken, near = found, alike[0]
    if found.hours is None:
        taken = _known(taken, "hours", near, f"{_speed(near)}{_differs(near.shape, found.shape)}")
        taken = replace(taken, hours=_hours(found.tokens, near, speeds), devices=near.devices)
    return taken if found.memory_gib is not None else _with_memory(taken, found.shape, alike)


def _with_memory(found: Prediction, shape: Shape, alike: Sequence[MeasuredRun]) -> Prediction:
    near = roomy(alike, shape)
    if near is None or near.memory_bytes is None:
        most = max((each.memory_bytes for each in alike if each.memory_bytes is not None), default=None)
        said = "no run like it told its memory" if most is None else f"smaller batches took {most / _GIB:.1f} GiB"
        why = f"{said}: the first run of this size measures it"
        return replace(found, unknown={**found.unknown, "memory_gib": why, "fits": why})
    taken = _known(found, "memory_gib", near, f"the most that it held{_differs(near.shape, shape)}")
    free = f"how much memory is free on {near.device} is not known"
    return replace(taken, memory_gib=near.memory_bytes / _GIB, unknown={**taken.unknown, "fits": free})


def _hours(tokens: int, near: MeasuredRun, speeds: Sequence[float]) -> Hours:
    """As long as the nearest run would have taken; the ends as if all its steps had been as fast as its slowest or its
    fastest tenth, and at least `APART`."""
    likely = tokens / near.tokens_per_s / _HOUR_S
    known = [each for each in speeds if each > 0]
    slower = faster = APART
    if len(known) >= SPEEDS_LEAST:
        tenths, mean_s = quantiles(known, n=10), fmean(1 / each for each in known)
        slower, faster = max(APART, 1 / tenths[0] / mean_s), max(APART, mean_s * tenths[-1])
    return Hours(low=likely / faster, likely=likely, high=likely * slower)


def _speed(near: MeasuredRun) -> str:
    speed = near.tokens_per_s
    return f"{speed:,.0f} tokens/s" if speed >= 10 else f"{speed:.2g} tokens/s"


def _known(found: Prediction, name: str, near: MeasuredRun, what: str) -> Prediction:
    unknown = {key: why for key, why in found.unknown.items() if key != name}
    return replace(found, unknown=unknown, sources={**found.sources, name: f"{near.said}: {what}"})


def _with_reason(found: Prediction, why: str) -> Prediction:
    """Why the tables do not know stays, for it names what a person can set."""
    told = {name: f"{said}; {why}" if (said := found.unknown.get(name)) else why for name in (*_NAMES, "fits")}
    missing = {name: said for name, said in told.items() if getattr(found, name) is None}
    return replace(found, unknown={**found.unknown, **missing})


def _differs(measured: Shape, wanted: Shape) -> str:
    """In what the measured run was another, said where it matters; empty where it was the same."""
    if (measured.micro_batch_size, measured.longest) == (wanted.micro_batch_size, wanted.longest):
        return ""
    rows = "" if measured.longest is None else f", rows of up to {measured.longest:,} tokens"
    return f" (with a micro batch of {measured.micro_batch_size}{rows})"


def _kind(shape: Shape) -> tuple[str, str, str, bool]:
    return shape.method, shape.adapter, shape.precision, shape.gradient_checkpointing


def _distance(one: Shape, other: Shape) -> float:
    """How many times as large, over both sizes; a length that nobody counted is farther than any."""
    if one.longest is None or other.longest is None:
        return inf
    return abs(log(one.longest / other.longest)) + abs(log(one.micro_batch_size / other.micro_batch_size))


def _room(shape: Shape) -> float:
    """Tokens of a micro batch at most."""
    return shape.micro_batch_size * (shape.longest or 0)
