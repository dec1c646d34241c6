"""Deliveries to a real receiver on a socket, on both databases."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlmodel import select

from engagements.client.signatures import verify_webhook
from engagements.core.outbox import EventType, tell
from engagements.webhooks.courier import Courier
from engagements.webhooks.models import WebhookDelivery
from engagements.webhooks.queue import LEASE, PAUSES, claim_next, fan_out, settle
from engagements.webhooks.sending import Outcome

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def webhook(house, url, **fields):
    answer = house.api().post("/api/v1/webhooks", {"url": url, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def tell_of_an_acceptance(house, organisation_id=""):
    with house.wiring.store.write() as session:
        data = {"proposal": "pro_1", "engagement": "eng_1"}
        owner = organisation_id or house.organisation_id
        return tell(session, owner, EventType.PROPOSAL_ACCEPTED, data, at=house.clock.now()).id


def deliveries(house, made):
    return house.api().get(f"/api/v1/webhooks/{made['id']}/deliveries").json()["items"]


def outcomes(house):
    text = house.wiring.metrics.text().decode()
    return {line for line in text.splitlines() if line.startswith("sixfold_webhook_attempts_total")}


def test_what_happened_is_told_once_and_signed(house, receiver):
    made = webhook(house, receiver.url)
    event_id = tell_of_an_acceptance(house)
    assert house.wiring.courier.deliver_due() == 1
    assert house.wiring.courier.deliver_due() == 0
    (arrival,) = receiver.got
    assert arrival.path == "/hook?from=sixfold"
    event = verify_webhook(made["secret"], arrival.headers, arrival.body, house.clock.now())
    assert (event.id, event.type, event.timestamp) == (event_id, "proposal.accepted", house.clock.now())
    assert event.data == {"proposal": "pro_1", "engagement": "eng_1"}
    (delivery,) = deliveries(house, made)
    assert (delivery["state"], delivery["attempts"], delivery["response_status"]) == ("delivered", 1, 204)
    assert outcomes(house) == {'sixfold_webhook_attempts_total{outcome="delivered"} 1.0'}


def test_only_those_who_asked_and_are_switched_on_are_told(house, receiver):
    asked = webhook(house, receiver.url, event_types=["proposal.accepted"])
    other = webhook(house, receiver.url, event_types=["proposal.declined"])
    asleep = webhook(house, receiver.url)
    house.api().patch(f"/api/v1/webhooks/{asleep['id']}", {"active": False}, version=1)
    tell_of_an_acceptance(house)
    tell_of_an_acceptance(house, house.other_id)
    house.wiring.courier.deliver_due()
    assert [len(deliveries(house, each)) for each in (asked, other, asleep)] == [1, 0, 0]
    assert len(receiver.got) == 1


def test_a_receiver_that_fails_is_asked_again_under_the_same_id(house, receiver):
    made = webhook(house, receiver.url)
    receiver.answers = [500, 200]
    event_id = tell_of_an_acceptance(house)
    assert house.wiring.courier.deliver_due() == 1
    (delivery,) = deliveries(house, made)
    assert (delivery["state"], delivery["failure"]) == ("waiting", "answered 500")
    house.clock.move(PAUSES[0] * 1.2)
    assert house.wiring.courier.deliver_due() == 1
    assert receiver.ids == [event_id, event_id]
    assert receiver.got[0].body == receiver.got[1].body
    assert deliveries(house, made)[0]["state"] == "delivered"


def test_a_receiver_that_names_a_time_is_not_asked_before(house, receiver):
    def later(handler):
        handler.send_response(429)
        handler.send_header("Retry-After", "3600")
        handler.end_headers()

    webhook(house, receiver.url)
    receiver.answers = [later, 200]
    tell_of_an_acceptance(house)
    house.wiring.courier.deliver_due()
    house.clock.move(timedelta(seconds=3599))
    assert house.wiring.courier.deliver_due() == 0
    house.clock.move(timedelta(seconds=1))
    assert house.wiring.courier.deliver_due() == 1


def test_after_three_days_it_is_given_up_shown_and_can_be_sent_again(house, receiver):
    made = webhook(house, receiver.url)
    receiver.answers = [503]
    tell_of_an_acceptance(house)
    began = house.clock.now()
    house.wiring.courier.deliver_due()
    while deliveries(house, made)[0]["state"] == "waiting":
        house.clock.move(timedelta(hours=1))
        house.wiring.courier.deliver_due()
    assert timedelta(days=3) < house.clock.now() - began < timedelta(days=4, hours=1)
    (given_up,) = house.api().get(f"/api/v1/webhooks/{made['id']}/deliveries?state=given_up").json()["items"]
    assert (given_up["attempts"], len(receiver.got)) == (len(PAUSES) + 1, len(PAUSES) + 1)
    receiver.answers = [200]
    again = house.api().post(f"/api/v1/webhooks/{made['id']}/deliveries/{given_up['id']}/redeliver")
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    house.wiring.courier.deliver_due()
    assert deliveries(house, made)[0]["state"] == "delivered"
    assert len(set(receiver.ids)) == 1


def test_a_receiver_that_is_down_is_told_later(house, receiver):
    made = webhook(house, receiver.url)
    receiver.server.server_close()
    tell_of_an_acceptance(house)
    house.wiring.courier.deliver_due()
    (delivery,) = deliveries(house, made)
    assert (delivery["state"], delivery["failure"]) == ("waiting", "nobody listens there")


def test_a_redirect_is_a_failure_and_is_not_followed(house, receiver):
    def elsewhere(handler):
        handler.send_response(307)
        handler.send_header("Location", receiver.url + "&again=1")
        handler.end_headers()

    made = webhook(house, receiver.url)
    receiver.answers = [elsewhere]
    tell_of_an_acceptance(house)
    house.wiring.courier.deliver_due()
    assert len(receiver.got) == 1
    assert deliveries(house, made)[0]["failure"] == "answered 307"


def impatient(house):
    courier = house.wiring.courier
    return Courier(
        store=courier.store, clock=courier.clock, metrics=courier.metrics, local_hosts=courier.local_hosts, senders=0,
        deadline_s=0.3,
    )  # fmt: skip


def test_a_receiver_that_trickles_is_cut_off_at_the_deadline(house, receiver):
    leave = Event()

    def trickle(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not leave.wait(0.05):
            handler.wfile.write(b"X-A: b\r\n")

    made = webhook(house, receiver.url)
    receiver.answers = [trickle]
    tell_of_an_acceptance(house)
    began = time.monotonic()
    impatient(house).deliver_due()
    leave.set()
    assert time.monotonic() - began < 60
    assert deliveries(house, made)[0]["failure"] == "no answer in time"


def test_an_endless_answer_is_not_read(house, receiver):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            pass

    made = webhook(house, receiver.url)
    receiver.answers = [endless]
    tell_of_an_acceptance(house)
    house.wiring.courier.deliver_due()
    assert deliveries(house, made)[0]["state"] == "delivered"


def test_a_name_that_turns_inward_after_it_was_set_up_is_not_called(house, receiver):
    made = webhook(house, "https://hooks.example.com/")
    tell_of_an_acceptance(house)
    courier = house.wiring.courier
    inward = Courier(
        store=courier.store, clock=courier.clock, metrics=courier.metrics, local_hosts=frozenset(), senders=0,
        resolve=lambda host, port: ["169.254.169.254"],
    )  # fmt: skip
    inward.deliver_due()
    assert "network of its own" in deliveries(house, made)[0]["failure"]


@pytest.mark.parametrize("waiting", [1, 4])
def test_an_endpoint_is_claimed_by_one_of_many_who_look_at_once(house, receiver, waiting):
    webhook(house, receiver.url)
    for _ in range(waiting):
        tell_of_an_acceptance(house)
    with house.wiring.store.write() as session:
        fan_out(session, at=house.clock.now())
    claims = []

    def take():
        with house.wiring.store.write() as session:
            claims.append(claim_next(session, at=house.clock.now()))

    threads = [Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in claims if each]) == 1
    assert len(claims) == 6


def test_a_claim_takes_one_delivery_however_many_are_due(house):
    for number in range(12):
        webhook(house, f"http://127.0.0.1/{number}")
    for _ in range(5):
        tell_of_an_acceptance(house)
    with house.wiring.store.write() as session:
        fan_out(session, at=house.clock.now())
        assert claim_next(session, at=house.clock.now())
    with house.wiring.store.read() as session:
        rows = session.exec(select(WebhookDelivery)).all()
        assert (len(rows), len([row for row in rows if row.lease_until])) == (60, 1)


def test_a_lease_that_was_lost_settles_nothing(house, receiver):
    made = webhook(house, receiver.url)
    tell_of_an_acceptance(house)
    with house.wiring.store.write() as session:
        fan_out(session, at=house.clock.now())
        slow = claim_next(session, at=house.clock.now())
    house.clock.move(LEASE + timedelta(seconds=1))
    house.wiring.courier.deliver_due()
    with house.wiring.store.write() as session:
        assert not settle(session, slow, Outcome(failure="no answer in time"), at=house.clock.now(), chance=0)
    assert deliveries(house, made)[0]["state"] == "delivered"


def test_an_endpoint_that_hangs_does_not_hold_up_the_others(house, receiver):
    webhook(house, receiver.url)
    for _ in range(3):
        tell_of_an_acceptance(house)
    with house.wiring.store.write() as session:
        fan_out(session, at=house.clock.now())
        assert claim_next(session, at=house.clock.now())
        assert claim_next(session, at=house.clock.now()) is None


CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from pydantic import SecretStr
from engagements.core.clock import FixedClock
from engagements.settings import Settings
from engagements.wiring import wire
settings = Settings(home=Path(sys.argv[1]), database=SecretStr(sys.argv[2]), webhook_hosts=("127.0.0.1",))
wire(settings, clock=FixedClock(at=datetime.fromisoformat(sys.argv[3]))).courier.deliver_due()
"""


