"""What a run will take, said before it starts: tokens, hours, memory, money; what is unknown, with its reason.

Everything is the estimator's: exact token counts, memory and speed of GPUs with their 80 % interval, dated prices.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Final

import orjson

from backends.peft_local.defaults import Settled, settled
from backends.spec import Adapter, Batching, TrainingSpec
from engagements.phases.training.plans.data_tokens import DataTokens
from engagements.phases.training.plans.shrinking import Smaller, smaller
from estimator.errors import EstimatorError, UnknownName
from estimator.hardware import (
    Gpu,
    Method,
    Model,
    TrainingSetup,
    find_gpu,
    find_model,
    model_from_hf_config,
    training_memory,
    training_time,
)
from estimator.prices import Objective, PriceBook, TrainingPrice, Tuning, ValidationBilling
from estimator.routes import gpu_price
from estimator.tokens import auto_epochs

USD: Final = "USD"
_MTOK: Final = 1_000_000
_EVALUATION_COST: Final = 1 / 3
"""Of a pass without gradients, as a share of a training pass: forward alone is a third of forward and backward."""
_ELSEWHERE: Final = "it trains on the provider's machines"
_TUNINGS: Final = {Adapter.FULL: Tuning.FULL, Adapter.QLORA: Tuning.QLORA}
_METHODS: Final = {Adapter.FULL: Method.FULL, Adapter.QLORA: Method.QLORA}
_OPENAI_RULE: Final = frozenset({"openai", "azure"})
"""Whose automatic epochs are known (formats reference, section 4)."""
_CONTEXT_UNKNOWN: Final = 1 << 20
_CONFIG_BYTES: Final = 1_000_000
_NOMINAL: Final = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)b(?![a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The ends of the 80 % interval, and its middle."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    low: Decimal
    likely: Decimal
    high: Decimal
    currency: str = USD


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What decides speed and memory beside model and device. `longest`: the longest row in tokens, cut where rows are
    cut; None where nobody counted."""

    method: str
    adapter: str
    precision: str
    gradient_checkpointing: bool
    micro_batch_size: int
    longest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """None is unknown; `unknown` has the reason by the name of the field, `sources` where each number is from.

    `tokens`: that go through in all epochs, prompts included. `memory_gib`: peak on one GPU, or of the process on a
    CPU. `fits`: on that GPU. `smaller`: how it could go on if memory is short after all. `shape`: of a run on hardware
    of ours. `devices`: that are paid for by the hour at the same time.
    """

    tokens: int | None
    epochs: int | None
    steps: int | None
    hours: Hours | None
    memory_gib: float | None
    fits: bool | None
    cost: Cost | None
    unknown: Mapping[str, str]
    sources: Mapping[str, str]
    smaller: Smaller | None = None
    shape: Shape | None = None
    devices: int = 1

    @property
    def needs_no_measurement(self) -> bool:
        """Whether runs that were measured add nothing: hours and memory are known, or its tokens are not."""
        return self.tokens is None or (self.hours is not None and self.memory_gib is not None)


@dataclass(slots=True, kw_only=True)
class _Told:
    """Why a number is not known, and where one is from."""

    unknown: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def not_known(self, why: str, *names: str) -> None:
        for name in names:
            self.unknown.setdefault(name, why)


def predict(
    spec: TrainingSpec, *, today: date, book: PriceBook, tokens: DataTokens, gpu: str | None = None,
    provider: str | None = None,
) -> Prediction:  # fmt: skip
    """`provider`: as the price book calls it, where the backend trains elsewhere; else it costs hours of `gpu`."""
    told = _Told()
    if provider is not None:
        return _at_a_provider(spec, tokens, book, provider, today, told)
    return _on_hardware(spec, tokens, book, gpu, told)


