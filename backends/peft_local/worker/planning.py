"""Which rows make a step, and how they share batches: a function of lengths, knobs and seed, so that a run that goes on
knows the next step's rows without having kept them.

A step takes the same rows in the same order whether it is padded or packed; both compute the same gradient.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from backends.spec import Batching

_WINDOW_STEPS: Final = 50
"""Steps whose rows are sorted together when lengths are grouped (transformers' LengthGroupedSampler: 50 batches)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`lengths`: tokens of each row. A micro batch holds `micro_batch_size` rows, or when packed as many as fit into
    `micro_batch_size` times the longest row."""

    lengths: Sequence[int]
    batch_size: int
    micro_batch_size: int
    batching: Batching
    seed: int

    @property
    def steps_an_epoch(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    @property
    def capacity(self) -> int:
        """Tokens that a micro batch holds at most when it is packed."""
        return self.micro_batch_size * max(self.lengths)

    def steps(self, *, after: int, until: int) -> Iterator[list[list[int]]]:
        """For each step after `after` up to `until`, counted from 1: its micro batches, each a list of rows."""
        step = after
        while step < until:
            epoch, place = divmod(step, self.steps_an_epoch)
            for batch in self.epoch(epoch)[place : place + until - step]:
                yield self.micro_batches(batch)
                step += 1

    def epoch(self, number: int) -> list[list[int]]:
        """Every row once, in batches of a step; the last one may be short."""
        chance = random.Random(f"{self.seed} {number}")  # noqa: S311 (an order, no secret)
        order = list(range(len(self.lengths)))
        chance.shuffle(order)
        if self.batching is not Batching.LENGTH_GROUPED:
            return _cut(order, self.batch_size)
        windows = _cut(order, self.batch_size * _WINDOW_STEPS)
        batches = [batch for window in windows for batch in _cut(self._longest_first(window), self.batch_size)]
        chance.shuffle(batches)
        return batches

    def micro_batches(self, rows: Sequence[int]) -> list[list[int]]:
        """Of one step's rows, longest first, so that what will not fit fails at once."""
        ordered = self._longest_first(rows)
        if self.batching is Batching.PACKED:
            return first_fit_decreasing(ordered, self.lengths, self.capacity)
        return _cut(ordered, self.micro_batch_size)

    def _longest_first(self, rows: Sequence[int]) -> list[int]:
        return sorted(rows, key=lambda row: -self.lengths[row])


def first_fit_decreasing(ordered: Sequence[int], lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Rows, longest first, each laid into the first pack that has room for it (Johnson 1973: at most 11/9 of the
    fewest packs, and 6/9 of one)."""
    packs: list[list[int]] = []
    room: list[int] = []
    for row in ordered:
        fits = next((pack for pack, free in enumerate(room) if free >= lengths[row]), None)
        if fits is None:
            packs.append([row])
            room.append(capacity - lengths[row])
        else:
            packs[fits].append(row)
            room[fits] -= lengths[row]
    return packs


def _cut(rows: Sequence[int], size: int) -> list[list[int]]:
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def evenly(count: int, *, total: int) -> frozenset[int]:
    """`count` of the steps 1 to `total`, at even distances, the last included."""
    return frozenset(-(-total * each // count) for each in range(1, count + 1))
