"""A run from its spec to its end: what is loaded, what is audited, what is left, and which failure is which."""

import gc
import hashlib
import importlib.metadata
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch

from backends.errors import CheckpointInvalid, DataAltered
from backends.events import Failure, Level, RunState
from backends.peft_local.defaults import BATCH_SIZE, MICRO_BATCH_SIZE, Settled, settled
from backends.peft_local.folder import RunFolder, read_json, write_json
from backends.peft_local.models import base_sha256
from backends.peft_local.rows import RowInvalid, rows_in
from backends.peft_local.worker import audit as auditing
from backends.peft_local.worker.artefact import leave
from backends.peft_local.worker.checkpoints import Checkpoints, Origin, restore_weights, storage_is_full
from backends.peft_local.worker.encoding import Encoder, EncodingImpossible, Example
from backends.peft_local.worker.life import Life
from backends.peft_local.worker.model import (
    DOCUMENTS,
    Loaded,
    attends_by,
    context_of,
    device_named,
    device_said,
    prepared,
    stored_in,
)
from backends.peft_local.worker.ranks import Ranks
from backends.peft_local.worker.telling import Teller
from backends.peft_local.worker.training import Diverged, Ending, Training, peak_memory_bytes, train
from backends.spec import Batching, DataFile, TrainingSpec

_LIBRARIES: Final = ("torch", "transformers", "peft", "tokenizers", "safetensors")
_RESERVE_BYTES: Final = 256 * 1024
"""Kept free in the run's folder, so that a full disk can still be told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller decides and the spec does not. `retries`: whether a run that is short of memory is begun once
    more with smaller micro batches. `keep`: candidates that stay. `model`: the folder the base model lies in."""

    model: Path
    device: str
    retries: bool
    keep: int
    save_every_s: float


class AuditFailed(Exception):
    """What would be trained is not what the rows say."""


def run(folder: RunFolder, spec: TrainingSpec, options: Options, life: Life, teller: Teller, ranks: Ranks) -> None:
    """Until it ended or was asked to; where it stands is written in every case."""
    _reserve(folder)
    try:
        ending = _trained_within_memory(folder, spec, options, life, teller, ranks)
    except Exception as error:  # noqa: BLE001 (whatever it is, the run ended by it and must say so)
        traceback.print_exc()
        (folder.path / ".reserve").unlink(missing_ok=True)
        _tell_end(teller, RunState.FAILED, _failure(error))
        return
    (folder.path / ".reserve").unlink(missing_ok=True)
    if ending is Ending.ASKED:
        teller.change(teller.standing.state)
    else:
        _tell_end(teller, RunState.SUCCEEDED, None)


def _trained_within_memory(
    folder: RunFolder, spec: TrainingSpec, options: Options, life: Life, teller: Teller, ranks: Ranks
) -> Ending:
    try:
        return _trained(folder, spec, options, life, teller, ranks)
    except (RuntimeError, MemoryError) as error:
        if not memory_is_short(error) or not options.retries or _smaller(folder):
            raise
        said = str(error).partition("\n")[0]
    # Outside of the handler: its traceback would hold every tensor of the attempt that failed.
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    smaller = _make_smaller(folder, spec)
    teller.message(
        f"out of memory ({said}); goes on with {smaller}", id=f"smaller-{teller.standing.attempt}", level=Level.WARNING
    )
    return _trained(folder, spec, options, life, teller, ranks)


