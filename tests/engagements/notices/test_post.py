"""Letters to a real mail server on a socket, on both databases: once each, whatever is lost on the way."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from threading import Thread

import pytest

from engagements.notices.post import LEASE, NEWS_FOR, PAUSES, claim_next, settle, write_letters
from engagements.notices.postman import Postman
from engagements.notices.reading import choose_letters, mark_all_read
from engagements.notices.smtp import MailServer, Outcome
from engagements.people.identities import actor_of
from engagements.people.models import User

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
BASE = "https://sixfold.example"


def acting(house, session, person_id):
    return actor_of(session.get_one(User, person_id))


def claimed(house):
    with house.wiring.store.write() as session:
        write_letters(session, at=house.clock.now(), base_url=BASE)
        session.flush()
        return claim_next(session, at=house.clock.now(), base_url=BASE)


def test_what_a_person_is_told_comes_once_as_plain_text_with_the_way_out(house, mailbox, postman, tell, letters):
    tell("The gate of training is passed, with café conditions\n.and a dot")
    assert (postman.deliver_due(), postman.deliver_due()) == (1, 0)
    (letter,) = mailbox[0].got
    assert letters() == [("sent", 1, "")]
    assert letter["subject"] == "The gate of training is passed, with café conditions .and a dot"
    assert letter["to"] == "Zoë Brandt <zoe@example.com>"
    assert letter["from"].addresses[0].addr_spec == "delivery@example.com"
    assert letter["list-unsubscribe"] == f"<{BASE}/notices/settings>"
    assert letter["auto-submitted"] == "auto-generated"
    assert letter.get_content_type() == "text/plain"
    text = letter.get_content().replace("\r\n", "\n")
    assert "café conditions\n.and a dot\n" in text
    assert f"{BASE}/engagements/eng_1/gates" in text


def test_who_wants_no_e_mail_who_has_read_it_and_who_left_get_none(house, mailbox, postman, tell):
    person = tell()
    with house.wiring.store.write() as session:
        mark_all_read(session, acting(house, session, person), at=house.clock.now())
    assert postman.deliver_due() == 0
    with house.wiring.store.write() as session:
        choose_letters(session, acting(house, session, person), by_email=False, at=house.clock.now())
    tell(topic="gate:2")
    assert postman.deliver_due() == 0
    with house.wiring.store.write() as session:
        choose_letters(session, acting(house, session, person), by_email=True, at=house.clock.now())
    tell(topic="gate:3")
    house.clock.move(NEWS_FOR + timedelta(seconds=1))
    assert postman.deliver_due() == 0, "old news brings no letter"
    tell(topic="gate:4")
    assert postman.deliver_due() == 1
    assert len(mailbox[0].got) == 1


def test_a_server_that_is_busy_is_asked_again_and_the_letter_keeps_its_name(house, mailbox, postman, tell, letters):
    box, _ = mailbox
    tell()
    box.refusals = ["451 try again later"]
    assert postman.deliver_due() == 1
    assert letters() == [("waiting", 1, "recipient: 451 try again later")]
    assert postman.deliver_due() == 0, "not before its pause is over"
    house.clock.move(PAUSES[0] * 1.2)
    assert postman.deliver_due() == 1
    assert (letters(), len(box.got)) == ([("sent", 2, "")], 1)
    assert box.got[0]["message-id"].startswith("<let_")


def test_a_mailbox_that_goes_on_refusing_is_given_up_and_one_that_is_not_there_at_once(
    house, mailbox, postman, tell, letters
):
    box, _ = mailbox
    tell()
    box.refusals = ["450 mailbox full"] * 20
    while letters() == [] or letters()[0][0] == "waiting":
        assert postman.deliver_due() == 1
        house.clock.move(PAUSES[-1] * 1.2)
    assert letters() == [("given_up", len(PAUSES) + 1, "recipient: 450 mailbox full")]
    tell(topic="gate:2")
    box.refusals = ["550 nobody here by that name"]
    postman.deliver_due()
    house.clock.move(PAUSES[-1] * 2)
    assert postman.deliver_due() == 0
    assert letters()[1] == ("given_up", 1, "recipient: 550 nobody here by that name")
    assert box.got == []


def test_a_lost_answer_after_the_last_byte_does_not_bring_a_second_copy(house, mailbox, postman, tell, letters):
    box, _ = mailbox

    def hang_up(server):
        server.transport.abort()
        return "250 never heard"

    tell()
    box.after_data = hang_up
    postman.deliver_due()
    house.clock.move(PAUSES[-1] * 2)
    assert postman.deliver_due() == 0
    assert letters() == [("sent", 1, "handed over whole, and not answered")]
    assert len(box.got) == 1


def test_a_server_that_is_not_there_costs_a_try_and_no_letter(house, mailbox, postman, tell, letters):
    away = MailServer(
        host="127.0.0.1", port=1, tls="none", sender_email="delivery@example.com", sender_name="Halden & Roth"
    )
    tell()
    Postman(store=house.wiring.store, clock=house.clock, server=away, base_url=BASE).deliver_due()
    assert letters() == [("waiting", 1, "nobody listens there")]
    house.clock.move(PAUSES[0] * 1.2)
    postman.deliver_due()
    assert len(mailbox[0].got) == 1


def test_a_letter_is_not_handed_to_a_server_without_the_encryption_asked_for(house, mailbox, tell, letters):
    plain = MailServer(
        host="127.0.0.1", port=mailbox[1], tls="starttls", sender_email="delivery@example.com", sender_name="H & R"
    )
    tell()
    Postman(store=house.wiring.store, clock=house.clock, server=plain, base_url=BASE).deliver_due()
    assert mailbox[0].got == []
    assert letters()[0][0] == "waiting"


def test_two_claim_at_once_and_one_gets_it(house, tell):
    for number in range(4):
        tell(topic=f"gate:{number}")
    with house.wiring.store.write() as session:
        write_letters(session, at=house.clock.now(), base_url=BASE)
    claims = []

    def take():
        with house.wiring.store.write() as session:
            claims.append(claim_next(session, at=house.clock.now(), base_url=BASE))

    threads = [Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [each.letter.id for each in claims if each]
    assert (len(taken), len(set(taken))) == (4, 4)


def test_a_lease_that_was_lost_settles_nothing(house, postman, tell, letters):
    tell()
    slow = claimed(house)
    house.clock.move(LEASE + timedelta(seconds=1))
    postman.deliver_due()
    with house.wiring.store.write() as session:
        assert not settle(session, slow, Outcome(sent=False, failure="late"), at=house.clock.now(), chance=0)
    assert letters() == [("sent", 2, "")]


CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from pydantic import SecretStr
from engagements.core.clock import FixedClock
from engagements.settings import Settings
from engagements.wiring import wire
settings = Settings(
    home=Path(sys.argv[1]), database=SecretStr(sys.argv[2]), smtp_host="127.0.0.1", smtp_port=int(sys.argv[4]),
    smtp_tls="none", smtp_from="delivery@example.com",
)
wire(settings, clock=FixedClock(at=datetime.fromisoformat(sys.argv[3]))).postman.deliver_due()
"""


def test_killed_between_sending_and_marking_it_sends_the_same_letter_again(
    house, mailbox, postman, tell, letters, database_url, tmp_path
):
    box, port = mailbox
    tell()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), database_url, house.clock.now().isoformat(), str(port)]
    )

    def kill(_):
        os.kill(child.pid, signal.SIGKILL)
        return "250 taken"

    box.after_data = kill
    assert child.wait(60) == -signal.SIGKILL
    box.after_data = lambda _: "250 taken"
    house.clock.move(LEASE - timedelta(seconds=1))
    assert postman.deliver_due() == 0
    house.clock.move(timedelta(seconds=2))
    assert postman.deliver_due() == 1
    assert [letter["message-id"] for letter in box.got] == [box.got[0]["message-id"]] * 2
    assert letters() == [("sent", 2, "")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_while_the_server_runs_its_thread_delivers(house, mailbox, postman, tell, monkeypatch):
    monkeypatch.setattr("engagements.notices.postman._LOOK_EVERY_S", 0.02)
    postman.start()
    tell()
    deadline = time.monotonic() + 10
    while not mailbox[0].got and time.monotonic() < deadline:
        time.sleep(0.02)
    postman.stop()
    assert len(mailbox[0].got) == 1
