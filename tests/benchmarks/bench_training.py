"""LoRA on this machine's CPU: our trainer beside TRL's SFTTrainer.

Same model (SmolLM2-135M-Instruct), tokens, labels, order, rank, rate, batch and precision (float32); one thread; a
process of its own for each run, the two sides in turn. Tokens are those of the rows, padding left out; seconds go from
the end of the first step to the end of the last, on both sides, so that loading is left out. On rows of one length both
pad; on tickets of mixed lengths TRL pads, as it does by itself, and ours packs. The loss is the mean of the last
quarter of the steps: adapters begin by chance.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from measurement import Measurement
from transformers import AutoTokenizer

from backends.peft_local.rows import rows_in
from backends.peft_local.worker.encoding import IGNORED, Encoder, Example
from backends.peft_local.worker.planning import Plan
from backends.spec import Batching, DataFile, Hyperparameters, TrainingSpec
from engagements.demo.model.weights import converted, laid_down

HERE = Path(__file__).resolve().parent
REPEATS = 2
BATCH = 8
KNOBS: dict[str, Any] = {"rank": 8, "alpha": 16.0, "learning_rate": 1e-3, "batch_size": BATCH}
_SENTENCES = (
    "The printer on the third floor shows error 49 again.", "I cannot sign in since this morning.",
    "Please reset my password.", "The invoice of last month names the wrong cost centre.",
    "Our whole team waits for access to the shared drive, which we asked for two weeks ago.",
    "The laptop restarts when the lid is closed.", "Who can approve a second screen?",
    "The report that is sent each Monday did not come, and the dashboard shows no figures either.",
)  # fmt: skip
_QUEUES = ("access", "hardware", "billing", "reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """`tokens_per_s` over all repeats, the median; `loss`: of the last quarter of the steps."""

    tokens_per_s: float
    loss: float
    peak_bytes: float


def measure() -> Iterator[Measurement]:
    if not laid_down().is_file():
        return
    model = converted(laid_down())
    with tempfile.TemporaryDirectory() as folder:
        alike, mixed = _tickets(48, spread=0), _tickets(24, spread=9)
        yield from _compared("one length, padded", model, Path(folder), alike, Batching.PADDED, 1.0)
        yield from _compared("mixed lengths, packed", model, Path(folder), mixed, Batching.PACKED, 1.3)


def _compared(
    name: str, model: Path, folder: Path, rows: Sequence[dict[str, Any]], batching: Batching, bar: float
) -> Iterator[Measurement]:
    plan = _plan(folder / name.replace(" ", "-"), model, rows, batching)
    ours, trl = [], []
    for number in range(REPEATS):
        ours.append(_run("ours", plan, number))
        trl.append(_run("trl", plan, number))
    here, there = _side(ours, plan), _side(trl, plan)
    ratio = median(b["seconds"] / a["seconds"] for a, b in zip(ours, trl, strict=True))
    beside = f"TRL {there.tokens_per_s:.0f} tokens/s, ours {here.tokens_per_s:.0f}"
    yield Measurement(
        name=f"LoRA, {name}: tokens/s of TRL's SFTTrainer", measured=ratio, unit="x", bar=f">= {bar:.1f}",
        holds=ratio >= bar, beside=beside,
    )  # fmt: skip
    apart = abs(here.loss / there.loss - 1)
    yield Measurement(
        name=f"LoRA, {name}: loss apart from TRL's", measured=apart, unit="", bar="<= 0.02", holds=apart <= 0.02,
        beside=f"TRL {there.loss:.4f}, ours {here.loss:.4f}",
    )  # fmt: skip
    memory = here.peak_bytes / there.peak_bytes
    yield Measurement(
        name=f"LoRA, {name}: peak memory of TRL's", measured=memory, unit="x", bar="<= 1.0", holds=memory <= 1.0,
        beside=f"TRL {there.peak_bytes / 2**30:.2f} GiB, ours {here.peak_bytes / 2**30:.2f} GiB",
    )  # fmt: skip


def _tickets(count: int, *, spread: int) -> list[dict[str, Any]]:
    """Of three sentences each, or of one to `spread` ones and now and then of many."""
    chance = random.Random(7)
    rows = []
    for _ in range(count):
        sentences = 3 if spread == 0 else chance.choice([1, 1, 2, 2, 3, 4, spread, 3 * spread])
        text = " ".join(chance.choice(_SENTENCES) for _ in range(sentences))
        answer = json.dumps({"queue": chance.choice(_QUEUES), "urgent": "waits" in text})
        rows.append({"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]})
    return rows


def _plan(folder: Path, model: Path, rows: Sequence[dict[str, Any]], batching: Batching) -> dict[str, Any]:
    """What both sides need: rows in the order in which ours will take them, and the tokens of each step."""
    folder.mkdir()
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    encoder = Encoder(AutoTokenizer.from_pretrained(model), max_length=8192)
    examples = encoder.examples(rows_in(file.read_bytes()))
    lengths = [len(each.ids) for each in examples]
    order = Plan(lengths=lengths, batch_size=BATCH, micro_batch_size=BATCH, batching=batching, seed=1).epoch(0)
    spec = TrainingSpec(
        run_id="bench", backend="peft", model=str(model), train=DataFile.of(file), seed=1,
        hyperparameters=Hyperparameters(
            **KNOBS, epochs=1, micro_batch_size=BATCH, batching=batching, precision="fp32", schedule="constant",
            warmup_ratio=0.0, weight_decay=0.0, checkpoints=1, gradient_checkpointing=False,
        ),
    )  # fmt: skip
    return {
        "folder": str(folder), "model": str(model), "knobs": KNOBS, "spec": spec.model_dump_json(by_alias=True),
        "rows": [_trl_row(examples[row]) for batch in order for row in batch],
        "step_tokens": [sum(lengths[row] for row in batch) for batch in order],
    }  # fmt: skip


def _trl_row(example: Example) -> dict[str, list[int]]:
    """As SFTTrainer takes rows that are tokens already."""
    return {"input_ids": list(example.ids), "completion_mask": [int(label != IGNORED) for label in example.labels]}


def _run(side: str, plan: dict[str, Any], number: int) -> dict[str, Any]:
    folder = Path(plan["folder"]) / f"{side}-{number}"
    folder.mkdir()
    (folder / "spec.json").write_text(plan["spec"], "utf-8")
    (folder / "plan.json").write_text(json.dumps(plan | {"folder": str(folder)}), "utf-8")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        [sys.executable, str(HERE / "training_sides.py"), side, str(folder / "plan.json")],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _side(runs: Sequence[dict[str, Any]], plan: dict[str, Any]) -> Side:
    tokens = sum(plan["step_tokens"][1:])
    last = max(1, len(plan["step_tokens"]) // 4)
    return Side(
        tokens_per_s=median(tokens / run["seconds"] for run in runs),
        loss=sum(runs[0]["losses"][-last:]) / last, peak_bytes=median(run["peak_bytes"] for run in runs),
    )  # fmt: skip
