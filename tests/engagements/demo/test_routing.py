"""The short tickets that the demo's small model learns to route."""

import csv
import io
import json
import re

from engagements.demo.routing import COLUMNS, exported, held_out, instruction, queues

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"


def imported() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported(7).decode())))


def asked() -> list[tuple[str, str]]:
    rows = [json.loads(line)["messages"] for line in held_out(7).decode().splitlines()]
    return [(row[1]["content"], row[2]["content"]) for row in rows]


def said_in(text: str) -> str:
    """Without what chance puts in: greetings, endings, numbers and months."""
    plain = re.sub(r"^Hello, | Many thanks\.$", "", text)
    return re.sub(rf"\d+|{_MONTHS}", "#", plain)


def test_the_same_seed_exports_the_same_tickets_and_another_one_others():
    assert exported(7) == exported(7)
    assert exported(7) != exported(9)


def test_every_queue_has_as_many_tickets_and_is_named_in_the_instruction():
    rows = imported()
    assert tuple(rows[0]) == COLUMNS
    assert {each: sum(row["queue"] == each for row in rows) for each in queues()} == dict.fromkeys(queues(), 18)
    assert all(each in instruction() for each in queues())


def test_what_is_held_out_is_said_in_no_ticket_that_is_imported():
    known = {said_in(row["message"]) for row in imported()}
    held = asked()
    assert len(held) == 60
    assert {queue for _, queue in held} == set(queues())
    assert [text for text, _ in held if said_in(text) in known] == []
