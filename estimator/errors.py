"""What can be wrong, said in one shape everywhere: a code, a place, a sentence and a remedy.

    EstimatorError
    ├── BriefInvalid        the brief cannot be read, or says something that cannot be
    ├── DatasetUnreadable   the dataset file cannot be opened as what it claims to be
    ├── PriceBookInvalid    a price file breaks the rules of the price book
    ├── SetupInvalid        a training run that cannot be (estimator.hardware)
    ├── ModelConfigInvalid  a config.json that describes no model (estimator.hardware)
    ├── RanksUnusable       the ranks of an encoding are not where they belong, or are not those (estimator.tokens)
    ├── ExtraMissing        an optional library is not installed (estimator.tokens)
    ├── UnknownName         a model, GPU, provider, encoding or currency that nothing here describes
    └── CurrencyMismatch    money of two currencies met in one sum

Every error carries all its problems at once, so that one pass over the input is enough to mend it.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """`ERROR`: the input cannot be used as it is. `WARNING`: it can, and a person should look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. `where` is a path such as `traffic.requests_per_month`; `line` counts from 1."""

    code: str
    message: str
    remedy: str
    where: str = ""
    line: int | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.where) if part)
        return f"{place}: {self.message} ({self.remedy})" if place else f"{self.message} ({self.remedy})"


class EstimatorError(Exception):
    """Something a caller can put right. `problems` holds all of it, never only the first."""

    code: ClassVar[str] = "estimator_error"

    def __init__(self, *problems: Problem) -> None:
        assert problems, "an error without a problem says nothing"
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))


class BriefInvalid(EstimatorError):
    code = "brief_invalid"


class DatasetUnreadable(EstimatorError):
    code = "dataset_unreadable"


class PriceBookInvalid(EstimatorError):
    code = "price_book_invalid"


class UnknownName(EstimatorError):
    """A name nothing here describes; says which names come close and what to add, and never guesses a default."""

    code = "unknown_name"

    def __init__(self, kind: str, name: str, *, known: Iterable[str], add: str) -> None:
        spelt = {each.lower(): each for each in sorted(known)}
        near = [spelt[each] for each in difflib.get_close_matches(name.lower(), spelt, n=3, cutoff=0.5)]
        hint = f"did you mean {', '.join(near)}? otherwise {add}" if near else add
        super().__init__(Problem(code=f"unknown_{kind}", message=f"no {kind} named {name!r} is known", remedy=hint))
        self.kind, self.name = kind, name


class CurrencyMismatch(EstimatorError):
    code = "money.mixed_currency"
