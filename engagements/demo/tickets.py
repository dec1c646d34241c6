"""Support tickets of an energy retailer, generated: a customer's message and the reply that was sent.

The text is our own, put together from the fragments in `tickets.toml`; the names, contracts and amounts are invented.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

MONTHS: Final = 14
SHARE_IN_GERMAN: Final = 0.74
_DAYS_IN_MONTH: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One request and its answer. `system` is the instruction a model gets with it."""

    id: str
    received: date
    language: str
    intent: str
    system: str
    message: str
    reply: str

    def as_chat(self) -> dict[str, object]:
        """The training example in the chat format of OpenAI."""
        turns = (("system", self.system), ("user", self.message), ("assistant", self.reply))
        return {"messages": [{"role": role, "content": content} for role, content in turns]}

    def as_line(self) -> bytes:
        """The training example as one line of JSONL."""
        return (json.dumps(self.as_chat(), ensure_ascii=False) + "\n").encode()


def tickets(count: int, *, until: date, seed: int) -> Iterator[Ticket]:
    """So many tickets of the fourteen months before a day, in order of arrival. The same seed writes the same ones."""
    fragments = _fragments()
    chance = np.random.default_rng(seed)
    intents: Sequence[Mapping[str, Any]] = fragments["intents"]
    weights = np.array([intent["weight"] for intent in intents], dtype=float)
    days = np.sort(chance.integers(1, MONTHS * _DAYS_IN_MONTH, size=count))[::-1]
    chosen = chance.choice(len(intents), size=count, p=weights / weights.sum())
    for index in range(count):
        received = until - timedelta(days=int(days[index]))
        language = "de" if chance.random() < SHARE_IN_GERMAN else "en"
        intent = intents[int(chosen[index])]
        facts = _facts(fragments, language, received, chance)
        yield Ticket(
            id=f"T-{index + 1:06d}",
            received=received,
            language=language,
            intent=intent["id"],
            system=fragments["system"][language],
            message=_message(intent[language], fragments["customer"][language], chance).format_map(facts),
            reply=_reply(intent[language], fragments["house"][language], chance).format_map(facts),
        )


@cache
def _fragments() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("tickets.toml").read_text("utf-8"))


def _one_of(items: Sequence[str], chance: np.random.Generator) -> str:
    return items[int(chance.integers(len(items)))]


def _message(intent: Mapping[str, Any], voice: Mapping[str, Any], chance: np.random.Generator) -> str:
    """What the customer writes: a matter, one to three details in any order, and how they feel about it."""
    details = chance.permutation(intent["details"])[: chance.integers(1, 4)]
    body = [_one_of(intent["openings"], chance), *details, _one_of(voice["moods"], chance)]
    greeting = _one_of(voice["greetings"], chance)
    text = " ".join(part for part in body if part)
    if not greeting:
        text = text[0].upper() + text[1:]
    return "\n\n".join(part for part in (greeting, text, _one_of(voice["closings"], chance)) if part)


def _reply(intent: Mapping[str, Any], house: Mapping[str, Any], chance: np.random.Generator) -> str:
    """What the house answers, always in the same order."""
    parts = [_one_of(intent[key], chance) for key in ("matters", "answers", "next")]
    return "\n\n".join((house["greeting"], *parts, _one_of(house["closings"], chance)))


def _facts(
    fragments: Mapping[str, Any], language: str, received: date, chance: np.random.Generator
) -> Mapping[str, str]:
    """What message and reply of one ticket agree on."""
    names, places = fragments["names"], fragments["places"]
    kwh = int(chance.integers(140, 620)) * 10
    month = fragments["months"][language][int(chance.integers(12))]
    deadline = received + timedelta(days=int(chance.integers(8, 21)))
    day = received - timedelta(days=int(chance.integers(2, 16)))
    return {
        "first": _one_of(names["first"], chance),
        "last": _one_of(names["last"], chance),
        "agent": _one_of(names["agents"], chance),
        "street": f"{_one_of(places['streets'], chance)} {chance.integers(1, 140)}",
        "city": _one_of(places["cities"], chance),
        "tariff": _one_of(places["tariffs"], chance),
        "contract": f"NL-{chance.integers(100_000, 999_999)}",
        "meter": f"1EMH{chance.integers(10_000_000, 99_999_999)}",
        "phone": f"040 555 {chance.integers(1000, 9999)}",
        "reading": _whole(int(chance.integers(8_000, 68_000)), language),
        "kwh": _whole(kwh, language),
        "amount": _whole(int(chance.integers(90, 1_400)), language),
        "instalment": str(chance.integers(45, 240)),
        "month": month,
        "day": _day(day, fragments, language),
        "deadline": _day(deadline, fragments, language),
    }


def _whole(value: int, language: str) -> str:
    return f"{value:,}".replace(",", "." if language == "de" else ",")


def _day(day: date, fragments: Mapping[str, Any], language: str) -> str:
    name = fragments["months"][language][day.month - 1]
    return f"{day.day}. {name}" if language == "de" else f"{day.day} {name}"
