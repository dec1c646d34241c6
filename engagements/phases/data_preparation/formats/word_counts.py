"""Token counts of very many texts in cl100k_base, by counting every different word of them once.

A piece that this encoding encodes on its own never reaches across a blank that follows something visible: its pattern
takes a blank at the front of a word, or among other white space. So a text may be cut before each such blank, and the
tokens of the parts add up to those of the text. Nor does it matter which digits a number has: up to three of them are
one token, whatever they are. Words then repeat; pyarrow finds the different ones without the interpreter's lock.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from estimator.tokens.encodings import encoding_named

_KEPT_WORDS: Final = 1_000_000
_END: Final = "\0"
_BLANK: Final = ord(" ")
_FIRST_VISIBLE: Final = ord("!")
_VISIBLE: Final = ord("~") - _FIRST_VISIBLE
_SAME_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)


class WordCounts:
    """Counts texts and remembers the words it has counted, up to a million of them. Not for two threads at once."""

    def __init__(self) -> None:
        self._encoding = encoding_named("cl100k_base")
        self._known: dict[str, int] = {}

    def counts(self, texts: Sequence[bytes]) -> NDArray[np.int64]:
        """How many tokens each text has, as int64; texts are UTF-8."""
        if not texts:
            return np.zeros(0, np.int64)
        data = np.frombuffer(b"\0".join([b"", *texts]).translate(_SAME_DIGITS), np.uint8)
        first = data == 0
        before = np.empty_like(data)
        before[0], before[1:] = 0, data[:-1]
        before -= np.uint8(_FIRST_VISIBLE)
        starts = np.flatnonzero(first | ((data == _BLANK) & (before <= _VISIBLE))).astype(np.int32)
        texts_begin = np.flatnonzero(data[starts] == 0)
        if len(texts_begin) != len(texts):
            return self._one_by_one(texts)
        offsets = pa.py_buffer(np.append(starts, np.int32(len(data))))
        words = pa.StringArray.from_buffers(len(starts), offsets, pa.py_buffer(data)).dictionary_encode()
        try:
            different = words.dictionary.to_pylist()
        except UnicodeDecodeError:
            return self._one_by_one(texts)
        return np.add.reduceat(self._count(different)[words.indices.to_numpy()], texts_begin)

    def _one_by_one(self, texts: Sequence[bytes]) -> NDArray[np.int64]:
        """For a NUL in a text, and for half of a surrogate pair."""
        return self._encoding.counts([text.decode(errors="surrogatepass") for text in texts])

    def _count(self, words: list[str]) -> NDArray[np.int64]:
        """Tokens of different words; the first of a text carries its mark."""
        if len(self._known) > _KEPT_WORDS:
            self._known.clear()
        if new := [word for word in words if word not in self._known]:
            counted = self._encoding.counts([word.removeprefix(_END) for word in new])
            self._known.update(zip(new, counted.tolist(), strict=True))
        return np.fromiter(map(self._known.__getitem__, words), np.int64, len(words))
