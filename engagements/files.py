"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from estimator.errors import EstimatorError, Problem


class FileUnwritable(EstimatorError):
    """A file that cannot be written where it was asked for; what stood there stands there still."""

    code = "file_unwritable"


def write_whole(path: Path, content: bytes) -> None:
    """One file, as `write_together` writes several."""
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write every file beside its target, flush it to the disk, and only then rename them all.

    A reader never sees half a file, and a disk that is full leaves everything as it was. Raises `FileUnwritable`.
    """
    partials = {path: path.with_name(f".{secrets.token_hex(8)}.partial") for path in contents}
    path = Path()
    try:
        for path, content in contents.items():
            _stage(path, partials[path], content)
        for path, partial in partials.items():
            partial.replace(path)
            _flush_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error
    finally:
        for partial in partials.values():
            with suppress(OSError):
                partial.unlink()


def _stage(path: Path, partial: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():
        # A rename would put a file in the place of a device or a pipe.
        raise _unwritable(path, "it is there and is no file")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename last; not every file system can, and the file is there either way."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unwritable(path: Path, why: str) -> FileUnwritable:
    remedy = "name a file in a folder that can be written and has room"
    return FileUnwritable(
        Problem(code=FileUnwritable.code, where=str(path), message=f"cannot be written: {why}", remedy=remedy)
    )
