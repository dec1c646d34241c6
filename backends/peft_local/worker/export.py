"""`python -m backends.peft_local.worker.export BASE ADAPTER INTO`: an adapter merged into its base, as a folder that
servers of Hugging Face models load (vLLM, TGI, llama.cpp's converter): config, safetensors, tokenizer, chat template.

Servers that swap adapters themselves take the adapter's folder as it is (vLLM: `--lora-modules name=FOLDER`).
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported

import torch
from peft import PeftModel

from backends.errors import CheckpointInvalid
from backends.peft_local.manifests import Manifest, described, laid_down
from backends.peft_local.models import base_sha256
from backends.peft_local.worker.artefact import admitted, require_finite
from backends.peft_local.worker.model import base_in, stored_in, tokenizer_in


def merged(base: Path, adapter: Path, into: Path) -> Manifest:
    """W + scale * B A, added up in float32 and kept in what the base is kept in. Raises `CheckpointInvalid`."""
    manifest = admitted(adapter)
    if manifest.base_sha256 != base_sha256(base):
        raise CheckpointInvalid("it was trained over another base model")

    def fill(partial: Path) -> Manifest:
        network: Any = PeftModel.from_pretrained(
            base_in(base, dtype=torch.float32, device=torch.device("cpu")), adapter, is_trainable=False
        )
        network = network.merge_and_unload(safe_merge=True).to(stored_in(base))
        network.save_pretrained(partial, safe_serialization=True)
        tokenizer_in(base).save_pretrained(partial)
        require_finite(partial)
        told = {"kind": "model", "files": described(partial), "resumable": {}}
        return manifest.model_copy(update=told)

    return laid_down(into, fill)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m backends.peft_local.worker.export", description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("into", type=Path)
    parser.add_argument("--converter", type=Path, help="convert_hf_to_gguf.py of llama.cpp, to write INTO.gguf too")
    told = parser.parse_args(arguments)
    try:
        merged(told.base, told.adapter, told.into)
    except CheckpointInvalid as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if told.converter is None:
        return 0
    out = told.into.with_suffix(".gguf")
    command = [sys.executable, str(told.converter), str(told.into), "--outfile", str(out)]
    return subprocess.run(command, check=False).returncode  # noqa: S603 (arguments of ours, no shell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
