"""The rows of one query, read and nothing else, into a file of JSON Lines."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from engagements.phases.data_preparation.collecting.findings import PlaceUnreadable
from engagements.phases.data_preparation.collecting.places import without_secrets
from estimator.errors import Problem

_ROWS_AT_ONCE: Final = 1_000
_READS: Final = re.compile(r"\s*(?:select|with|table|values)\b", re.IGNORECASE)
_COMMENTS: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_READ_ONLY: Final = {
    "postgresql": "set transaction read only",
    "sqlite": "pragma query_only = on",
    "mysql": "set transaction read only",
    "mariadb": "set transaction read only",
}


def fetch_query(url: str, query: str, into: Path, *, name: str = "query.jsonl") -> Path:
    """The rows of a query as a file of JSON Lines in `into`, written as they come; a file that is cut off is removed.

    `url` is SQLAlchemy's. Dates are written as ISO 8601, decimals and ids as text, bytes as base64. Raises
    `PlaceUnreadable`: a database that does not answer or cannot be held to reading, a query that is no question.
    """
    question = query.strip().removesuffix(";")
    if not _READS.match(_COMMENTS.sub(" ", question)) or ";" in question:
        raise _refusal(url, "the query is not one SELECT", "ask for rows: SELECT ... FROM ..., without a semicolon")
    into.mkdir(parents=True, exist_ok=True)
    target = into / name
    try:
        with _reading(url) as connection, target.open("wb") as out:
            # As it stands: a colon or a per cent sign in it is no parameter.
            options = {"stream_results": True, "no_parameters": True}
            rows = connection.exec_driver_sql(question, execution_options=options)
            columns = list(rows.keys())
            for batch in rows.partitions(_ROWS_AT_ONCE):
                out.writelines(_line(dict(zip(columns, row, strict=True))) for row in batch)
    except (SQLAlchemyError, ArgumentError, ImportError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise _refusal(url, _said(error), "check the address, the query and the right to read") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    """A connection in a transaction that can only read, and that ends without a trace."""
    parsed = make_url(url)
    dialect = parsed.get_backend_name()
    if dialect not in _READ_ONLY:
        raise ValueError(f"{dialect} cannot be held to reading; export the rows as CSV")
    if dialect == "sqlite" and not Path(parsed.database or "").is_file():
        raise ValueError("there is no such database")  # SQLite would make an empty one.
    engine = create_engine(parsed)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(_READ_ONLY[dialect])
            yield connection
            connection.rollback()
    finally:
        engine.dispose()


def _line(row: dict[str, object]) -> bytes:
    return orjson.dumps({key: _plain(value) for key, value in row.items()}, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: object) -> object:
    match value:
        case None | str() | bool() | int() | float() | dict() | list():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal() | UUID():
            return str(value)
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case _:
            return str(value)


def _said(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0][:300] or type(error).__name__


def _refusal(url: str, message: str, remedy: str) -> PlaceUnreadable:
    where = without_secrets(url)
    return PlaceUnreadable(Problem(code=PlaceUnreadable.code, message=message, remedy=remedy, where=where))
