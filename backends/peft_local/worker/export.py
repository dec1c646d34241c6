"""`python -m backends.peft_local.worker.export FORM BASE WEIGHTS INTO`: what was trained, as a folder that others load.

FORM adapter: the adapter by itself, as PEFT and servers that swap adapters take it, with its tokenizer and template.
FORM merged: a whole model (config, safetensors, tokenizer, chat template), as servers of Hugging Face models load it
(vLLM, TGI, llama.cpp's converter); an adapter is merged into its base, a fully tuned model is taken as it is.

Exit code 65 and a line on standard error: the weights are not those that were written, or not finite. 74: no room.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported

import torch
from peft import PeftModel

from backends.errors import CheckpointInvalid
from backends.peft_local.folder import write_json
from backends.peft_local.manifests import Manifest, described, laid_down
from backends.peft_local.models import base_sha256
from backends.peft_local.worker.artefact import admitted, require_finite
from backends.peft_local.worker.checkpoints import ADAPTER_WEIGHTS, storage_is_full
from backends.peft_local.worker.model import base_in, stored_in, tokenizer_in

INVALID: Final = 65  # EX_DATAERR of sysexits.h
NO_ROOM: Final = 74  # EX_IOERR
_CONFIG: Final = "adapter_config.json"
_CARD: Final = "README.md"


def merged(base: Path, adapter: Path, into: Path) -> Manifest:
    """W + scale * B A, added up in float32 and kept in what the base is kept in. Raises `CheckpointInvalid`."""
    manifest = _admitted_over(base, adapter)

    def fill(partial: Path) -> Manifest:
        network: Any = PeftModel.from_pretrained(
            base_in(base, dtype=torch.float32, device=torch.device("cpu")), adapter, is_trainable=False
        )
        network = network.merge_and_unload(safe_merge=True).to(stored_in(base))
        network.save_pretrained(partial, safe_serialization=True)
        return _finished(manifest, base, partial)

    return laid_down(into, fill)


def whole(base: Path, model: Path, into: Path) -> Manifest:
    """A fully tuned model with the tokenizer of the model that it was. Raises `CheckpointInvalid`."""
    manifest = admitted(model)

    def fill(partial: Path) -> Manifest:
        for name in manifest.files:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model / name, partial / name)
        return _finished(manifest, base, partial)

    return laid_down(into, fill)


def alone(base: Path, adapter: Path, into: Path, *, base_name: str = "") -> Manifest:
    """The adapter with the tokenizer and template that it was trained with. `base_name`: as others find its base;
    empty where only this machine knows it. Raises `CheckpointInvalid`."""
    manifest = _admitted_over(base, adapter)

    def fill(partial: Path) -> Manifest:
        shutil.copyfile(adapter / ADAPTER_WEIGHTS, partial / ADAPTER_WEIGHTS)
        config = json.loads((adapter / _CONFIG).read_text("utf-8"))
        write_json(partial / _CONFIG, config | {"base_model_name_or_path": base_name or None})
        if (card := _card_of(adapter)) is not None:
            shutil.copyfile(card, partial / _CARD)
        made = _finished(manifest, base, partial)
        return made.model_copy(update={"kind": "adapter"})

    return laid_down(into, fill)


def _admitted_over(base: Path, adapter: Path) -> Manifest:
    manifest = admitted(adapter)
    if manifest.base_sha256 != base_sha256(base):
        raise CheckpointInvalid("it was trained over another base model")
    return manifest


def _card_of(weights: Path) -> Path | None:
    """The run's card: with what came out, which a checkpoint lies beside."""
    run = weights.parent.parent
    found = (place / _CARD for place in (weights, run / "adapter", run / "model"))
    return next((each for each in found if each.is_file()), None)


def _finished(manifest: Manifest, base: Path, partial: Path) -> Manifest:
    tokenizer_in(base).save_pretrained(partial)
    require_finite(partial)
    return manifest.model_copy(update={"kind": "model", "files": described(partial), "resumable": {}})


def _made(form: str, base: Path, weights: Path, into: Path, *, base_name: str) -> Manifest:
    is_adapter = (weights / _CONFIG).is_file()
    made: Mapping[tuple[str, bool], Callable[[], Manifest]] = {
        ("adapter", True): lambda: alone(base, weights, into, base_name=base_name),
        ("merged", True): lambda: merged(base, weights, into),
        ("merged", False): lambda: whole(base, weights, into),
    }
    if (form, is_adapter) not in made:
        raise CheckpointInvalid("it is a whole model and no adapter: take it merged")
    return made[form, is_adapter]()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m backends.peft_local.worker.export", description=__doc__)
    parser.add_argument("form", choices=["adapter", "merged"])
    for name in ("base", "weights", "into"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--base-name", default="", help="as others find the base; in the adapter's configuration")
    told = parser.parse_args(arguments)
    try:
        _made(told.form, told.base, told.weights, told.into, base_name=told.base_name)
    except CheckpointInvalid as error:
        sys.stderr.write(f"{error}\n")
        return INVALID
    except Exception as error:
        if not storage_is_full(error):
            raise
        sys.stderr.write("no room is left on the device\n")
        return NO_ROOM
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
