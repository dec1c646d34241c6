"""What speaks against a run at Fireworks, found without a network.

Limits of rows: its guides on supervised and preference tuning. Ranks: the reference of its API.
"""

import re
from collections.abc import Iterator
from typing import Final

from backends.checks import given_files, not_offered, seed_ignored, unreadable_rows
from backends.errors import Problem, Severity
from backends.fireworks.submitting import word
from backends.protocol import Capabilities
from backends.spec import Method, TrainingSpec

OFFERED: Final = Capabilities(
    methods=frozenset({Method.SFT, Method.DPO}),
    data_format={Method.SFT: "fireworks_chat", Method.DPO: "fireworks_dpo"},
    hyperparameters=frozenset({"epochs", "learning_rate", "rank", "batch_size", "max_length", "weight_decay"}),
)
"""Early stopping is not among them: Fireworks takes no number of evaluations to wait for."""
_RANKS: Final = (1, 2, 4, 8, 16, 32)
_ROWS_MIN, _ROWS_MAX = 3, 3_000_000
_MODEL: Final = re.compile(r"accounts/[^/]+/models/[\w.-]+")
_LISTS: Final = {Method.DPO: ("preferred_output", "non_preferred_output")}


def problems(spec: TrainingSpec) -> Iterator[Problem]:
    yield from not_offered(spec, OFFERED)
    if not _MODEL.fullmatch(spec.model):
        yield Problem(
            code="model_not_offered", message=f"{spec.model} is no model's name at Fireworks", where="model",
            remedy="write it in full, such as accounts/fireworks/models/llama-v3p1-8b-instruct",
        )  # fmt: skip
    rank = spec.hyperparameters.rank
    if rank and rank not in _RANKS:
        remedy = f"choose one of {', '.join(map(str, _RANKS))}"
        message, where = f"no adapter of rank {rank}", "hyperparameters.rank"
        yield Problem(code="out_of_range", message=message, remedy=remedy, where=where)
    yield from _sizes(spec)
    for where, file in given_files(spec).items():
        yield from unreadable_rows(where, file, wanted=_LISTS.get(spec.method, ("messages",)))
    yield from _left_out(spec)


def _sizes(spec: TrainingSpec) -> Iterator[Problem]:
    for where, file in given_files(spec).items():
        if file.rows < _ROWS_MIN:
            message, remedy = f"{file.rows} rows", f"at least {_ROWS_MIN} are needed"
            yield Problem(code="too_few_rows", message=message, remedy=remedy, where=where)
        if file.rows > _ROWS_MAX:
            message, remedy = f"{file.rows} rows", f"at most {_ROWS_MAX} are taken"
            yield Problem(code="too_many_rows", message=message, remedy=remedy, where=where)


def _left_out(spec: TrainingSpec) -> Iterator[Problem]:
    if spec.method is Method.DPO and spec.validation is not None:
        yield Problem(
            code="validation_left_out", message="a preference job takes no validation file", where="validation",
            remedy="expect no validation loss; evaluate the model afterwards", severity=Severity.WARNING,
        )  # fmt: skip
    if spec.suffix and word(spec.suffix) != spec.suffix:
        yield Problem(
            code="suffix_changed", message=f"the model's name begins with {word(spec.suffix)}", where="suffix",
            remedy="use lower case letters, digits and -, a letter first", severity=Severity.WARNING,
        )  # fmt: skip
    yield from seed_ignored(spec)
