"""What the contract asks of a backend, on the parent's side. It loads no PyTorch and holds nothing that a restart would
miss: every instance over the same folder sees the same runs.

A trainer outlives the application, for hours of work must not end because that is started anew. It is known again by
the lock that it holds itself: the lock is taken before the trainer is started and handed to it, so there is no moment
at which two could begin, and it is free exactly when the trainer is gone.
"""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from backends.checks import given_files, refuse, unaltered
from backends.errors import NotOffered, Problem, RunLost, SpecRefused
from backends.events import Poll, RunState
from backends.memory import Memory
from backends.peft_local import refusals
from backends.peft_local.answering import LocalPredictor, Servers
from backends.peft_local.children import environment_for, launched, process_in
from backends.peft_local.endings import count_launch, not_startable, standing_of, without_trainer
from backends.peft_local.exporting import Exporter, Tuned
from backends.peft_local.folder import RunFolder, Standing, taken, waiting_for, write_whole
from backends.peft_local.machine import processor_said
from backends.peft_local.manifests import candidates_in
from backends.peft_local.models import ModelUnknown, Shelf
from backends.peft_local.reading import read_from
from backends.protocol import Capabilities, Handle
from backends.spec import Adapter, Hyperparameters, Method, TrainingSpec

MODULES: Final = ("-P", "-m")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeftBackend:
    """`folder`: of its runs. `python`: the interpreter that has PyTorch. `device`: auto, cpu, mps, cuda or cuda:N; one
    trainer at a time on each, over all runs folders that share `device_locks` (by default: this one). `stall_after_s`:
    without a sign of life for so long a trainer is ended; `grace_s`: between asking it to and forcing it. `modules`:
    the words between the interpreter and a module's name.
    """

    name: str = "peft"
    folder: Path
    python: Path = field(default_factory=lambda: Path(sys.executable))
    shelf: Shelf = field(default_factory=Shelf)
    device: str = "auto"
    device_locks: Path | None = None
    threads: int = 1
    retries: bool = True
    keep: int = 5
    stall_after_s: float = 120.0
    grace_s: float = 30.0
    save_every_s: float = 600.0
    modules: tuple[str, ...] = MODULES
    _servers: Servers = field(default_factory=Servers, repr=False, compare=False)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            methods=frozenset({Method.SFT}), data_format={Method.SFT: "openai_chat"}, adapters=frozenset(Adapter),
            hyperparameters=frozenset(Hyperparameters.model_fields) - {"learning_rate_multiplier", "beta"},
            pausable=True, local=True,
            device=processor_said(threads=self.threads) if device_in(self.device) == "cpu" else "",
        )  # fmt: skip

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:  # noqa: ARG002 (the contract's)
        return refusals.problems(spec, self.capabilities, self.shelf, device=self.device)

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        handle = Handle(backend=self.name, reference=spec.run_id)
        run = RunFolder(path=self.folder / spec.run_id)
        if not run.spec.exists():
            self._admit(spec, now)
            run.path.mkdir(parents=True, exist_ok=True)
        with waiting_for(run.door):
            if not run.spec.exists():
                write_whole(run.spec, _located(spec).model_dump_json(by_alias=True, indent=1).encode() + b"\n")
            elif _spec_of(run).digest != spec.digest:
                raise SpecRefused([_taken_by_another(spec)])
            self._tend(run)
        memory.remember("job", spec.run_id)
        return handle

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        run = self._known(handle)
        with waiting_for(run.door):
            standing = self._tend(run)
        piece = read_from(run.events, int(cursor) if cursor.isdigit() else 0)
        # An end is told together with the last events, not before them.
        state = RunState.FINALIZING if standing.ended and piece.more else standing.state
        succeeded = state is RunState.SUCCEEDED
        return Poll(
            state=state, cursor=str(piece.cursor), events=piece.events,
            checkpoints=candidates_in(run.checkpoints, run.run_id),
            model=run.run_id if succeeded else None, usage=standing.usage,
            failure=standing.failure if state is RunState.FAILED else None,
            provider_state="interrupted" if standing.interrupted else standing.state.value,
            environment=standing.environment,
        )  # fmt: skip

    def cancel(self, handle: Handle) -> None:
        self._ask(self._known(handle), "cancel")

    def pause(self, handle: Handle) -> None:
        self._ask(self._known(handle), "pause")

    def resume(self, handle: Handle) -> None:
        run = self._known(handle)
        with waiting_for(run.door):
            if run.wish() == "pause":
                run.make_wish("resume")
            self._tend(run)

    def predictor(self, model: str) -> LocalPredictor:
        """`model`: a run, `run@step` of a checkpoint, or a base model. Raises `RunLost`, `CheckpointInvalid`."""
        base, weights = self._weights(model)
        return self._servers.predictor(
            base, weights, command=(str(self.python), *self.modules, "backends.peft_local.worker.answering"),
            device=self.device, threads=self.threads,
        )  # fmt: skip

    def tuned(self, model: str, *, name: str) -> Tuned:
        """The weights that a run or a checkpoint of it names, to be exported. Raises `RunLost` for what is not kept,
        its base model too, and `NotOffered` for a base model that nothing was trained over."""
        try:
            base, weights = self._weights(model)
        except ModelUnknown as error:
            raise RunLost(str(error)) from error
        if weights is None:
            raise NotOffered(f"{model} is no run of ours, so there is nothing to export")
        spec = _spec_of(RunFolder(path=self.folder / model.partition("@")[0]))
        return Tuned(name=name, base=base, base_name=spec.model, weights=weights)

    def model_folder(self, model: str) -> Path | None:
        try:
            return self.shelf.find(model)
        except ModelUnknown:
            return None

    @property
    def exporter(self) -> Exporter:
        return Exporter(command=(str(self.python), *self.modules), threads=self.threads)

    def _weights(self, model: str) -> tuple[Path, Path | None]:
        """The base model's folder, and what lies over it; a fully tuned model stands alone."""
        run_id, _, step = model.partition("@")
        run = self._run(run_id)
        if run is None:
            try:
                return self.shelf.find(model), None
            except ModelUnknown as error:
                raise RunLost(str(error)) from error
        found = run.checkpoints / f"step-{step}" if step else run.result()
        if found is None or not found.is_dir():
            raise RunLost(f"{model} is not kept (any more)")
        return self.shelf.find(_spec_of(run).model), found

    def _admit(self, spec: TrainingSpec, now: datetime) -> None:
        refuse(self.problems(spec, today=now.date()))
        for file in given_files(spec).values():
            unaltered(file)

    def _known(self, handle: Handle) -> RunFolder:
        run = self._run(handle.reference)
        if run is None:
            raise RunLost(f"no run {handle.reference}")
        return run

    def _run(self, name: str) -> RunFolder | None:
        """None for a name that no run has, above all for one that would lead out of the folder."""
        run = RunFolder(path=self.folder / name)
        return run if run.path.parent == self.folder and run.spec.is_file() else None

    def _ask(self, run: RunFolder, wish: str) -> None:
        with waiting_for(run.door):
            if not self._tend(run).ended:
                run.make_wish(wish)
                self._signal(run, signal.SIGTERM)
                self._tend(run)

    def _tend(self, run: RunFolder) -> Standing:
        """Looks after a run whose door is held: a dead trainer is started again or its end written down, a silent one
        is ended."""
        standing = standing_of(run)
        if standing.ended:
            return standing
        if self._start_if_dead(run):
            return standing_of(run)
        self._watch(run)
        return standing

    def _start_if_dead(self, run: RunFolder) -> bool:
        """False where a trainer holds the lock."""
        lock = taken(run.lock)
        if lock is None:
            return False
        try:
            trainer = process_in(run.process)
            if trainer is not None and trainer.is_being_noted:
                return True
            # Read with the lock in hand: it may have ended a moment ago.
            standing = standing_of(run)
            ended = standing if standing.ended else without_trainer(run, standing)
            if ended is not standing:
                run.stand(ended)
            if not ended.ended and ended.state is not RunState.PAUSED:
                count_launch(run, ended)
                run.stand(ended.model_copy(update={"state": RunState.QUEUED, "interrupted": False}))
                self._launch(run, lock)
        except (ModelUnknown, OSError) as error:
            run.stand(not_startable(run.standing(), error))
        finally:
            os.close(lock)
        return True

    def _launch(self, run: RunFolder, lock: int) -> None:
        spec = _spec_of(run)
        device = device_in(self.device)
        command = [
            str(self.python), *self.modules, "backends.peft_local.worker", str(run.spec),
            "--model", str(self.shelf.find(spec.model)),
            "--device", device.partition(":")[0], "--threads", str(self.threads), "--keep", str(self.keep),
            "--out-of-memory", "retry" if self.retries else "fail", "--save-every-s", str(self.save_every_s),
            "--lock", str(lock), "--device-lock", str((self.device_locks or self.folder / ".devices") / device),
        ]  # fmt: skip
        run.beat()
        environment = environment_for(threads=self.threads, device=device)
        started = launched(command, log=run.log, exit_file=run.exit, kept_open=[lock], environment=environment)
        started.remembered(run.process)

    def _watch(self, run: RunFolder) -> None:
        wish = run.wish()
        if wish in {"cancel", "stalled"}:
            if run.wished_s_ago() > self.grace_s:
                self._signal(run, signal.SIGKILL)
        elif run.beaten_s_ago() > self.stall_after_s:
            run.make_wish("stalled")
            self._signal(run, signal.SIGTERM)

    def _signal(self, run: RunFolder, number: signal.Signals) -> None:
        trainer = process_in(run.process)
        if trainer is not None:
            trainer.signal(number)


