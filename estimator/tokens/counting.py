"""Token counts of very many examples: texts gathered into batches, batches counted by two threads.

The tokeniser works without the interpreter lock, so it counts one batch while the next rows are read and checked. A
batch is one call into it: handing the lock over after every text would cost more than the counting.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from estimator.tokens.training import ExampleTexts

_BATCH_CHARS: Final = 512 * 1024
_BATCH_EXAMPLES: Final = 4_096
_BATCHES_IN_FLIGHT: Final = 4
_THREADS: Final = 2
_REMEMBERED: Final = 512
_REMEMBERED_CHARS: Final = 16 * 1024


class Tokeniser(Protocol):
    """What counts texts: an `Encoding` of OpenAI or an `OpenTokeniser`. `note` says what it leaves out, if anything."""

    @property
    def name(self) -> str: ...
    @property
    def note(self) -> str: ...
    def count(self, text: str) -> int: ...
    def counts(self, texts: Sequence[str]) -> NDArray[np.int64]: ...
    def texts_of(self, example: Mapping[str, object]) -> ExampleTexts: ...


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of some examples: where each stands, all of its tokens, and those of its answers."""

    lines: NDArray[np.int64]
    totals: NDArray[np.int64]
    answers: NDArray[np.int64]


@dataclass(slots=True)
class _Batch:
    """`sizes` holds, per example, how many of `texts` are its prompts and how many its answers."""

    lines: list[int] = field(default_factory=list)
    fixed: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    chars: int = 0


class TokenCounter:
    """Counts examples in the order in which they were added. Use as a context manager: it owns two threads."""

    def __init__(self, tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser
        self._pool = ThreadPoolExecutor(_THREADS)
        self._pending: deque[Future[Counted]] = deque()
        self._batch = _Batch()
        self._repeated = _RepeatedTexts(tokeniser)

    def __enter__(self) -> "TokenCounter":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, line: int, example: Mapping[str, object]) -> None:
        """Take in the example that stands on `line`."""
        texts, batch = self._tokeniser.texts_of(example), self._batch
        fixed = texts.fixed_tokens
        before = len(batch.texts)
        for text in texts.repeated:
            known = self._repeated.count(text)
            if known is None:
                batch.texts.append(text)
            else:
                fixed += known
        batch.texts += texts.prompts
        batch.sizes.append(len(batch.texts) - before)
        batch.texts += texts.answers
        batch.sizes.append(len(texts.answers))
        batch.lines.append(line)
        batch.fixed.append(fixed)
        batch.chars += sum(map(len, batch.texts[before:]))
        if batch.chars > _BATCH_CHARS or len(batch.lines) >= _BATCH_EXAMPLES:
            self._submit()

    def done(self) -> Iterator[Counted]:
        """What has been counted so far; to be asked for after each example, so that no more than a few batches wait."""
        while len(self._pending) > _BATCHES_IN_FLIGHT:
            yield self._pending.popleft().result()

    def rest(self) -> Iterator[Counted]:
        """What is still being counted."""
        self._submit()
        while self._pending:
            yield self._pending.popleft().result()

    def _submit(self) -> None:
        self._pending.append(self._pool.submit(_measure, self._tokeniser, self._batch))
        self._batch = _Batch()


def _measure(tokeniser: Tokeniser, batch: _Batch) -> Counted:
    counts = tokeniser.counts(batch.texts) if batch.texts else np.zeros(0, np.int64)
    sums = np.concatenate(([0], np.cumsum(counts)))[np.cumsum([0, *batch.sizes])]
    prompts, answers = np.diff(sums)[::2], np.diff(sums)[1::2]
    return Counted(np.array(batch.lines, np.int64), np.array(batch.fixed, np.int64) + prompts + answers, answers)


class _RepeatedTexts:
    """Counts of texts that return row after row (system prompts, function blocks), known from the second time on.

    Remembers a bounded number of texts of bounded length; a data set in which every prompt differs costs nothing more.
    """

    def __init__(self, tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser
        self._seen: set[int] = set()
        self._counts: dict[str, int] = {}

    def count(self, text: str) -> int | None:
        if (known := self._counts.get(text)) is not None or len(text) > _REMEMBERED_CHARS:
            return known
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        if (key := hash(text)) not in self._seen:
            self._seen.add(key)
            return None
        if len(self._counts) >= _REMEMBERED:
            self._counts.clear()
        return self._counts.setdefault(text, self._tokeniser.count(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Tokens per example: quantiles with linear interpolation between neighbours, as numpy's default."""

    p10: float
    p50: float
    p90: float
    longest: int


@dataclass(slots=True)
class TokenSums:
    """What is kept of the counts: sums and the histogram of lengths, never the lengths themselves."""

    limit: int | None = None
    total: int = 0
    kept: int = 0
    answers: int = 0
    over_limit: int = 0
    lengths: Counter[int] = field(default_factory=Counter)

    def add(self, counted: Counted) -> None:
        self.total += int(counted.totals.sum())
        self.answers += int(counted.answers.sum())
        kept = counted.totals if self.limit is None else np.minimum(counted.totals, self.limit)
        self.kept += int(kept.sum())
        self.over_limit += int((kept < counted.totals).sum())
        lengths, examples = np.unique(counted.totals, return_counts=True)
        self.lengths.update(dict(zip(lengths.tolist(), examples.tolist(), strict=True)))

    def distribution(self) -> Distribution | None:
        """None without an example: an average of nothing is unknown."""
        if not self.lengths:
            return None
        lengths = sorted(self.lengths)
        ranks = np.cumsum([self.lengths[length] for length in lengths])

        def quantile(share: float) -> float:
            rank = share * (int(ranks[-1]) - 1)
            low, high = (
                lengths[int(np.searchsorted(ranks, whole, side="right"))] for whole in (int(rank), -int(-rank // 1))
            )
            return float(low + (high - low) * (rank - int(rank)))

        return Distribution(p10=quantile(0.1), p50=quantile(0.5), p90=quantile(0.9), longest=lengths[-1])
