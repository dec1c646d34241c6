"""Runs on a Ray cluster. Nothing is kept here: the run's folder and Ray's own record of the job are all there is.

The entry point of a Ray job is a line for a shell, so it is built from settings alone, quoted; of a spec it holds the
run's id, whose letters are checked.
"""

import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from backends.checks import given_files, missing_settings, refuse, unaltered
from backends.errors import (
    AnswerInvalid,
    OutcomeUnknown,
    Problem,
    ProviderRefused,
    RunLost,
    SpecRefused,
    Unreachable,
)
from backends.events import Poll, RunState
from backends.memory import Memory
from backends.peft_local.answering import LocalPredictor
from backends.peft_local.backend import PeftBackend
from backends.peft_local.folder import RunFolder, write_whole
from backends.peft_local.models import Shelf
from backends.protocol import Capabilities, Handle
from backends.ray_jobs.cluster import ENDED, Cluster, Job
from backends.ray_jobs.standing import told
from backends.sending import ASK_AGAIN_S, looking
from backends.spec import DataFile, TrainingSpec

_WANTED: Final[Mapping[str, str]] = {
    "address": "where Ray's dashboard listens, such as http://head:8265",
    "folder": "of the runs, under the same path here and on every node",
    "models": "folders of base models by name, on the shared disk",
}
_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    address: str = ""
    folder: Path | None = None
    models: dict[str, Path] = {}
    token: SecretStr = SecretStr("")
    python: str = "python"
    pythonpath: str = ""
    worker: str = Field(default="backends.peft_local.worker", pattern=r"^[A-Za-z_][\w.]*$")
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda)$")
    answers_on: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    threads: int = Field(default=1, ge=1)
    cpus: float = Field(default=1, ge=0)
    gpus: float = Field(default=0, ge=0)
    memory_bytes: int | None = Field(default=None, ge=1)
    keep: int = Field(default=5, ge=1)
    timeout_s: float = Field(default=20.0, gt=0)
    settle_s: float = Field(default=30.0, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayBackend:
    """`local`: what this machine can do over the same folder without training: say what is wrong with a spec, and
    answer with what came out. `lacking`: the settings that it cannot do without."""

    name: str
    settings: _Settings
    cluster: Cluster
    local: PeftBackend
    lacking: tuple[Problem, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        return replace(self.local.capabilities, pausable=False, device="")

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:
        return (*self.lacking, *self.local.problems(spec, today=today))

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        handle = Handle(backend=self.name, reference=spec.run_id)
        if memory.recall("job"):
            return handle
        if not memory.recall("sent"):
            refuse(self.problems(spec, today=now.date()))
        run = self._run(spec.run_id)
        _lay(run, spec)
        self._submit(run, spec, memory, now)
        memory.remember("job", spec.run_id)
        return handle

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        run = self._known(handle)
        try:
            job = self.cluster.job(run.run_id)
        except ProviderRefused as refusal:
            return Poll(state=RunState.UNKNOWN, cursor=cursor, provider_state=refusal.provider_code)
        except (Unreachable, AnswerInvalid) as error:
            return Poll(state=RunState.UNKNOWN, cursor=cursor, provider_state=error.code)
        if job is None and not run.standing().ended:
            raise RunLost(f"Ray knows no job {run.run_id}, and its folder tells of no end")
        return told(run, job, cursor=cursor, settle_s=self.settings.settle_s)

    def cancel(self, handle: Handle) -> None:
        run = self._known(handle)
        if run.standing().ended:
            return
        job = self.cluster.job(run.run_id)
        if job is None:
            raise RunLost(f"Ray knows no job {run.run_id}")
        if job.status not in ENDED:
            run.make_wish("cancel")
            self.cluster.stop(run.run_id)

    def predictor(self, model: str) -> LocalPredictor:
        """Answers on this machine, from the shared folder."""
        return self.local.predictor(model)

    def _run(self, run_id: str) -> RunFolder:
        return RunFolder(path=(self.settings.folder or Path()) / run_id)

    def _known(self, handle: Handle) -> RunFolder:
        run = self._run(handle.reference)
        if not _RUN_ID.fullmatch(handle.reference) or not run.spec.is_file():
            raise RunLost(f"no run {handle.reference}")
        return run

    def _submit(self, run: RunFolder, spec: TrainingSpec, memory: Memory, now: datetime) -> None:
        before = memory.recall("sent") or ""
        with looking(was_sent=bool(before)):
            found = self.cluster.job(run.run_id)
        if found is None:
            memory.remember("sent", now.isoformat())
            found = self._sent(run, spec, memory, before)
        if found is not None and (found.metadata or {}).get("spec") != spec.digest:
            raise ProviderRefused(
                f"another job of this cluster is called {run.run_id}", provider_code="name_taken",
                param="submission_id", remedy="start the run anew under another id",
            )  # fmt: skip

    def _sent(self, run: RunFolder, spec: TrainingSpec, memory: Memory, before: str) -> Job | None:
        """None where Ray took it; the job where Ray had it already."""
        try:
            self.cluster.submit(self._request(run, spec))
        except Unreachable:
            memory.remember("sent", before)
            raise
        except ProviderRefused as refusal:
            try:
                found = self.cluster.job(run.run_id)
            except (Unreachable, AnswerInvalid) as error:
                raise OutcomeUnknown(f"refused ({refusal}), and not seen since", retry_in_s=ASK_AGAIN_S) from error
            if found is None:
                memory.remember("sent", before)
                raise
            return found
        return None

    def _request(self, run: RunFolder, spec: TrainingSpec) -> dict[str, object]:
        environment = {
            "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
            "OMP_NUM_THREADS": str(self.settings.threads),
        }  # fmt: skip
        if self.settings.pythonpath:
            environment["PYTHONPATH"] = self.settings.pythonpath
        request: dict[str, object] = {
            "submission_id": run.run_id,
            "entrypoint": self._entrypoint(run, spec),
            "runtime_env": {"env_vars": environment},
            "metadata": {"run": run.run_id, "spec": spec.digest},
            "entrypoint_num_cpus": self.settings.cpus,
            "entrypoint_num_gpus": self.settings.gpus,
        }
        return request | ({"entrypoint_memory": self.settings.memory_bytes} if self.settings.memory_bytes else {})

    def _entrypoint(self, run: RunFolder, spec: TrainingSpec) -> str:
        return shlex.join([
            self.settings.python, "-P", "-m", self.settings.worker, str(run.spec.absolute()),
            "--model", str(self.settings.models[spec.model]), "--device", self.settings.device,
            "--threads", str(self.settings.threads), "--keep", str(self.settings.keep),
        ])  # fmt: skip


def _lay(run: RunFolder, spec: TrainingSpec) -> None:
    """The run's folder with its files and, last, its spec. Raises `DataAltered`, and `SpecRefused` where the folder is
    another run's."""
    if run.spec.exists():
        if TrainingSpec.model_validate_json(run.spec.read_bytes()).digest != spec.digest:
            text, remedy = f"{spec.run_id} is another run already", "give this one an id of its own"
            raise SpecRefused([Problem(code="run_id_taken", message=text, remedy=remedy, where="run_id")])
        return
    for file in given_files(spec).values():
        unaltered(file)
    laid = {where: _copied(file, run.path / "data" / f"{where}.jsonl") for where, file in given_files(spec).items()}
    write_whole(run.spec, spec.model_copy(update=laid).model_dump_json(by_alias=True, indent=1).encode() + b"\n")


def _copied(file: DataFile, place: Path) -> DataFile:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file.path, place)
    copied = file.model_copy(update={"path": place.absolute()})
    unaltered(copied)
    return copied


def make(name: str, settings: Mapping[str, object]) -> RayBackend:
    """Settings: `address`, `folder`, `models`; and where wanted `token`, `python` (of the cluster's nodes),
    `pythonpath` (where ours is not installed there), `worker` (its module), `device`, `threads`, `cpus`, `gpus` and
    `memory_bytes` to reserve, `keep` (checkpoints), `answers_on` (the device of this machine for answers), `timeout_s`,
    `settle_s`. Raises `ValueError` for a setting it does not know."""
    told_settings = _Settings.model_validate(settings)
    folder = told_settings.folder or Path()
    return RayBackend(
        name=name, settings=told_settings, lacking=tuple(missing_settings(settings, _WANTED)),
        cluster=Cluster(
            address=told_settings.address, token=told_settings.token.get_secret_value(),
            timeout_s=told_settings.timeout_s,
        ),
        local=PeftBackend(
            name=name, folder=folder, shelf=Shelf(allowed=told_settings.models), device=told_settings.answers_on,
        ),
    )  # fmt: skip
