"""What an answer holds, read strictly: JSON of the one shape that was asked for, or the reason why it is not used."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from engagements.phases.data_preparation.records import Task
from estimator.tokens.json_row import read_row

_SCORES: Final = range(1, 6)
BYTES_PER_TOKEN_MAX: Final = 6
"""Of an answer that is read at all: natural text has 2 to 5, and more is padding that a judge would be paid to read."""


class Dropped(StrEnum):
    """Why an answer, or one example of it, is not used."""

    WRONG_MODEL = "wrong_model"
    NO_TEXT = "no_text"
    CUT = "cut"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    TOO_MANY = "too_many"
    WRONG_LABEL = "wrong_label"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    NEAR_TEST = "near_test"
    CHECK_FAILED = "check_failed"
    JUDGED_LOW = "judged_low"
    SEED_GONE = "seed_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One example as the model wrote it. `output`: a text, or an object where the task is extraction."""

    input: str
    output: str | Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"input": self.input, "output": self.output}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was not used, and why; `text` is the start of it."""

    reason: Dropped
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAnswer:
    candidates: tuple[Candidate, ...] = ()
    left: tuple[Left, ...] = ()


def read_answer(
    content: str | None, finish_reason: str, *, task: Task, category: str, asked: int, tokens_max: int
) -> ReadAnswer:
    """The examples of one answer. Whatever is wrong with the whole leaves all that was asked out, under one reason."""
    if finish_reason == Dropped.WRONG_MODEL:
        return _nothing(Dropped.WRONG_MODEL, content, asked)
    if content and len(content.encode(errors="replace")) > tokens_max * BYTES_PER_TOKEN_MAX:
        return _nothing(Dropped.TOO_LARGE, content, asked)
    if finish_reason == "length":
        return _nothing(Dropped.CUT, content, asked)
    if not content or not content.strip() or finish_reason == "content_filter":
        return _nothing(Dropped.NO_TEXT, content, asked)
    row = read_row(content.strip().encode("utf-8", errors="replace"))
    if row.problems or not isinstance(row.value, dict):
        return _nothing(Dropped.NOT_JSON, content, asked)
    members = row.value.get("examples")
    if set(row.value) != {"examples"} or not isinstance(members, list) or not members:
        return _nothing(Dropped.WRONG_SHAPE, content, asked)
    read = [_member(each, task, category) for each in members[:asked]]
    over = [Left(reason=Dropped.TOO_MANY, text=_start(each)) for each in members[asked:]]
    return ReadAnswer(
        candidates=tuple(each for each in read if isinstance(each, Candidate)),
        left=(*(each for each in read if isinstance(each, Left)), *over),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    score: int
    reason: str


def read_grade(content: str | None, finish_reason: str) -> Grade | None:
    """None where the judge did not answer as asked: such a case is not judged, which is not a low score."""
    if not content or finish_reason == "length":
        return None
    value = read_row(content.strip().encode("utf-8", errors="replace"))
    said = value.value
    if value.problems or not isinstance(said, dict) or set(said) != {"score", "reason"}:
        return None
    score, reason = said["score"], said["reason"]
    if type(score) is not int or score not in _SCORES or not isinstance(reason, str):
        return None
    return Grade(score=score, reason=reason[:200])


def _member(value: object, task: Task, category: str) -> Candidate | Left:
    if not isinstance(value, dict) or set(value) != {"input", "output"}:
        return Left(reason=Dropped.WRONG_SHAPE, text=_start(value))
    asked, output = value["input"], value["output"]
    if not isinstance(asked, str) or not asked.strip():
        return Left(reason=Dropped.WRONG_SHAPE, text=_start(value))
    if task is Task.EXTRACTION:
        fits = isinstance(output, dict) and bool(output)
    else:
        fits = isinstance(output, str) and bool(output.strip())
    if not fits:
        return Left(reason=Dropped.WRONG_SHAPE, text=_start(value))
    if task is Task.CLASSIFICATION and category and output != category:
        return Left(reason=Dropped.WRONG_LABEL, text=_start(value))
    return Candidate(input=asked, output=output)


def _nothing(reason: Dropped, content: str | None, asked: int) -> ReadAnswer:
    return ReadAnswer(left=(Left(reason=reason, text=_start(content)),) * asked)


def _start(value: object) -> str:
    return str(value or "")[:300]
