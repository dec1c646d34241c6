"""What stands in the columns of a sample: how much, how long, how often the same, texts or objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engagements.phases.data_preparation.collecting.rows import Values

_LABEL_CHARS: Final = 60
"""Longer than the longest label of the sets this was tried on (47 characters)."""
_LABEL_WORDS: Final = 6
_LABEL_SHARE: Final = 0.5
"""At most so many different values to a row; a set of 2 examples a class is the poorest there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`filled`: rows with something in it; `distinct`: different values among them."""

    name: str
    filled: int = 0
    distinct: int = 0
    mean_length: float = 0.0
    longest: int = 0
    mean_words: float = 0.0
    is_text: bool = False
    is_object: bool = False

    @property
    def is_unique(self) -> bool:
        return self.distinct == self.filled

    @property
    def is_short(self) -> bool:
        return self.is_text and self.longest <= 2 * _LABEL_CHARS and self.mean_words <= _LABEL_WORDS

    @property
    def is_label(self) -> bool:
        """Few different short texts, as names of classes are."""
        few = self.distinct <= max(2, _LABEL_SHARE * self.filled)
        return few and self.is_short and self.longest <= _LABEL_CHARS


def columns_of(names: Sequence[str], sample: Sequence[Values]) -> list[Column]:
    return [_column(name, [value for row in sample if (value := row.get(name)) not in (None, "")]) for name in names]


def _column(name: str, values: Sequence[object]) -> Column:
    texts = [value for value in values if isinstance(value, str)]
    objects = [value for value in values if isinstance(value, dict | list) or _is_object_text(value)]
    lengths = [len(text) for text in texts]
    return Column(
        name=name, filled=len(values), distinct=len(set(map(str, values))),
        mean_length=sum(lengths) / len(lengths) if lengths else 0.0, longest=max(lengths, default=0),
        mean_words=sum(len(text.split()) for text in texts) / len(texts) if texts else 0.0,
        is_text=2 * len(texts) > len(values), is_object=bool(values) and len(objects) == len(values),
    )  # fmt: skip


def _is_object_text(value: object) -> bool:
    return isinstance(value, str) and value[:1] == "{" and value.rstrip()[-1:] == "}"