def _at_a_provider(
    spec: TrainingSpec, tokens: DataTokens, book: PriceBook, provider: str, today: date, told: _Told
) -> Prediction:
    told.not_known(_ELSEWHERE, "memory_gib", "fits")
    told.not_known("the provider does not say how long its queue and its training take", "hours")
    epochs = spec.hyperparameters.epochs or (auto_epochs(tokens.examples) if provider in _OPENAI_RULE else None)
    if epochs is None:
        told.not_known("the provider chooses the epochs, by a rule it does not publish", "epochs", "tokens", "steps")
    batch = spec.hyperparameters.batch_size
    if batch is None:
        told.not_known("the provider chooses the batch size", "steps")
    trained = _trained(tokens, epochs, told)
    return Prediction(
        tokens=trained, epochs=epochs, hours=None, memory_gib=None, fits=None,
        steps=ceil(tokens.examples / batch) * epochs if batch and epochs else None,
        cost=_price_of_tokens(spec, tokens, trained, book, provider, today, told),
        unknown=told.unknown, sources=told.sources,
    )  # fmt: skip


def _trained(tokens: DataTokens, epochs: float | None, told: _Told) -> int | None:
    if tokens.per_epoch is None:
        told.not_known(tokens.note or "the training file was not counted", "tokens")
        return None
    if epochs is None:
        return None
    told.sources["tokens"] = f"{tokens.per_epoch:,} an epoch; {tokens.note or f'counted in {tokens.counted_in}'}"
    return round(tokens.per_epoch * epochs)


def _price_of_tokens(
    spec: TrainingSpec, tokens: DataTokens, trained: int | None, book: PriceBook, provider: str, today: date,
    told: _Told,
) -> Cost | None:  # fmt: skip
    row = price_row(book, provider, spec)
    if row is None or row.usd is None:
        told.not_known(f"the price book has no price of {provider} for {spec.model}", "cost")
        return None
    stale = ", old: verify before quoting" if row.is_stale(today) else ""
    told.sources["cost"] = f"{row.usd:f} USD per {row.unit}: {row.source}, {row.as_of}{stale}"
    if row.unit != "1M tokens":
        told.not_known("it is billed by the hour of training, which nobody knows beforehand", "cost")
        return None
    if trained is None:
        told.not_known(told.unknown.get("tokens", "the tokens are not known"), "cost")
        return None
    least, most = _validation_billed(spec, tokens, book, provider)
    low, high = ((trained + more) * row.usd / _MTOK for more in (least, most))
    floor = row.min_charge_usd or Decimal(0)
    return Cost(low=max(low, floor), likely=max((low + high) / 2, floor), high=max(high, floor))


def _validation_billed(spec: TrainingSpec, tokens: DataTokens, book: PriceBook, provider: str) -> tuple[int, int]:
    """Fewest and most tokens billed for validation: where nobody says, none and every evaluation."""
    whole = tokens.validation or 0
    every = whole * (spec.hyperparameters.evaluations or spec.hyperparameters.epochs or 1)
    match book.terms_of(provider).validation:
        case ValidationBilling.NOT_BILLED:
            return 0, 0
        case ValidationBilling.ONE_PASS:
            return whole, whole
        case ValidationBilling.PER_EVALUATION:
            return every, every
        case ValidationBilling.UNKNOWN:
            return 0, every


def price_row(book: PriceBook, provider: str, spec: TrainingSpec) -> TrainingPrice | None:
    """The row that prices a spec; None where the book has none, or does not know the provider."""
    if provider not in book.terms:
        return None
    # Who does not say how it tunes has rows that fit every tuning; adapters are what all others mean by default.
    tuning = _TUNINGS.get(spec.hyperparameters.adapter or Adapter.LORA, Tuning.LORA)
    return book.training(
        provider=provider, model=spec.model, objective=Objective(spec.method.value), tuning=tuning,
        params_b=_size_b(spec.model),
    )  # fmt: skip


def _on_hardware(spec: TrainingSpec, tokens: DataTokens, book: PriceBook, gpu: str | None, told: _Told) -> Prediction:
    knobs = settled(
        spec.hyperparameters, rows=spec.train.rows, validated=spec.validation is not None,
        context=tokens.longest or _CONTEXT_UNKNOWN, accelerated=gpu is not None,
    )  # fmt: skip
    passes = knobs.total_steps * knobs.batch_size / spec.train.rows
    trained = _trained(tokens, min(passes, knobs.epochs), told)
    setup = _setup(spec, tokens, knobs, gpu, told)
    memory = training_memory(setup) if setup else None
    hours = _hours(setup, spec, knobs, trained, told)
    return Prediction(
        tokens=trained, epochs=knobs.epochs, steps=knobs.total_steps, hours=hours,
        memory_gib=memory.peak_gib if memory else None, fits=memory.fits if memory else None,
        cost=_price_of_hours(setup, hours, book, told), unknown=told.unknown, sources=told.sources,
        smaller=smaller(setup) if setup else None, shape=_shape(spec, tokens, knobs),
    )  # fmt: skip


