"""What a run left, made ready for other servers, in a folder that is whole or is not there.

The weights are loaded in a process of their own (`worker.export`); llama.cpp's converter runs in another.
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final

from backends.errors import BackendError, CheckpointInvalid, NotOffered
from backends.peft_local.children import environment_for
from backends.peft_local.folder import sync_folder
from backends.peft_local.manifests import Manifest, described, manifest_in, write_manifest
from backends.peft_local.models import weights_in

RANKS: Final = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Those that vLLM's --max-lora-rank takes (MaxLoRARanks in vllm/config/lora.py)."""
SPARE_BYTES: Final = 16 * 1024 * 1024
"""For tokenizers, configurations and the file system's own."""
_INVALID: Final = 65
_NO_ROOM: Final = 74
"""Exit codes of the process that loads the weights."""
_TOLD: Final = 2_000
_GGUF: Final = b"GGUF"


class Form(StrEnum):
    """`ADAPTER`: as PEFT loads it. `MERGED`: a whole model. `VLLM`: adapters over one base, or a whole model where vLLM
    cannot take the adapter, with the file that `vllm serve --config` reads. `GGUF`: for llama.cpp."""

    ADAPTER = "adapter"
    MERGED = "merged"
    VLLM = "vllm"
    GGUF = "gguf"


class TargetTaken(BackendError):
    """Something lies there already, or another export writes there now."""

    code = "target_taken"


class TargetUnwritable(BackendError):
    """Nothing can be written there."""

    code = "target_unwritable"
    remedy: ClassVar[str] = "name a folder that can be made, where there is room"


class NoRoom(BackendError):
    """The disk is full."""

    code = "no_room"
    remedy: ClassVar[str] = "free space where it is written, then run the same command again"


class ConverterFailed(BackendError):
    """llama.cpp's converter did not make the file; the message ends with what it said."""

    code = "converter_failed"
    remedy: ClassVar[str] = "mend what the converter names, or export the merged model and convert that by hand"


class ExportFailed(BackendError):
    """The process that loads the weights ended without a word that we know; the message ends with what it said."""

    code = "export_failed"
    remedy: ClassVar[str] = "mend what it names, then run the same command again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """Weights and the base below them. `base_name`: as the run names its base; `name`: how it will be called."""

    name: str
    base: Path
    base_name: str
    weights: Path

    @property
    def manifest(self) -> Manifest:
        """Raises `CheckpointInvalid`."""
        return manifest_in(self.weights)

    @property
    def is_adapter(self) -> bool:
        return (self.weights / "adapter_config.json").is_file()

    @property
    def public_base(self) -> str:
        """The base's name where it is one of a hub; empty for a folder, which nobody else has."""
        parts = self.base_name.split("/")
        is_owned = len(parts) == 2 and all(part.strip(".") for part in parts)
        return self.base_name if is_owned and not Path(self.base_name).is_dir() else ""

    def rank(self) -> int | None:
        """Of an adapter that vLLM takes as it is; None where it must be merged first (DoRA, or no adapter).

        Raises `CheckpointInvalid`.
        """
        if not self.is_adapter:
            return None
        try:
            config = json.loads((self.weights / "adapter_config.json").read_text("utf-8"))
            found = max([int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values())])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointInvalid(f"adapter_config.json of {self.weights.name} cannot be read") from error
        odd = config.get("use_dora") or config.get("modules_to_save") or config.get("bias", "none") != "none"
        return None if odd or found > RANKS[-1] else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """How the processes are started: `command` before a module's name, such as `python -P -m`."""

    command: Sequence[str]
    threads: int = 1

    @property
    def python(self) -> str:
        return self.command[0]

    def load(self, form: Form, tuned: Tuned, into: Path) -> Manifest:
        """Raises `CheckpointInvalid`, `NoRoom`, `ExportFailed`."""
        told = [form.value, str(tuned.base), str(tuned.weights), str(into), "--base-name", tuned.public_base]
        done = self._run([*self.command, "backends.peft_local.worker.export", *told])
        if done.returncode == _INVALID:
            raise CheckpointInvalid(_last_line(done.stderr))
        if done.returncode == _NO_ROOM:
            raise NoRoom(f"{tuned.name}: {_last_line(done.stderr)}")
        if done.returncode != 0:
            raise ExportFailed(f"{tuned.name}: it ended with {done.returncode}: {_tail(done.stderr)}")
        return manifest_in(into)

    def convert(self, converter: Path, model: Path, into: Path, *, outtype: str) -> None:
        """Raises `ConverterFailed`."""
        done = self._run([self.python, str(converter), str(model), "--outfile", str(into), "--outtype", outtype])
        if done.returncode != 0:
            raise ConverterFailed(f"{converter.name} ended with {done.returncode}: {_tail(done.stderr or done.stdout)}")
        try:
            with into.open("rb") as file:
                begins = file.read(len(_GGUF))
        except OSError:
            begins = b""
        if begins != _GGUF:
            raise ConverterFailed(f"{converter.name} ended well and left no GGUF file: {_tail(done.stderr)}")

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 (arguments of ours, no shell)
            command, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL,
            env=environment_for(threads=self.threads, device="cpu"),
        )  # fmt: skip


