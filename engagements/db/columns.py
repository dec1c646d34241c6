"""What the tables share: names of constraints, ids, row versions, and the marker of rows that leave an audit event."""

import hashlib
import secrets
import time
from typing import ClassVar, Final

from sqlmodel import Field, SQLModel

# Named by rule, so that a migration can drop on one database what it created on the other.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS: Final = 10
_CHANCE_DIGITS: Final = 16
_NUMBER_DIGITS: Final = 6
ID_PATTERN: Final = rf"^[a-z]{{2,4}}_[{_ALPHABET}]{{{_TIME_DIGITS + _CHANCE_DIGITS}}}$"


def new_id(prefix: str) -> str:
    """`cli_` and 26 digits of Crockford's base 32: 48 bits of milliseconds, so ids sort by age, and 80 of chance."""
    return (
        f"{prefix}_{_base32(time.time_ns() // 1_000_000, _TIME_DIGITS)}{_base32(secrets.randbits(80), _CHANCE_DIGITS)}"
    )


def numbered_id(prefix: str, parent_id: str, number: int) -> str:
    """The id of the `number`-th thing that is made of one record: always the same, and they sort by their number.

    The parent's age, then the number below 2^30, then 50 bits of the parent's name.
    """
    assert 0 <= number < 1 << 5 * _NUMBER_DIGITS, "a parent has a thousand million of them at most"
    age = parent_id.rpartition("_")[2][:_TIME_DIGITS]
    rest = _CHANCE_DIGITS - _NUMBER_DIGITS
    named = int.from_bytes(hashlib.sha256(parent_id.encode()).digest()[:8]) >> 64 - 5 * rest
    return f"{prefix}_{age}{_base32(number, _NUMBER_DIGITS)}{_base32(named, rest)}"


def _base32(number: int, digits: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(digits)))


class Record(SQLModel):
    """A row of a tenant whose every change leaves an audit event in the same transaction (see `core.audit`).

    `UNSHOWN` names columns whose values never reach the trail: secrets, and texts that are kept elsewhere.
    """

    PREFIX: ClassVar[str]
    UNSHOWN: ClassVar[frozenset[str]] = frozenset()

    id: str = Field(primary_key=True, max_length=40)
    organisation_id: str = Field(index=True, max_length=40)
    version: int = Field(default=1, description="Counts changes; the ETag of the record.")
