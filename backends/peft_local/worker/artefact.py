"""What a run leaves: an adapter or a model with its card; and what must hold before weights are loaded."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open

from backends.errors import CheckpointInvalid
from backends.peft_local.defaults import Settled
from backends.peft_local.manifests import Manifest, described, laid_down, verified
from backends.peft_local.worker.checkpoints import Origin, write_weights
from backends.peft_local.worker.model import Loaded
from backends.spec import TrainingSpec

_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
_CODE: Final = ("auto_map", "trust_remote_code", "_attn_implementation", "_attn_implementation_internal")


def leave(
    folder: Path, loaded: Loaded, spec: TrainingSpec, knobs: Settled, origin: Origin, *, step: int,
    facts: Mapping[str, str], stored_in: torch.dtype,
) -> Manifest:  # fmt: skip
    """The weights as they are now, under `adapter` or `model`. `stored_in`: what a whole model's weights are kept in.

    Raises `CheckpointInvalid` for weights that are no numbers.
    """

    def fill(partial: Path) -> Manifest:
        if knobs.full:
            loaded.network.to(stored_in)
        kind = write_weights(loaded.network, partial)
        loaded.tokenizer.save_pretrained(partial)
        (partial / "README.md").write_text(card(spec, knobs, origin, facts), "utf-8")
        require_finite(partial)
        return Manifest(kind=kind, step=step, candidate=True, files=described(partial), **asdict(origin))

    return laid_down(folder / ("model" if knobs.full else "adapter"), fill)


def admitted(folder: Path) -> Manifest:
    """Of an adapter or checkpoint that may be loaded: the bytes that were written, finite, without code or pickles.

    Raises `CheckpointInvalid`.
    """
    manifest = verified(folder)
    if pickled := [each.name for pattern in _PICKLES for each in folder.rglob(pattern)]:
        raise CheckpointInvalid(f"{folder.name} holds {pickled[0]}: only safetensors are loaded")
    for name in ("adapter_config.json", "config.json"):
        if (folder / name).exists():
            _admit_config(folder / name)
    require_finite(folder)
    return manifest


def _admit_config(path: Path) -> None:
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise CheckpointInvalid(f"{path.name} is no JSON") from error
    if named := [key for key in _CODE if config.get(key)]:
        raise CheckpointInvalid(f"{path.name} asks for {named[0]}, which is refused")
    targets = config.get("target_modules", [])
    if not isinstance(targets, list) or not all(isinstance(each, str) and _literal(each) for each in targets):
        raise CheckpointInvalid(f"{path.name}: target modules are a list of names, no pattern")


def _literal(name: str) -> bool:
    return bool(name) and all(each.isalnum() or each in "_." for each in name)


def require_finite(folder: Path) -> None:
    """Raises `CheckpointInvalid`: infinities and what is no number load without a word."""
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 (not a mapping)
                    if not torch.isfinite(file.get_tensor(name)).all():
                        raise CheckpointInvalid(f"{name} in {path.name} holds numbers that are none")
        except (SafetensorError, OSError) as error:
            raise CheckpointInvalid(f"{path.name} is no whole file of weights") from error


def card(spec: TrainingSpec, knobs: Settled, origin: Origin, facts: Mapping[str, str]) -> str:
    """A model card as hubs read it: what it is, over what, trained on which bytes, how, and what was measured."""
    made = "Fine-tuned from" if knobs.full else "An adapter over"
    form = "" if knobs.full else "library_name: peft\n"
    learnt = {name: value for name, value in asdict(knobs).items() if value is not None}
    rows = [f"| {name} | {_cell(value)} |" for name, value in (*learnt.items(), ("seed", spec.seed), *facts.items())]
    data = [f"- training: {spec.train.rows} rows, sha256 `{spec.train.sha256}`"]
    if spec.validation:
        data.append(f"- validation: {spec.validation.rows} rows, sha256 `{spec.validation.sha256}`")
    return "\n".join([
        f"---\nbase_model: {json.dumps(origin.base)}\n{form}pipeline_tag: text-generation\n---",
        f"# {spec.suffix or spec.run_id}\n",
        f"{made} {origin.base} (weights sha256 `{origin.base_sha256}`).",
        f"Prompts must be written by its chat template (sha256 `{origin.template_sha256}`).",
        "The loss was taken on what the assistant says alone.\n",
        "## Data\n", *data, "\n## Training\n", f"Spec sha256 `{origin.spec_sha256}`.\n", "| | |\n|---|---|", *rows,
        "\n## Limits\n", "Not judged by this card: quality on the task, safety, and what it has forgotten.\n",
    ])  # fmt: skip


def _cell(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) and math.isfinite(value) else str(value)
    return text.replace("|", "\\|")
