"""What gives an answer its points in reinforcement: OpenAI's five graders, typed (openai/openai-openapi @f85dbe2).

    string_check       the answer and a reference are equal, are not, or one holds the other
    text_similarity    how near they are, by one of eleven measures
    python             a function `grade(sample, item)` of ours, which the provider runs
    score_model        another model's points
    multi              several of these by name, and a formula over their points

Texts name values in braces: `{{item.FIELD}}` is a field of the row, `{{sample.output_text}}` what the model said. The
description has one grader in a multi grader, OpenAI's guide on graders has them by name: that is what is sent.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Similarity = Literal[
    "cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"
]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]

_BRACES: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAMED: Final = re.compile(r"\s*(item|sample)\.([A-Za-z_][A-Za-z0-9_]*)")
_WORDS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FUNCTIONS: Final = frozenset({"min", "max", "abs", "floor", "ceil", "exp", "sqrt", "log"})
"""Of a formula (OpenAI's guide on graders)."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Grader(_Part):
    name: Name

    @property
    def item_fields(self) -> frozenset[str]:
        """The fields of a row that its texts name; of a Python grader none, for its source is not read."""
        return frozenset(field for space, field in _named(self.texts()) if space == "item")

    def texts(self) -> Sequence[str]:
        """All that may name values."""
        return ()

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        for text in self.texts():
            for inside in _BRACES.findall(text):
                if not _NAMED.match(inside):
                    raise ValueError(
                        f"{{{{{inside}}}}} names no value: write {{{{item.FIELD}}}} or {{{{sample.FIELD}}}}"
                    )
        return self


class StringCheck(_Grader):
    """`like`: the answer holds the reference; `ilike` the same, whatever its letters' case."""

    type: Literal["string_check"]
    input: Text
    reference: Text
    operation: Literal["eq", "ne", "like", "ilike"]

    def texts(self) -> Sequence[str]:
        return (self.input, self.reference)


class TextSimilarity(_Grader):
    type: Literal["text_similarity"]
    input: Text
    reference: Text
    evaluation_metric: Similarity

    def texts(self) -> Sequence[str]:
        return (self.input, self.reference)


class PythonGrader(_Grader):
    """`source`: Python that defines `grade(sample, item)`, which returns a number. It is not run here."""

    type: Literal["python"]
    source: Text
    image_tag: Name | None = None


class InputText(_Part):
    type: Literal["input_text", "output_text"]
    text: Text


class InputImage(_Part):
    type: Literal["input_image"]
    image_url: Text
    detail: Literal["low", "high", "auto"] | None = None


Content = Text | InputText | InputImage


class GraderMessage(_Part):
    role: Literal["user", "assistant", "system", "developer"]
    content: Content | Annotated[list[Content], Field(min_length=1)]
    type: Literal["message"] | None = None


class Sampling(_Part):
    """How the model that grades is asked; names are the provider's."""

    seed: int | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_completions_tokens: Annotated[int, Field(ge=1)] | None = None
    reasoning_effort: Effort | None = None


class ScoreModel(_Grader):
    """`range`: the lowest and the highest points; from 0 to 1 where nothing is said. Its tokens are billed apart."""

    type: Literal["score_model"]
    model: Name
    input: Annotated[list[GraderMessage], Field(min_length=1)]
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    sampling_params: Sampling | None = None

    def texts(self) -> Sequence[str]:
        return tuple(_contents(self.input))

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(f"the range {self.range} has no room: write the lowest points, then the highest")
        return self


Single = Annotated[StringCheck | TextSimilarity | PythonGrader | ScoreModel, Field(discriminator="type")]


class MultiGrader(_Grader):
    """`calculate_output`: a formula over the points of `graders` by their names, such as `0.5 * label + 0.5 * reason`;
    with + - * / ^ and min, max, abs, floor, ceil, exp, sqrt, log."""

    type: Literal["multi"]
    graders: Annotated[dict[Variable, Single], Field(min_length=1, max_length=20)]
    calculate_output: Text

    def texts(self) -> Sequence[str]:
        return tuple(text for each in self.graders.values() for text in each.texts())

    @model_validator(mode="after")
    def _calculates_with_its_own(self) -> Self:
        used = set(_WORDS.findall(self.calculate_output)) - _FUNCTIONS
        if unknown := sorted(used - self.graders.keys()):
            known = ", ".join(self.graders)
            raise ValueError(f"calculate_output uses {', '.join(unknown)}, and the graders are {known}")
        if not used:
            raise ValueError(f"calculate_output uses none of the graders {', '.join(self.graders)}")
        return self


Grader = Annotated[StringCheck | TextSimilarity | PythonGrader | ScoreModel | MultiGrader, Field(discriminator="type")]


def as_sent(grader: Grader) -> dict[str, object]:
    """As `FineTuneReinforcementMethod` has it; what nobody set is left out."""
    return grader.model_dump(mode="json", exclude_none=True)


def _named(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        for inside in _BRACES.findall(text):
            if found := _NAMED.match(inside):
                yield found[1], found[2]


def _contents(messages: Sequence[GraderMessage]) -> Iterator[str]:
    for message in messages:
        for part in message.content if isinstance(message.content, list) else [message.content]:
            match part:
                case str():
                    yield part
                case InputText():
                    yield part.text
                case InputImage():
                    yield part.image_url
