"""Training speed and memory against the published measurements, with the arguments a user can state.

Speed. Usable rows: full, LoRA (DoRA and trained embeddings count as LoRA) and QLoRA with a measured tokens/s. Out: rows
marked SUSPECT, FP8 rows (vendor upper bounds, held against the estimate apart), adapter methods other than LoRA, rows
without tokens/s, and one unpacked torchtune row whose examples' length nobody states. The arguments are the row's
model, method, GPU, GPUs, sequence and checkpointing, the micro-batch (1 where unstated) and the mean tokens of unpacked
rows; never the framework. The calibration is fitted again on all sources but one and held against that one.

Memory, like with like. What torch allocated is compared with the estimated peak; what a device or a README reports
(reserved, "reported", ms-swift, Unsloth, Qwen) with the peak and its reserve. The framework says whether the loss is
fused (Liger, Unsloth, Axolotl, torchtune) and which rank it uses where it is not 16 (Qwen 64, Axolotl 32). Out of all
LoRA and QLoRA rows are: rules of thumb, tables of the longest context, trained embeddings (`lora+emb`), rows that state
no batch or no sequence, the base that `prepare_model_for_kbit_training` upcasts on one GPU (baseline-peft-bnb), and
torchtune's rows marked SUSPECT. In, and missed: SantaCoder (8 rows hold 32-bit copies of the logits that its own full
tuning does not), ms-swift (it reports the cache of a run of varying lengths, a third above Qwen's figure for the same
run), the longest Qwen-1.8B rows, and torchtune at 70B and 405B (its sharding holds the layer inputs once). The share of
ALL rows with a measured figure is printed beside, with default arguments.
"""

import csv
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measurement import Measurement
from numpy.typing import NDArray

from estimator.hardware import (
    Loss,
    Method,
    TrainingSetup,
    find_gpu,
    find_model,
    training_memory,
    training_speed,
)
from estimator.hardware.speed import CALIBRATION, Term, ideal_seconds

