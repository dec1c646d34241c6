"""What speaks against a run, found without a network; all of it at once."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from backends.errors import Problem, Severity
from backends.openai_api import reinforcement
from backends.openai_api.profiles import FILE_BYTES_MAX, Profile
from backends.openai_api.requests import INSTALLATION, LABELS_MAX, RUN
from backends.spec import DataFile, Method, TrainingSpec

_BATCH_MAX: Final = 256
_KEY_MAX, _VALUE_MAX = 64, 512
_SOON: Final = timedelta(days=30)
_ONLY: Final = MappingProxyType({
    "beta": Method.DPO, "reasoning_effort": Method.RFT, "compute_multiplier": Method.RFT,
    "evaluation_interval": Method.RFT, "evaluation_samples": Method.RFT,
})  # fmt: skip
_OF: Final = MappingProxyType({Method.DPO: "preference pairs", Method.RFT: "reinforcement"})
_BOM: Final = b"\xef\xbb\xbf"


def named(profile: Profile, spec: TrainingSpec) -> dict[str, object]:
    """The hyperparameters that somebody set, under the provider's own names."""
    return {profile.hyperparameters[name]: value for name, value in spec.hyperparameters.given().items()}


def problems(profile: Profile, spec: TrainingSpec, today: date) -> tuple[Problem, ...]:
    found = [*_offers(profile, spec), *_sunset(profile, today), *_labels(profile, spec)]
    for where, file in (("train", spec.train), ("validation", spec.validation)):
        if file is not None:
            found += _file(profile, spec, where, file)
    return tuple(found)


def _offers(profile: Profile, spec: TrainingSpec) -> Iterator[Problem]:
    if spec.method not in profile.methods:
        offered = ", ".join(sorted(profile.methods)) or "no training at all; it only answers"
        remedy = f"it offers {offered}"
        message = f"{profile.name} does not offer {spec.method}"
        yield Problem(code="method_not_offered", message=message, remedy=remedy, where="method")
    if spec.method is Method.RFT and spec.grader is None:
        yield Problem(
            code="grader_missing",
            message="reinforcement needs a grader",
            where="grader",
            remedy="describe one: string_check, text_similarity, score_model, python or multi",
        )
    if spec.method is Method.RFT and spec.validation is None:
        yield Problem(
            code="validation_missing", message="reinforcement needs a validation file", remedy="add one",
            where="validation",
        )  # fmt: skip
    if spec.method is not Method.RFT and spec.grader is not None:
        yield Problem(
            code="grader_unused", message=f"a grader means nothing to {spec.method}", remedy="leave it out",
            where="grader",
        )  # fmt: skip
    yield from _hyperparameters(profile, spec)
    if spec.suffix is not None and len(spec.suffix) > (profile.suffix_max or 0):
        message = f"{profile.name} takes at most {profile.suffix_max or 0} characters of a suffix"
        yield Problem(code="suffix_too_long", message=message, remedy="shorten it or leave it out", where="suffix")
    if not profile.seed and spec.seed:
        yield Problem(
            code="seed_not_offered", message=f"{profile.name} takes no seed", where="seed",
            remedy="expect another outcome of the same run", severity=Severity.WARNING,
        )  # fmt: skip


def _hyperparameters(profile: Profile, spec: TrainingSpec) -> Iterator[Problem]:
    for name in sorted(spec.hyperparameters.given()):
        where = f"hyperparameters.{name}"
        if name not in profile.hyperparameters:
            remedy = f"leave it out; it takes {', '.join(sorted(profile.hyperparameters)) or 'none'}"
            message = f"{profile.name} takes no {name}"
            yield Problem(code="hyperparameter_not_offered", message=message, remedy=remedy, where=where)
        elif spec.method is not _ONLY.get(name, spec.method):
            message = f"{name} is for {_OF[_ONLY[name]]}"
            yield Problem(
                code="hyperparameter_not_offered", message=message, remedy=f"leave it out of {spec.method}", where=where
            )
    batch = spec.hyperparameters.batch_size
    if batch is not None and batch > _BATCH_MAX and "batch_size" in profile.hyperparameters:
        yield Problem(
            code="batch_size_too_large", message=f"a batch of {batch}; at most {_BATCH_MAX} are taken",
            remedy=f"ask for {_BATCH_MAX} or fewer", where="hyperparameters.batch_size",
        )  # fmt: skip


def _sunset(profile: Profile, today: date) -> Iterator[Problem]:
    ends = profile.new_jobs_until
    if ends is None:
        return
    if today >= ends:
        yield Problem(
            code="provider_closed", message=f"{profile.name} takes no new jobs since {ends.isoformat()}",
            remedy="train locally, or with another provider", where="backend",
        )  # fmt: skip
    elif today > ends - _SOON:
        yield Problem(
            code="provider_closes_soon", message=f"{profile.name} takes no new jobs from {ends.isoformat()} on",
            remedy="plan the next training elsewhere", where="backend", severity=Severity.WARNING,
        )  # fmt: skip


def _labels(profile: Profile, spec: TrainingSpec) -> Iterator[Problem]:
    if not profile.metadata:
        return
    if len(spec.labels) > LABELS_MAX:
        yield Problem(
            code="labels_too_many", message=f"{len(spec.labels)} labels; {LABELS_MAX} travel with a job",
            remedy="the rest stays here", where="labels", severity=Severity.WARNING,
        )  # fmt: skip
    for key, value in spec.labels.items():
        if key in {RUN, INSTALLATION} or not 0 < len(key) <= _KEY_MAX or len(value) > _VALUE_MAX:
            message = f"the label {key[:_KEY_MAX]!r} cannot travel with a job"
            remedy = f"keys up to {_KEY_MAX} characters and not {RUN!r} or {INSTALLATION!r}, values up to {_VALUE_MAX}"
            yield Problem(code="label_invalid", message=message, remedy=remedy, where="labels")


def _file(profile: Profile, spec: TrainingSpec, where: str, file: DataFile) -> Iterator[Problem]:
    wanted = profile.methods.get(spec.method)
    if wanted is not None and file.format != wanted:
        yield Problem(
            code="format_not_taken", message=f"{file.format} is not what {profile.name} takes for {spec.method}",
            remedy=f"export it as {wanted}", where=f"{where}.format",
        )  # fmt: skip
    try:
        content = file.path.read_bytes()
    except OSError as error:
        yield Problem(
            code="file_unreadable", message=f"{file.path.name} cannot be read: {error.strerror}",
            remedy="export the dataset again", where=where,
        )  # fmt: skip
        return
    if len(content) > FILE_BYTES_MAX:
        yield Problem(
            code="file_too_large", message=f"{len(content):,} bytes; at most {FILE_BYTES_MAX:,} are taken",
            remedy="train on fewer examples", where=where,
        )  # fmt: skip
        return
    rows = 0
    wrong: list[Problem] = []
    for number, line in enumerate(content.removeprefix(_BOM).splitlines(), start=1):
        if line.strip():
            rows += 1
            row = _row(line)
            if row is None:
                yield Problem(
                    code="invalid_training_file", message="this line is no JSON object",
                    remedy="export the dataset again", where=where, line=number,
                )  # fmt: skip
            elif spec.method is Method.RFT and file.format == wanted:
                wrong += reinforcement.row_problems(where, number, row, spec.grader)
    yield from reinforcement.listed(where, wrong)
    if where == "train" and rows < profile.rows_min:
        yield Problem(
            code="invalid_n_examples", message=f"{rows} examples; at least {profile.rows_min} are needed",
            remedy="add examples", where=where,
        )  # fmt: skip


def _row(line: bytes) -> Mapping[str, object] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
