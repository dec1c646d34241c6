"""The Sixfold server that a command asks: which one, with which key, and what it refuses as problems with a remedy.

A run in a folder is named by the folder, a run of a server by its id (`trn_...`), an experiment by `exp_...`. A folder
that is there is a folder, whatever it is called.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from engagements.client import (
    Forbidden,
    NotFound,
    Refused,
    ServerFault,
    Sixfold,
    SixfoldError,
    Unauthenticated,
    Unreachable,
)
from estimator.errors import EstimatorError, Problem

RUN: Final = "trn"
EXPERIMENT: Final = "exp"
ENGAGEMENT: Final = "eng"
_CALLED: Final = {RUN: "a run", EXPERIMENT: "an experiment", ENGAGEMENT: "an engagement"}
_ID: Final = re.compile(rf"({'|'.join(_CALLED)})_[0-9A-Za-z]+")
_URL: Final = "SIXFOLD_URL"
_KEY: Final = "SIXFOLD_API_KEY"
_REMEDIES: Final[Mapping[type[SixfoldError], str]] = {
    Unreachable: "see whether the server runs and is reached under this address, then try again",
    Unauthenticated: f"give a key that opens, by --key or {_KEY}; `sixfold keys create` on the server makes one",
    Forbidden: "use the key of somebody whose role may",
    NotFound: "look at the id, and whether the key belongs to the organisation that the record is of",
    ServerFault: "try again later; the server's log has more",
}


class NoServer(EstimatorError):
    """An id of a server's record, and no server that could be asked for it."""

    code = "no_server"


class WrongId(EstimatorError):
    """The id of something else."""

    code = "wrong_id"


class ServerRefused(EstimatorError):
    """The server answered, and said no; the problems carry its own codes."""

    code = "server_refused"


class ServerUnreachable(EstimatorError):
    """No answer came."""

    code = "server_unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`named`: whether the command line itself names it; the environment may name one for other commands too."""

    url: str
    key: str
    named: bool

    @contextmanager
    def opened(self, wanted: str) -> Iterator[Sixfold]:
        """The typed client, for the record of the id `wanted`; its errors become problems.

        Raises `NoServer` with all that is missing, `ServerRefused` and `ServerUnreachable`.
        """
        if missing := list(self._missing(wanted)):
            raise NoServer(*missing)
        with refusals(self.url), Sixfold(self.url, self.key) as sixfold:
            yield sixfold

    def _missing(self, wanted: str) -> Iterator[Problem]:
        if not self.url:
            message, remedy = "is on a Sixfold server, and none is named", f"name it by --url or {_URL}"
            yield Problem(code=NoServer.code, where=wanted, message=message, remedy=remedy)
        elif not _is_address(self.url):
            remedy = "write it like https://sixfold.example.com"
            yield Problem(code="url.bad_format", where="--url", message=f"{self.url!r} is no address", remedy=remedy)
        if not self.key:
            message, remedy = "a server asks for a key, and none is given", f"give it by {_KEY} or --key"
            yield Problem(code="no_key", where="--key", message=message, remedy=remedy)
        elif not (self.key.isascii() and self.key.isprintable()):
            message = "the key holds letters that no key has"
            yield Problem(code="no_key", where="--key", message=message, remedy="copy it anew, without line breaks")


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --url and --key, and hands the command a `server`."""

    @wraps(command)
    def wrapped(*args: Any, url: str, key: str, **kwargs: Any) -> None:
        named = click.get_current_context().get_parameter_source("url") is ParameterSource.COMMANDLINE
        command(*args, server=Server(url=url.strip().rstrip("/"), key=key.strip(), named=named), **kwargs)

    told = "A Sixfold server, for runs that are named by their id."
    with_key = click.option(
        "--key", envvar=_KEY, default="", metavar="KEY", help=f"Its API key; safer by {_KEY}, which others do not see."
    )(wrapped)
    return click.option("--url", envvar=_URL, default="", metavar="URL", help=f"{told} [env: {_URL}]")(with_key)


def id_of(place: Path, server: Server, *, wanted: str = RUN) -> str | None:
    """The id that stands in the place of a folder; None for a folder.

    Raises `WrongId` for the id of something else than `wanted`, and `click.UsageError` where a server is named for
    what is no id.
    """
    found = _ID.fullmatch(str(place))
    if found is None or place.is_dir():
        if server.named:
            raise click.UsageError(f"--url goes with the id of {_CALLED[wanted]} ({wanted}_...): '{place}' is a folder")
        return None
    require(found[0], wanted)
    return found[0]


def require(given: str, wanted: str) -> None:
    """Raises `WrongId`."""
    if not given.startswith(f"{wanted}_"):
        kind = given.partition("_")[0]
        message = f"is the id of {_CALLED[kind]}" if kind in _CALLED else "is no id"
        remedy = f"give the id of {_CALLED[wanted]}, which begins with {wanted}_"
        raise WrongId(Problem(code=WrongId.code, where=given, message=message, remedy=remedy))


def refuse_for_ids(**given: object) -> None:
    """Options that mean something for folders only. Raises `click.UsageError`."""
    if names := [f"--{name}" for name, value in given.items() if value not in (None, ())]:
        raise click.UsageError(f"{' and '.join(names)} goes with runs in folders: a server knows that itself")


@contextmanager
def refusals(url: str) -> Iterator[None]:
    """Turns what the client raises into `ServerRefused` and `ServerUnreachable`."""
    try:
        yield
    except Unreachable as error:
        raise ServerUnreachable(problem_of(error, url)) from error
    except Refused as error:
        faults = [
            Problem(
                code=each.code, where=each.pointer, message=each.detail, line=each.line,
                remedy=each.remedy or _remedy(error),
            )
            for each in error.errors
        ]  # fmt: skip
        raise ServerRefused(*(faults or [problem_of(error, url)])) from error
    except SixfoldError as error:
        raise ServerRefused(problem_of(error, url)) from error


def problem_of(error: SixfoldError, url: str) -> Problem:
    if not isinstance(error, Refused):
        code = ServerUnreachable.code if isinstance(error, Unreachable) else ServerRefused.code
        return Problem(code=code, where=url, message=str(error), remedy=_remedy(error))
    logged = f" (request {error.request_id})" if error.request_id and isinstance(error, ServerFault) else ""
    message = f"{error.status}: {error.detail or 'no more is said'}{logged}"
    return Problem(code=error.code, where=url, message=message, remedy=error.remedy or _remedy(error))


def _remedy(error: SixfoldError) -> str:
    kinds = (kind for kind in _REMEDIES if isinstance(error, kind))
    return _REMEDIES[kind] if (kind := next(kinds, None)) else "mend what it names, then try again"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
