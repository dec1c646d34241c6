"""The same tickets as a client sends them: an export of the old system as CSV, and a log of the new one as JSON Lines.

With what such files hold: rows exported twice, answers that were never written, cells too many, an encoding of its own,
text that was read in the wrong one, lines cut short, and answers of a bot that refused.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from engagements.demo.tickets import Ticket

CSV_NAME: Final = "ticket-export.csv"
LOG_NAME: Final = "chat-log.jsonl"
SHARE_IN_CSV: Final = 0.6
_HEADER: Final = ("Ticket-Nr", "Eingang", "Kunde", "Sprache", "Kategorie", "Anfrage", "Antwort")
_TWICE, _COPIED, _UNANSWERED, _TOO_MANY_CELLS = 0.02, 0.01, 0.008, 0.002
_CUT, _DAMAGED, _REFUSED = 0.003, 0.004, 0.005
_TICKETS_A_CUSTOMER: Final = 1.2
_REFUSAL: Final = {
    "de": "Es tut mir leid, dabei kann ich nicht helfen.",
    "en": "I'm sorry, but I can't help with that.",
}


def raw_files(made: Sequence[Ticket], *, seed: int) -> Mapping[str, bytes]:
    """By name. The older tickets are in the CSV (Windows-1252, semicolons), the newer ones in the log (UTF-8)."""
    chance = np.random.default_rng(seed)
    customers = chance.integers(1, round(len(made) / _TICKETS_A_CUSTOMER) + 1, size=len(made))
    owners = {ticket.id: f"K-{number:05d}" for ticket, number in zip(made, customers, strict=True)}
    older = round(SHARE_IN_CSV * len(made))
    return {
        CSV_NAME: _as_csv(_exported(made[:older], owners, chance)),
        LOG_NAME: b"".join(_logged(made[older:], owners, chance)),
    }


def _exported(made: Sequence[Ticket], owners: Mapping[str, str], chance: np.random.Generator) -> Iterator[list[str]]:
    for ticket in made:
        reply = "" if chance.random() < _UNANSWERED else ticket.reply
        row = [
            ticket.id, ticket.received.strftime("%d.%m.%Y"), owners[ticket.id], ticket.language, ticket.intent,
            ticket.message, reply,
        ]  # fmt: skip
        yield [*row, "x"] if chance.random() < _TOO_MANY_CELLS else row
        if chance.random() < _TWICE:
            yield row
        if chance.random() < _COPIED:
            yield [f"{ticket.id}-K", *row[1:5], f"  {ticket.message.upper()} ", reply]


def _as_csv(rows: Iterator[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(_HEADER)
    writer.writerows(rows)
    return text.getvalue().encode("cp1252")


def _logged(made: Sequence[Ticket], owners: Mapping[str, str], chance: np.random.Generator) -> Iterator[bytes]:
    for ticket in made:
        message = ticket.message
        if chance.random() < _DAMAGED:
            message = message.encode().decode("cp1252", errors="replace")
        row = {
            "id": ticket.id,
            "received": ticket.received.isoformat(),
            "customer": owners[ticket.id],
            "language": ticket.language,
            "category": ticket.intent,
            "message": message,
            "reply": _REFUSAL[ticket.language] if chance.random() < _REFUSED else ticket.reply,
        }
        line = json.dumps(row, ensure_ascii=False).encode()
        yield (line[: len(line) // 2] if chance.random() < _CUT else line) + b"\n"
        if chance.random() < _TWICE:
            yield line + b"\n"
