"""A run as the body that creates its job."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backends.graders import as_sent
from backends.spec import DataFile, Method, TrainingSpec

RUN: Final = "run"
"""The key under which a job's metadata names our run."""

INSTALLATION: Final = "sixfold"
"""The key under which it names the installation whose run it is: several may share one account."""

LABELS_MAX: Final = 14
"""Of the 16 keys that metadata may have (openai/openai-openapi @f85dbe2), less our own two."""

_METHODS: Final = {Method.SFT: "supervised", Method.DPO: "dpo", Method.RFT: "reinforcement"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run whose files lie with the provider. `hyperparameters` under the provider's own names."""

    spec: TrainingSpec
    installation: str
    training_file: str
    validation_file: str | None
    hyperparameters: Mapping[str, object]

    @property
    def metadata(self) -> dict[str, str]:
        labels = dict(sorted(self.spec.labels.items())[:LABELS_MAX])
        return labels | {RUN: self.spec.run_id, INSTALLATION: self.installation}


def file_name(file: DataFile, run_id: str) -> str:
    """Files carry no metadata, so the name says whose it is (reliability reference, section 2.4)."""
    return f"ds-{file.sha256[:12]}-{run_id}.jsonl"


def content_of(file: DataFile) -> bytes | None:
    """The bytes that were described; None where they are others now."""
    content = file.path.read_bytes()
    return content if hashlib.sha256(content).hexdigest() == file.sha256 else None


def openai_body(order: Order) -> dict[str, object]:
    """As `CreateFineTuningJobRequest` has it. What nobody set is left out, and so "auto"; integrations are."""
    spec = order.spec
    kind = _METHODS[spec.method]
    settings: dict[str, object] = {"hyperparameters": dict(order.hyperparameters)} if order.hyperparameters else {}
    if spec.grader is not None:
        settings["grader"] = as_sent(spec.grader)
    body: dict[str, object] = {
        "model": spec.model, "training_file": order.training_file, "seed": spec.seed, "metadata": order.metadata,
        "method": {"type": kind, kind: settings},
    }  # fmt: skip
    if order.validation_file is not None:
        body["validation_file"] = order.validation_file
    if spec.suffix is not None:
        body["suffix"] = spec.suffix
    return body
