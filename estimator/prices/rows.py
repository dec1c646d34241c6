"""The rows of the price book: dated facts with a source, checked as they are read.

Every price is in US dollars. A row without `usd` is a price that nobody publishes: it answers "unknown", never 0.
"""

import re
from abc import ABC, abstractmethod
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

STALE_AFTER_DAYS: Final = 90
"""A price older than this is quoted with a warning (cost reference, section 1.3)."""

_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?", re.ASCII)
_AS_OF: Final = re.compile(r"(?P<year>20[0-9]{2})(-(?P<month>0[1-9]|1[0-2])(-(?P<day>0[1-9]|[12][0-9]|3[01]))?)?")


def _read_amount(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Decimal(value)
    raise ValueError('write a price as text with a point, like "0.48"; leave it out when it is unknown')


Usd = Annotated[Decimal, BeforeValidator(_read_amount)]


class Objective(StrEnum):
    """What a job optimises: supervised examples, preferences, a reward, or class labels."""

    SFT = "sft"
    DPO = "dpo"
    RFT = "rft"
    CLASSIFICATION = "classification"


class Tuning(StrEnum):
    """Which weights change: adapters, adapters over a quantised base, all, or what the provider does not say."""

    LORA = "lora"
    QLORA = "qlora"
    FULL = "full"
    HOSTED = "hosted"


class Confidence(StrEnum):
    VENDOR = "vendor"
    SECONDARY = "secondary"
    UNCONFIRMED = "unconfirmed"


class ServedBy(StrEnum):
    """How a tuned model is paid for once it serves."""

    PER_TOKEN = "per-token"
    HOSTED = "hosted"
    DEDICATED = "dedicated"
    PROVISIONED = "provisioned"
    UNKNOWN = "unknown"


class ValidationBilling(StrEnum):
    """What a provider bills for validation examples."""

    NOT_BILLED = "not-billed"
    PER_EVALUATION = "per-evaluation"
    ONE_PASS = "one-pass"
    UNKNOWN = "unknown"


def earliest_day(as_of: str) -> date:
    """The first day a date can mean: a price dated only "2026" may be as old as 1 January 2026."""
    found = _AS_OF.fullmatch(as_of)
    assert found, f"{as_of!r} is not a day, a month or a year"
    return date(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1))


def _read_as_of(value: object) -> object:
    text = value.isoformat() if isinstance(value, date) else value
    if isinstance(text, str) and _AS_OF.fullmatch(text):
        earliest_day(text)  # a day that no month has is refused here
        return text
    raise ValueError('write the date of a price as "2026-10-08", "2026-10" or "2026"')


AsOf = Annotated[str, BeforeValidator(_read_as_of)]


class Row(BaseModel, ABC):
    """What every dated fact carries. `checked` is the day somebody last looked at the source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: AsOf
    checked: date
    source: str
    confidence: Confidence = Confidence.VENDOR
    note: str = ""

    table: ClassVar[str]

    def age_days(self, on: date) -> int:
        """How old the fact may be, taking the earliest day its date can mean."""
        return (on - earliest_day(self.as_of)).days

    def is_stale(self, on: date) -> bool:
        return self.age_days(on) > STALE_AFTER_DAYS

    @property
    @abstractmethod
    def identity(self) -> tuple[str, ...]:
        """What makes two rows the same row, so that a later file replaces the earlier one's."""


class TrainingPrice(Row):
    """What one provider bills for training one model or band of sizes (billions of parameters, both ends included)."""

    table = "training"

    provider: str
    model: str
    aliases: tuple[str, ...] = ()
    params_b_min: Usd | None = None
    params_b_max: Usd | None = None
    objectives: tuple[Objective, ...]
    tuning: Tuning
    unit: Literal["1M tokens", "hour of training"] = "1M tokens"
    usd: Usd | None = None
    min_charge_usd: Usd | None = None
    min_charge_note: str = ""
    serving: ServedBy = ServedBy.UNKNOWN
    region: str = ""
    max_example_tokens: int | None = None
    new_jobs_until: date | Literal["closed"] | None = None
    shutdown: date | None = None
    sunset_source: str = ""
    price_text: str = ""

    @property
    def is_band(self) -> bool:
        return self.params_b_min is not None or self.params_b_max is not None

    def holds(self, params_b: Decimal) -> bool:
        """Whether a model of this size falls into the band."""
        low = self.params_b_min or Decimal(0)
        return low <= params_b and (self.params_b_max is None or params_b <= self.params_b_max)

    @model_validator(mode="after")
    def _band_has_an_order(self) -> Self:
        low, high = self.params_b_min, self.params_b_max
        if low is not None and high is not None and low > high:
            raise ValueError(f"the band starts at {low}B and ends before it, at {high}B")
        return self

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.provider, self.model.lower(), ",".join(sorted(self.objectives)), self.tuning, self.region)


class InferencePrice(Row):
    """USD per 1M tokens of one model, base or tuned. A rate left out is unknown, or not offered."""

    table = "inference"

    provider: str
    model: str
    aliases: tuple[str, ...] = ()
    variant: Literal["base", "tuned", "tuned-data-sharing"]
    input: Usd | None = None
    cached_input: Usd | None = None
    output: Usd | None = None
    batch_input: Usd | None = None
    batch_cached_input: Usd | None = None
    batch_output: Usd | None = None
    shutdown: date | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.provider, self.model.lower(), self.variant)


class GpuOffer(Row):
    """USD per GPU-hour of one instance type: on demand, and spot where it is sold."""

    table = "offer"

    gpu: str
    provider: str
    instance: str
    gpus: int
    region: str = ""
    vram_gb: int
    on_demand_usd_per_h: Usd
    spot_usd_per_h: Usd | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.gpu.lower(), self.provider.lower(), self.instance.lower(), self.region.lower())


class RoleRate(Row):
    """What an hour of one role costs the agency, in the currency of its file."""

    table = "rate"

    role: Annotated[str, Field(pattern=r"^[a-z0-9_\-]{1,40}$")]
    label: str
    currency: str
    cost_per_h: Usd
    low: Usd | None = None
    high: Usd | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.role,)


class ProviderTerms(BaseModel):
    """How a provider makes a bill out of tokens, and what else it charges for.

    `endpoints` is its name among the GPU offers, where it serves tuned models on dedicated GPUs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    name: str
    note: str = ""
    access: Literal["open", "existing-customers-only"] = "open"
    rule: str = ""
    validation: ValidationBilling = ValidationBilling.UNKNOWN
    validation_note: str = ""
    unpacked: Literal["", "rows-x-max-length"] = ""
    cancelled: str = ""
    storage_usd_per_gb_month: Usd | None = None
    storage_usd_per_model_month: Usd | None = None
    storage_note: str = ""
    endpoints: str = ""
    hosting_usd_per_hour: Usd | None = None
    hosting_note: str = ""
    as_of: AsOf
    source: str
