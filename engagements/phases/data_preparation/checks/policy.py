"""What is asked of the examples of one set: the task, its limits, and what is allowed in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engagements.phases.data_preparation.records import Record, Task
from estimator.tokens.models import model_tokens


class PersonalDataRule(StrEnum):
    """What happens to personal data: `KEEP` notes it, `REDACT` has it replaced, `REFUSE` makes it an error."""

    KEEP = "keep"
    REDACT = "redact"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """An edge case that the set has to cover: what `field` holds for it (`label`, `source`, or `meta.` and a key).

    `value` None counts every example that has the field. A field with a list counts each of its members, and one that
    ends in `.letters` each of its letters, as tags of style are written.
    """

    name: str
    field: str
    value: str | None = None
    examples_min: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPolicy:
    """Empty sets and None ask nothing. `model` decides the longest example, unless `limit_tokens` says it.

    `output_schema` is the JSON Schema of the answer (of the target where the task is extraction), `output_pattern` a
    regular expression that the whole answer has to match; `languages` are ISO 639-1 codes; `licences` as they are
    written in the origin of a record.
    """

    task: Task | None = None
    model: str | None = None
    limit_tokens: int | None = None
    languages: frozenset[str] = frozenset()
    personal_data: PersonalDataRule = PersonalDataRule.REDACT
    licences: frozenset[str] = frozenset()
    licence_required: bool = True
    labels: frozenset[str] = frozenset()
    output_schema: Mapping[str, Any] | None = None
    output_pattern: str | None = None
    categories: tuple[Category, ...] = ()

    @property
    def limit(self) -> int | None:
        """Tokens of the longest example; None where neither a limit nor a model with a published one is named.

        Raises `UnknownName` for a model that nobody listed.
        """
        if self.limit_tokens is not None or self.model is None:
            return self.limit_tokens
        return model_tokens(self.model).training_limit


def values_of(record: Record, field: str) -> tuple[str, ...]:
    """What a field of the record says, as texts: `label`, `source`, or `meta.` and a key; see `Category`."""
    if field == "label":
        return (record.label,) if record.label is not None else ()
    if field == "source":
        return (record.origin.source,) if record.origin.source else ()
    key, letters, _ = field.removeprefix("meta.").partition(".letters")
    match record.meta.get(key):
        case None | "":
            return ()
        case str(text) if letters:
            return tuple(text)
        case [*members]:
            return tuple(map(str, members))
        case value:
            return (str(value),)
