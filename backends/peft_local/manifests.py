"""Folders of weights that are whole or are not there: files first, then a manifest with their digests, then the name.

A file of weights loads without a word when one of its bytes was flipped, so digests are compared before it is opened.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backends.errors import CheckpointInvalid
from backends.events import Checkpoint, Metrics
from backends.peft_local.folder import read_json, sync_folder, write_json

MANIFEST: Final = "manifest.json"
_STEP: Final = re.compile(r"step-(\d{1,9})")


class File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    bytes: Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """`kind`: an adapter over a base, or a whole model. `candidate`: made to be chosen; others are there to go on from.
    `spec_sha256`, `base_sha256`, `template_sha256`: what it was trained by, over, and spoken to with. `resumable`: the
    files of the optimiser's state, where they are still kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["adapter", "model"]
    step: Annotated[int, Field(ge=0)]
    candidate: bool
    spec_sha256: str
    base: str
    base_sha256: str
    template_sha256: str
    end_of_turn: str
    files: dict[str, File]
    resumable: dict[str, File] = {}
    metrics: Metrics | None = None

    @property
    def weights_sha256(self) -> str:
        """Of the weights: of the one file of an adapter, or of the digests of a model's."""
        found = [file.sha256 for name, file in sorted(self.files.items()) if name.endswith(".safetensors")]
        return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def described(folder: Path) -> dict[str, File]:
    """Every file below, by its name, made durable."""
    found = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and each.name != MANIFEST):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[path.relative_to(folder).as_posix()] = File(sha256=digest, bytes=path.stat().st_size)
    return found


def laid_down(folder: Path, fill: Callable[[Path], Manifest]) -> Manifest:
    """Fills a folder beside its place, writes the manifest that `fill` returns, and gives it its name. What was there
    under this name is replaced. Nothing is left behind where `fill` raises."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        manifest = fill(partial)
        write_manifest(partial, manifest)
        sync_folder(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(folder.parent)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))


def manifest_in(folder: Path) -> Manifest:
    """Read, nothing compared. Raises `CheckpointInvalid`."""
    try:
        held = read_json(folder / MANIFEST)
        if held is None:
            raise CheckpointInvalid(f"{folder.name} has no manifest, so it was never finished")
        return Manifest.model_validate(held)
    except (OSError, ValueError, ValidationError) as error:
        raise CheckpointInvalid(f"the manifest of {folder.name} cannot be read") from error


def verified(folder: Path, *, to_go_on: bool = False) -> Manifest:
    """The manifest, after every file it names was found as it was written; `to_go_on`: with the optimiser's state.

    Raises `CheckpointInvalid`.
    """
    manifest = manifest_in(folder)
    if to_go_on and not manifest.resumable:
        raise CheckpointInvalid(f"{folder.name} keeps no state to go on from")
    for name, file in (manifest.files | (manifest.resumable if to_go_on else {})).items():
        _same(folder / name, file)
    return manifest


def _same(path: Path, file: File) -> None:
    try:
        altered = path.stat().st_size != file.bytes or sha256_of(path) != file.sha256
    except OSError as error:
        raise CheckpointInvalid(f"{path.name} of {path.parent.name} is missing") from error
    if altered:
        raise CheckpointInvalid(f"{path.name} of {path.parent.name} is not the file that was written")


def steps_in(folder: Path) -> Mapping[int, Path]:
    """Checkpoints that were finished, by their step, in order."""
    found = {int(named[1]): each for each in folder.glob("step-*") if (named := _STEP.fullmatch(each.name))}
    return {step: found[step] for step in sorted(found) if (found[step] / MANIFEST).is_file()}


def as_checkpoint(run_id: str, manifest: Manifest) -> Checkpoint:
    """As the contract tells of it."""
    name = f"{run_id}@{manifest.step}"
    return Checkpoint(id=name, step=manifest.step, model=name, metrics=manifest.metrics, sha256=manifest.weights_sha256)


def candidates_in(folder: Path, run_id: str) -> tuple[Checkpoint, ...]:
    """Those that are kept to be chosen from."""
    found = []
    for path in steps_in(folder).values():
        # It may be replaced or given up while we look.
        with suppress(CheckpointInvalid):
            found.append(manifest_in(path))
    return tuple(as_checkpoint(run_id, each) for each in found if each.candidate)
