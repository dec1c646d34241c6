"""The one record that every import becomes and every export is written from: a chat example with its origin.

As JSON, one line each (`train.jsonl` and everything that is stored), keys in this order and left out where empty:

    id                    unique in its set
    messages              OpenAI's chat messages; arguments of tool calls are JSON text
    tools                 OpenAI's tool definitions
    parallel_tool_calls   as declared for the example
    label                 the class, where the task is classification
    target                the object to be extracted, where the task is extraction
    rejected              the answer that was liked less, where the example is a preference pair
    desirable             whether the answer is liked, where examples are judged one by one (KTO)
    group                 what must not straddle a split: a customer, a conversation, a document
    weight                how much it counts; left out where it is 1
    origin                kind, source, row, author, licence, seed
    meta                  columns and keys that nothing above holds, as they came
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self

import orjson

Message = Mapping[str, Any]
Tool = Mapping[str, Any]

_NOTHING: Final[Mapping[str, Any]] = {}


class Task(StrEnum):
    """What a model is to learn from the set; guidance on volume and most checks follow from it."""

    CLASSIFICATION = "classification"
    EXTRACTION = "extraction"
    GENERATION = "generation"
    CHAT = "chat"
    TOOLS = "tools"
    PREFERENCE = "preference"


class Provenance(StrEnum):
    """Where examples come from; `REQUIRED` says what has to be known of each kind."""

    EXISTING_WORK = "existing_work"
    EXPERT = "expert"
    SYNTHETIC = "synthetic"
    HISTORICAL = "historical"
    PRODUCTION = "production"


REQUIRED: Final[Mapping[Provenance, frozenset[str]]] = {
    Provenance.EXISTING_WORK: frozenset({"licence"}),
    Provenance.EXPERT: frozenset({"author", "licence"}),
    Provenance.SYNTHETIC: frozenset({"generator", "licence"}),
    Provenance.HISTORICAL: frozenset({"licence"}),
    Provenance.PRODUCTION: frozenset({"licence", "consent"}),
}
"""Of each kind of source: who wrote it, by which model it was made, what allows its use, what its people agreed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where one example comes from. `row` counts from 1 in the source; `seed` is the example it was made from."""

    kind: Provenance = Provenance.EXISTING_WORK
    source: str = ""
    row: int | None = None
    author: str = ""
    licence: str = ""
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One example. Messages and tools are OpenAI's, whatever format they came in."""

    id: str
    messages: Sequence[Message]
    tools: Sequence[Tool] = ()
    parallel_tool_calls: bool | None = None
    label: str | None = None
    target: Mapping[str, Any] | None = None
    rejected: Message | None = None
    desirable: bool | None = None
    group: str | None = None
    weight: float = 1.0
    origin: Origin = Origin()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content_sha256(self) -> str:
        """Of what a model would see and learn; the same whatever the example is called and wherever it came from."""
        return hashlib.sha256(orjson.dumps(self._taught(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def question(self) -> str:
        """What everybody but the assistant and the system says, in order; what duplicates are looked for in."""
        return "\n".join(text_of(each) for each in self.messages if each.get("role") == "user")

    @property
    def answer(self) -> str:
        """The last thing that the assistant says; the calls as JSON where it only calls tools."""
        last = next((each for each in reversed(self.messages) if each.get("role") == "assistant"), _NOTHING)
        return text_of(last) or (orjson.dumps(last["tool_calls"]).decode() if last.get("tool_calls") else "")

    def as_json(self) -> dict[str, Any]:
        origin = {name: value for name, value in _origin_json(self.origin).items() if value not in ("", None)}
        known = {"id": self.id, **self._taught(), "group": self.group, "origin": origin, "meta": dict(self.meta)}
        return {key: value for key, value in known.items() if value is not None and value != {}}

    def as_line(self) -> bytes:
        """The record as one line of JSON Lines, with its line end."""
        return orjson.dumps(self.as_json(), option=orjson.OPT_APPEND_NEWLINE)

    def replaced(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def _taught(self) -> dict[str, Any]:
        taught: dict[str, Any] = {"messages": [dict(each) for each in self.messages]}
        if self.tools:
            taught["tools"] = [dict(each) for each in self.tools]
        for name in ("parallel_tool_calls", "label", "target", "rejected", "desirable"):
            if (value := getattr(self, name)) is not None:
                taught[name] = value
        if self.weight != 1.0:
            taught["weight"] = self.weight
        return taught


def record_of(row: Mapping[str, Any]) -> Record:
    """The record that `Record.as_json` was written from. Raises `KeyError` and `ValueError` for any other object."""
    origin = row.get("origin") or {}
    return Record(
        id=row["id"], messages=row["messages"], tools=row.get("tools") or (),
        parallel_tool_calls=row.get("parallel_tool_calls"), label=row.get("label"), target=row.get("target"),
        rejected=row.get("rejected"), desirable=row.get("desirable"), group=row.get("group"),
        weight=row.get("weight", 1.0), meta=row.get("meta") or {},
        origin=Origin(
            kind=Provenance(origin.get("kind", Provenance.EXISTING_WORK)), source=origin.get("source", ""),
            row=origin.get("row"), author=origin.get("author", ""), licence=origin.get("licence", ""),
            seed=origin.get("seed", ""),
        ),
    )  # fmt: skip


def text_of(message: Message) -> str:
    """The text of a message: its content, or the text parts of it, one below the other."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def _origin_json(origin: Origin) -> dict[str, Any]:
    return {
        "kind": origin.kind.value, "source": origin.source, "row": origin.row, "author": origin.author,
        "licence": origin.licence, "seed": origin.seed,
    }  # fmt: skip
