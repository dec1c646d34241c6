"""How the providers differ that speak the OpenAI protocol, or nearly. Each difference names its source:

    spec      openai/openai-openapi @f85dbe2 (2026-08-21)
    guide     the provider's documentation, as the formats and training reference quotes it (sections 2 to 5)
    azure     learn.microsoft.com on fine-tuning with Azure OpenAI, and what users of it report
    sdk       the providers' own clients: mistralai/client-python, togethercomputer/together-py

None of it was tried against the providers themselves; what only they can confirm, `unconfirmed` says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

from backends.errors import unknown_backend
from backends.events import RunState
from backends.openai_api import answers, mistral, reinforcement, together
from backends.openai_api.requests import Order, openai_body
from backends.spec import Method

_STATES: Final = MappingProxyType({
    # spec; `paused` is what POST /pause answers in its example, and in no list of statuses.
    "validating_files": RunState.VALIDATING,
    "queued": RunState.QUEUED,
    "running": RunState.RUNNING,
    "paused": RunState.PAUSED,
    "succeeded": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "cancelled": RunState.CANCELLED,
})  # fmt: skip
_NAMES: Final = MappingProxyType({
    "epochs": "n_epochs", "batch_size": "batch_size", "learning_rate_multiplier": "learning_rate_multiplier",
})  # fmt: skip
_ALL: Final = MappingProxyType(_NAMES | {
    "beta": "beta", "reasoning_effort": "reasoning_effort", "compute_multiplier": "compute_multiplier",
    "evaluation_interval": "eval_interval", "evaluation_samples": "eval_samples",
})  # fmt: skip
FILE_BYTES_MAX: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One provider. `methods`: what it offers, with the format of ours that it takes; none: it only answers.

    `hyperparameters`: our names with its own; some are offered for one method alone. `rows_min`: examples it
    asks for. `job`, `jobs`: how its answers are read. `page_name`: how its lists go on, `after` an id or by `page`.
    `metadata`, `seed`, `suffix_max`, `pausable`, `pages`: whether
    it takes or offers them; `pages` also of events and checkpoints, which come with the job where there are none.
    `probe`: a tuned model answers by its name alone, without being deployed first. `new_jobs_until`: the first day
    on which it takes no more jobs of anybody.
    """

    name: str
    base_url: str = ""
    methods: Mapping[Method, str] = field(default_factory=dict)
    hyperparameters: Mapping[str, str] = field(default_factory=lambda: _NAMES)
    states: Mapping[str, RunState] = field(default_factory=lambda: _STATES)
    file_states: frozenset[str] = frozenset({"processed", "error", "deleted"})
    rows_min: int = 10
    jobs_path: str = "/fine_tuning/jobs"
    upload_path: str = "/files"
    upload_fields: Callable[[str], dict[str, str]] = lambda _: {}
    body: Callable[[Order], dict[str, object]] = openai_body
    job: type[answers.Job] = answers.Job
    jobs: type[answers.Jobs] = answers.Jobs
    files: type[answers.UploadedFiles] = answers.UploadedFiles
    file: type[answers.UploadedFile] = answers.UploadedFile
    metadata: bool = True
    seed: bool = True
    suffix_max: int | None = 64
    pausable: bool = False
    pages: bool = True
    page_name: str = "after"
    probe: bool = True
    limit_field: str = "max_completion_tokens"
    new_jobs_until: date | None = None
    unconfirmed: str = ""


def profile(name: str) -> Profile:
    """Raises `BackendMissing` with the nearest name."""
    if name not in PROFILES:
        raise unknown_backend(name, PROFILES)
    return PROFILES[name]


_OPENAI: Final = Profile(
    name="openai",
    base_url="https://api.openai.com/v1",
    methods={Method.SFT: "openai_chat", Method.DPO: "openai_dpo", Method.RFT: reinforcement.FORMAT},
    hyperparameters=_ALL,
    pausable=True,
    # The vendor's deprecations page (formats and training reference, section 1).
    new_jobs_until=date(2027, 1, 6),
    unconfirmed="whether the filter by metadata lists a job at once; the exact body of a 403",
)
_AZURE: Final = Profile(
    name="azure",
    # guide: OpenAI's client over `https://RESOURCE.openai.azure.com/openai/v1/`; an older resource takes
    # `.../openai` with the setting `api_version`.
    methods={Method.SFT: "azure_chat", Method.DPO: "openai_dpo", Method.RFT: reinforcement.FORMAT},
    hyperparameters=_ALL,
    # azure: a new job is `pending`, and so is a file that lies there unread (then `running`, then `processed`).
    states=_STATES | {"pending": RunState.QUEUED, "notRunning": RunState.QUEUED, "canceled": RunState.CANCELLED},
    suffix_max=18,
    pausable=True,
    # azure: a tuned model answers under the name of a deployment, which its management plane makes.
    probe=False,
    unconfirmed="whether metadata is kept and filtered by; a file's name finds the job where it is not",
)
_TOGETHER: Final = Profile(
    name="together",
    base_url="https://api.together.xyz/v1",
    methods={Method.SFT: "together_chat", Method.DPO: "together_dpo"},
    hyperparameters=together.NAMES,
    states=together.STATES,
    rows_min=1,
    jobs_path="/fine-tunes",
    upload_path="/files/upload",
    upload_fields=together.upload_fields,
    body=together.body,
    job=together.Job,
    jobs=together.Jobs,
    file_states=frozenset({"", "processed", "error", "deleted"}),
    metadata=False,
    seed=False,
    suffix_max=40,
    pages=False,
    # guide: a tuned model is served by a dedicated endpoint.
    probe=False,
    limit_field="max_tokens",
    unconfirmed="the form of an upload, how checkpoints are named for serving, what a refusal looks like",
)
_MISTRAL: Final = Profile(
    name="mistral",
    base_url="https://api.mistral.ai/v1",
    methods={Method.SFT: "mistral"},
    hyperparameters=mistral.NAMES,
    states=mistral.STATES,
    rows_min=1,
    body=mistral.body,
    job=mistral.Job,
    jobs=mistral.Jobs,
    file_states=frozenset({"", "processed", "error", "deleted"}),
    metadata=False,
    seed=False,
    pages=False,
    page_name="page",
    limit_field="max_tokens",
    unconfirmed="whether generative models are still tuned by API for every organisation",
)
_FIREWORKS: Final = Profile(
    name="fireworks",
    # Its models answer in the OpenAI protocol; its tuning jobs have an API of their own, which `backends.fireworks`
    # speaks.
    base_url="https://api.fireworks.ai/inference/v1",
    # guide: a tuned model is served by a dedicated deployment.
    probe=False,
    limit_field="max_tokens",
)
_GENERIC: Final = Profile(
    name="generic",
    methods={Method.SFT: "openai_chat", Method.DPO: "openai_dpo"},
    hyperparameters=_NAMES | {"beta": "beta"},
    rows_min=1,
    unconfirmed="all of it: any server that says it speaks the protocol",
)
PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({
    each.name: each for each in (_OPENAI, _AZURE, _TOGETHER, _MISTRAL, _FIREWORKS, _GENERIC)
})  # fmt: skip
