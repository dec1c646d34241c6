"""What a split is asked for: its seed, its shares, and whom it must leave where they were."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from estimator.errors import EstimatorError, Problem


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


SPLITS: Final = tuple(Split)
"""In the order in which they are numbered in columns: 0, 1, 2."""

_WHOLE: Final = 100


class SharesInvalid(EstimatorError):
    """Shares that are no division of a whole."""

    code = "shares_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Parts of all examples, together 1. The default lies in the middle of what is usual: 70-80, 10-15, 10-15 %."""

    train: float = 0.76
    validation: float = 0.12
    test: float = 0.12

    def __post_init__(self) -> None:
        if min(self) < 0 or self.train == 0 or not math.isclose(sum(self), 1, abs_tol=1e-9):
            raise _invalid(f"{self} is no division of a whole with something left to train on")

    def __iter__(self) -> Any:
        return iter((self.train, self.validation, self.test))

    def __str__(self) -> str:
        return "/".join(f"{_WHOLE * share:.4g}" for share in self)

    @classmethod
    def read(cls, text: str) -> Self:
        """Of "76/12/12": per cent of training, validation and test. Raises `SharesInvalid`."""
        try:
            train, validation, test = (float(part) / _WHOLE for part in text.split("/"))
        except ValueError:
            raise _invalid(f"{text!r} is not three numbers") from None
        return cls(train=train, validation=validation, test=test)

    def holding_out(self, test: float) -> "Shares":
        """With so much for test, and the rest divided as before. Raises `SharesInvalid`."""
        if not 0 <= test < 1:
            raise _invalid(f"{test} is no share to hold out")
        rest = (1 - test) / (self.train + self.validation)
        return Shares(train=1 - test - self.validation * rest, validation=self.validation * rest, test=test)


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """Where examples were in a former split, by their id and by the digest of their content. Ids count first."""

    by_id: Mapping[str, Split] = field(default_factory=dict)
    by_content: Mapping[str, Split] = field(default_factory=dict)

    def split_of(self, record_id: str, content_sha256: str) -> Split | None:
        return self.by_id.get(record_id) or self.by_content.get(content_sha256)

    def __bool__(self) -> bool:
        return bool(self.by_id or self.by_content)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPolicy:
    """`stratify`: whether each label is divided in the shares of the whole. `previous` examples stay put."""

    seed: int
    shares: Shares = Shares()
    stratify: bool = True
    previous: Previous = Previous()

    def as_json(self) -> dict[str, Any]:
        """What has to be known to repeat it, but for the former split itself."""
        shares = {split.value: round(share, 6) for split, share in zip(SPLITS, self.shares, strict=True)}
        return {"seed": self.seed, "shares": shares, "stratify": self.stratify, "previous": bool(self.previous)}


def _invalid(message: str) -> SharesInvalid:
    remedy = "give per cent of training, validation and test that make 100, such as 76/12/12"
    return SharesInvalid(Problem(code=SharesInvalid.code, message=message, remedy=remedy))