def _shape(spec: TrainingSpec, tokens: DataTokens, knobs: Settled) -> Shape:
    return Shape(
        method=spec.method.value, adapter=knobs.adapter.value, precision=knobs.precision.value,
        gradient_checkpointing=knobs.gradient_checkpointing, micro_batch_size=knobs.micro_batch_size,
        longest=min(tokens.longest, knobs.max_length) if tokens.longest else None,
    )  # fmt: skip


def _setup(
    spec: TrainingSpec, tokens: DataTokens, knobs: Settled, gpu: str | None, told: _Told
) -> TrainingSetup | None:
    unknown = ("hours", "memory_gib", "fits", "cost")
    model, card = _model(spec.model), _gpu(gpu)
    if gpu is None:
        told.not_known("no GPU is named, and no table says what a processor takes", *unknown)
    elif card is None:
        told.not_known(f"the hardware tables do not know {gpu}", *unknown)
    elif model is None:
        told.not_known(f"the architecture of {spec.model} is not known", *unknown)
    elif tokens.longest is None or tokens.per_epoch is None:
        told.not_known(tokens.note or "the training file was not counted", *unknown)
    else:
        padded = knobs.batching is not Batching.PACKED
        seq = min(tokens.longest, knobs.max_length)
        told.sources["memory_gib"] = told.sources["hours"] = f"the estimator's model of {model.name} on {gpu}"
        return TrainingSetup(
            model=model, gpu=card, method=_METHODS.get(knobs.adapter, Method.LORA), seq=seq,
            micro_batch=knobs.micro_batch_size, rank=knobs.rank, grad_checkpointing=knobs.gradient_checkpointing,
            mean_tokens=min(tokens.per_epoch / tokens.examples, seq) if padded else None,
        )  # fmt: skip
    return None


def _hours(
    setup: TrainingSetup | None, spec: TrainingSpec, knobs: Settled, trained: int | None, told: _Told
) -> Hours | None:
    if setup is None or not trained:
        return None
    tested = spec.validation.rows * knobs.evaluations if spec.validation else 0
    share = min(1.0, _EVALUATION_COST * tested / (knobs.total_steps * knobs.batch_size))
    time = training_time(setup, trained, evaluation_share=share)
    if time.hours is None or time.low is None or time.high is None:
        told.not_known(f"the speed of {setup.gpu.name} is not known", "hours", "cost")
        return None
    return Hours(low=time.low, likely=time.hours, high=time.high)


def _price_of_hours(setup: TrainingSetup | None, hours: Hours | None, book: PriceBook, told: _Told) -> Cost | None:
    if setup is None or hours is None:
        return None
    price = gpu_price("run", book, setup.gpu)
    if price.value is None:
        told.not_known(price.source, "cost")
        return None
    told.sources["cost"] = f"{price.value:f} USD per GPU-hour: {price.label}, {price.as_of}"
    low, likely, high = (Decimal(str(each)) * price.value for each in (hours.low, hours.likely, hours.high))
    return Cost(low=low, likely=likely, high=high)


def _gpu(name: str | None) -> Gpu | None:
    with suppress(UnknownName):
        return find_gpu(name) if name else None
    return None


def _model(name: str) -> Model | None:
    """By the config.json in its folder, or by its name."""
    with suppress(OSError, ValueError, EstimatorError):
        config = orjson.loads((Path(name) / "config.json").read_bytes()[:_CONFIG_BYTES])
        return model_from_hf_config(config) if isinstance(config, dict) else None
    with suppress(UnknownName):
        return find_model(name)
    return None


def _size_b(name: str) -> Decimal | None:
    """What providers sort models by: the size in the name ("70b" for 68.98 billion), else the parameters."""
    if named := _NOMINAL.search(name.lower()):
        return Decimal(named[1])
    model = _model(name)
    return Decimal(model.parameters) / 10**9 if model else None
