"""What was written and counted of sealed data, kept in this process: every knob that is turned plans anew, and the data
stays what it was.

A sealed split never changes, so its file in a format is known by what was sealed; a file never changes under its
digest, so its tokens are known by that, the tokenizer, and the length at which examples are cut.
"""

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from backends.spec import DataFile, TrainingSpec
from engagements.phases.data_preparation.storage import Storage
from engagements.phases.training.plans.counting_apart import count_apart
from engagements.phases.training.plans.data_tokens import DataTokens, tokenizer_file
from engagements.phases.training.plans.exporting import Source, write

KEPT_MOST: Final = 256
"""Of files, and of counts: a few hundred bytes each."""

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    """The values that were asked for last, at most `KEPT_MOST`; safe among threads."""

    _held: "OrderedDict[Hashable, T]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], T], *, still_holds: Callable[[T], bool] = lambda _: True) -> T:
        with self._lock:
            found = self._held.get(key)
        if found is None or not still_holds(found):
            found = make()
        with self._lock:
            self._held[key] = found
            self._held.move_to_end(key)
            while len(self._held) > KEPT_MOST:
                self._held.popitem(last=False)
        return found


_COUNTED: Final[_Kept[DataTokens]] = _Kept()
"""Of all applications of a process: a digest says all that there is to say."""


@dataclass(frozen=True, slots=True)
class ReadOnce:
    """One for an application. Nothing of it must last: what is not kept is read again, and comes out the same."""

    _files: _Kept[DataFile] = field(default_factory=_Kept)
    _tokens: _Kept[DataTokens] = field(default_factory=lambda: _COUNTED)

    def file(self, storage: Storage, source: Source, form: str, folder: Path) -> DataFile:
        """The file of a source in a format, in the folder of data; written again where it is not there any more.

        Raises what `exporting.write` raises.
        """
        only = None if source.only is None else hashlib.sha256("\n".join(sorted(source.only)).encode()).digest()
        key = (source.version_id, source.kept, source.split, only, form, folder)
        return self._files.get(
            key, lambda: write(storage, source, form, folder), still_holds=lambda file: _still_there(folder, file)
        )

    def tokens(self, spec: TrainingSpec) -> DataTokens:
        """As `count_apart`; a count that came to nothing is not kept."""
        validation = spec.validation.sha256 if spec.validation else None
        key = (
            spec.train.sha256, spec.train.format, validation, spec.model, _tokenizer(spec.model),
            spec.hyperparameters.max_length,
        )  # fmt: skip
        return self._tokens.get(key, lambda: count_apart(spec), still_holds=lambda found: bool(found.counted_in))


def _still_there(folder: Path, file: DataFile) -> bool:
    """Whether it lies there; looked at now, it is kept for another day."""
    try:
        os.utime(folder / file.path.name)
    except OSError:
        return False
    return True


def _tokenizer(model: str) -> tuple[int, int] | None:
    """What tells whether a model's own tokenizer was exchanged since: its time and size."""
    try:
        found = tokenizer_file(model).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
