"""Sending the requests of a run: a few at a time, each under the cap, again where that may help, and stopped as one.

Threads share one `Traffic`. The budget is asked and the request written down before it goes out; what comes back is
written down before anything else is done with it.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Lock
from typing import Final, Protocol, TypeVar

from engagements.core.leases import LeaseLost
from engagements.phases.data_preparation.jobs.context import Cancelled, JobContext
from engagements.phases.data_preparation.synthesis import calls
from engagements.phases.data_preparation.synthesis.answers import Dropped
from engagements.phases.data_preparation.synthesis.budget import NO_TOKENS, Budget, Purpose, Tokens
from engagements.phases.data_preparation.synthesis.calls import Answered, Place
from engagements.phases.data_preparation.synthesis.counting import estimated_tokens
from engagements.phases.data_preparation.synthesis.questions import Failure, Question, Reply, is_same_model
from engagements.phases.data_preparation.synthesis.worst_case import most_of_prompt

ATTEMPTS_MAX: Final = 4
RETRY_AFTER_MAX_S: Final = 120.0
"""A server that asks for more patience ends the run, as the openai package would end the request."""
_LOOKED_AFTER_S: Final = 0.5

Item = TypeVar("Item")


class Stop(StrEnum):
    """Why a run sends nothing more."""

    CAP = "cap"
    REFUSED = "refused"
    WRONG_MODEL = "wrong_model"
    USAGE = "usage"


class Halted(Exception):
    """The run sends nothing more. `said`: why, for people."""

    def __init__(self, stop: Stop, said: str) -> None:
        self.stop, self.said = stop, said
        super().__init__(said)


class Asks(Protocol):
    def ask(self, question: Question) -> Reply | Failure: ...


@dataclass(kw_only=True)
class Traffic:
    """`attempts`: how often each request was sent before this worker took the run up. `answers` grow as they come.

    Beside a request that writes, room is kept under the cap for judging what it writes, until `free_rooms`.
    """

    context: JobContext
    run_id: str
    asker: Asks
    budget: Budget
    attempts: dict[Place, int]
    answers: dict[Place, Answered]
    backoff_s: float
    _rooms: set[Place] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _stopping: Event = field(default_factory=Event)

    def send(self, place: Place, question: Question, *, room: Tokens = NO_TOKENS) -> None:
        """Gets an answer, or none where the run is being stopped. `room`: for judging it.

        Raises `Halted`.
        """
        most = most_of_prompt(question.prompt, question.most_output)
        for tried in range(ATTEMPTS_MAX):
            if self._stopping.is_set():
                return
            attempt = self._hold(place, most, room)
            outcome = self.asker.ask(question)
            match outcome:
                case Reply():
                    self._settle(place, attempt, question, outcome, most)
                    return
                case Failure():
                    self._failed(place, attempt, outcome, is_last=tried == ATTEMPTS_MAX - 1)
                    self._stopping.wait(self._patience(outcome, tried))
        raise AssertionError("the last attempt returns or raises")

    def keep_room(self, place: Place, room: Tokens) -> None:
        """For judging what was written before this worker came; nothing is kept where it does not fit any more."""
        with self._lock:
            self._has_room(place, room)

    def free_rooms(self) -> None:
        """From here on the room is used."""
        with self._lock:
            for place in self._rooms:
                self.budget.release(("room", place))
            self._rooms.clear()

    def each(self, items: Iterable[Item], do: Callable[[Item], None], *, at_once: int, step: str, total: int) -> None:
        """Does all of them in threads. Raises `Halted`, `Cancelled` and `LeaseLost`, when all that was out is back."""
        waiting, out, done = iter(items), set[Future[None]](), 0
        self.context.progress(step, done, total)
        with ThreadPoolExecutor(at_once, thread_name_prefix="synthesis") as pool:
            try:
                while True:
                    while len(out) < at_once and (item := next(waiting, None)) is not None:
                        out.add(pool.submit(do, item))
                    if not out:
                        return
                    finished, out = wait(out, timeout=_LOOKED_AFTER_S, return_when=FIRST_COMPLETED)
                    for each in finished:
                        each.result()
                    done += len(finished)
                    self.context.progress(step, done, total)
            finally:
                # Whoever waits before another attempt stops waiting; what is out already is waited for and written.
                self._stopping.set()
                self._await(out, step, done, total)
                self._stopping.clear()

    def _await(self, out: set[Future[None]], step: str, done: int, total: int) -> None:
        while out:
            out = wait(out, timeout=_LOOKED_AFTER_S).not_done
            # The lease is kept up meanwhile; whoever asked us to stop has been heard.
            with suppress(Cancelled, LeaseLost):
                self.context.progress(step, done, total)

    def _hold(self, place: Place, most: Tokens, room: Tokens) -> int:
        with self._lock:
            attempt = self.attempts.get(place, 0) + 1
            if not self._fits(place, attempt, most, room):
                raise Halted(Stop.CAP, "the next request would not fit under the cap")
            self.attempts[place] = attempt
        try:
            with self.context.write() as session:
                calls.note_sent(session, self.run_id, place, attempt, most, at=self.context.clock.now())
        except BaseException:
            with self._lock:
                self.budget.release((place, attempt))
            raise
        return attempt

    def _fits(self, place: Place, attempt: int, most: Tokens, room: Tokens) -> bool:
        return self._has_room(place, room) and self.budget.hold((place, attempt), place.purpose, most)

    def _has_room(self, place: Place, room: Tokens) -> bool:
        if not room.total or place in self._rooms:
            return True
        if not self.budget.hold(("room", place), Purpose.JUDGE, room):
            return False
        self._rooms.add(place)
        return True

    def _settle(self, place: Place, attempt: int, question: Question, reply: Reply, most: Tokens) -> None:
        used = reply.used or estimated_tokens(question.model, question.prompt, reply.content)
        is_ours = is_same_model(question.model, reply.model)
        answer = Answered(
            content=reply.content or "", finish_reason=reply.finish_reason if is_ours else Dropped.WRONG_MODEL.value
        )
        with self._lock:
            charged = self.budget.settle((place, attempt), used)
            self.answers[place] = answer
        at, is_estimated = self.context.clock.now(), reply.used is None
        with self.context.write() as session:
            calls.note_answer(session, self.run_id, place, attempt, answer, charged, is_estimated=is_estimated, at=at)
        if not used.within(most):
            possible = f"a request that can have used {most.total:,} at most"
            raise Halted(Stop.USAGE, f"the server reports {used.total:,} tokens for {possible}; compare its bill")
        if not is_ours:
            said = f"the server answers with {reply.model[:80]!r} instead of {question.model!r}; name what it serves"
            raise Halted(Stop.WRONG_MODEL, said)

    def _failed(self, place: Place, attempt: int, failure: Failure, *, is_last: bool) -> None:
        with self._lock:
            if failure.may_be_billed:
                self.budget.lose((place, attempt))
            else:
                self.budget.release((place, attempt))
        with self.context.write() as session:
            calls.note_failure(session, self.run_id, place, attempt, failure, at=self.context.clock.now())
        too_long = failure.retry_after_s is not None and failure.retry_after_s > RETRY_AFTER_MAX_S
        if not failure.may_retry or is_last or too_long:
            asks = f" and asks to wait {failure.retry_after_s:,.0f} s" if too_long else ""
            raise Halted(Stop.REFUSED, f"the server {failure.said}{asks}" if asks else failure.said)

    def _patience(self, failure: Failure, tried: int) -> float:
        """As long as the server asks, or twice as long each time."""
        return failure.retry_after_s if failure.retry_after_s is not None else self.backoff_s * 2**tried