def _trained(
    folder: RunFolder, spec: TrainingSpec, options: Options, life: Life, teller: Teller, ranks: Ranks
) -> Ending:
    teller.change(RunState.VALIDATING)
    life.moved(allow_s=3600)
    device = device_named(options.device)
    rows = {name: rows_in(_checked(file, folder)) for name, file in _files(spec).items()}
    knobs = settled(
        spec.hyperparameters, rows=len(rows["train"]), validated="validation" in rows,
        context=context_of(options.model), accelerated=device.type == "cuda",
    )  # fmt: skip
    knobs = replace(knobs, **_smaller(folder))  # type: ignore[arg-type] # two of its own fields, written by us
    loaded = prepared(options.model, knobs, device=device, seed=spec.seed)
    encoder = Encoder(loaded.tokenizer, max_length=knobs.max_length)
    examples = {name: encoder.examples(each) for name, each in rows.items()}
    padding = _padding(loaded)
    batching = _audited(folder, loaded, encoder, examples, knobs, teller, padding=padding, seed=spec.seed)
    origin = Origin(
        spec_sha256=spec.digest, base=spec.model, base_sha256=base_sha256(options.model),
        template_sha256=encoder.template_sha256, end_of_turn=encoder.end_of_turn,
    )  # fmt: skip
    facts = _facts(loaded, knobs, batching, origin, ranks)
    teller.found(facts)
    teller.change(RunState.RUNNING)
    checkpoints = Checkpoints(folder=folder.checkpoints, origin=origin, keep=options.keep)
    folder.checkpoints.mkdir(exist_ok=True)
    ending, progress = train(Training(
        run_id=spec.run_id, seed=spec.seed, knobs=knobs, loaded=loaded, examples=examples["train"],
        validation=examples.get("validation", ()), batching=batching, padding=padding, ranks=ranks,
        checkpoints=checkpoints, teller=teller, life=life, save_every_s=options.save_every_s,
    ))  # fmt: skip
    if ending is Ending.ASKED or not ranks.first:
        return ending
    life.moved(allow_s=3600)
    teller.change(RunState.FINALIZING)
    step = progress.step
    if ending is Ending.STOPPED_EARLY and progress.best_step is not None:
        step = progress.best_step
        restore_weights(folder.checkpoints / f"step-{step}", loaded.network)
        teller.message(f"stopped early at step {progress.step}; step {step} was the best", id="stopped-early")
    leave(folder.path, loaded, spec, knobs, origin, step=step, facts=facts, stored_in=stored_in(options.model))
    return ending


def _files(spec: TrainingSpec) -> Mapping[str, DataFile]:
    return {"train": spec.train} | ({"validation": spec.validation} if spec.validation else {})


