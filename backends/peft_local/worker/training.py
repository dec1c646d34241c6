"""The loop: one function from top to bottom, and the few it calls.

Exact again after any death: rows of a step are a function of the seed (planning), chance is set anew at each step, the
learning rate is a function of the step, and a checkpoint holds the rest. A step's loss and gradient are divided by the
trained tokens of the whole step, however it is cut into micro batches and processes.
"""

import math
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import torch

from backends.events import Level, Metrics, Usage
from backends.peft_local.defaults import Settled
from backends.peft_local.manifests import as_checkpoint
from backends.peft_local.worker.batches import Batch, batch_of, losses
from backends.peft_local.worker.checkpoints import Checkpoints, Progress, restore
from backends.peft_local.worker.encoding import Example
from backends.peft_local.worker.life import Life
from backends.peft_local.worker.model import Loaded, device_said
from backends.peft_local.worker.planning import Plan, evenly
from backends.peft_local.worker.ranks import Ranks
from backends.peft_local.worker.telling import Teller
from backends.spec import Batching, Schedule

_TOLD_STEPS: Final = 2000
"""About so many steps tell their metrics, evenly; the others would only fill the disk."""


class Ending(StrEnum):
    DONE = "done"
    STOPPED_EARLY = "stopped_early"
    ASKED = "asked"


