"""Short English tickets and the queue that takes each: what the demo's small model learns in minutes on a processor.

The text is our own, made of the sentences in `routing.toml`, which chance divides: what is held out is asked in
sentences of which none is in the export, so that it shows what was learnt and not what was remembered.
"""

import csv
import io
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

CSV_NAME: Final = "routing-export.csv"
HELD_OUT_NAME: Final = "routing-held-out.jsonl"
COLUMNS: Final = ("ticket", "message", "queue")
_HELD_OUT: Final = 10
"""Sentences of each queue."""
_AMOUNT, _READING = (60, 1_400), (8_000, 68_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A ticket and its queue."""

    id: str
    message: str
    queue: str

    def as_chat(self) -> dict[str, object]:
        """In OpenAI's chat format: the instruction, the ticket, the queue."""
        turns = (("system", instruction()), ("user", self.message), ("assistant", self.queue))
        return {"messages": [{"role": role, "content": content} for role, content in turns]}


def exported(seed: int) -> bytes:
    """The tickets to be imported, as the client's system exports them: CSV, UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows((each.id, each.message, each.queue) for each in _routed(seed, slice(_HELD_OUT, None), "R"))
    return text.getvalue().encode()


def held_out(seed: int) -> bytes:
    """The tickets that are never imported, as JSON Lines in OpenAI's chat format; of the same seed as the others."""
    rows = (json.dumps(each.as_chat()) + "\n" for each in _routed(seed, slice(_HELD_OUT), "H"))
    return "".join(rows).encode()


def instruction() -> str:
    """What the model is told with every ticket: the queues by name."""
    return str(_said()["instruction"])


def queues() -> tuple[str, ...]:
    return tuple(each["name"] for each in _said()["queues"])


def _routed(seed: int, part: slice, letter: str) -> Iterator[Routed]:
    """Each sentence of this part once, in an order of chance. The same seed, the same division and the same tickets."""
    said, chance = _said(), np.random.default_rng(seed)
    divided = {queue["name"]: chance.permutation(queue["sentences"])[part] for queue in said["queues"]}
    made = [(_written(sentence, said, chance), queue) for queue, chosen in divided.items() for sentence in chosen]
    for number, place in enumerate(chance.permutation(len(made)), start=1):
        message, queue = made[int(place)]
        yield Routed(id=f"{letter}-{number:04d}", message=message, queue=queue)


def _written(sentence: str, said: Mapping[str, Any], chance: np.random.Generator) -> str:
    facts = {
        "amount": chance.integers(*_AMOUNT), "reading": chance.integers(*_READING),
        "month": _one_of(said["months"], chance), "city": _one_of(said["cities"], chance),
    }  # fmt: skip
    parts = (_one_of(said["greetings"], chance), sentence.format_map(facts), _one_of(said["endings"], chance))
    return " ".join(part for part in parts if part)


def _one_of(items: Sequence[str], chance: np.random.Generator) -> str:
    return items[int(chance.integers(len(items)))]


@cache
def _said() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("routing.toml").read_text("utf-8"))