SHARED_DATA = Path(os.environ.get("SIXFOLD_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))

_METHODS = {
    "full": Method.FULL,
    "lora": Method.LORA,
    "lora+emb": Method.LORA,
    "dora": Method.LORA,
    "qlora": Method.QLORA,
}
_FUSED = re.compile(r"liger|unsloth|axolotl|torchtune", re.IGNORECASE)
_RANKS = {"Qwen": 64, "Axolotl": 32}
# Just enough to keep a term that the remaining sources do not exercise from wandering off.
_RIDGE = 0.03

Floats = NDArray[np.float64]
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRow:
    setup: TrainingSetup
    tokens_per_s: float
    source: str

    @property
    def error(self) -> float:
        """ln(estimated / measured)."""
        return math.log((training_speed(self.setup).tokens_per_s or math.nan) / self.tokens_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRow:
    setup: TrainingSetup
    model: str
    gib: float
    allocated: bool

    @property
    def error(self) -> float:
        """estimated / measured - 1."""
        breakdown = training_memory(self.setup)
        return (breakdown.peak_gib if self.allocated else breakdown.needed_gib) / self.gib - 1


def measure() -> Iterator[Measurement]:
    folder = SHARED_DATA / "economics"
    if folder.is_dir():
        yield from measure_speed(folder)
        yield from measure_memory(folder)


def measure_speed(folder: Path) -> Iterator[Measurement]:
    rows = speed_rows(folder)
    errors = np.array([row.error for row in rows])
    median = float(np.median(np.abs(errors)))
    yield _at_most("speed: median |log error|", median, 0.20, f"{len(rows)} usable rows, default arguments")
    left_out = left_out_errors(rows)
    everywhere = float(np.median(np.abs(np.concatenate(list(left_out.values())))))
    by_source = ", ".join(f"{source} {np.median(np.abs(of)):.2f}" for source, of in left_out.items())
    yield _at_most("speed: median |log error|, each source left out of the fit", everywhere, 0.20, by_source)
    inside = float(np.mean([_inside(row, error) for row, error in zip(rows, errors, strict=True)]))
    yield _at_least("speed: rows inside the 80 % interval", inside, 0.80, "shipped calibration")
    kept = {source: [row for row in rows if row.source == source] for source in left_out}
    shares = {
        source: float(np.mean([_inside(*pair) for pair in zip(kept[source], left_out[source], strict=True)]))
        for source in left_out
    }
    by_source = ", ".join(f"{source} {share:.0%}" for source, share in shares.items())
    outside = [i for source in left_out for i in map(_inside, kept[source], left_out[source])]
    yield _at_least(
        "speed: rows inside the interval, each source left out of the fit", float(np.mean(outside)), 0.80, by_source
    )
    bounds = [row.error for row in speed_rows(folder, upper_bounds=True)]
    yield _at_most("speed: median ln(bf16 estimate / FP8 row)", float(np.median(bounds)), 0.0, f"{len(bounds)} bounds")


def measure_memory(folder: Path) -> Iterator[Measurement]:
    rows = memory_rows(folder)
    within = float(np.mean([abs(row.error) <= 0.25 for row in rows]))
    yield _at_least("memory: LoRA/QLoRA rows within 25 %", within, 0.90, f"{len(rows)} rows, like with like")
    llama = [abs(row.error) for row in rows if row.model == "Llama-3-8B"]
    share = float(np.mean([error <= 0.05 for error in llama]))
    yield _at_least("memory: Llama-3-8B rows within 5 %", share, 1.0, f"{len(llama)} rows, worst {max(llama):.1%}")
    every = memory_rows(folder, every_row=True)
    within = float(np.mean([abs(row.error) <= 0.25 for row in every]))
    yield _at_least("memory: ALL LoRA/QLoRA rows within 25 %", within, 0.0, f"{len(every)} rows, default arguments")
    fits = [training_memory(row.setup).fits for row in rows]
    yield _at_least("memory: measured runs said to fit", float(np.mean(fits)), 0.98, f"{len(fits)} rows")


def speed_rows(folder: Path, *, upper_bounds: bool = False) -> list[SpeedRow]:
    return [
        SpeedRow(setup=_setup(row), tokens_per_s=float(row["tokens_per_s_total"]), source=_source(row))
        for row in _read(folder / "training_throughput.csv")
        if _method(row) and row["tokens_per_s_total"] and "SUSPECT" not in row["notes"]
        if upper_bounds is ("fp8" in row["base_precision"]) and row["id"] != "tt-3b-baseline"
    ]


def memory_rows(folder: Path, *, every_row: bool = False) -> list[MemoryRow]:
    rows = [row for row in _read(folder / "training_memory.csv") if _method(row) in {Method.LORA, Method.QLORA}]
    measured = [row for row in rows if not row["mem_kind"].startswith(("rule of thumb", "max context"))]
    return [
        MemoryRow(
            setup=_setup(row) if every_row else _as_the_framework(row), model=row["model"],
            gib=float(row["mem_gib"]) / (int(row["n_gpus"]) if row["scope"] == "total" else 1),
            allocated=every_row or row["mem_kind"] in {"torch peak alloc", "peak"},
        )
        for row in measured
        if every_row or not _unlike(row)
    ]  # fmt: skip


def left_out_errors(rows: list[SpeedRow]) -> dict[str, Floats]:
    """ln(estimated / measured) of each source under a calibration fitted on the others."""
    ideal = np.array([[_ideal(row)[term] for term in Term] for row in rows])
    tokens = np.array([row.setup.gpus * row.setup.micro_batch * row.setup.computed_seq for row in rows])
    seconds = np.log(tokens / np.array([row.tokens_per_s for row in rows]))
    sources = np.array([row.source for row in rows])
    counts = {source: int(np.sum(sources == source)) for source in dict.fromkeys(sources.tolist())}
    weights = np.array([counts[source] ** -0.25 for source in sources.tolist()])
    errors = {}
    for source in counts:
        out = sources == source
        errors[source] = seconds[out] - np.log(ideal[out] @ _fit(ideal[~out], seconds[~out], weights[~out]))
    return errors


def _fit(ideal: Floats, log_seconds: Floats, weights: Floats) -> Floats:
    """Multiples c > 0 with the least weighted |ln(ideal @ c) - log_seconds|, held loosely to the shipped ones."""
    shipped = np.log([CALIBRATION[term] for term in Term])
    log_c = shipped.copy()
    for _ in range(100):
        seconds = ideal @ np.exp(log_c)
        error = np.log(seconds) - log_seconds
        pull = weights / np.sqrt(np.maximum(np.abs(error), 0.03))
        slopes = np.vstack([ideal * np.exp(log_c) / seconds[:, None] * pull[:, None], _RIDGE * np.eye(len(shipped))])
        step = np.linalg.lstsq(slopes, np.concatenate([-error * pull, _RIDGE * (shipped - log_c)]), rcond=None)[0]
        log_c += np.clip(step, -0.3, 0.3)
    return np.exp(log_c)


def _ideal(row: SpeedRow) -> dict[Term, float]:
    ideal = ideal_seconds(row.setup)
    assert ideal, f"{row.setup.gpu.name} has no peak"
    return ideal


def _inside(row: SpeedRow, error: float) -> bool:
    """Whether the measurement lies in the interval around an estimate that is off by `error`."""
    speed = training_speed(row.setup)
    assert speed.tokens_per_s, "every row's card is known"
    assert speed.low
    assert speed.high
    return math.log(speed.low / speed.tokens_per_s) <= -error <= math.log(speed.high / speed.tokens_per_s)


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _method(row: Row) -> Method | None:
    return _METHODS.get(row["method"].partition("(")[0])


def _source(row: Row) -> str:
    return re.sub(r"^github:[^/]+/|[@ ].*$", "", row["source"])


def _setup(row: Row, *, rank: int = 16, loss: Loss | None = None) -> TrainingSetup:
    method = _method(row)
    assert method, row["method"]
    mean = re.search(r"mean ~(\d+) tokens", row["notes"])
    return TrainingSetup(
        model=find_model(row["model"]), method=method, rank=rank, loss=loss, gpus=int(row["n_gpus"]),
        gpu=find_gpu("H200" if row["gpu"] == "any" else row["gpu"]), seq=_whole(row["seq_len"], 2048),
        micro_batch=_whole(row["micro_batch"], 1), grad_checkpointing=_whole(row["grad_ckpt"], 1) == 1,
        mean_tokens=float(mean[1]) if mean else None,
    )  # fmt: skip


def _as_the_framework(row: Row) -> TrainingSetup:
    rank = next((rank for name, rank in _RANKS.items() if row["framework"].startswith(name)), 16)
    return _setup(row, rank=rank, loss=Loss.FUSED if _FUSED.search(row["framework"]) else Loss.PLAIN)


def _unlike(row: Row) -> bool:
    upcast = "baseline-peft-bnb" in row["framework"] and row["n_gpus"] == "1"
    unstated = not (row["seq_len"] and row["micro_batch"])
    return upcast or unstated or row["method"] == "lora+emb" or "SUSPECT" in row["notes"]


def _whole(cell: str, unstated: int) -> int:
    return int(float(cell)) if cell else unstated


def _at_most(name: str, measured: float, bar: float, beside: str) -> Measurement:
    return Measurement(name=name, measured=measured, unit="", bar=f"<= {bar:.2f}", holds=measured <= bar, beside=beside)


def _at_least(name: str, measured: float, bar: float, beside: str) -> Measurement:
    return Measurement(
        name=name, measured=measured, unit="", bar=f">= {bar:.2f}" if bar else "(none)", holds=measured >= bar,
        beside=beside,
    )  # fmt: skip
