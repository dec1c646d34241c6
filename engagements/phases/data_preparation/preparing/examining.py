"""What is found out about each record on its own, in other processes where there are many of them."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, NamedTuple

import orjson

from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.findings import Finding
from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.checks.redaction import redacted
from engagements.phases.data_preparation.deduplication.exact import Compared, compared
from engagements.phases.data_preparation.records import Record, record_of

POOL_FROM: Final = 4_000
"""Rows from which other processes are worth their start, which takes about as long as checking a thousand."""
_BATCH: Final = 400
_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Examined:
    """One record as it is kept, with what was found in it and what it is compared by."""

    record: Record
    line: bytes
    findings: Sequence[Finding]
    compared: Compared


class _Found(NamedTuple):
    changed: bytes | None
    findings: Sequence[Finding]
    compared: Compared


def examined(records: Iterable[Record], policy: CheckPolicy, *, processes: int) -> Iterator[Examined]:
    """Every record in its order. From `POOL_FROM` records on, `processes` others look at them."""
    records = iter(records)
    first = list(islice(records, POOL_FROM))
    if len(first) < POOL_FROM or processes < 1:
        for record in chain(first, records):
            yield _examined(record, policy)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin_worker)
    try:
        yield from _in_pool(pool, chain(first, records), policy, processes)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_pool(
    pool: ProcessPoolExecutor, records: Iterator[Record], policy: CheckPolicy, processes: int
) -> Iterator[Examined]:
    waiting: deque[tuple[Sequence[Record], Sequence[bytes], Future[list[_Found]]]] = deque()
    while batch := list(islice(records, _BATCH)):
        lines = [record.as_line() for record in batch]
        with _uninterrupted():
            waiting.append((batch, lines, pool.submit(_examine_lines, lines, policy)))
        if len(waiting) > processes * _AHEAD:
            yield from _joined(*waiting.popleft())
    while waiting:
        yield from _joined(*waiting.popleft())


def _joined(batch: Sequence[Record], lines: Sequence[bytes], found: Future[list[_Found]]) -> Iterator[Examined]:
    """What was sent out, with what came back; a changed record comes back as its line."""
    for record, line, each in zip(batch, lines, found.result(), strict=True):
        if each.changed is None:
            yield Examined(record, line, each.findings, each.compared)
        else:
            yield Examined(record_of(orjson.loads(each.changed)), each.changed, each.findings, each.compared)


def _examine_lines(lines: Sequence[bytes], policy: CheckPolicy) -> list[_Found]:
    """In the other process."""
    found = []
    for line in lines:
        record = record_of(orjson.loads(line))
        kept, findings = _checked(record, policy)
        found.append(_Found(None if kept is record else kept.as_line(), findings, compared(kept)))
    return found


def _examined(record: Record, policy: CheckPolicy) -> Examined:
    kept, findings = _checked(record, policy)
    return Examined(kept, kept.as_line(), findings, compared(kept))


def _checked(record: Record, policy: CheckPolicy) -> tuple[Record, Sequence[Finding]]:
    """The record as the policy lets it be kept: the same one, or a redacted copy.

    It is redacted whatever was found: what the check does not read, columns that came along, is written too.
    """
    findings = check_record(record, policy)
    kept = redacted(record).record if policy.personal_data is PersonalDataRule.REDACT else record
    return kept, findings


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits meanwhile. A process that is started here never hears it, not even while it loads its modules: it is
    the parent's to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Where the parent is killed, its workers end too."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)
