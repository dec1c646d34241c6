"""A model's answers on a split, scored. A backend that fails is an error and never a score; an answer that cannot be
read is the candidate's own fault and scores 0."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from backends.errors import AnswerInvalid
from backends.protocol import Prediction, Predictor
from engagements.evals.metrics.metric import Metric
from engagements.evals.scores import score_interval
from engagements.phases.data_preparation.records import Task, text_of
from estimator.errors import EstimatorError, Problem

BATCH: Final = 16
"""Answers asked for at a time: a batch on a device of ours, and how often progress is told."""

OnScored = Callable[[int, int], None]
"""Told how many items of how many are answered."""

BY_TASK: Final[Mapping[Task, str]] = {Task.CLASSIFICATION: "label", Task.EXTRACTION: "json_fields"}
"""The metric of a task where nobody names one; for the others, `token_f1`."""
OTHERWISE: Final = "token_f1"

_TOKENS_LEAST: Final = 16
_TOKENS_MOST: Final = 2048
_CHARS_A_TOKEN: Final = 2  # about 4 in English; half of it leaves an answer twice the room of the longest expected


class NothingExpected(EstimatorError):
    """Rows that hold no answer cannot be scored."""

    code = "nothing_expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is asked, and the answer that is expected."""

    conversation: tuple[Mapping[str, Any], ...]
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """`low`, `high`: the 95% interval of `value`, by `method`. `per_item`: in the order of the rows.

    `unfinished`: answers that were cut at the limit of tokens; many mean that the model does not learn to stop.
    `answers_sha256`: of all answers in their order, as a JSON list.
    """

    metric: str
    version: int
    value: float
    low: float
    high: float
    method: str
    items: int
    per_item: tuple[float, ...]
    unfinished: int
    answers_sha256: str


def score(
    predictor: Predictor, rows: Sequence[Mapping[str, object]], metric: Metric, *, max_tokens: int,
    progress: OnScored | None = None,
) -> Scored:  # fmt: skip
    """`rows`: chat rows (`messages`); the last answer of the assistant is what is expected. Asked at temperature 0.

    Raises `NothingExpected` with every row that has no answer, `ExpectationUnreadable` for an expected answer that the
    metric cannot read, and what the predictor raises; then nothing is scored.
    """
    items = items_of(rows)
    answers = [each for batch in _answered(predictor, items, max_tokens, progress) for each in batch]
    per_item = tuple(metric.score(item.expected, each.text) for item, each in zip(items, answers, strict=True))
    interval, method = score_interval(per_item)
    told = json.dumps([each.text for each in answers], separators=(",", ":"))
    return Scored(
        metric=metric.name, version=metric.version, value=fmean(per_item), low=interval.low, high=interval.high,
        method=method, items=len(items), per_item=per_item, unfinished=sum(not each.finished for each in answers),
        answers_sha256=hashlib.sha256(told.encode()).hexdigest(),
    )  # fmt: skip


def items_of(rows: Sequence[Mapping[str, object]]) -> list[Item]:
    """Everything up to the last answer is asked. Raises `NothingExpected` with every row that has none."""
    found = [_item(row) for row in rows]
    if problems := [_no_answer(line) for line, item in enumerate(found, start=1) if item is None]:
        raise NothingExpected(*problems)
    if not found:
        message, remedy = "there are no rows to score", "give a validation split with examples"
        raise NothingExpected(Problem(code=NothingExpected.code, message=message, remedy=remedy))
    return [item for item in found if item is not None]


def tokens_for(items: Sequence[Item]) -> int:
    """A limit that leaves room for twice the longest expected answer."""
    longest = max((len(each.expected) for each in items), default=0)
    return min(max(_TOKENS_LEAST, longest // _CHARS_A_TOKEN), _TOKENS_MOST)


def metric_of_task(task: str | None) -> str:
    """The name of the metric that a task is judged by where nobody names one."""
    return BY_TASK.get(Task(task), OTHERWISE) if task in set(Task) else OTHERWISE


def _answered(
    predictor: Predictor, items: Sequence[Item], max_tokens: int, progress: OnScored | None
) -> Iterator[list[Prediction]]:
    for start in range(0, len(items), BATCH):
        asked = [each.conversation for each in items[start : start + BATCH]]
        answers = predictor.predict_many(asked, max_tokens=max_tokens)
        if len(answers) != len(asked):
            raise AnswerInvalid(f"{len(answers)} answers came to {len(asked)} conversations")
        yield answers
        if progress:
            progress(start + len(asked), len(items))


def _item(row: Mapping[str, object]) -> Item | None:
    messages = row.get("messages")
    if not isinstance(messages, Sequence):
        return None
    last = next((place for place in reversed(range(len(messages))) if messages[place].get("role") == "assistant"), None)
    if last is None or not (expected := _expected(messages[last])):
        return None
    asked = tuple({key: value for key, value in each.items() if key != "weight"} for each in messages[:last])
    return Item(conversation=asked, expected=expected) if asked else None


def _expected(message: Mapping[str, Any]) -> str:
    return text_of(message) or (json.dumps(message["tool_calls"]) if message.get("tool_calls") else "")


def _no_answer(line: int) -> Problem:
    message, remedy = "the row holds no question with an answer of the assistant", "leave it out of the split"
    return Problem(code=NothingExpected.code, message=message, remedy=remedy, line=line)
