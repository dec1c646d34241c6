"""Files that are there whole or not at all."""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from estimator.errors import EstimatorError, Problem


class FileUnwritable(EstimatorError):
    """A file that cannot be written where it was asked for; what stood there stands there still."""

    code = "file_unwritable"


def check_targets(*targets: Path, read: Iterable[Path | None] = ()) -> None:
    """Say before long work what would refuse its result: a target that is read here, or where no file can be put.

    Raises `FileUnwritable` with every such target.
    """
    sources = {path.resolve() for path in read if path is not None}
    if problems := [problem for target in targets for problem in _in_the_way(target, sources)]:
        raise FileUnwritable(*problems)


def _in_the_way(target: Path, sources: Set[Path]) -> Iterator[Problem]:
    if target.resolve() in sources:
        message, remedy = "is a file that is read here and would be overwritten", "name another file"
        yield Problem(code=FileUnwritable.code, where=str(target), message=message, remedy=remedy)
        return
    partial = _partial(target)
    try:
        _stage(target, partial, b"")
    except OSError as error:
        yield from _unwritable(target, error.strerror or str(error)).problems
    except FileUnwritable as error:
        yield from error.problems
    finally:
        with suppress(OSError):
            partial.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """One file, as `write_together` writes several."""
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes | Iterable[bytes]]) -> None:
    """Write every file beside its target, flush it to the disk, and only then rename them all.

    A reader never sees half a file, and a disk that is full leaves everything as it was. Content may come in pieces,
    file after file; what stops them leaves everything as it was too. Raises `FileUnwritable`.
    """
    partials = {path: _partial(path) for path in contents}
    path = Path()
    try:
        for path, content in contents.items():
            _stage(path, partials[path], content)
        with ExitStack() as held:
            for folder in sorted({path.parent for path in partials}):
                held.enter_context(_held(folder))
            for path, partial in partials.items():
                partial.replace(path)
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error
    finally:
        for partial in partials.values():
            with suppress(OSError):
                partial.unlink()


def _partial(path: Path) -> Path:
    """A name beside the target that nobody else uses."""
    return path.with_name(f".{secrets.token_hex(8)}.partial")


def _stage(path: Path, partial: Path, content: bytes | Iterable[bytes]) -> None:
    if path.exists() and not path.is_file():
        # A rename would put a file in the place of a device or a pipe.
        raise _unwritable(path, "it is there and is no file")
    with partial.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """A folder of our own while we rename, so that files written together stay together; then flushed to the disk.

    Not every file system can lock or flush a folder, and the files are whole either way.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, why: str) -> FileUnwritable:
    remedy = "name a file in a folder that can be written and has room"
    return FileUnwritable(
        Problem(code=FileUnwritable.code, where=str(path), message=f"cannot be written: {why}", remedy=remedy)
    )
