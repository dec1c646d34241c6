"""What speaks against rows of reinforcement: messages up to the user's turn, and the fields that the grader names.

`messages` and `tools` are the only reserved names of a row, and no message is the system's (OpenAI's description of its
API, FineTuneReinforcementRequestInput). Where the provider's own words are known, they are said (formats and training
reference, section 4).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from backends.errors import Problem
from backends.graders import Grader

FORMAT: Final = "openai_rft"
_ROLES: Final = ("developer", "user", "assistant", "tool")
_LISTED: Final = 20
_EXPORT: Final = f"export the dataset as {FORMAT}"


def row_problems(where: str, number: int, row: Mapping[str, object], grader: Grader | None) -> Iterator[Problem]:
    """`number`: of the line, from 1."""

    def wrong(code: str, message: str, remedy: str) -> Problem:
        return Problem(code=code, message=message, remedy=remedy, where=where, line=number)

    messages = row.get("messages")
    if "preferred_output" in row:
        yield wrong("invalid_training_file", _not_using("fine-tune-preference", "dpo"), _EXPORT)
        return
    if not isinstance(messages, list) or not messages:
        said = "Unexpected file format, expected either prompt/completion pairs or chat messages."
        yield wrong("invalid_training_file", said, _EXPORT)
        return
    roles = [each.get("role") if isinstance(each, dict) else None for each in messages]
    for place, role in enumerate(roles):
        if role is None:
            said = f"Invalid file format. Example {number}, message {place} Discriminator 'role' is missing in value"
            yield wrong("invalid_training_file", said, f"give the message a role: {', '.join(_ROLES)}")
        elif role not in _ROLES:
            message, remedy = f"message {place} is of the role {role!r}", f"take one of {', '.join(_ROLES)}; {_EXPORT}"
            yield wrong("invalid_training_file", message, remedy)
    if roles[-1] == "assistant":
        yield wrong("invalid_training_file", _not_using("fine-tune-chat", "supervised"), _EXPORT)
    elif roles[-1] in _ROLES and roles[-1] != "user":
        message = f"the last message is of the role {roles[-1]!r}; the model answers the user"
        yield wrong("last_not_user", message, "end the messages with the user's turn")
    if lacking := sorted((grader.item_fields if grader else frozenset()) - row.keys()):
        message = f"the grader names {', '.join(f'item.{each}' for each in lacking)}, and the row has no such field"
        beside = ", ".join(sorted(row.keys() - {"messages", "tools"})) or "no field"
        remedy = f"name what the rows have beside their messages ({beside}), or write it into every row"
        yield wrong("grader_field_missing", message, remedy)


def listed(where: str, found: Sequence[Problem]) -> Iterator[Problem]:
    """The first twenty, then how many."""
    yield from found[:_LISTED]
    if len(found) > _LISTED:
        message = f"{len(found)} faults in the rows, {_LISTED} of them named"
        yield Problem(code="rows_invalid", message=message, remedy="mend them all", where=where)


def _not_using(shape: str, method: str) -> str:
    return (
        f"Input file is in the {shape} format, but the specified fine-tuning job is not using '{method}' "
        "(provided method=reinforcement)"
    )
