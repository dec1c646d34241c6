"""Texts that are nearly the same, among any number of them: MinHash to find them, the exact Jaccard index to be sure.

Two texts are near duplicates if the sets of their runs of four characters (blanks at both ends included) share at least
`THRESHOLD` of their union. Four characters, since what is compared is often one sentence: a typo in it costs four runs.
Signatures have 252 values in 42 bands of 6 (J. Leskovec et al., Mining of Massive Datasets, section 3.4): a pair at 0.7
meets in a band with probability 0.995, one at 0.8 nearly always, one at 0.4 in 16 of 100 cases, and is sorted out by
its signature. Signatures are those of rensa.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.deduplication.links import Links, Rows, families

if TYPE_CHECKING:
    from scipy.sparse import csr_array

THRESHOLD: Final = 0.70
"""On set 29 of the shared data (banking questions with planted typos, greetings, dropped words) it joins 97% of the
pairs; at 0.80 it would be 88%, at 0.60 unrelated questions begin to chain."""
SHINGLE: Final = 4

_BANDS: Final = 42
_BAND_VALUES: Final = 6
_VALUES: Final = _BANDS * _BAND_VALUES
# Two standard errors of an estimate from 252 values at 0.7.
_MARGIN: Final = 0.06
# A bucket of a template can hold thousands: each text in it is compared with those that come next in the order of the
# next band, where the most alike stand together. It keeps the cost linear in the number of texts.
_NEIGHBOURS: Final = 16
_BATCH: Final = 2_000
_PAIRS_AT_ONCE: Final = 200_000
_VERIFIED_AT_ONCE: Final = 20_000

_INT32_MAX: Final = 2**31 - 1
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing, Knuth 6.4
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)  # the mixer of SplitMix64


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Of each text the hashes of its bands, and a byte of each value of its signature."""

    bands: NDArray[np.uint32]
    sketch: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.bands)


def sign(texts: Sequence[str], *, seed: int) -> Signatures:
    """The signatures of folded texts; the same seed gives the same ones."""
    parts = [_sign(texts[start : start + _BATCH], seed) for start in range(0, len(texts), _BATCH)]
    return joined(parts)


def joined(parts: Sequence[Signatures]) -> Signatures:
    """Signatures that were made of parts of the texts, in their order."""
    if not parts:
        return Signatures(bands=np.empty((0, _BANDS), np.uint32), sketch=np.empty((0, _VALUES), np.uint8))
    bands, sketches = [each.bands for each in parts], [each.sketch for each in parts]
    return Signatures(bands=np.concatenate(bands), sketch=np.concatenate(sketches))


