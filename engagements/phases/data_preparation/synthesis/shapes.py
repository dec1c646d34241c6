"""JSON schemas of the two answers that are asked for, for servers that hold a model to one (structured outputs).

Within what OpenAI's strict mode takes: every property required, no others, limits on arrays but none on strings.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engagements.phases.data_preparation.records import Task


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


GRADE: Final[Mapping[str, Any]] = _object(
    {"score": {"type": "integer", "enum": [1, 2, 3, 4, 5]}, "reason": {"type": "string"}}
)


def examples_shape(task: Task, category: str, count: int) -> Mapping[str, Any] | None:
    """Of `count` examples; None for an extraction, whose objects have the keys of the data."""
    if task is Task.EXTRACTION:
        return None
    labels: Sequence[str] = [category] if task is Task.CLASSIFICATION and category else []
    output: dict[str, Any] = {"type": "string", "enum": labels} if labels else {"type": "string"}
    members = _object({"input": {"type": "string"}, "output": output})
    return _object({"examples": {"type": "array", "items": members, "minItems": count, "maxItems": count}})
