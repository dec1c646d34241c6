"""What is asked of a larger model, and what can come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engagements.phases.data_preparation.synthesis.budget import Tokens
from engagements.phases.data_preparation.synthesis.prompts import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`most_output`: the most tokens of the answer; `temperature` None: the model's own.

    `shape`: the JSON schema of the answer, where it has one.
    """

    model: str
    prompt: Prompt
    most_output: int
    temperature: float | None
    chance: int
    shape: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`used` None: the server does not say."""

    content: str | None
    finish_reason: str
    model: str
    used: Tokens | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`may_be_billed`: it was sent, and nobody knows what became of it. `retry_after_s`: as the server asks."""

    said: str
    may_retry: bool
    may_be_billed: bool = False
    retry_after_s: float | None = None


def is_same_model(asked: str, answered: str) -> bool:
    """Servers add a date to the name, or the folder that the model lies in."""
    asked, answered = (name.lower().rpartition("/")[2] for name in (asked, answered))
    return answered == asked or answered.startswith((f"{asked}-20", f"{asked}@", f"{asked}:"))
