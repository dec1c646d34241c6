"""Which places raw material may be fetched from: those that the administrator names, and nothing else.

Whoever can name an address to a server can have it look around where it stands, so an address is matched against the
setting `data_places` and refused otherwise; an entry also carries the login that a database asks for, so that nobody
types one and none reaches a row or a log.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from engagements.core.errors import EngagementError

_DATABASES: Final = frozenset({"postgresql", "mysql", "mariadb", "sqlite"})


class PlaceNotAllowed(EngagementError):
    code, status = "base_url.not_allowed", 422


def allowed(address: str, places: Sequence[SecretStr]) -> str:
    """The address to be fetched from, with its login where the setting has one. Raises `PlaceNotAllowed`.

    A folder allows all below it; so does a bucket, or `hf://datasets`; a database has to be named as it is.
    """
    parts = urlsplit(address)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise PlaceNotAllowed("the address carries a login or options", remedy="the setting data_places has them")
    for entry in (place.get_secret_value() for place in places):
        if _is_within(address, entry):
            return entry if is_database(entry) else address
    remedy = "an administrator allows a folder, bucket or database by the setting data_places"
    raise PlaceNotAllowed(f"nothing is fetched from {address[:100]!r}", remedy=remedy)


def without_login(address: str) -> str:
    """As it may be shown: without user, password and options."""
    parts = urlsplit(address)
    if not parts.scheme:
        return address
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _is_within(address: str, entry: str) -> bool:
    wanted, given = urlsplit(address), urlsplit(entry)
    if not wanted.scheme and not given.scheme:
        return Path(address).is_absolute() and Path(address).resolve().is_relative_to(Path(entry).resolve())
    if wanted.scheme != given.scheme:
        return False
    if is_database(entry):
        return without_login(address) == without_login(entry)
    names, above = address.rstrip("/").split("/"), entry.rstrip("/").split("/")
    return ".." not in names and names[: len(above)] == above


def is_database(address: str) -> bool:
    """By its scheme, with or without a driver: postgresql+psycopg://..."""
    return urlsplit(address).scheme.partition("+")[0] in _DATABASES