def test_killed_between_sending_and_marking_it_sends_the_same_id_again(house, receiver, database_url, tmp_path):
    made = webhook(house, receiver.url)
    event_id = tell_of_an_acceptance(house)
    arguments = [sys.executable, "-c", CHILD, str(tmp_path), database_url, house.clock.now().isoformat()]
    child = subprocess.Popen(arguments)
    receiver.answers = [lambda handler: os.kill(child.pid, signal.SIGKILL), 200]
    assert child.wait(60) == -signal.SIGKILL
    house.clock.move(LEASE - timedelta(seconds=1))
    assert house.wiring.courier.deliver_due() == 0
    house.clock.move(timedelta(seconds=2))
    assert house.wiring.courier.deliver_due() == 1
    assert receiver.ids == [event_id, event_id]
    (delivery,) = deliveries(house, made)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


def test_two_processes_share_the_work_and_send_nothing_twice(house, receiver, database_url, tmp_path):
    for _ in range(4):
        webhook(house, receiver.url)
    told = [tell_of_an_acceptance(house) for _ in range(5)]
    command = [sys.executable, "-c", CHILD, str(tmp_path), database_url, house.clock.now().isoformat()]
    children = [subprocess.Popen(command) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    assert Counter(receiver.ids) == dict.fromkeys(told, 4)


def test_while_the_server_runs_its_threads_deliver(house, receiver):
    webhook(house, receiver.url)
    courier = house.wiring.courier
    running = Courier(
        store=courier.store, clock=courier.clock, metrics=courier.metrics, local_hosts=courier.local_hosts, senders=2
    )
    running.start()
    event_id = tell_of_an_acceptance(house)
    deadline = time.monotonic() + 10
    while not receiver.got and time.monotonic() < deadline:
        time.sleep(0.02)
    running.stop()
    assert receiver.ids == [event_id]