def device_in(told: str) -> str:
    """What `auto` is on this machine, as far as can be told without PyTorch: it names the lock."""
    if told != "auto":
        return "cuda:0" if told == "cuda" else told
    if Path("/dev/nvidia0").exists():
        return "cuda:0"
    return "mps" if sys.platform == "darwin" else "cpu"


def _located(spec: TrainingSpec) -> TrainingSpec:
    """With files named in full: the trainer works in another folder than we do."""
    files = {"train": spec.train} | ({"validation": spec.validation} if spec.validation else {})
    return spec.model_copy(update={
        name: file.model_copy(update={"path": file.path.resolve()}) for name, file in files.items()
    })  # fmt: skip


def _spec_of(run: RunFolder) -> TrainingSpec:
    return TrainingSpec.model_validate_json(run.spec.read_bytes())


def _taken_by_another(spec: TrainingSpec) -> Problem:
    text = f"{spec.run_id} is another run already"
    return Problem(code="run_id_taken", message=text, remedy="give this one an id of its own", where="run_id")


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    folder: Path
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    threads: int = Field(default=1, ge=1)
    python: Path = Path(sys.executable)
    hub: Path | None = None
    models: dict[str, Path] | None = None
    device_locks: Path | None = None
    retries: bool = True
    keep: int = Field(default=5, ge=1)
    stall_after_s: float = Field(default=120.0, gt=0)
    grace_s: float = Field(default=30.0, ge=0)
    save_every_s: float = Field(default=600.0, gt=0)

    def arguments(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in type(self).model_fields.keys() - {"hub", "models"}}
        return found | {"shelf": Shelf(allowed=self.models, hub=self.hub)}


def make(name: str, settings: Mapping[str, object]) -> PeftBackend:
    """Settings: `folder`; and where wanted `device`, `threads`, `python`, `hub` (the cache of huggingface_hub),
    `models` (folders by name: those and no others), `device_locks`, `retries`, `keep`, `stall_after_s`, `grace_s`,
    `save_every_s`. Raises `ValueError` for a setting it does not know."""
    return PeftBackend(name=name, **_Settings.model_validate(settings).arguments())
