"""All that speaks against a run, found before it starts: the spec, the model's folder, the files, line by line."""

import importlib.util
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from backends.checks import not_offered
from backends.errors import Problem, Severity
from backends.peft_local.models import ModelUnknown, Shelf, module_names, problems_of
from backends.peft_local.rows import RowInvalid, lines_of, row_of
from backends.protocol import Capabilities
from backends.spec import Adapter, DataFile, Precision, TrainingSpec

LISTED_LINES: Final = 100
_OF_VALIDATION: Final = ("evaluations", "early_stopping")
_OF_ADAPTERS: Final = ("rank", "alpha", "dropout", "targets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Learning rates. Outside of `usual` a person should look, from `absurd` on nothing is learnt."""

    low: float
    high: float
    absurd: float


_RATES: Final = {
    # Published for LoRA: 1e-5 (Together) to 3e-4; short runs of small models take 15 times the rate of full tuning.
    False: Rates(low=1e-5, high=5e-3, absurd=0.1),
    # For full tuning: 2e-5 (TRL); LoRA's is about ten times as high (LoRA Without Regret).
    True: Rates(low=1e-6, high=5e-4, absurd=0.01),
}


def problems(spec: TrainingSpec, offered: Capabilities, shelf: Shelf, *, device: str) -> tuple[Problem, ...]:
    return (
        *not_offered(spec, offered), *_of_knobs(spec, device), *_of_model(spec, shelf),
        *_of_file(spec.train, "train"), *(_of_file(spec.validation, "validation") if spec.validation else ()),
    )  # fmt: skip


def _of_knobs(spec: TrainingSpec, device: str) -> Iterator[Problem]:
    given = spec.hyperparameters
    full = given.adapter is Adapter.FULL
    for name in (name for name in _OF_ADAPTERS if full and name in given.given()):
        text = f"full fine-tuning has no {name}"
        yield _problem("hyperparameter_contradicts", text, "leave it out", f"hyperparameters.{name}")
    yield from _of_rate(given.learning_rate, _RATES[full])
    if given.micro_batch_size and given.batch_size and given.micro_batch_size > given.batch_size:
        text = f"a micro batch of {given.micro_batch_size} rows is more than the {given.batch_size} of a step"
        yield _problem("micro_batch_too_large", text, "make it smaller", "hyperparameters.micro_batch_size")
    if given.precision is Precision.FP16 and device == "cpu":
        text = "a CPU does not train in float16"
        yield _problem("precision_not_offered", text, "leave it to auto", "hyperparameters.precision")
    if given.adapter is Adapter.QLORA and importlib.util.find_spec("bitsandbytes") is None:
        text = "QLoRA needs bitsandbytes, which is not installed"
        yield _problem("library_missing", text, "install the extra qlora, or choose lora", "hyperparameters.adapter")
    for knob in (name for name in _OF_VALIDATION if name in given.given() and not spec.validation):
        text = f"{knob} without a validation file"
        yield _problem("validation_missing", text, "add one, or leave it out", f"hyperparameters.{knob}")


def _of_rate(rate: float | None, usual: Rates) -> Iterator[Problem]:
    if rate is None or usual.low <= rate <= usual.high:
        return
    absurd = rate >= usual.absurd
    yield Problem(
        code="learning_rate_absurd" if absurd else "learning_rate_unusual",
        message=f"a learning rate of {rate:g}, where {usual.low:g} to {usual.high:g} is usual",
        remedy="leave it out to take the usual one", where="hyperparameters.learning_rate",
        severity=Severity.ERROR if absurd else Severity.WARNING,
    )  # fmt: skip


def _of_model(spec: TrainingSpec, shelf: Shelf) -> Iterator[Problem]:
    try:
        folder = shelf.find(spec.model)
    except ModelUnknown as error:
        yield _problem("model_unknown", str(error), "name a folder, or fetch it with `hf download`", "model")
        return
    found = list(problems_of(folder))
    yield from found
    if not found:
        yield from _of_targets(spec, folder)


def _of_targets(spec: TrainingSpec, folder: Path) -> Iterator[Problem]:
    targets = spec.hyperparameters.targets
    if targets is None or targets == "all-linear":
        return
    known = module_names(folder)
    for name in targets:
        if name not in known:
            text = f"no module of this model is called {name} (names are meant literally)"
            remedy = f"choose all-linear, or of {', '.join(sorted(known))}"
            yield _problem("target_unknown", text, remedy[:500], "hyperparameters.targets")


def _of_file(file: DataFile, where: str) -> Iterator[Problem]:
    if file.format != "openai_chat":
        yield _problem("format_not_offered", f"no {file.format} here", "write it as openai_chat", f"{where}.format")
        return
    try:
        told = file.path.stat()
        yield from _of_rows(file.path, where, file.sha256, told.st_mtime_ns, told.st_size)
    except OSError as error:
        yield _problem("file_unreadable", f"{file.path.name}: {error.strerror}", "name a file that can be read", where)


@lru_cache(maxsize=64)
def _of_rows(path: Path, where: str, _sha256: str, _changed_ns: int, _size: int) -> tuple[Problem, ...]:
    """Read once for as long as the file stays what it was: no knob changes what its rows say. Raises `OSError`."""
    return tuple(_read_rows(path, where))


def _read_rows(path: Path, where: str) -> Iterator[Problem]:
    found = Counter[str]()
    rows = 0
    for number, line in lines_of(path.read_bytes()):
        rows += 1
        try:
            row_of(number, line)
        except RowInvalid as error:
            found[error.code] += 1
            if found.total() <= LISTED_LINES:
                yield Problem(
                    code=error.code, message=str(error), remedy="correct or leave out this row", where=where,
                    line=number,
                )  # fmt: skip
    if found.total() > LISTED_LINES:
        text = f"{found.total()} rows are wrong in all: " + ", ".join(f"{code} {n}" for code, n in found.items())
        yield _problem("rows_wrong", text, "correct them", where)
    if rows == 0:
        yield _problem("file_empty", f"{path.name} has no rows", "name a file with rows", where)


def _problem(code: str, message: str, remedy: str, where: str) -> Problem:
    return Problem(code=code, message=message, remedy=remedy, where=where)