def needed_bytes(tuned: Sequence[Tuned], form: Form) -> int:
    """What it takes on disk at the most, for as long as it is made; whole models are as large as their base."""
    return SPARE_BYTES * len(tuned) + sum(_needed(each, form) for each in tuned)


def _needed(tuned: Tuned, form: Form) -> int:
    adapter = sum(path.stat().st_size for path in weights_in(tuned.weights))
    model = sum(path.stat().st_size for path in weights_in(tuned.base)) if tuned.is_adapter else adapter
    match form:
        case Form.ADAPTER:
            return adapter
        case Form.VLLM:
            return adapter if tuned.rank() is not None else model
        case Form.MERGED:
            return model
        case Form.GGUF:
            return 2 * model


def export(
    tuned: Sequence[Tuned], into: Path, form: Form, exporter: Exporter, *, converter: Path | None = None,
    outtype: str = "auto",
) -> dict[str, Manifest]:  # fmt: skip
    """Makes the folder `into`; what was made, by name. Only `VLLM` takes more than one, all over the same base.

    Every file of weights is compared with its digest and looked through for what is no number before it is used.
    Raises `TargetTaken`, `TargetUnwritable`, `NotOffered`, `CheckpointInvalid`, `NoRoom`, `ConverterFailed` and
    `ExportFailed`; then nothing is left behind.
    """
    try:
        return _exported(tuned, into, form, exporter, converter, outtype)
    except OSError as error:
        raise TargetUnwritable(f"{into} cannot be written: {error.strerror}") from error


def _exported(
    tuned: Sequence[Tuned], into: Path, form: Form, exporter: Exporter, converter: Path | None, outtype: str
) -> dict[str, Manifest]:
    with _staged(into) as staging:
        out = staging / "out"
        match form:
            case Form.ADAPTER | Form.MERGED:
                made = {tuned[0].name: exporter.load(form, tuned[0], out)}
            case Form.VLLM:
                out.mkdir()
                made = _for_vllm(tuned, out, exporter)
            case Form.GGUF:
                assert converter is not None, "asked for with a converter"
                out.mkdir()
                made = {tuned[0].name: _as_gguf(tuned[0], staging, out, exporter, converter, outtype)}
        try:
            out.rename(into)
        except OSError as error:
            raise TargetTaken(f"{into} came to be there meanwhile") from error
        sync_folder(into.parent)
        return made


def _for_vllm(tuned: Sequence[Tuned], out: Path, exporter: Exporter) -> dict[str, Manifest]:
    """`adapters/NAME` and `vllm.yaml`; or `model` and `vllm.yaml` for one that vLLM cannot take as an adapter."""
    ranks = [rank for each in tuned if (rank := each.rank()) is not None]
    if len(ranks) == len(tuned):
        made = {each.name: exporter.load(Form.ADAPTER, each, out / "adapters" / each.name) for each in tuned}
        if len({each.base_sha256 for each in made.values()}) > 1:
            raise NotOffered("these adapters are over different base models: export them one by one")
        rank = next(allowed for allowed in RANKS if allowed >= max(ranks))
        settings = {
            "model": tuned[0].public_base or str(tuned[0].base), "enable-lora": True, "max-lora-rank": rank,
            "max-loras": len(tuned), "lora-modules": [f"{name}=adapters/{name}" for name in made],
        }  # fmt: skip
    elif len(tuned) > 1:
        raise NotOffered("vLLM swaps plain LoRA and rsLoRA adapters only: export the others one by one")
    else:
        made = {tuned[0].name: exporter.load(Form.MERGED, tuned[0], out / "model")}
        settings = {"model": "model", "served-model-name": tuned[0].name}
    (out / "vllm.yaml").write_text(_yaml(settings), "utf-8")
    return made


def _yaml(settings: dict[str, object]) -> str:
    """Strings as JSON writes them, which YAML reads alike."""
    lines = ["# In this folder: vllm serve --config vllm.yaml"]
    for name, value in settings.items():
        if isinstance(value, list):
            lines += [f"{name}:", *(f"  - {json.dumps(each)}" for each in value)]
        else:
            lines.append(f"{name}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _as_gguf(tuned: Tuned, staging: Path, out: Path, exporter: Exporter, converter: Path, outtype: str) -> Manifest:
    merged = exporter.load(Form.MERGED, tuned, staging / "merged")
    exporter.convert(converter, staging / "merged", out / f"{tuned.name}.gguf", outtype=outtype)
    made = merged.model_copy(update={"files": described(out)})
    write_manifest(out, made)
    return made


@contextmanager
def _staged(into: Path) -> Iterator[Path]:
    """A folder beside `into`, ours alone as long as this lasts; what a kill left there is taken away."""
    if into.exists() or into.is_symlink():
        raise TargetTaken(f"{into} is there already")
    staging = into.with_name(f".{into.name}.partial")
    staging.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(staging, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TargetTaken(f"another export writes to {into}") from error
        for left in staging.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(descriptor)


def _last_line(said: str) -> str:
    return said.strip().rpartition("\n")[2]


def _tail(said: str) -> str:
    """What a process said last, which is where it says what went wrong."""
    said = said.strip()
    return said if len(said) <= _TOLD else f"... {said[-_TOLD:]}"
