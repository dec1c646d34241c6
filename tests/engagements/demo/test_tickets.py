"""The demo's tickets: a client's mail that could be real, the same every time, and sound enough to train on."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from engagements.demo.tickets import MONTHS, SHARE_IN_GERMAN, Ticket, tickets
from estimator.tokens import count_dataset

UNTIL = date(2026, 11, 22)


@pytest.fixture(scope="module")
def mail() -> list[Ticket]:
    return list(tickets(1_000, until=UNTIL, seed=7))


def test_the_same_seed_writes_the_same_mail_and_another_seed_another(mail: list[Ticket]) -> None:
    assert list(tickets(1_000, until=UNTIL, seed=7)) == mail
    assert list(tickets(1_000, until=UNTIL, seed=8)) != mail


def test_it_came_in_fourteen_months_in_the_order_of_its_arrival(mail: list[Ticket]) -> None:
    days = [ticket.received for ticket in mail]
    assert days == sorted(days)
    assert UNTIL - timedelta(days=31 * MONTHS) < days[0] < days[-1] < UNTIL
    assert len({ticket.id for ticket in mail}) == len(mail)


def test_it_is_mostly_german_and_about_many_things(mail: list[Ticket]) -> None:
    german = sum(ticket.language == "de" for ticket in mail) / len(mail)
    assert german == pytest.approx(SHARE_IN_GERMAN, abs=0.05)
    assert len({ticket.intent for ticket in mail}) >= 8


def test_no_fragment_is_left_unfilled(mail: list[Ticket]) -> None:
    assert [ticket.id for ticket in mail if set("{}") & set(ticket.message + ticket.reply)] == []


def test_the_check_finds_nothing_wrong_with_it_that_bars_training(mail: list[Ticket], tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    file.write_bytes(b"".join(ticket.as_line() for ticket in mail))
    counted = count_dataset(file, model="gpt-4o-mini")
    assert counted.examples == len(mail)
    assert [problem for problem in counted.problems if problem.severity == "error"] == []
