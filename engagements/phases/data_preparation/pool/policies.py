"""What a check asks, as a client of the API says it and as a job keeps it."""

from collections.abc import Mapping
from typing import Any

from engagements.phases.data_preparation.checks.policy import Category, CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.pool.schemas import CheckIn


def policy_of(options: Mapping[str, Any]) -> CheckPolicy:
    """Of the options of a job, which are those of `CheckIn`."""
    asked = CheckIn.model_validate(options)
    return CheckPolicy(
        task=asked.task, model=asked.model or None, limit_tokens=asked.limit_tokens,
        languages=frozenset(asked.languages), personal_data=PersonalDataRule(asked.personal_data),
        licences=frozenset(asked.licences), labels=frozenset(asked.labels), output_schema=asked.output_schema,
        output_pattern=asked.output_pattern or None,
        categories=tuple(Category(**each.model_dump()) for each in asked.categories),
    )  # fmt: skip
