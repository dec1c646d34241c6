"""Checkpoints: weights that can answer, and beside them what is needed to go on as if nothing had happened.

Chance needs no keeping: it is set anew at each step from the seed and the step. Tensors are kept as safetensors, so
nothing that is read can run.
"""

import errno
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from backends.errors import CheckpointInvalid
from backends.events import Metrics
from backends.peft_local.folder import read_json, write_json
from backends.peft_local.manifests import (
    Manifest,
    described,
    laid_down,
    manifest_in,
    steps_in,
    verified,
    write_manifest,
)
from backends.peft_local.worker.model import Loaded

ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"
_STATE: Final = ("trainer.safetensors", "trainer.json")
_KEPT_TO_GO_ON: Final = 2
"""The newest checkpoints keep the optimiser's state: one to go on from, one in case that is damaged."""
_FULL: Final = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What must be known to go on after `step`. `tokens`: trained so far; `seen`: that went through, prompts included.
    `best_loss`, `worse_evaluations`: of early stopping. `scale`: of float16's losses, with the steps since it last
    changed."""

    step: int = 0
    tokens: int = 0
    seen: int = 0
    best_loss: float | None = None
    best_step: int | None = None
    worse_evaluations: int = 0
    scale: float | None = None
    scale_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What every checkpoint of a run says of where it comes from."""

    spec_sha256: str
    base: str
    base_sha256: str
    template_sha256: str
    end_of_turn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Of one run. `keep`: how many candidates stay, newest first, beside the best one."""

    folder: Path
    origin: Origin
    keep: int

    def save(
        self, loaded: Loaded, optimiser: torch.optim.Optimizer, progress: Progress, *, metrics: Metrics | None,
        candidate: bool,
    ) -> Manifest:  # fmt: skip
        """Raises `OSError` where the disk is full; what was there stays whole."""

        def fill(partial: Path) -> Manifest:
            kind = write_weights(loaded.network, partial)
            files = described(partial)
            save_tensors(_state_of(loaded, optimiser), partial / _STATE[0])
            write_json(partial / _STATE[1], asdict(progress))
            every = described(partial)
            return Manifest(
                kind=kind, step=progress.step, candidate=candidate, metrics=metrics, files=files,
                resumable={name: every[name] for name in _STATE}, **asdict(self.origin),
            )  # fmt: skip

        made = laid_down(self.folder / f"step-{progress.step}", fill)
        self._prune()
        return made

    def newest(self) -> tuple[Path | None, list[str]]:
        """The newest that is whole and of this very run, and what was found of newer ones, which are removed."""
        refused = []
        for partial in self.folder.glob(".*.partial"):
            shutil.rmtree(partial, ignore_errors=True)
        for path in reversed(list(steps_in(self.folder).values())):
            try:
                if not manifest_in(path).resumable:
                    continue
                self._require_ours(verified(path, to_go_on=True))
            except CheckpointInvalid as error:
                refused.append(str(error))
                shutil.rmtree(path, ignore_errors=True)
            else:
                return path, refused
        return None, refused

    def _require_ours(self, manifest: Manifest) -> None:
        """Raises `CheckpointInvalid`."""
        if (manifest.spec_sha256, manifest.base_sha256) != (self.origin.spec_sha256, self.origin.base_sha256):
            raise CheckpointInvalid(f"step {manifest.step} is of another run, or over another base model")

    def _prune(self) -> None:
        """Weights of the best and the newest candidates stay; the state to go on from, of the newest two of all."""
        every = steps_in(self.folder)
        manifests = {step: manifest_in(path) for step, path in every.items()}
        newest = sorted(every)[-_KEPT_TO_GO_ON:]
        candidates = [step for step in every if manifests[step].candidate]
        losses = {step: _loss(manifests[step]) for step in candidates}
        best = min(losses, key=lambda step: losses[step], default=None)
        stay = {best, *candidates[-self.keep :], *newest}
        for step, path in every.items():
            if step not in stay:
                shutil.rmtree(path)
            elif step not in newest and manifests[step].resumable:
                # The manifest first: what it does not name is no part of the checkpoint, whenever we die.
                write_manifest(path, manifests[step].model_copy(update={"resumable": {}}))
                for name in _STATE:
                    (path / name).unlink(missing_ok=True)


def write_weights(network: Any, folder: Path) -> Any:
    """Returns the kind: adapter or model."""
    if not hasattr(network, "peft_config"):
        network.save_pretrained(folder, safe_serialization=True)
        return "model"
    config = network.peft_config["default"]
    # Which folder of this machine the base lies in is nobody's business, and the manifest names the base.
    held = config.to_dict() | {"inference_mode": True, "base_model_name_or_path": None}
    write_json(folder / "adapter_config.json", _plain(held))
    save_tensors(get_peft_model_state_dict(network), folder / ADAPTER_WEIGHTS)
    return "adapter"


def restore(path: Path, loaded: Loaded, optimiser: torch.optim.Optimizer) -> Progress:
    """Of a checkpoint that was verified. Raises `CheckpointInvalid`."""
    try:
        restore_weights(path, loaded.network)
        tensors = load_file(path / _STATE[0], device=str(loaded.device))
        progress = Progress(**(read_json(path / _STATE[1]) or {}))
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointInvalid(f"{path.name} cannot be read") from error
    for name, weight in loaded.trained.items():
        keys = (key for key in tensors if key.endswith(f":{name}"))
        optimiser.state[weight] = {key.partition(":")[0]: tensors[key] for key in keys}
    return progress


def restore_weights(path: Path, network: Any) -> None:
    if hasattr(network, "peft_config"):
        set_peft_model_state_dict(network, load_file(path / ADAPTER_WEIGHTS))
        return
    found: dict[str, torch.Tensor] = {}
    for file in sorted(path.glob("model*.safetensors")):
        found |= load_file(file)
    missing = network.load_state_dict(found, strict=False).missing_keys
    tied = {name for name in missing if name in (getattr(network, "_tied_weights_keys", None) or {})}
    if set(missing) - tied:
        raise CheckpointInvalid(f"{path.name} lacks {', '.join(sorted(missing))}")


def _state_of(loaded: Loaded, optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """By `key:name of the weight`."""
    return {
        f"{key}:{name}": value
        for name, weight in loaded.trained.items()
        for key, value in optimiser.state[weight].items()
    }


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    save_file({name: each.detach().cpu().contiguous() for name, each in tensors.items()}, path)


def _loss(manifest: Manifest) -> float:
    found = manifest.metrics.full_valid_loss if manifest.metrics else None
    return math.inf if found is None else found


def storage_is_full(error: BaseException) -> bool:
    """Whether a write failed for want of room; safetensors says so in words only."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(f"os error {number}" in str(error) for number in _FULL)


def _plain(held: Mapping[str, object]) -> dict[str, object]:
    """As JSON takes it: sets become lists in order."""
    return {name: sorted(value) if isinstance(value, set) else value for name, value in held.items()}
