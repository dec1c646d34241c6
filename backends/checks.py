"""What a backend asks of every spec before it begins, whatever lies behind it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pydantic import SecretStr

from backends.errors import DataAltered, Problem, Severity, SpecRefused
from backends.protocol import Capabilities
from backends.spec import DataFile, Method, TrainingSpec

_LINES_TOLD: Final = 20


def as_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """As a person wrote them; secrets are opened."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in settings.items()
    }


def refuse(found: Iterable[Problem]) -> None:
    """Raises `SpecRefused` with all that are errors, where there is one."""
    if errors := [each for each in found if each.severity is Severity.ERROR]:
        raise SpecRefused(errors)


def missing_settings(settings: Mapping[str, object], wanted: Mapping[str, str]) -> Iterator[Problem]:
    """`wanted`: by name, what the setting is for, as a person reads it."""
    for name, meaning in wanted.items():
        if not settings.get(name):
            yield Problem(
                code="setting_missing", message=f"the backend has no {name}", remedy=f"set {name}: {meaning}",
                where=f"settings.{name}",
            )  # fmt: skip


def not_offered(spec: TrainingSpec, offered: Capabilities) -> Iterator[Problem]:
    """The method, every hyperparameter and the format of both files, where the backend does not take them."""
    if spec.method not in offered.methods:
        remedy = f"choose {' or '.join(sorted(offered.methods))}"
        yield Problem(code="method_not_offered", message=f"no {spec.method} here", remedy=remedy, where="method")
    for name in sorted(spec.hyperparameters.given().keys() - offered.hyperparameters):
        yield Problem(
            code="hyperparameter_not_offered", message=f"{name} cannot be chosen here",
            remedy="leave it out, or train where it can", where=f"hyperparameters.{name}",
        )  # fmt: skip
    if spec.grader is not None and Method.RFT not in offered.methods:
        message, remedy = "nothing is graded here", "leave the grader out"
        yield Problem(code="grader_not_offered", message=message, remedy=remedy, where="grader")
    wanted = offered.data_format.get(spec.method)
    for where, file in given_files(spec).items():
        if wanted and file.format != wanted:
            yield Problem(
                code="format_not_taken", message=f"the file is {file.format}, and {wanted} is taken",
                remedy=f"export the dataset as {wanted}", where=f"{where}.format",
            )  # fmt: skip


def unreadable_rows(where: str, file: DataFile, *, wanted: Sequence[str]) -> Iterator[Problem]:
    """Rows that are no JSON object, or lack a list under one of the `wanted` keys; the first twenty, then how many."""
    found = [(number, fault) for number, line in _lines(file) if (fault := _fault(line, wanted))]
    for number, fault in found[:_LINES_TOLD]:
        remedy = f"write every row as a JSON object with {', '.join(wanted)}"
        yield Problem(code="row_unreadable", message=fault, remedy=remedy, where=where, line=number)
    if len(found) > _LINES_TOLD:
        remedy = "mend them all: the provider reads all or nothing"
        message = f"{len(found)} rows cannot be read, {_LINES_TOLD} of them named"
        yield Problem(code="rows_unreadable", message=message, remedy=remedy, where=where)


def outside(where: str, value: float | None, low: float, high: float, source: str) -> Iterator[Problem]:
    if value is not None and not low <= value <= high:
        remedy = f"choose from {low:g} to {high:g} ({source})"
        yield Problem(code="out_of_range", message=f"{value:g} is not taken", remedy=remedy, where=where)


def seed_ignored(spec: TrainingSpec) -> Iterator[Problem]:
    if spec.seed:
        yield Problem(
            code="seed_not_offered", message="the provider takes no seed", where="seed", severity=Severity.WARNING,
            remedy="expect another run of the same spec to differ",
        )  # fmt: skip


def given_files(spec: TrainingSpec) -> dict[str, DataFile]:
    """By their places in the spec."""
    return {"train": spec.train} | ({"validation": spec.validation} if spec.validation else {})


def unaltered(file: DataFile) -> None:
    """Raises `DataAltered`."""
    with file.path.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != file.sha256:
            raise DataAltered(f"{file.path.name} is not the file that was described")


def _lines(file: DataFile) -> Iterator[tuple[int, bytes]]:
    try:
        with file.path.open("rb") as content:
            yield from ((number, line) for number, line in enumerate(content, start=1) if line.strip())
    except OSError as error:
        raise DataAltered(f"{file.path.name} cannot be read: {error.strerror}") from error


def _fault(line: bytes, wanted: Sequence[str]) -> str:
    try:
        row = json.loads(line)
    except ValueError:
        return "the row is no JSON"
    if not isinstance(row, dict):
        return "the row is no JSON object"
    lacking = [name for name in wanted if not (isinstance(row.get(name), list) and row[name])]
    return f"the row has no {' and no '.join(lacking)}" if lacking else ""
