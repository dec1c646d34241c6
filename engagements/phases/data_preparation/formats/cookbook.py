"""OpenAI's own data check, the one most people know: the notebook "Data preparation and analysis for chat model
fine-tuning" (openai-cookbook, examples/Chat_finetuning_data_prep.ipynb), with the same counters and the same figures.

Its rules are kept as they are, also where they are dated: it knows neither the role `tool` nor the key `tool_calls`,
counts in cl100k_base, and adds 3 tokens a message, 3 an example and 1 a name. What it calls p5 and p95 are the 0.1 and
0.9 quantiles, and are called that here. At content that is no text and at a weight that is a number it stops with an
error; such rows are counted as far as they are text, and told by their number.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.formats.cookbook_tally import Batch, Tally
from engagements.phases.data_preparation.formats.word_counts import WordCounts
from estimator.tokens.json_row import BOM
from estimator.tokens.reading import MAX_ROW_BYTES, OnProgress, Source
from estimator.tokens.training import auto_epochs

LIMIT_TOKENS: Final = 16_385
"""The context of the notebook's model; what is longer, it says, is cut off."""

_BATCH_BYTES: Final = 8 * 1024 * 1024
_BATCHES_IN_FLIGHT: Final = 3
_CHUNK_BYTES: Final = 1024 * 1024

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a number differs from example to example; quantiles as numpy's default takes them."""

    least: int
    most: int
    mean: float
    median: float
    p10: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CookbookReport:
    """What the notebook prints; `format_errors` holds the counters that are not 0, `stops_at` numbers rows from 1."""

    examples: int
    format_errors: Mapping[str, int]
    missing_system: int
    missing_user: int
    messages_per_example: Spread | None
    tokens_per_example: Spread | None
    assistant_tokens_per_example: Spread | None
    over_limit: int
    billing_tokens: int
    epochs: int | None
    charged_tokens: int | None
    stops_at: tuple[int, ...]


def check_file(
    path: Path, *, limit_tokens: int = LIMIT_TOKENS, on_progress: OnProgress | None = None
) -> CookbookReport:
    """The notebook's check of a JSON Lines file. A line that is no JSON counts as `data_type`.

    Raises `DatasetUnreadable` where there is no such file.
    """
    return _checked(_add_lines(Source(path), on_progress), limit_tokens)


def check(dataset: Iterable[object], *, limit_tokens: int = LIMIT_TOKENS) -> CookbookReport:
    """The notebook's check of rows that have been parsed."""

    def add(tally: Tally) -> Iterator[None]:
        for row in dataset:
            tally.add(row)
            yield

    return _checked(add, limit_tokens)


Adding = Callable[[Tally], Iterator[None]]
"""Adds rows to a tally and gives way from time to time."""


def _add_lines(source: Source, on_progress: OnProgress | None) -> Adding:
    def add(tally: Tally) -> Iterator[None]:
        done_bytes = 0
        for block in _blocks(source.path):
            # JSON allows neither other bytes nor raw control characters.
            add_line = tally.add_line if _is_clean_text(block) else tally.add_doubtful_line
            for line in filter(bytes.strip, block.split(b"\n")):
                add_line(line)
            yield
            done_bytes += len(block)
            if on_progress:
                on_progress(done_bytes, source.size_bytes)

    return add


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, a megabyte together; of one beyond `MAX_ROW_BYTES` only the beginning, which is no JSON."""
    rest = b""
    with path.open("rb") as file:
        file.seek(len(BOM) if file.read(len(BOM)) == BOM else 0)
        while chunk := file.read(_CHUNK_BYTES):
            block, _, rest = (rest + chunk).rpartition(b"\n")
            yield block
            rest = rest[: MAX_ROW_BYTES + 1]
    yield rest


def _is_clean_text(block: bytes) -> bool:
    """UTF-8 without control characters but line ends."""
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    control = int(np.count_nonzero(np.frombuffer(block, np.uint8) < ord(" ")))
    return control == block.count(b"\n") + block.count(b"\r\n")


def _checked(add: Adding, limit_tokens: int) -> CookbookReport:
    """A second thread counts tokens while the next rows are looked at."""
    tally, words = Tally(), WordCounts()
    measured: list[_Lengths] = []
    pending: deque[Future[_Lengths]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for _ in add(tally):
            if tally.batch.size_bytes > _BATCH_BYTES:
                pending.append(pool.submit(_measure, tally.take_batch(), words))
            if len(pending) > _BATCHES_IN_FLIGHT:
                measured.append(pending.popleft().result())
        measured += [each.result() for each in pending]
    return _report(tally, [*measured, _measure(tally.take_batch(), words)], limit_tokens)


@dataclass(frozen=True, slots=True)
class _Lengths:
    """Of some examples: messages, all tokens, and the tokens of answers."""

    messages: Numbers
    tokens: Numbers
    answers: Numbers


def _measure(batch: Batch, words: WordCounts) -> _Lengths:
    ends = np.array(batch.ends, np.int64)
    counted = words.counts(batch.texts) if batch.texts else np.zeros(0, np.int64)
    answers = counted * np.frombuffer(batch.answers, np.uint8)
    tokens = np.array(batch.fixed, np.int64) + _sums(counted, ends)
    return _Lengths(np.array(batch.messages, np.int64), tokens, _sums(answers, ends))


def _sums(counted: Numbers, ends: Numbers) -> Numbers:
    """The sum of each run of `counted`; a run ends where the next begins."""
    return np.diff(np.concatenate(([0], np.cumsum(counted)))[ends], prepend=0)


def _report(tally: Tally, measured: list[_Lengths], limit_tokens: int) -> CookbookReport:
    messages, tokens, answers = (
        np.concatenate([getattr(each, name) for each in measured]) for name in ("messages", "tokens", "answers")
    )
    billing = int(np.minimum(tokens, limit_tokens).sum())
    epochs = auto_epochs(tally.rows) if tally.rows else None
    return CookbookReport(
        examples=tally.rows,
        format_errors={name: count for name, count in tally.errors.items() if count},
        missing_system=tally.missing_system,
        missing_user=tally.missing_user,
        messages_per_example=_spread(messages),
        tokens_per_example=_spread(tokens),
        assistant_tokens_per_example=_spread(answers),
        over_limit=int((tokens > limit_tokens).sum()),
        billing_tokens=billing,
        epochs=epochs,
        charged_tokens=None if epochs is None else epochs * billing,
        stops_at=tuple(tally.stops_at),
    )


def _spread(numbers: Numbers) -> Spread | None:
    if not len(numbers):
        return None
    p10, median, p90 = (float(each) for each in np.quantile(numbers, (0.1, 0.5, 0.9)))
    return Spread(
        least=int(numbers.min()), most=int(numbers.max()), mean=float(numbers.mean()), median=median, p10=p10, p90=p90
    )
