"""What can be tuned on Bedrock and how: by family of base models, the format of its rows, its knobs and its limits.

Sources: AWS, "Custom model hyperparameters" and "Anthropic Claude 3 model customization hyperparameters"; "Fine-tuning
Amazon Nova models" (at least 100 samples a task are advised); "Prepare data for fine-tuning your models" and the quotas
"Sum of training and validation records" (Claude 3 Haiku: 32 to 10,000 rows to train on, up to 1,000 to validate on).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from backends.checks import outside
from backends.errors import Problem, Severity
from backends.spec import TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """`said`: its name at Bedrock."""

    said: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """`models`: a pattern that finds its base models by identifier or ARN. `knobs`: by our names. `rows`: of training,
    fewest and most that are taken (None: no such limit is told); `advised`: as many are recommended."""

    name: str
    models: re.Pattern[str]
    data_format: str
    knobs: Mapping[str, Knob]
    rows_min: int | None = None
    rows_max: int | None = None
    validation_rows_max: int | None = None
    rows_advised: int | None = None

    def hyperparameters(self, spec: TrainingSpec) -> dict[str, str]:
        """Those that were set, in Bedrock's names; it takes texts only."""
        given = spec.hyperparameters.given()
        return {knob.said: _plain(given[name]) for name, knob in self.knobs.items() if name in given}

    def problems(self, spec: TrainingSpec) -> Iterator[Problem]:
        if not self.models.search(spec.model):
            yield Problem(
                code="model_not_offered", message=f"{spec.model} is no base model of {self.name}",
                remedy="name one by its identifier or ARN, with its context size where it has one", where="model",
            )  # fmt: skip
        given = spec.hyperparameters.model_dump()
        for name, knob in self.knobs.items():
            yield from outside(f"hyperparameters.{name}", given[name], knob.low, knob.high, f"{knob.said} of Bedrock")
        if given["early_stopping"] and not spec.validation:
            remedy = "add a validation file, or leave early stopping out"
            message = "nothing to watch: early stopping needs a validation file"
            yield Problem(code="validation_missing", message=message, remedy=remedy, where="validation")
        yield from self._rows(spec)

    def _rows(self, spec: TrainingSpec) -> Iterator[Problem]:
        rows, held_out = spec.train.rows, spec.validation.rows if spec.validation else 0
        if self.rows_min and rows < self.rows_min:
            remedy = f"at least {self.rows_min} are needed"
            yield Problem(code="too_few_rows", message=f"{rows} rows", remedy=remedy, where="train")
        elif self.rows_advised and rows < self.rows_advised:
            remedy = f"at least {self.rows_advised} a task are advised"
            message = f"{rows} rows"
            yield Problem(code="few_rows", message=message, remedy=remedy, where="train", severity=Severity.WARNING)
        if self.rows_max and rows > self.rows_max:
            remedy = f"at most {self.rows_max} are taken"
            yield Problem(code="too_many_rows", message=f"{rows} rows", remedy=remedy, where="train")
        if self.validation_rows_max and held_out > self.validation_rows_max:
            remedy = f"at most {self.validation_rows_max} are taken"
            yield Problem(code="too_many_rows", message=f"{held_out} rows", remedy=remedy, where="validation")


NOVA: Final = Family(
    name="nova",
    models=re.compile(r"(^|/)amazon\.nova-"),
    data_format="bedrock_converse",
    knobs={
        "epochs": Knob(said="epochCount", low=1, high=5),
        "learning_rate": Knob(said="learningRate", low=1e-6, high=1e-4),
    },
    rows_advised=100,
)

CLAUDE: Final = Family(
    name="claude",
    models=re.compile(r"(^|/)anthropic\.claude-3-haiku"),
    data_format="anthropic_bedrock",
    knobs={
        "epochs": Knob(said="epochCount", low=1, high=10),
        "batch_size": Knob(said="batchSize", low=4, high=256),
        "learning_rate_multiplier": Knob(said="learningRateMultiplier", low=0.1, high=2),
        "early_stopping": Knob(said="earlyStoppingPatience", low=1, high=10),
    },
    rows_min=32,
    rows_max=10_000,
    validation_rows_max=1_000,
)

FAMILIES: Final[Mapping[str, Family]] = {each.name: each for each in (NOVA, CLAUDE)}


def _plain(value: object) -> str:
    """Without an exponent, as AWS's own examples write numbers."""
    return format(Decimal(str(value)), "f")
