"""Phase 3 of the second engagement, by the server itself: three runs of one question, one of them killed on its way."""

import signal
import time
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from backends.peft_local.children import process_in
from backends.peft_local.folder import RunFolder
from engagements.client import Sixfold
from engagements.client.datasets import DatasetVersion
from engagements.client.training_models import Experiment, ModelVersion, TrainingRun
from engagements.demo.house import DELIVERY
from engagements.demo.model.weights import NAME
from engagements.demo.words import minor, note
from engagements.settings import HourPrice, TrainingBackend

BACKEND: Final = "peft"
_PHASE: Final = "training"
_KNOBS: Final[Mapping[str, Any]] = {
    "epochs": 2, "batch_size": 8, "micro_batch_size": 8, "learning_rate": 2e-3, "adapter": "lora", "rank": 8,
    "alpha": 16, "max_length": 128, "evaluations": 2, "checkpoints": 2,
}  # fmt: skip
"""A small model takes five times the rate of a large one, and a few steps are all there is time for."""
_ANSWER_TOKENS: Final = 6
_LINES_A_RUN: Final = 4
_CONCLUDED_S: Final = 60.0


def backend(model: Path, *, on: date) -> TrainingBackend:
    """The local backend with this one model, looked at twice a second. `on`: the day of its price."""
    hour = HourPrice(
        amount=Decimal(0), currency="EUR", as_of=on, source="a machine of our own: nothing is paid by the hour"
    )
    return TrainingBackend(
        kind=BACKEND, settings={"models": {NAME: str(model)}, "device": "cpu", "threads": 1},
        polled_every_s=0.5, hour=hour,
    )  # fmt: skip


def train(delivery: Sixfold, engagement_id: str, version: DatasetVersion, *, runs: Path) -> ModelVersion:
    """`runs`: where the server's local backend keeps its runs. Returns the model version that was chosen."""
    asked: dict[str, Any] = {
        "name": "First three", "dataset_version_id": version.id, "design": "three", "metric": "label",
        "base": {"backend": BACKEND, "model": NAME, "hyperparameters": _KNOBS}, "cap_minor": 500, "cap_hours": 1.0,
        "answer_tokens_max": _ANSWER_TOKENS,
    }  # fmt: skip
    _foretell(delivery, engagement_id, asked)
    experiment = delivery.experiments.start(delivery.experiments.plan(engagement_id, **asked).id)
    note(DELIVERY, f"starts them on this machine, one after the other; the best is chosen by {experiment.metric}")
    for line in sorted(experiment.runs, key=lambda each: each.number):
        _watch(delivery, line.id, RunFolder(path=runs / line.id), is_killed=line.number == 1)
    return _chosen(delivery, _concluded(delivery, experiment.id))


def _foretell(delivery: Sixfold, engagement_id: str, asked: Mapping[str, Any]) -> None:
    plan = delivery.experiments.preview(engagement_id, **asked)
    for run in plan.runs:
        told = run.prediction
        tokens = "unknown" if told.tokens is None else f"{told.tokens:,}"
        note(
            DELIVERY if run is plan.runs[0] else "",
            f"plans {run.name}: {run.why}; {run.examples} examples, {tokens} tokens",
        )
    note("", f"for {minor(plan.reserved_minor)} {plan.currency} at most, before anything is begun")


def _watch(delivery: Sixfold, run_id: str, folder: RunFolder, *, is_killed: bool) -> None:
    """A line for each quarter; between two checkpoints the trainer of one run is killed."""
    told = killed_at = 0
    for run in delivery.training_runs.follow(run_id):
        if (quarter := _quarter(run)) > told:
            note("" if told else run.name, _live(run))
            told = quarter
        if is_killed and _is_past_a_checkpoint(run):
            is_killed, killed_at = False, run.now.step
            _kill(folder, killed_at)
        if killed_at and run.now.step > killed_at:
            note("", _resumed(delivery, run_id, killed_at))
            killed_at = 0
    ended = delivery.training_runs.get(run_id)
    assert ended.state == "succeeded", ended.failure or ended.said
    assert not is_killed, "it was over before it could be killed"
    _say_verdict(ended)


def _quarter(run: TrainingRun) -> int:
    return run.now.step * _LINES_A_RUN // run.now.total_steps if run.now.total_steps else 0