class Diverged(Exception):
    """The loss or its gradient is no number any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """All that a run is, once everything was loaded. `save_every_s`: the state to go on from is never older."""

    run_id: str
    seed: int
    knobs: Settled
    loaded: Loaded
    examples: Sequence[Example]
    validation: Sequence[Example]
    batching: Batching
    padding: int
    ranks: Ranks
    checkpoints: Checkpoints
    teller: Teller
    life: Life
    save_every_s: float


def train(run: Training) -> tuple[Ending, Progress]:
    """Goes on from the newest checkpoint that is whole, or begins. Raises `Diverged`, `OSError`, and what PyTorch
    raises where memory is short."""
    knobs, loaded, ranks = run.knobs, run.loaded, run.ranks
    weights = list(loaded.trained.values())
    optimiser = optimiser_of(run)
    scaler = torch.amp.GradScaler(loaded.device.type, enabled=loaded.computed_in is torch.float16)
    progress = _taken_up(run, optimiser, scaler)
    plan = plan_of(run, run.examples, batch_size=knobs.batch_size)
    kept = evenly(knobs.checkpoints, total=knobs.total_steps)
    # A checkpoint that is to be chosen from is measured, whatever the number of evaluations asked for.
    evaluated = kept | evenly(knobs.evaluations, total=knobs.total_steps) if knobs.evaluations else frozenset[int]()
    if progress.step == 0 and knobs.evaluations:
        _tell(run, progress, _evaluated(run, Metrics(step=0, total_steps=knobs.total_steps, epoch=0.0, tokens=0)))
    run.life.saves_from_now_on()
    saved_at = measured_from = time.monotonic()
    seen = 0
    for step, micro_batches in enumerate(
        plan.steps(after=progress.step, until=knobs.total_steps), start=progress.step + 1
    ):
        # Of each process and step its own, so that going on needs no state of chance.
        torch.manual_seed((run.seed << 32 | step) * 1024 + ranks.number)
        rate = learning_rate(knobs, step)
        _set_rate(optimiser, rate)
        trained = sum(run.examples[row].trained for rows in micro_batches for row in rows)
        sums = torch.zeros(2, dtype=torch.float64, device=loaded.device)
        for rows in ranks.share(micro_batches):
            examples = [run.examples[row] for row in rows]
            found = losses(loaded, _batch(run, examples))
            scaler.scale(found.total / trained).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            sums += torch.stack([found.total.detach(), found.hits]).double()
            run.life.moved()
        passed = sum(len(run.examples[row].ids) for rows in micro_batches for row in rows)
        seen += passed
        ranks.add_up(sums)
        ranks.add_up_gradients(weights)
        loss, accuracy = (float(each) / trained for each in sums)
        scaler.unscale_(optimiser)
        norm = float(torch.nn.utils.clip_grad_norm_(weights, knobs.max_grad_norm))
        # float16 overflows now and then by design; its scaler leaves such a step out.
        if not math.isfinite(loss) or not (math.isfinite(norm) or scaler.is_enabled()):
            raise Diverged(f"at step {step} the loss is {loss}, its gradient's norm {norm}")
        scaler.step(optimiser)
        scaler.update()
        optimiser.zero_grad(set_to_none=True)

        progress = replace(
            progress, step=step, tokens=progress.tokens + trained, seen=progress.seen + passed,
            scale=scaler.get_scale(),
            scale_steps=scaler._get_growth_tracker(),  # noqa: SLF001 (kept to go on exactly; no public word for it)
        )  # fmt: skip
        now = time.monotonic()
        metrics = Metrics(
            step=step, total_steps=knobs.total_steps, epoch=step / plan.steps_an_epoch, train_loss=loss,
            train_accuracy=accuracy, learning_rate=rate, grad_norm=norm if math.isfinite(norm) else None,
            tokens=progress.tokens, tokens_per_second=seen / (now - measured_from),
            memory_bytes=peak_memory_bytes(loaded.device),
        )  # fmt: skip
        measured_from, seen = now, 0
        if step in evaluated:
            metrics = _evaluated(run, metrics)
            progress = _judged(progress, metrics)
            measured_from = time.monotonic()
        if step in evaluated or step in kept or step == 1 or step % max(1, knobs.total_steps // _TOLD_STEPS) == 0:
            _tell(run, progress, metrics)
        asked = ranks.any(run.life.asked, loaded.device)
        early = knobs.early_stopping is not None and progress.worse_evaluations >= knobs.early_stopping
        overdue = ranks.any(time.monotonic() - saved_at > run.save_every_s, loaded.device)
        best = step in evaluated and progress.best_step == step and knobs.early_stopping is not None
        if step in kept or asked or early or overdue or best:
            _save(run, optimiser, progress, metrics, candidate=step in kept or early or best)
            saved_at = measured_from = time.monotonic()
        if early:
            return Ending.STOPPED_EARLY, progress
        if asked and step < knobs.total_steps:
            return Ending.ASKED, progress
    return Ending.DONE, progress


def learning_rate(knobs: Settled, step: int) -> float:
    """Of a step counted from 1: a straight rise to the full rate at the last step of the warm-up, then as scheduled,
    never quite to nothing."""
    if step <= knobs.warmup_steps:
        return knobs.learning_rate * step / knobs.warmup_steps
    left = (knobs.total_steps - step + 1) / (knobs.total_steps - knobs.warmup_steps)
    match knobs.schedule:
        case Schedule.CONSTANT:
            return knobs.learning_rate
        case Schedule.LINEAR:
            return knobs.learning_rate * left
        case Schedule.COSINE:
            return knobs.learning_rate * (1 - math.cos(math.pi * left)) / 2


def optimiser_of(run: Training) -> torch.optim.AdamW:
    """AdamW (betas .9, .999: QLoRA's scripts too), decay on matrices alone."""
    matrices = [each for each in run.loaded.trained.values() if each.dim() > 1]
    others = [each for each in run.loaded.trained.values() if each.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": run.knobs.weight_decay}, {"params": others, "weight_decay": 0.0}]
    fused = run.loaded.device.type in {"cpu", "cuda"}
    return torch.optim.AdamW([each for each in groups if each["params"]], lr=run.knobs.learning_rate, fused=fused)


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def plan_of(run: Training, examples: Sequence[Example], *, batch_size: int) -> Plan:
    return Plan(
        lengths=[len(each.ids) for each in examples], batch_size=batch_size,
        micro_batch_size=run.knobs.micro_batch_size, batching=run.batching, seed=run.seed,
    )  # fmt: skip


def mean_losses(run: Training, examples: Sequence[Example]) -> tuple[float, float]:
    """Loss and accuracy of a trained token over whole rows, as the model stands."""
    network = run.loaded.network
    sums = torch.zeros(2, dtype=torch.float64, device=run.loaded.device)
    batches = plan_of(run, examples, batch_size=len(examples)).micro_batches(range(len(examples)))
    network.eval()
    with torch.no_grad():
        for rows in run.ranks.share(batches):
            found = losses(run.loaded, _batch(run, [examples[row] for row in rows]))
            sums += torch.stack([found.total, found.hits]).double()
            run.life.moved()
    network.train()
    run.ranks.add_up(sums)
    trained = sum(each.trained for each in examples)
    return float(sums[0]) / trained, float(sums[1]) / trained


def peak_memory_bytes(device: torch.device) -> int:
    """Of the GPU what was allocated at most; of a CPU what the process held."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def usage_of(run: Training, progress: Progress) -> Usage:
    return Usage(
        seen_tokens=progress.seen, trained_tokens=progress.tokens, device=device_said(run.loaded.device),
        devices=run.ranks.count, peak_memory_bytes=peak_memory_bytes(run.loaded.device),
    )  # fmt: skip


def _batch(run: Training, examples: Sequence[Example]) -> Batch:
    packed = run.batching is Batching.PACKED
    return batch_of(examples, packed=packed, padding=run.padding, device=run.loaded.device)


def _evaluated(run: Training, metrics: Metrics) -> Metrics:
    loss, accuracy = mean_losses(run, run.validation)
    if not math.isfinite(loss):
        raise Diverged(f"at step {metrics.step} the validation loss is {loss}")
    return replace(metrics, full_valid_loss=loss, full_valid_accuracy=accuracy)


def _judged(progress: Progress, metrics: Metrics) -> Progress:
    loss = metrics.full_valid_loss
    assert loss is not None
    if progress.best_loss is None or loss < progress.best_loss:
        return replace(progress, best_loss=loss, best_step=progress.step, worse_evaluations=0)
    return replace(progress, worse_evaluations=progress.worse_evaluations + 1)


def _tell(run: Training, progress: Progress, metrics: Metrics) -> None:
    run.teller.metrics(metrics, usage=usage_of(run, progress))


def _taken_up(run: Training, optimiser: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> Progress:
    path, refused = run.checkpoints.newest() if run.ranks.first else (None, [])
    run.ranks.wait()
    if not run.ranks.first:
        path, _ = run.checkpoints.newest()
    for number, text in enumerate(refused):
        run.teller.message(
            f"left out: {text}", id=f"refused-{run.teller.standing.attempt}-{number}", level=Level.WARNING
        )
    if path is None:
        return Progress()
    progress = restore(path, run.loaded, optimiser)
    if scaler.is_enabled():
        scaler.load_state_dict({
            "scale": progress.scale, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000,
            "_growth_tracker": progress.scale_steps,
        })  # fmt: skip
    run.teller.message(f"goes on after step {progress.step}", id=f"resumed-{run.teller.standing.attempt}")
    return progress


def _save(
    run: Training, optimiser: torch.optim.Optimizer, progress: Progress, metrics: Metrics, *, candidate: bool
) -> None:
    run.life.moved(allow_s=1800)
    if run.ranks.first:
        made = run.checkpoints.save(run.loaded, optimiser, progress, metrics=metrics, candidate=candidate)
        if candidate:
            run.teller.checkpoint(as_checkpoint(run.run_id, made))
    run.ranks.wait()
    run.life.moved()
