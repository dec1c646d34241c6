"""A check policy from TOML: everything wrong with it at once.

task = "classification"          # classification, extraction, generation, chat, tools, preference
model = "gpt-4o-mini-2024-07-18" # decides the longest example
limit_tokens = 4096              # or this does
languages = ["en", "de"]
personal_data = "redact"         # keep, redact, refuse
licences = ["CC BY 4.0"]
licence_required = true
labels = ["refund", "delivery"]
output_pattern = "[a-z_]+"

[output_schema]                  # JSON Schema of the answer
type = "object"

[[categories]]                   # edge cases that have to be covered
name = "rude customers"
field = "meta.tags.letters"
value = "W"
examples_min = 50
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from engagements.phases.data_preparation.checks.policy import Category, CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.records import Task
from estimator.errors import EstimatorError, Problem, UnknownName
from estimator.tokens.models import model_tokens


class PolicyInvalid(EstimatorError):
    """A file that says no check policy."""

    code: ClassVar[str] = "policy_invalid"


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise PydanticCustomError("pattern", "is no regular expression: {error}", {"error": str(error)}) from error
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _CategoryIn(_Part):
    name: str = Field(min_length=1, max_length=200)
    field: str = Field(pattern=r"^(label|source|meta\..+)$")
    value: str | None = None
    examples_min: int = Field(default=10, ge=1)


class _PolicyIn(_Part):
    task: Task | None = None
    model: str | None = None
    limit_tokens: int | None = Field(default=None, ge=1)
    languages: frozenset[Annotated[str, Field(pattern="^[a-z]{2,3}$")]] = frozenset()
    personal_data: PersonalDataRule = PersonalDataRule.REDACT
    licences: frozenset[str] = frozenset()
    licence_required: bool = True
    labels: frozenset[str] = frozenset()
    output_schema: dict[str, Any] | None = None
    output_pattern: Annotated[str, AfterValidator(_regular_expression)] | None = None
    categories: tuple[_CategoryIn, ...] = ()


def load_policy(path: Path) -> CheckPolicy:
    """The policy in a TOML file. Raises `PolicyInvalid` with everything that is wrong with it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PolicyInvalid(_whole(f"{path.name}: {error.strerror}", "name a TOML file")) from error
    except UnicodeDecodeError as error:
        raise PolicyInvalid(_whole(f"{path.name} is not UTF-8", "save the file as UTF-8")) from error
    return read_policy(text)


def read_policy(text: str) -> CheckPolicy:
    """The policy that a text in TOML holds. Raises `PolicyInvalid` with everything that is wrong with it."""
    try:
        said = _PolicyIn.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(_whole(f"this is not TOML: {error}", "mend that place")) from error
    except ValidationError as error:
        raise PolicyInvalid(*_problems(error)) from None
    if said.model is not None:
        _refuse_unknown(said.model)
    categories = tuple(Category(**each.model_dump()) for each in said.categories)
    return CheckPolicy(**{name: getattr(said, name) for name in type(said).model_fields} | {"categories": categories})


def _refuse_unknown(model: str) -> None:
    try:
        model_tokens(model)
    except UnknownName as error:
        raise PolicyInvalid(*error.problems) from error


def _problems(error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        where = ".".join(str(step) for step in fault["loc"])
        remedy = "remove it" if fault["type"] == "extra_forbidden" else "write it as the documentation of policies says"
        yield Problem(code=PolicyInvalid.code, where=where, message=fault["msg"], remedy=remedy)


def _whole(message: str, remedy: str) -> Problem:
    return Problem(code=PolicyInvalid.code, message=message, remedy=remedy)