def _checked(file: DataFile, folder: RunFolder) -> bytes:
    """The bytes that were described; a relative path starts at the run's folder. Raises `DataAltered`."""
    try:
        content = (folder.path / file.path).read_bytes()
    except OSError as error:
        raise DataAltered(f"{file.path.name} cannot be read any more: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DataAltered(f"{file.path.name} is not the file that was described")
    return content


def _audited(
    folder: RunFolder, loaded: Loaded, encoder: Encoder, examples: Mapping[str, Sequence[Example]], knobs: Settled,
    teller: Teller, *, padding: int, seed: int,
) -> Batching:  # fmt: skip
    """How rows share batches after all, which is how they were to, unless packing changes the loss. Raises
    `AuditFailed`."""
    train_rows = examples["train"]
    found = auditing.audited(train_rows, encoder, loaded.tokenizer, seed=seed)
    batching = knobs.batching
    if not found.refusals:
        packed = batching is Batching.PACKED
        found = auditing.measured(found, loaded, train_rows, packed=packed, padding=padding)
        if packed and auditing.packing_holds(found):
            attends_by(loaded.network, DOCUMENTS)
        elif packed:
            batching = Batching.LENGTH_GROUPED
            teller.message(
                f"this model cannot be packed (loss {found.packed_loss} for {found.unpacked_loss}); rows are grouped "
                "by length instead", id="not-packed", level=Level.WARNING,
            )  # fmt: skip
    write_json(folder.audit, found.plain())
    auditing.tell(found, teller)
    untrained = [each.line for each in examples.get("validation", ()) if not each.trained]
    if found.refusals or untrained:
        of_validation = (f"nothing is measured of line {untrained[0]} of the validation file",) if untrained else ()
        raise AuditFailed("; ".join((*found.refusals, *of_validation)))
    return batching


def _facts(loaded: Loaded, knobs: Settled, batching: Batching, origin: Origin, ranks: Ranks) -> dict[str, str]:
    """What a later reader needs to know of how it really was."""
    weights = loaded.trained.values()
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {
        **versions, "python": sys.version.split()[0], "device": device_said(loaded.device), "devices": str(ranks.count),
        "computed_in": str(loaded.computed_in).removeprefix("torch."), "batching": batching.value,
        "micro_batch_size": str(knobs.micro_batch_size), "gradient_checkpointing": str(knobs.gradient_checkpointing),
        "trained_weights": str(sum(each.numel() for each in weights)),
        "all_weights": str(sum(each.numel() for each in loaded.network.parameters())),
        "base_sha256": origin.base_sha256, "template_sha256": origin.template_sha256,
    }  # fmt: skip


def _padding(loaded: Loaded) -> int:
    """Any token will do where nothing looks."""
    found = loaded.tokenizer.pad_token_id
    return int(found if found is not None else loaded.tokenizer.eos_token_id or 0)


def memory_is_short(error: BaseException) -> bool:
    """Whether it failed for want of memory; PyTorch's allocator of the CPU says so in words only."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _smaller(folder: RunFolder) -> dict[str, object]:
    """Knobs that were made smaller once; nothing where they were not."""
    return read_json(folder.path / "smaller.json") or {}


def _make_smaller(folder: RunFolder, spec: TrainingSpec) -> dict[str, object]:
    """Half the micro batch; where that is one row already, gradients are checkpointed."""
    given = spec.hyperparameters
    micro = min(given.micro_batch_size or MICRO_BATCH_SIZE, given.batch_size or BATCH_SIZE)
    smaller: dict[str, object] = {"micro_batch_size": micro // 2} if micro > 1 else {"gradient_checkpointing": True}
    write_json(folder.path / "smaller.json", smaller)
    return smaller


def _failure(error: Exception) -> Failure:
    """In our words where we know them."""
    said = str(error).partition("\n")[0][:500]
    match error:
        case Diverged() | CheckpointInvalid():
            remedy = "lower the learning rate, or clip gradients harder; go on from an earlier checkpoint"
            return Failure(code="diverged", message=said, remedy=remedy)
        case DataAltered():
            return Failure(code="digest_mismatch", message=said, remedy="describe the file again, as a new run")
        case AuditFailed():
            return Failure(code="audit_failed", message=said, remedy="see audit.json; correct the rows or the template")
        case EncodingImpossible() | RowInvalid():
            line = f"line {error.line}: " if isinstance(error, EncodingImpossible) and error.line else ""
            return Failure(code="audit_failed", message=line + said, remedy="correct this row")
    if memory_is_short(error):
        remedy = "a smaller micro_batch_size, gradient_checkpointing, a shorter max_length, or qlora"
        return Failure(code="out_of_memory", message=said, remedy=remedy)
    if storage_is_full(error):
        remedy = "make room and start it again as a new run, from its last checkpoint"
        return Failure(code="storage_full", message=said, remedy=remedy)
    return Failure(code="trainer_error", message=f"{type(error).__name__}: {said}", remedy="see the end of log.txt")


def _tell_end(teller: Teller, state: RunState, failure: Failure | None) -> None:
    used = replace(teller.standing.usage, peak_memory_bytes=peak_memory_bytes(torch.device("cpu")))
    if teller.standing.usage.peak_memory_bytes is None:
        teller.standing = teller.standing.model_copy(update={"usage": used})
    teller.change(state, failure=failure)


def _reserve(folder: RunFolder) -> None:
    with suppress(OSError):
        (folder.path / ".reserve").write_bytes(bytes(_RESERVE_BYTES))
