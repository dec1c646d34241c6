"""How many fields of an object the answer has right: F1 over its leaves, each with its path and its value.

Nothing is mended first: an answer that is not JSON, or stands in a code fence, has no field right. Members of a list
count by their place. Numbers are compared as numbers, so 1 and 1.0 are one value; true and 1 are two.
"""

import json
from collections.abc import Iterator
from typing import Final

from engagements.evals.metrics.metric import Metric, unreadable

_EXACT: Final = 2**53  # beyond it floats no longer hold every whole number apart

Leaf = tuple[str, str]
"""Where it stands, and what stands there with its kind."""


def _score(expected: str, answered: str) -> float:
    try:
        wanted = set(_leaves(json.loads(expected), "$"))
    except (ValueError, RecursionError) as error:
        raise unreadable(
            f"the expected answer {expected[:60]!r} is not JSON", "choose another metric, or mend the row"
        ) from error
    try:
        given = set(_leaves(json.loads(answered), "$"))
    except (ValueError, RecursionError):
        return 0.0
    return 2 * len(wanted & given) / (len(wanted) + len(given))


def _leaves(value: object, path: str) -> Iterator[Leaf]:
    """Never none: an empty object or list is a leaf itself."""
    match value:
        case dict() if value:
            for key, member in value.items():
                yield from _leaves(member, f"{path}.{json.dumps(key)}")
        case list() if value:
            for place, member in enumerate(value):
                yield from _leaves(member, f"{path}[{place}]")
        case bool() | None | dict() | list():
            yield path, json.dumps(value)
        case int() | float():
            yield path, f"number {float(value)!r}" if abs(value) < _EXACT else f"number {value}"
        case _:
            yield path, f"text {value}"


METRIC: Final = Metric(
    name="json_fields", version=1, binary=False, said="fields of the expected object that are right, F1", score=_score
)
