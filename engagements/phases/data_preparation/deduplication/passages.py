"""Texts that share a passage: a run of thirteen words that few texts of the set have.

Thirteen words are what contamination of test sets is looked for by (T. Brown et al., Language Models are Few-Shot
Learners, 2020, appendix C), and as there a passage that stands in more than ten texts is taken for boilerplate. The
strength of a link is the share of the shorter text's passages that the other one has.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.deduplication.links import Links

WORDS: Final = 13
TEXTS_MAX: Final = 10

_BATCH: Final = 2_000
# Hashes are compared in so many rounds that one of them holds about as many: 16 bytes each.
_PASSAGES_AT_ONCE: Final = 20_000_000
_BLANK: Final = 32
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)


def passage_links(texts: Sequence[str]) -> Links:
    """Pairs of folded texts that share a passage."""
    words = sum(text.count(" ") + 1 for text in texts)
    rounds = 1 + words // _PASSAGES_AT_ONCE
    passages = np.zeros(len(texts), np.int64)
    pairs = []
    for part in range(rounds):
        hashes, owners = _passages(texts, part, rounds)
        passages += np.bincount(owners, minlength=len(texts))
        pairs.append(_pairs(hashes, owners))
    return _links(np.concatenate(pairs), passages)


def _passages(texts: Sequence[str], part: int, rounds: int) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """The hashes of all passages of one part of the hashes, once a text, and whose they are."""
    hashes, owners = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    for start in range(0, len(texts), _BATCH):
        found, owner = _hashes_of(texts[start : start + _BATCH])
        mine = found % np.uint64(rounds) == part
        hashes.append(found[mine])
        owners.append(owner[mine] + np.int32(start))
    found, owner = np.concatenate(hashes), np.concatenate(owners)
    order = np.lexsort((owner, found))
    found, owner = found[order], owner[order]
    once = np.ones(len(found), np.bool_)
    once[1:] = (found[1:] != found[:-1]) | (owner[1:] != owner[:-1])
    return found[once], owner[once]


def _hashes_of(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Every passage as a difference of two prefixes of one polynomial over all letters, moved to the same power.

    The factor is odd, so it has an inverse modulo 2^64.
    """
    letters = np.frombuffer((" ".join(texts) + " ").encode("utf-32-le", "surrogatepass"), np.uint32)
    size = len(letters)
    powers = np.full(size, _FACTOR)
    powers[0] = 1
    np.multiply.accumulate(powers, out=powers)
    inverse = np.full(size, np.uint64(pow(int(_FACTOR), -1, 2**64)))
    inverse[0] = 1
    np.multiply.accumulate(inverse, out=inverse)
    prefixes = np.concatenate(
        (np.zeros(1, np.uint64), np.cumsum((letters.astype(np.uint64) + np.uint64(1)) * _MIX * powers))
    )
    ends = np.flatnonzero(letters == _BLANK)
    starts = np.concatenate(([0], ends[:-1] + 1))
    first, last = starts[: max(0, len(starts) - WORDS + 1)], ends[WORDS - 1 :]
    text_ends = np.cumsum(np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts)))
    owner = np.searchsorted(text_ends, first, side="right")
    inside = last < text_ends[owner]
    first, last, owner = first[inside], last[inside], owner[inside]
    hashes = (prefixes[last] - prefixes[first]) * inverse[first]
    hashes ^= hashes >> np.uint64(31)
    return hashes, owner.astype(np.int32)


def _pairs(hashes: NDArray[np.uint64], owners: NDArray[np.int32]) -> NDArray[np.uint64]:
    """`first << 32 | second` for every passage that two texts share, and at most `TEXTS_MAX` have."""
    bounds = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1], [True])))
    sizes = np.diff(bounds)
    found = [np.empty(0, np.uint64)]
    for size in range(2, TEXTS_MAX + 1):
        begins = bounds[:-1][sizes == size]
        for one in range(size - 1):
            for other in range(one + 1, size):
                low, high = owners[begins + one].astype(np.uint64), owners[begins + other].astype(np.uint64)
                found.append((low << np.uint64(32)) | high)
    return np.concatenate(found)


def _links(pairs: NDArray[np.uint64], passages: NDArray[np.int64]) -> Links:
    pairs = np.sort(pairs)
    begins = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1]))) if len(pairs) else np.empty(0, np.int64)
    shared = np.diff(np.concatenate((begins, [len(pairs)])))
    first = (pairs[begins] >> np.uint64(32)).astype(np.int64)
    second = (pairs[begins] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    strength = shared / np.minimum(passages[first], passages[second])
    return Links(first=first, second=second, strength=strength.astype(np.float32))
