"""What is to be trained: a TOML or JSON file, a record to repeat, and options over both; with all that is wrong."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from backends.graders import Grader
from backends.spec import Hyperparameters, Method
from engagements.cli.training import places
from engagements.cli.training.dataset import dataset_in
from engagements.evals.metrics import METRICS
from engagements.phases.training.judging.record import RunRecord
from estimator.errors import EstimatorError, Problem, UnknownName

SEED: Final = 7
_BYTES_MOST: Final = 1_000_000
_KNOBS: Final = "hyperparameters"
_OF_A_RECORD: Final = ("backend", "model", "method", "seed", "suffix", "grader")


class TrainingInvalid(EstimatorError):
    """What is asked for cannot be read, or says something that cannot be; names every place."""

    code = "training_invalid"


class Asked(BaseModel):
    """`backend`: one that the settings name, or an installed kind. `data`: what `sixfold data prepare -o` wrote.

    `metric`: by which checkpoints are chosen; without it the usual one of the dataset's task. `gpu`: what it runs on,
    where that is hardware of ours, for the prediction. `max_tokens`, `scored_rows`: of an answer, and how many rows of
    validation every checkpoint answers. `settings`, `secrets`: of the backend, over those of sixfold.toml; a secret by
    the name of the environment variable that holds it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    backend: Annotated[str, Field(min_length=1, max_length=40)]
    model: Annotated[str, Field(min_length=1, max_length=500)]
    data: Path
    method: Method = Method.SFT
    metric: str | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = SEED
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,18}$")] | None = None
    gpu: str | None = None
    grader: Grader | None = None
    max_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None
    scored_rows: Annotated[int, Field(ge=1, le=10_000)] = 500
    settings: dict[str, str] = {}
    secrets: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = {}
    hyperparameters: Hyperparameters = Hyperparameters()


def read_asked(file: Path | None, record: RunRecord | None, options: Mapping[str, Any]) -> Asked:
    """What stands later wins: the record, the file, the options (only those that were given).

    `options` under `hyperparameters` is a mapping of its own, whose values may be text. A folder named in the file lies
    beside it. Raises `TrainingInvalid`.
    """
    described = _of_record(record) if record else {}
    described = _over(described, _read(file) if file else {})
    described = _over(described, options)
    try:
        asked = Asked.model_validate(described)
    except ValidationError as error:
        raise TrainingInvalid(*_problems(error, described)) from error
    if problems := [*_unknown_metric(asked.metric)]:
        raise TrainingInvalid(*problems)
    return asked


def _of_record(record: RunRecord) -> dict[str, Any]:
    spec = record.spec
    found = {name: getattr(spec, name) for name in _OF_A_RECORD}
    metric = {"metric": record.checkpoint.metric} if record.checkpoint and record.checkpoint.metric in METRICS else {}
    return found | metric | {_KNOBS: spec.hyperparameters.given()}


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    knobs = [each[_KNOBS] for each in (below, above) if isinstance(each.get(_KNOBS), Mapping)]
    whole = {**below, **above}
    return {**whole, _KNOBS: {**knobs[0], **knobs[1]}} if len(knobs) > 1 else whole


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES_MOST)
        described = orjson.loads(content) if path.suffix == ".json" else tomllib.loads(content.decode())
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, f"is no {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from error
    if not isinstance(described, dict):
        raise _unreadable(path, "holds no table")
    if isinstance(data := described.get("data"), str) and "\0" not in data:
        described["data"] = path.parent / data
    return described


def _unreadable(path: Path, message: str) -> TrainingInvalid:
    remedy = 'name a TOML or JSON file with backend, model and data, such as backend = "peft"'
    return TrainingInvalid(Problem(code="spec_unreadable", where=str(path), message=message, remedy=remedy))


def _problems(error: ValidationError, described: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the values, and with what the rest of them names."""
    for fault in error.errors():
        yield _problem(fault)
    if isinstance(metric := described.get("metric"), str):
        yield from _unknown_metric(metric)
    for name, look in (("backend", places.described), ("data", lambda each: dataset_in(Path(each)))):
        if isinstance(given := described.get(name), str | Path):
            try:
                look(str(given))
            except EstimatorError as missing:
                yield from missing.problems


def _problem(fault: ErrorDetails) -> Problem:
    where = ".".join(str(part) for part in fault["loc"])
    *above, name = (str(part) for part in fault["loc"]) if fault["loc"] else ("",)
    match fault["type"]:
        case "missing":
            message = f"{name} is needed and missing"
            remedy = f"say it with --{name.replace('_', '-')}, or in the file"
        case "extra_forbidden":
            known = Hyperparameters.model_fields if above == [_KNOBS] else () if above else Asked.model_fields
            near = get_close_matches(name, known, n=1)
            message = f"nothing is called {name!r} here"
            others = f"use one of {', '.join(known)}" if known else "remove it"
            remedy = f"did you mean {near[0]}? otherwise remove it" if near else others
        case _:
            message, remedy = f"{fault['input']!r:.60}: {fault['msg']}", "give a value that a run can have"
    return Problem(code=TrainingInvalid.code, where=where, message=message, remedy=remedy)


def _unknown_metric(name: str | None) -> Iterator[Problem]:
    if name is not None and name not in METRICS:
        unknown = UnknownName("metric", name, known=METRICS, add=f"use one of {', '.join(METRICS)}")
        yield from (replace(each, where="metric") for each in unknown.problems)
