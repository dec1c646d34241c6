"""Lines on the disk, to be read by number: what is too much to be held, and gone when nobody holds it any more."""

import tempfile
from array import array
from collections.abc import Iterator
from threading import Lock
from typing import Final, Self

_WRITE_BYTES: Final = 1 << 20


class Spool:
    """Bytes by row, in a file without a name: whatever ends the process, nothing of it is left. Raises `OSError`."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=_WRITE_BYTES, prefix="sixfold-")  # noqa: SIM115  # held until `close`
        self._ends = array("Q", [0])
        self._is_read = False
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, line: bytes) -> None:
        if self._is_read:
            self._file.seek(0, 2)
            self._is_read = False
        self._file.write(line)
        self._ends.append(self._ends[-1] + len(line))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, row: int) -> bytes:
        begin, end = self._ends[row], self._ends[row + 1]
        with self._lock:
            self._is_read = True
            self._file.seek(begin)
            line: bytes = self._file.read(end - begin)
        return line

    def __iter__(self) -> Iterator[bytes]:
        return (self[row] for row in range(len(self)))


class TextSpool:
    """Texts on the disk."""

    def __init__(self) -> None:
        self._lines = Spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.__exit__()

    def append(self, text: str) -> None:
        self._lines.append(text.encode(errors="surrogatepass"))

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, row: int) -> str:
        return self._lines[row].decode(errors="surrogatepass")
