"""What to do about memory: whether a run fits, and the changes that were computed to make it fit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Final

from estimator.hardware.gpus import Gpu, find_gpu, known_gpus
from estimator.hardware.memory import MemoryBreakdown, training_memory
from estimator.hardware.training_setup import Method, TrainingSetup

# Beyond this nobody rents for a tuning run; the advice stops there.
_MOST_GPUS: Final = 64


class Verdict(StrEnum):
    FITS = "fits"
    FITS_TIGHTLY = "fits tightly"
    DOES_NOT_FIT = "does not fit"


class Remedy(StrEnum):
    """A change to a run, named so that "needs ..." reads on."""

    GRAD_CHECKPOINTING = "gradient checkpointing"
    MICRO_BATCH = "a smaller micro-batch"
    LORA = "LoRA"
    QLORA = "QLoRA"
    GPUS = "more GPUs"
    LARGER_GPU = "a larger GPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A changed run that fits. `text` reads like "needs QLoRA: 7.9 of 15.0 GiB per GPU"."""

    remedies: tuple[Remedy, ...]
    text: str
    setup: TrainingSetup
    memory: MemoryBreakdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The verdict on a run and, where it does not fit, changes that would do, the cheapest first."""

    verdict: Verdict
    text: str
    memory: MemoryBreakdown
    alternatives: tuple[Alternative, ...] = ()


def advise(setup: TrainingSetup) -> Advice:
    """Whether the run fits, with alternatives that were themselves computed to fit."""
    memory = training_memory(setup)
    if memory.fits:
        verdict = Verdict.FITS_TIGHTLY if memory.tight else Verdict.FITS
        return Advice(verdict=verdict, text=f"{verdict}: {_of(memory)}", memory=memory)
    alternatives = tuple(_alternatives(setup))
    needs = " or ".join(_change(alternative.setup, alternative.remedies) for alternative in alternatives)
    text = f"{Verdict.DOES_NOT_FIT}: {_of(memory)}; needs {needs or 'a smaller model'}"
    return Advice(verdict=Verdict.DOES_NOT_FIT, text=text, memory=memory, alternatives=alternatives)


def _alternatives(setup: TrainingSetup) -> Iterator[Alternative]:
    """Single changes on the same card, or the first combination of them that does; more GPUs; a larger one."""
    single = list(_fitting(setup, _single_changes(setup)))
    yield from single or islice(_fitting(setup, _combined_changes(setup)), 1)
    counts = (setup.gpus * more for more in (2, 4, 8) if setup.gpus * more <= _MOST_GPUS)
    yield from islice(_fitting(setup, (replace(setup, gpus=gpus) for gpus in counts)), 1)
    yield from islice(_fitting(setup, (replace(setup, gpu=gpu) for gpu in _larger(setup.gpu))), 1)


def _single_changes(setup: TrainingSetup) -> Iterator[TrainingSetup]:
    if not setup.grad_checkpointing:
        yield replace(setup, grad_checkpointing=True)
    smaller = (replace(setup, micro_batch=size) for size in _halves(setup.micro_batch))
    yield from islice((changed for changed in smaller if training_memory(changed).fits), 1)
    yield from (replace(setup, method=method) for method in _lighter(setup.method))


def _combined_changes(setup: TrainingSetup) -> Iterator[TrainingSetup]:
    for method in (setup.method, *_lighter(setup.method)):
        for size in (setup.micro_batch, *_halves(setup.micro_batch)):
            yield replace(setup, method=method, micro_batch=size, grad_checkpointing=True)


def _lighter(method: Method) -> tuple[Method, ...]:
    by_weight = (Method.FULL, Method.LORA, Method.QLORA)
    return by_weight[by_weight.index(method) + 1 :]


def _halves(micro_batch: int) -> Iterator[int]:
    while micro_batch > 1:
        micro_batch //= 2
        yield micro_batch


def _larger(gpu: Gpu) -> list[Gpu]:
    """Cards with more memory on which training was measured, the smallest first."""
    cards = [card for card in map(find_gpu, known_gpus()) if card.measured and card.visible_gib > gpu.visible_gib]
    return sorted(cards, key=lambda card: card.visible_gib)


def _fitting(original: TrainingSetup, changed: Iterable[TrainingSetup]) -> Iterator[Alternative]:
    for setup in changed:
        memory = training_memory(setup)
        if memory.fits:
            remedies = tuple(_remedies(original, setup))
            text = f"needs {_change(setup, remedies)}: {_of(memory)}"
            yield Alternative(remedies=remedies, text=text, setup=setup, memory=memory)


def _remedies(old: TrainingSetup, new: TrainingSetup) -> Iterator[Remedy]:
    if old.method is not new.method:
        yield Remedy.QLORA if new.method is Method.QLORA else Remedy.LORA
    if old.grad_checkpointing is not new.grad_checkpointing:
        yield Remedy.GRAD_CHECKPOINTING
    if old.micro_batch != new.micro_batch:
        yield Remedy.MICRO_BATCH
    if old.gpus != new.gpus:
        yield Remedy.GPUS
    if old.gpu != new.gpu:
        yield Remedy.LARGER_GPU


def _change(setup: TrainingSetup, remedies: tuple[Remedy, ...]) -> str:
    words = {
        Remedy.MICRO_BATCH: f"a micro-batch of {setup.micro_batch}",
        Remedy.GPUS: f"{setup.gpus} GPUs",
        Remedy.LARGER_GPU: f"a larger GPU ({setup.gpu.name})",
    }
    return " + ".join(words.get(remedy, remedy.value) for remedy in remedies)


def _of(memory: MemoryBreakdown) -> str:
    return f"{memory.needed_gib:.1f} of {memory.capacity_gib:.1f} GiB per GPU"
