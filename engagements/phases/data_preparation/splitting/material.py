"""What splitting looks at of each record, in columns, so that the records themselves may stay on the disk."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.deduplication.exact import Compared, compared
from engagements.phases.data_preparation.deduplication.links import Links, Rows, same_key
from engagements.phases.data_preparation.deduplication.near import near_links, sign
from engagements.phases.data_preparation.deduplication.passages import passage_links
from engagements.phases.data_preparation.records import Record


class Texts(Protocol):
    """Texts by row; a list of them, or a file."""

    def append(self, text: str, /) -> None: ...
    def __getitem__(self, row: int, /) -> str: ...
    def __len__(self) -> int: ...


def text_key(text: str) -> int:
    """64 bits of the digest of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big")


_EMPTY: Final = text_key("")


@dataclass(kw_only=True)
class Material:
    """One entry a row. `texts`: what is compared, folded.

    `written`: a key of the question as written; `folded`: a key of the text; `contents`: the digest of what a record
    teaches; `seeds`: of a synthetic record, the id of what it was made from.
    """

    texts: Texts = field(default_factory=list[str])
    ids: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    seeds: list[str | None] = field(default_factory=list)
    written: "array[int]" = field(default_factory=lambda: array("Q"))
    folded: "array[int]" = field(default_factory=lambda: array("Q"))

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        material = cls()
        for record in records:
            material.add(record, compared(record))
        return material

    def add(self, record: Record, by: Compared) -> None:
        self.texts.append(by.text)
        self.ids.append(record.id)
        self.contents.append(by.content_sha256)
        self.labels.append(record.label)
        self.groups.append(record.group)
        self.seeds.append(record.origin.seed or None)
        self.written.append(text_key(record.question))
        self.folded.append(text_key(by.text))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def keys(self) -> list[str]:
        """What a row is assigned by where it is the first of its group: its group if it has one, or its text."""
        pairs = zip(self.groups, self.folded, strict=True)
        return [f"text {text:016x}" if group is None else f"group {group}" for group, text in pairs]

    @cached_property
    def same(self) -> Links:
        """From each row to the first with the same text; texts without a word are like nothing."""
        return same_key([None if key == _EMPTY else key for key in self.folded])

    @cached_property
    def together(self) -> Links:
        """Rows of one group, and rows that grew from one seed, with that seed if it is here."""
        seeds = {seed for seed in self.seeds if seed}
        pairs = zip(self.ids, self.seeds, strict=True)
        grown = [seed or (record_id if record_id in seeds else None) for record_id, seed in pairs]
        return same_key(self.groups).and_those(same_key(grown))

    def near(self, *, seed: int) -> Links:
        """Near duplicates; of rows with one text only the first is named."""
        rows = self._distinct
        texts = Chosen(self.texts, rows)
        return _of_rows(near_links(texts, sign(texts, seed=seed)), rows)

    def passages(self) -> Links:
        """Shared passages; of rows with one text only the first is named."""
        return _of_rows(passage_links(Chosen(self.texts, self._distinct)), self._distinct)

    @cached_property
    def _distinct(self) -> Rows:
        """The first row of each text that has a word."""
        keys = np.frombuffer(self.folded, np.uint64) if len(self) else np.empty(0, np.uint64)
        found, first = np.unique(keys, return_index=True)
        return np.sort(first[found != np.uint64(_EMPTY)])


class Chosen(Sequence[str]):
    """Some of the texts, by row."""

    def __init__(self, texts: Texts, rows: Rows) -> None:
        self._texts, self._rows = texts, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # as of any sequence: a text, or a list
        if isinstance(index, slice):
            return [self._texts[row] for row in self._rows[index].tolist()]
        return self._texts[int(self._rows[index])]


def _of_rows(links: Links, rows: Rows) -> Links:
    return Links(first=rows[links.first], second=rows[links.second], strength=links.strength)


def apart(links: Links, split: NDArray[np.int8]) -> Links:
    """Those whose ends are in different splits; a row in none, below 0, is apart from nothing."""
    one, other = split[links.first], split[links.second]
    return links.where((one != other) & (np.minimum(one, other) >= 0))
