"""Events as a worker wrote them, read by somebody who trusts none of it: at most so much at a time, lines of any
length, and what is no event is told of as such."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from pydantic import TypeAdapter, ValidationError

from backends.events import Event, EventKind, Level

MOST_BYTES: Final = 4 * 1024 * 1024
"""A poll reads no more; the rest comes with the next one."""
LONGEST_LINE: Final = 64 * 1024
_EVENT: Final = TypeAdapter(Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """`cursor`: where to read on, in bytes. `more`: whole lines that were not read any more."""

    events: tuple[Event, ...]
    cursor: int
    more: bool


def read_from(path: Path, cursor: int, *, most: int = MOST_BYTES) -> Piece:
    """Whole lines alone; half a line is still being written."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(min(cursor, size))
            content = file.read(most)
            read_all = file.tell() == size
    except FileNotFoundError:
        return Piece(events=(), cursor=cursor, more=False)
    end = content.rfind(b"\n") + 1
    if end == 0 and not read_all:
        # One line longer than all we would read: passed over, as garbage.
        return Piece(events=(_unreadable(cursor),), cursor=cursor + len(content), more=True)
    events, place = [], cursor
    for line in content[:end].split(b"\n")[:-1]:
        events.append(_event(line, place))
        place += len(line) + 1
    return Piece(events=_without_repeats(events), cursor=cursor + end, more=not read_all)


def _event(line: bytes, place: int) -> Event:
    if len(line) > LONGEST_LINE:
        return _unreadable(place)
    try:
        # Numbers that JSON does not know would reach answers that are JSON.
        return _EVENT.validate_python(json.loads(line, parse_constant=_refuse))
    except (ValueError, ValidationError, RecursionError):
        return _unreadable(place)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _unreadable(place: int) -> Event:
    return Event(
        id=f"unreadable-{place}", at=datetime.fromtimestamp(0, UTC), kind=EventKind.MESSAGE, level=Level.WARNING,
        message="the worker wrote what is no event", data={"byte": place},
    )  # fmt: skip


def _without_repeats(events: list[Event]) -> tuple[Event, ...]:
    """Of garbage beside garbage, the first: a flood of it is told of once a poll."""
    return tuple(
        each for before, each in zip([None, *events], events, strict=False)
        if not (before and _is_garbage(before) and _is_garbage(each))
    )  # fmt: skip


def _is_garbage(event: Event) -> bool:
    return event.id.startswith("unreadable-")