def near_links(texts: Sequence[str], signatures: Signatures, *, threshold: float = THRESHOLD) -> Links:
    """Pairs of texts from `threshold`, each with its Jaccard index."""
    found = [pairs for pairs in _candidates(signatures, threshold) if len(pairs)]
    if not found:
        return Links.none()
    pairs = _distinct(np.concatenate(found))
    first, second = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    runs = _sets_of_runs(texts, np.union1d(first, second))
    similarity = np.concatenate(
        [
            _jaccard(runs, first[start : start + _VERIFIED_AT_ONCE], second[start : start + _VERIFIED_AT_ONCE])
            for start in range(0, len(pairs), _VERIFIED_AT_ONCE)
        ]
    )
    return Links(first=first, second=second, strength=similarity).where(similarity >= threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """`number[i]` is the first text of the cluster of text i; `pairs` are what was found, with the Jaccard index."""

    number: Rows
    pairs: Links

    @property
    def count(self) -> int:
        """Clusters of two texts and more."""
        return int((np.bincount(self.number, minlength=1) > 1).sum())


def clusters(texts: Sequence[str], *, threshold: float = THRESHOLD, seed: int) -> Clusters:
    """Near duplicates among folded texts, joined by whatever chains there are."""
    pairs = near_links(texts, sign(texts, seed=seed), threshold=threshold)
    return Clusters(number=families(len(texts), pairs), pairs=pairs)


def _sign(texts: Sequence[str], seed: int) -> Signatures:
    import rensa  # noqa: PLC0415  # only where texts are compared; the pages of the application do without

    hashes, ends = _shingle_hashes([_padded(text) for text in texts])
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(hashes, ends, _VALUES, seed)
    values = np.array(matrix.to_rows(), np.uint32).reshape(len(texts), _VALUES)
    # The seed of the last step differs from that of the signature's own hashes, whose low bits bands would inherit.
    bands = values[:, ::_BAND_VALUES].astype(np.uint64)
    for offset in range(1, _BAND_VALUES):
        bands = (bands * _ODD) ^ values[:, offset::_BAND_VALUES]
    bands = (bands ^ (bands >> np.uint64(29))) * _MIX
    return Signatures(bands=(bands >> np.uint64(32)).astype(np.uint32), sketch=values.astype(np.uint8))


def _padded(text: str) -> str:
    return f" {text} ".ljust(SHINGLE)


def _shingle_hashes(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The hash of every run of characters of every text in one row, and where each text's begin and the last's end."""
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    runs = max(0, len(letters) - SHINGLE + 1)
    hashes = letters[:runs].copy()
    for offset in range(1, SHINGLE):
        hashes = (hashes * _ODD) ^ letters[offset : offset + runs]
    hashes = (hashes ^ (hashes >> np.uint64(29))) * _MIX
    hashes ^= hashes >> np.uint64(32)
    inside = np.ones(runs, np.bool_)
    ends = np.cumsum(lengths)
    for before in range(1, SHINGLE):
        inside[(ends[:-1] - before)] = False
    offsets = np.concatenate(([0], np.cumsum(lengths - SHINGLE + 1)))
    return hashes[inside], offsets.astype(np.uint64)


def _candidates(signatures: Signatures, threshold: float) -> Iterator[NDArray[np.uint64]]:
    """Pairs that meet in a band and whose signatures are alike enough, as `first << 32 | second`; with repetitions."""
    for band in range(_BANDS):
        keys = signatures.bands[:, band].astype(np.uint64) << np.uint64(32)
        order = np.argsort(keys | signatures.bands[:, (band + 1) % _BANDS], kind="stable")
        sorted_keys = signatures.bands[order, band]
        for distance in range(1, _NEIGHBOURS + 1):
            meet = np.flatnonzero(sorted_keys[:-distance] == sorted_keys[distance:])
            if not len(meet):
                break
            for start in range(0, len(meet), _PAIRS_AT_ONCE):
                part = meet[start : start + _PAIRS_AT_ONCE]
                yield _alike(signatures.sketch, order[part], order[part + distance], threshold)


def _alike(sketch: NDArray[np.uint8], one: Rows, other: Rows, threshold: float) -> NDArray[np.uint64]:
    enough = _VALUES * (threshold - _MARGIN)
    alike = (sketch[one] == sketch[other]).sum(axis=1, dtype=np.int32) >= enough
    low, high = np.minimum(one[alike], other[alike]), np.maximum(one[alike], other[alike])
    pairs: NDArray[np.uint64] = (low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
    return pairs


def _jaccard(runs: "csr_array", first: Rows, second: Rows) -> NDArray[np.float32]:
    sizes = np.diff(runs.indptr)
    shared = np.diff(runs[first].multiply(runs[second]).indptr)
    return np.array(shared / (sizes[first] + sizes[second] - shared), np.float32)


def _sets_of_runs(texts: Sequence[str], wanted: Rows) -> "csr_array":
    """A row of ones for each text, in the columns of its runs' hashes (31 bits); empty where it is not wanted.

    Two of the few hundred runs of a pair have the same hash once in thirty thousand pairs.
    """
    from scipy.sparse import csr_array  # noqa: PLC0415  # takes half a second; see above

    columns, sizes = [], np.zeros(len(texts), np.int64)
    for start in range(0, len(wanted), _BATCH):
        rows = wanted[start : start + _BATCH]
        hashes, offsets = _shingle_hashes([_padded(texts[row]) for row in rows.tolist()])
        ends = offsets.astype(np.int64)
        owner = np.repeat(np.arange(len(rows), dtype=np.uint64), ends[1:] - ends[:-1])
        distinct = _distinct((owner << np.uint64(31)) | (hashes >> np.uint64(33)))
        columns.append((distinct & np.uint64(0x7FFFFFFF)).astype(np.int32))
        sizes[rows] = np.bincount((distinct >> np.uint64(31)).astype(np.int64), minlength=len(rows))
    found = np.concatenate(columns) if columns else np.empty(0, np.int32)
    ends = np.concatenate(([0], np.cumsum(sizes)))
    # Columns of 32 bits stay so only beside ends of 32 bits.
    ends = ends.astype(np.int32) if ends[-1] <= _INT32_MAX else ends
    sets = csr_array((np.ones(len(found), np.int8), found, ends), shape=(len(texts), _INT32_MAX))
    sets.has_canonical_format = True
    return sets


def _distinct(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """In rising order. `np.unique` hashes, which takes ten times as long here."""
    ordered = np.sort(keys)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]
