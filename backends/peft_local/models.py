"""What lies in a model's folder, read without loading it: configuration, tokenizer, the headers of its weights."""

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from backends.errors import Problem
from backends.peft_local.manifests import sha256_of

_LONGEST_HEADER: Final = 100_000_000
"""Bytes; what the safetensors library itself reads at most."""
_PICKLED: Final = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")


class ModelUnknown(Exception):
    """No folder is known by this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where base models are found. `allowed`: by name, and no others; None: any folder, and any name in `hub`, which
    is the cache of huggingface_hub and is only read."""

    allowed: Mapping[str, Path] | None = None
    hub: Path | None = None

    def find(self, name: str) -> Path:
        """Raises `ModelUnknown`."""
        if self.allowed is not None:
            if name not in self.allowed:
                raise ModelUnknown(
                    f"{name} is not one of {', '.join(sorted(self.allowed)) or 'the allowed models (none)'}"
                )
            return self.allowed[name]
        if Path(name).is_dir():
            return Path(name).resolve()
        return self._cached(name)

    def _cached(self, name: str) -> Path:
        parts = name.split("/")
        if self.hub is not None and len(parts) == 2 and all(part.strip(".") for part in parts):
            kept = self.hub / f"models--{parts[0]}--{parts[1]}"
            revision = kept / "refs" / "main"
            if revision.is_file() and (found := kept / "snapshots" / revision.read_text("ascii").strip()).is_dir():
                return found
        raise ModelUnknown(f"no folder is called {name}, and no model of that name was fetched")


def weights_in(folder: Path) -> list[Path]:
    """The files that an index names, or all there are."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        return [folder / name for name in named]
    return sorted(folder.glob("*.safetensors"))


def base_sha256(folder: Path) -> str:
    """Of a model's weights: the file's, or of the digests of its files in order."""
    found = [sha256_of(path) for path in weights_in(folder)]
    return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()


def problems_of(folder: Path) -> Iterator[Problem]:
    """Why a model cannot be trained here."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        yield from _problems_of_code(folder, config)
        yield from _problems_of_weights(folder)
    except FileNotFoundError as error:
        yield _problem(
            "model_incomplete", f"{Path(str(error.filename)).name} is missing", "name a whole model's folder"
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield _problem("model_unreadable", f"the folder cannot be read: {error}", "fetch the model again")


def module_names(folder: Path) -> frozenset[str]:
    """The last parts of the names of all modules that hold a matrix, as in `q_proj`. Raises `ValueError`, `OSError`."""
    names = (name for path in weights_in(folder) for name, shape in _tensors(path).items() if len(shape) == 2)
    return frozenset(name.removesuffix(".weight").rpartition(".")[2] for name in names)


def _problems_of_code(folder: Path, config: Mapping[str, Any]) -> Iterator[Problem]:
    tokenizer = folder / "tokenizer_config.json"
    told = json.loads(tokenizer.read_text("utf-8")) if tokenizer.is_file() else {}
    for name, held in (("config.json", config), ("tokenizer_config.json", told)):
        if "auto_map" in held:
            text = f"{name} asks for code of its own (auto_map), which is never run"
            yield _problem("remote_code_refused", text, "choose a model that transformers knows by itself")
    kinds = config.get("architectures") or []
    if kinds and not any("CausalLM" in kind or "LMHead" in kind or "ConditionalGeneration" in kind for kind in kinds):
        yield _problem("model_not_causal", f"{kinds[0]} writes no text", "choose a causal language model")
    if not (folder / "tokenizer.json").is_file():
        text = "there is no tokenizer.json: only fast tokenizers tell which text became which token"
        yield _problem("tokenizer_missing", text, "save the tokenizer with transformers' AutoTokenizer")
    if not (told.get("chat_template") or (folder / "chat_template.jinja").is_file()):
        text = "the tokenizer has no chat template"
        yield _problem("chat_template_missing", text, "choose an instruction-tuned model, or add chat_template.jinja")


def _problems_of_weights(folder: Path) -> Iterator[Problem]:
    files = weights_in(folder)
    if not files and any(path for pattern in _PICKLED for path in folder.glob(pattern)):
        yield _problem("weights_pickled", "its weights are pickles, which can run code", "convert them to safetensors")
    elif not files:
        yield _problem("weights_missing", "there are no weights in it", "name a whole model's folder")
    for path in files:
        try:
            _tensors(path)
        except (OSError, ValueError) as error:
            yield _problem("weights_damaged", f"{path.name}: {error}", "fetch the model again")


def _tensors(path: Path) -> dict[str, list[int]]:
    """Shapes by name, from the header; it must describe the file to its last byte. Raises `ValueError`, `OSError`."""
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ValueError("it is cut off")
        length = struct.unpack("<Q", start)[0]
        if length > min(_LONGEST_HEADER, path.stat().st_size - 8):
            raise ValueError("it is no safetensors file, or is cut off")
        header = json.loads(file.read(length))
    held = {name: told for name, told in header.items() if name != "__metadata__"}
    end = max((told["data_offsets"][1] for told in held.values()), default=0)
    if path.stat().st_size != 8 + length + end:
        raise ValueError("it is cut off")
    return {name: told["shape"] for name, told in held.items()}


def _problem(code: str, message: str, remedy: str) -> Problem:
    return Problem(code=code, message=message, remedy=remedy, where="model")
