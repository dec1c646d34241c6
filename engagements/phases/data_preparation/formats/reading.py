"""Rows into records: what every format does when it reads one. What no format has a name for goes to `meta`."""

from collections.abc import Collection, Mapping
from typing import Any

from engagements.phases.data_preparation.records import Message, Origin, Record
from estimator.errors import EstimatorError
from estimator.tokens.findings import finding


class RowUnreadable(EstimatorError):
    """A row that is not what its format says."""

    code = "row_unreadable"


def record_from(
    row: Mapping[str, Any], number: int, messages: list[Message], *, known: Collection[str], **taught: Any
) -> Record:
    """The record of the row with this number (from 1); its keys beside `known` and `id` become its `meta`."""
    identity = row.get("id")
    name = str(identity) if isinstance(identity, str | int) and identity != "" else f"row-{number}"
    meta = {key: value for key, value in row.items() if key not in known and key != "id"}
    return Record(id=name, messages=messages, origin=Origin(row=number), meta=meta, **taught)


def unreadable(code: str, message: str, number: int, where: str = "") -> RowUnreadable:
    return RowUnreadable(finding(code, message, where=where, line=number))


def messages_at(row: Mapping[str, Any], key: str, number: int) -> list[Message]:
    """The list of messages under a key. Raises `RowUnreadable` where there is none, or one of them is no object."""
    found = row.get(key)
    if not isinstance(found, list) or not found:
        what = "is missing" if key not in row else "is empty" if found == [] else "is not a list"
        raise unreadable("row.messages_missing", f'"{key}" {what}', number, key)
    for index, message in enumerate(found):
        if not isinstance(message, dict):
            raise unreadable("row.bad_message", "the message is not an object", number, f"{key}[{index}]")
    return found


def text_at(row: Mapping[str, Any], key: str, number: int) -> str:
    """The text under a key. Raises `RowUnreadable` for anything else."""
    found = row.get(key)
    if not isinstance(found, str):
        raise unreadable("row.bad_content", f'"{key}" is no text', number, key)
    return found


def said(role: str, content: object) -> dict[str, Any]:
    return {"role": role, "content": content}
