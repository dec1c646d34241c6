"""Words of a set: how many are new as it grows, and how many of a held-out split were never seen in training."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final

TYPES_MAX: Final = 2_000_000
_TRAIN: Final = "train"
_FIRST_POINT: Final = 1_000
_LISTED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Different words after so many words; each example counts a word once."""

    words: int
    types: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Of a held-out split: its words, those that training does not hold, and the most frequent of these."""

    split: str
    words: int
    unseen: int
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularyCoverage:
    """`growth` at powers of two. `unseen` is empty where no splits are known. `complete` False beyond `TYPES_MAX`."""

    words: int
    types: int
    growth: tuple[Growth, ...]
    unseen: tuple[Unseen, ...]
    complete: bool


class Vocabulary:
    """Takes the words of each example, with the split it is in where that is known."""

    def __init__(self) -> None:
        self._types: set[str] = set()
        self._words, self._next, self._growth = 0, _FIRST_POINT, list[Growth]()
        self._by_split: dict[str, Counter[str]] = {}
        self._complete = True

    def add(self, words: Set[str], split: str | None) -> None:
        if len(self._types) < TYPES_MAX:
            self._types |= words
        else:
            self._complete = False
        self._words += len(words)
        if self._words >= self._next:
            self._growth.append(Growth(words=self._words, types=len(self._types)))
            self._next *= 2
        if split is not None:
            self._by_split.setdefault(split, Counter()).update(words)

    def coverage(self) -> VocabularyCoverage:
        known: Mapping[str, int] = self._by_split.get(_TRAIN, {})
        last = Growth(words=self._words, types=len(self._types))
        return VocabularyCoverage(
            words=self._words, types=len(self._types), complete=self._complete,
            growth=tuple([*self._growth, last] if self._words else ()),
            unseen=tuple(
                _unseen(split, words, known) for split, words in sorted(self._by_split.items()) if split != _TRAIN
            ) if known else (),
        )  # fmt: skip


def _unseen(split: str, words: Counter[str], known: Mapping[str, int]) -> Unseen:
    new = Counter({word: count for word, count in words.items() if word not in known})
    total, unseen = words.total(), new.total()
    ranked = sorted(new, key=lambda word: (-new[word], word))
    return Unseen(
        split=split, words=total, unseen=unseen, share=unseen / total if total else 0.0,
        examples=tuple(ranked[:_LISTED]),
    )  # fmt: skip
