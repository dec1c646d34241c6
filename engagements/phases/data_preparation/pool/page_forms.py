"""The forms of examples and checks as they are typed."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from engagements.core.schemas import In
from engagements.phases.data_preparation.pool.schemas import CheckIn, ExampleEditIn, Reason
from engagements.phases.data_preparation.records import Record

_TEXT: Final = re.compile(r"text-([0-9]{1,3})")


class NoFields(In):
    """A button alone."""


class TextsForm(In):
    """The texts of an example's messages, by their place, and its label where it has one."""

    texts: dict[int, Annotated[str, Field(max_length=200_000)]]
    label: Annotated[str | None, Field(max_length=400)] = None
    reason: Reason

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        texts = {int(named[1]): text for name, text in values.items() if (named := _TEXT.fullmatch(name))}
        told = {name: values[name] for name in ("label", "reason") if name in values}
        return {"texts": texts, **told}

    def edit_of(self, record: Record) -> ExampleEditIn:
        """What the form makes of the record: of each message its text, and all else as it was."""
        messages = [
            {**message, "content": self.texts[place]} if place in self.texts else dict(message)
            for place, message in enumerate(record.messages)
        ]
        if self.label is None:
            return ExampleEditIn(messages=messages, reason=self.reason)
        return ExampleEditIn(messages=messages, reason=self.reason, label=self.label or None)


class CheckForm(CheckIn):
    """Lists are typed as words with commas or line ends between them."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: value for name, value in values.items() if value != ""}
        for name in ("languages", "licences", "labels"):
            if name in told:
                told[name] = [word.strip() for word in re.split(r"[,\n]", told[name]) if word.strip()]
        return told