def _is_past_a_checkpoint(run: TrainingRun) -> bool:
    """And not at its end: there are steps to be taken again, and more to come."""
    is_on_its_way = run.now.total_steps is not None and run.now.step < run.now.total_steps
    return is_on_its_way and any(each.step < run.now.step for each in run.checkpoints)


def _kill(folder: RunFolder, step: int) -> None:
    trainer = process_in(folder.process)
    assert trainer is not None, "a run that moves has a trainer"
    trainer.signal(signal.SIGKILL)
    note("kill -9", f"ends the trainer, process {trainer.id}, after step {step}; nobody tells the server")


def _resumed(delivery: Sixfold, run_id: str, killed_at: int) -> str:
    """What the second trainer said of the steps that it took again."""
    events = list(_events(delivery, run_id))
    again = next((each for each in events if each.message.startswith("goes on after step")), None)
    assert again is not None, "the run went on"
    other = [each.message for each in events if each.id.startswith("inexact-")]
    after = int(again.message.rsplit(" ", 1)[-1])
    losses = {each.step: each.metrics["train_loss"] for each in events if each.metrics and each.step}
    steps = f"step {killed_at}" if killed_at == after + 1 else f"steps {after + 1} to {killed_at}"
    same = f"the same losses again, {losses[killed_at]:.6f} at the last" if not other else "; ".join(other)
    return f"the server saw it, and the run went on after step {after}: {steps} came with {same}"


def _events(delivery: Sixfold, run_id: str) -> Iterator[Any]:
    after = 0
    while (told := delivery.training_runs.events(run_id, after=after)).items:
        yield from told.items
        after = told.next


def _live(run: TrainingRun) -> str:
    now = run.now
    parts = [f"step {now.step} of {now.total_steps}"]
    if now.train_loss is not None:
        parts.append(f"loss {now.train_loss:.3f}")
    if now.valid_loss is not None:
        parts.append(f"on validation {now.valid_loss:.3f}")
    if now.tokens_per_second is not None:
        parts.append(f"{now.tokens_per_second:,.0f} tokens/s")
    return ", ".join(parts)


def _say_verdict(run: TrainingRun) -> None:
    assert run.verdict is not None, "a run that has ended is judged"
    took = "unknown" if run.usage.seconds is None else f"{run.usage.seconds:.0f} s"
    note("", f"{run.verdict.kind.replace('_', ' ')}: {run.verdict.said}")
    best = next((each.score for each in run.checkpoints if each.is_chosen), None)
    if best is not None:
        said = f"{best.value:.0%} of {best.items} validation tickets ({best.low:.0%} to {best.high:.0%})"
        note("", f"{said}; {took}, {minor(run.spent_minor)} {run.currency}")


def _concluded(delivery: Sixfold, experiment_id: str) -> Experiment:
    until = time.monotonic() + _CONCLUDED_S
    while (experiment := delivery.experiments.get(experiment_id)).state != "done":
        assert time.monotonic() < until, experiment.error
        time.sleep(0.2)
    return experiment


def _chosen(delivery: Sixfold, experiment: Experiment) -> ModelVersion:
    assert experiment.choice is not None, experiment.error
    note(DELIVERY, f"reads the choice: {experiment.choice.reason}")
    version = next(each for each in delivery.models.of_engagement(experiment.engagement_id) if each.is_candidate)
    weights = f"step {version.step}, sha256 of its weights {version.checkpoint_sha256[:12]}"
    note("", f"model version {version.number}, “{version.name}”: {weights}")
    note("", f"its record, sha256 {version.record_sha256[:12]}, repeats it: {version.command}")
    return version


def say_the_gate(delivery: Sixfold, engagement_id: str) -> None:
    """Nobody has posted anything to it."""
    gate = delivery.gates.get(engagement_id, _PHASE)
    met = [each for each in gate.requirements if each.status == "met"]
    note("Gate 3", f"has filled itself: {len(met)} of {len(gate.requirements)} requirements are met")
    for each in met:
        note("", f"  {each.title}: {each.said}")
    for blocker in gate.blockers:
        note("", f"  blocked, {blocker.code}: {blocker.message}; {blocker.remedy}")
