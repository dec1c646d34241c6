"""Where raw material lies: a file, a folder, an object store, the Hugging Face hub, a database. Fetched into a folder.

    tickets.csv, exports/              a file; every file below a folder whose name says that it is a table
    s3://bucket/prefix                 an object store that fsspec knows
    hf://datasets/owner/name[@branch]  the files of a dataset on the hub
    postgresql+psycopg://..., sqlite:///...   the rows of one query (`fetch_query`)

Secrets come as options or in the environment of the library that asks for them. `without_secrets` is what may be kept.
"""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import fsspec

from engagements.phases.data_preparation.collecting.findings import PlaceUnreadable
from engagements.phases.data_preparation.collecting.reading import SUFFIXES
from estimator.errors import Problem

MAX_FILES: Final = 1_000

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HUB: Final = "hf://datasets/"
_DATASET: Final = re.compile(r"(?P<name>[^/@]+(?:/[^/@]+)?)(?:@(?P<revision>[^/]+))?(?:/(?P<below>.+))?")
_SECRET_WORDS: Final = ("key", "secret", "token", "password", "passwd", "pwd", "sig", "credential")
_STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss"})
"""fsspec knows many more; a page of the internal network, a shell and an archive are no places that data comes from."""


def fetch(address: str, into: Path, *, endpoint: str | None = None, **options: Any) -> list[Path]:
    """The files at an address, in the order of their names; those that are not on this machine are copied to `into`.

    `endpoint` is that of a hub, `options` are those of the file system, credentials among them. Raises
    `PlaceUnreadable`: nothing there, nothing that could be a table, no right to it, or more than 1,000 files.
    """
    if address.startswith(_HUB):
        return _from_hub(address, into, endpoint=endpoint, **options)
    scheme = _SCHEME.match(address)
    if scheme is None:
        return _local(Path(address))
    protocol = scheme.group().removesuffix("://").lower()
    if protocol not in _STORES or "::" in address:
        known = ", ".join(f"{each}://" for each in sorted(_STORES))
        raise _refusal(
            address, f"nothing is fetched from {protocol}", f"name the file itself, or one of {known}, hf://"
        )
    return _from_files(address, into, options)


def without_secrets(address: str) -> str:
    """The address without a password, and without parameters whose names sound like one."""
    if not _SCHEME.match(address):
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    user = parts.username or ""
    query = [(key, value) for key, value in parse_qsl(parts.query) if not _is_secret(key)]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host, query=urlencode(query)))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _local(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise _refusal(str(path), "there is no such file or folder", "check the path")
    below = (each for each in path.rglob("*") if not _is_hidden(each.relative_to(path)) and each.is_file())
    return _tables(str(path), below)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "~$")) for part in path.parts)


def _tables(address: str, paths: Iterable[Path]) -> list[Path]:
    tables = sorted(each for each in paths if each.suffix.lower() in SUFFIXES)
    _check_number(address, tables)
    return tables


def _check_number(address: str, files: Sequence[object]) -> None:
    if not files:
        known = ", ".join(sorted(SUFFIXES))
        raise _refusal(address, "there is no file in it that could be a table", f"name one of {known}")
    if len(files) > MAX_FILES:
        raise _refusal(address, f"{len(files):,} files are in it", f"name a folder with {MAX_FILES:,} at most")


def _from_files(address: str, into: Path, options: Mapping[str, Any]) -> list[Path]:
    try:
        files, root = fsspec.core.url_to_fs(address, **options)
        found = [root] if files.isfile(root) else sorted(files.find(root))
        named = [each for each in found if PurePosixPath(each).suffix.lower() in SUFFIXES] if len(found) > 1 else found
        _check_number(address, named)
        return [_copied(files.open(each, "rb"), into / _local_name(each, root)) for each in named]
    except PlaceUnreadable:
        raise
    except Exception as error:  # each store raises a tree of its own, of which not all are OSErrors
        raise _refusal(address, _said(error), "check the address, and the right to read it") from error


def _from_hub(address: str, into: Path, *, endpoint: str | None, token: str | None = None) -> list[Path]:
    """Every file is fetched whole and kept under its own name; nothing of it is run."""
    # Loaded only where somebody asks for the hub.
    from huggingface_hub import HfApi  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError  # noqa: PLC0415

    named = _DATASET.fullmatch(address.removeprefix(_HUB))
    if named is None:
        raise _refusal(address, "the name of the dataset is missing", f"write {_HUB}owner/name")
    hub = HfApi(endpoint=endpoint, token=token)
    name, revision = named["name"], named["revision"]
    try:
        listed = hub.list_repo_files(name, repo_type="dataset", revision=revision)
        below = named["below"] or ""
        found = [each for each in listed if each == below or each.startswith(f"{below}/" if below else "")]
        tables = sorted(each for each in found if PurePosixPath(each).suffix.lower() in SUFFIXES)
        data = [each for each in tables if PurePosixPath(each).suffix.lower() != ".md"] or tables
        _check_number(address, data)
        return [
            Path(hub.hf_hub_download(name, each, repo_type="dataset", revision=revision, local_dir=into))
            for each in data
        ]
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        raise _refusal(address, _said(error), "check the name, and give a token where the dataset needs one") from error


def _copied(source: BinaryIO, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as out:
        shutil.copyfileobj(source, out, 1024 * 1024)
    return target


def _local_name(found: str, root: str) -> Path:
    """Below the folder, whatever a store calls its objects: no step of the path leads upwards."""
    below = found.removeprefix(root.rstrip("/")) if found != root else PurePosixPath(found).name
    return Path(*(part for part in PurePosixPath(below).parts if part not in ("/", "..", ".")))


def _said(error: Exception) -> str:
    """The first line of what a library says, without the addresses in it, which may hold secrets."""
    first = str(error).strip().partition("\n")[0] or type(error).__name__
    return re.sub(r"[a-z]+://\S+", lambda found: without_secrets(found.group()), first)[:300]


def _refusal(address: str, message: str, remedy: str) -> PlaceUnreadable:
    where = without_secrets(address)
    return PlaceUnreadable(Problem(code=PlaceUnreadable.code, message=message, remedy=remedy, where=where))
