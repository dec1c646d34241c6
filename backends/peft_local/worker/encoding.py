"""Rows as tokens, with labels on what the assistant says and nowhere else.

What is trained of a message is what a model must write after the generation prompt: from where the prompt ends to the
end-of-turn token, that token included. It is found by rendering, so any chat template will do: the conversation is
rendered as it is, with a stand-in for the message's content (what differs is the content), and up to the message with
the generation prompt (which is what serving will have put there). Marks of the template (`{% generation %}`) are not
needed for that, and many of them leave the end-of-turn token outside.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backends.peft_local.rows import Row

# Private-use letters: no template trims or rewrites them, and no conversation contains them together.
_STAND_IN: Final = "\ue0f1\ue0f2\ue0f3"
IGNORED: Final = -100
"""The label of a token that is not trained (torch's cross_entropy)."""


class TemplateRefused(ValueError):
    """A chat template does not take every conversation; some want user and assistant to alternate."""


class EncodingImpossible(ValueError):
    """`line` of the file, where one row is at fault."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Characters of the rendered text, `end` not included. `closed`: it ends with the end-of-turn token."""

    start: int
    end: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """`ids` and `labels` are of the same length, at most the longest allowed; `uncut`: how many tokens the row has.
    `spans`: of tokens that are trained, before the cut; `closed`: all of them end with the end-of-turn token."""

    line: int
    ids: Sequence[int]
    labels: Sequence[int]
    uncut: int
    spans: tuple[range, ...]
    closed: bool

    @property
    def trained(self) -> int:
        """Trained tokens; the first token of a sequence is predicted by nothing."""
        return sum(label != IGNORED for label in self.labels[1:])


class Encoder:
    """Of one tokenizer, which must be a fast one: only those tell which characters became which token."""

    def __init__(self, tokenizer: Any, *, max_length: int) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise EncodingImpossible("the tokenizer does not tell which characters became which token")
        if not tokenizer.chat_template:
            raise EncodingImpossible("the tokenizer has no chat template")
        self._tokenizer = tokenizer
        self._max_length = max_length
        self.end_of_turn = self._end_of_turn()

    @property
    def template_sha256(self) -> str:
        return template_sha256(self._tokenizer)

    def examples(self, rows: Iterable[Row]) -> list[Example]:
        """Raises `EncodingImpossible` for the first row that the template refuses."""
        return [self.example(row) for row in rows]

    def example(self, row: Row) -> Example:
        text = self._rendered(row, row.messages)
        spans = self.spans(row, text)
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        trained = [_tokens_in(offsets, span) for span in spans]
        labels = [IGNORED] * len(ids)
        for each in trained:
            labels[each.start : each.stop] = ids[each.start : each.stop]
        return Example(
            line=row.line, ids=ids[: self._max_length], labels=labels[: self._max_length], uncut=len(ids),
            spans=tuple(trained), closed=all(span.closed for span in spans),
        )  # fmt: skip

    def spans(self, row: Row, text: str) -> list[Span]:
        """Of the messages that are trained, in order; `text` is the row as it is rendered."""
        return [self._span(row, number, text) for number, trained in enumerate(row.trained) if trained]

    def _span(self, row: Row, number: int, text: str) -> Span:
        head, tail = self._around(row, number)
        prompt = self._prompt(row, number)
        if head is None and prompt is None:
            raise EncodingImpossible("the chat template leaves an answer out", line=row.line)
        starts = _common_start(head if head is not None else str(prompt), text)
        ends = max(starts, len(text) - _common_start(tail[::-1], text[::-1])) if head is not None else starts
        if prompt is not None and text.startswith(prompt):
            starts = len(prompt)
        limit = self._next(row, number, text)
        after = text.find(self.end_of_turn, max(starts, ends), limit) if self.end_of_turn else -1
        end = after + len(self.end_of_turn) if after >= 0 else max(starts, ends)
        return Span(start=starts, end=end, closed=after >= 0)

    def _around(self, row: Row, number: int) -> tuple[str | None, str]:
        """What is rendered before and after a message's content; None where the template leaves the content out, as
        some do beside calls of tools."""
        replaced = [*row.messages]
        replaced[number] = {**row.messages[number], "content": _STAND_IN}
        head, found, tail = self._rendered(row, replaced).partition(_STAND_IN)
        return (head, tail) if found else (None, "")

    def _next(self, row: Row, number: int, text: str) -> int:
        """Where the content of the next message begins, or the end."""
        if number + 1 == len(row.messages):
            return len(text)
        head, _ = self._around(row, number + 1)
        return len(text) if head is None else _common_start(head, text)

    def _prompt(self, row: Row, number: int) -> str | None:
        """What serving would render before this answer; None where the template refuses so short a conversation."""
        try:
            return self._rendered(row, row.messages[:number], prompt=True)
        except EncodingImpossible:
            return None

    def _rendered(self, row: Row, messages: Sequence[Mapping[str, Any]], *, prompt: bool = False) -> str:
        try:
            return rendered(self._tokenizer, messages, tools=row.tools, prompt=prompt)
        except TemplateRefused as error:
            raise EncodingImpossible(str(error), line=row.line) from error

    def _end_of_turn(self) -> str:
        """What the template writes when an answer is over: the first special token after it, or nothing."""
        conversation = [{"role": "user", "content": "a"}, {"role": "assistant", "content": _STAND_IN}]
        tail = rendered(self._tokenizer, conversation).partition(_STAND_IN)[2]
        special = {str(token) for token in self._tokenizer.all_special_tokens}
        special |= {str(token) for token in self._tokenizer.added_tokens_decoder.values()}
        places = [(tail.find(token), -len(token), token) for token in special if token and token in tail]
        return min(places)[2] if places else ""


def rendered(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], *, tools: Sequence[Mapping[str, Any]] = (),
    prompt: bool = False,
) -> str:  # fmt: skip
    """A conversation as text; the one place where training and serving call the template. Raises `TemplateRefused`."""
    try:
        text: str = tokenizer.apply_chat_template(
            list(messages), tools=list(tools) or None, tokenize=False, add_generation_prompt=prompt
        )
    except Exception as error:  # a template is a program of somebody else's, and raises what it likes
        raise TemplateRefused(f"the chat template refuses this conversation: {error}") from error
    return text


def template_sha256(tokenizer: Any) -> str:
    """Equal templates write equal prompts: the one of training must be the one of serving."""
    return hashlib.sha256(str(tokenizer.chat_template).encode()).hexdigest()


def _common_start(one: str, other: str) -> int:
    """How many characters agree."""
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)


def _tokens_in(offsets: Sequence[tuple[int, int]], span: Span) -> range:
    """The tokens that hold characters of the span; one that lies across its edge is within."""
    inside = [place for place, (start, end) in enumerate(offsets) if start < span.end and end > span.start]
    return range(inside[0], inside[-1] + 1) if inside else range(0)
