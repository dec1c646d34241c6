"""`sixfold hardware`: does a run fit, how fast is it, how long does it take, what does it cost?

--json   model, gpu, gpus, method, tokens_per_second, low, high (over all GPUs), memory_gib (peak, per GPU), memory
         (by part), needed_gib, capacity_gib, fits, advice, alternatives, hours, hours_low, hours_high, usd, usd_low,
         usd_high, usd_per_gpu_hour, price_source, price_as_of, notes; what is unknown is null
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import click
import orjson

from engagements.cli.book import price_book, prices_option
from engagements.cli.output import NO, answers, console, json_option, leave, number, print_json, table_of
from estimator.errors import EstimatorError, Problem, UnknownName
from estimator.figures import Figure
from estimator.hardware import (
    Advice,
    Gpu,
    Loss,
    MemoryBreakdown,
    Method,
    Model,
    ModelConfigInvalid,
    TrainingSetup,
    TrainingTime,
    advise,
    find_gpu,
    find_model,
    model_from_hf_config,
    training_speed,
    training_time,
)
from estimator.routes import gpu_price

_CONFIG_BYTES_MAX: Final = 1_000_000


class NamesUnknown(EstimatorError):
    """Neither the model nor the GPU is known."""

    code = "unknown_name"


@click.command()
@click.option("--model", "model_name", help="An open model by name, such as llama-3.1-8b.")
@click.option("--config", "config_file", type=click.Path(path_type=Path, dir_okay=False), help="Or its config.json.")
@click.option("--method", type=click.Choice([method.value for method in Method]), required=True)
@click.option("--gpu", "gpu_name", required=True, help="A GPU by name: A100-80GB-SXM, H100, 4090 ...")
@click.option("--seq", type=int, required=True, help="Tokens of a packed or padded sequence.")
@click.option("--batch", type=int, required=True, help="Micro batch: sequences per GPU and step.")
@click.option("--gpus", type=int, default=1, show_default=True)
@click.option("--rank", type=int, default=16, show_default=True, help="LoRA rank.")
@click.option("--no-grad-checkpointing", is_flag=True, help="Keep all activations instead of computing them twice.")
@click.option("--mean-tokens", type=float, help="Mean real tokens of an example, when examples are not packed.")
@click.option("--tokens", type=int, help="Tokens to train on, epochs included; gives hours and cost.")
@click.option("--loss", type=click.Choice([loss.value for loss in Loss]), help="Whether the loss kernel is fused.")
@prices_option
@json_option
@answers
def command(
    model_name: str | None,
    config_file: Path | None,
    method: str,
    gpu_name: str,
    seq: int,
    batch: int,
    gpus: int,
    rank: int,
    no_grad_checkpointing: bool,
    mean_tokens: float | None,
    tokens: int | None,
    loss: str | None,
    price_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Memory, speed, time and cost of one training run. Exit code 1: it does not fit."""
    model, gpu = _named(model_name, config_file, gpu_name)
    setup = TrainingSetup(
        model=model,
        gpu=gpu,
        method=Method(method),
        seq=seq,
        micro_batch=batch,
        gpus=gpus,
        rank=rank,
        grad_checkpointing=not no_grad_checkpointing,
        mean_tokens=mean_tokens,
        loss=Loss(loss) if loss else None,
    )
    advice, price = advise(setup), gpu_price("hardware", price_book(price_files), gpu)
    time = training_time(setup, tokens) if tokens is not None else None
    data = _as_plain(setup, advice, time, price)
    if as_json:
        print_json(data)
    else:
        _show(setup, advice, time, price)
    if not advice.memory.fits:
        leave(NO)


def _named(model_name: str | None, config: Path | None, gpu_name: str) -> tuple[Model, Gpu]:
    """The model and the GPU; where neither is known, both are said at once."""
    if (model_name is None) == (config is None):
        raise click.UsageError("name the model with --model, or give its config.json with --config")
    try:
        model = find_model(model_name) if model_name is not None else _read_config(config or Path())
    except EstimatorError as wrong:
        try:
            find_gpu(gpu_name)
        except UnknownName as unknown:
            raise NamesUnknown(*wrong.problems, *unknown.problems) from wrong
        raise
    return model, find_gpu(gpu_name)


def _read_config(path: Path) -> Model:
    try:
        with path.open("rb") as file:
            data = orjson.loads(file.read(_CONFIG_BYTES_MAX))
    except OSError as error:
        raise _config_problem(f"{path}: {error.strerror}", "name a config.json of Hugging Face") from error
    except orjson.JSONDecodeError as error:
        raise _config_problem(f"{path} is not JSON: {error}", "name a config.json of Hugging Face") from error
    if not isinstance(data, dict):
        raise _config_problem(f"{path} holds no JSON object", "name a config.json of Hugging Face")
    return model_from_hf_config(data)


def _config_problem(message: str, remedy: str) -> ModelConfigInvalid:
    return ModelConfigInvalid(Problem(code="config_unreadable", message=message, remedy=remedy))


def _as_plain(setup: TrainingSetup, advice: Advice, time: TrainingTime | None, price: Figure) -> dict[str, object]:
    memory, speed = advice.memory, training_speed(setup)
    hours = (time.hours, time.low, time.high) if time else (None, None, None)
    return {
        "model": setup.model.name,
        "gpu": setup.gpu.name,
        "gpus": setup.gpus,
        "method": setup.method.value,
        "tokens_per_second": speed.tokens_per_s,
        "low": speed.low,
        "high": speed.high,
        "memory_gib": memory.peak_gib,
        "memory": {part: round(gib, 3) for part, gib in _parts(memory)},
        "needed_gib": memory.needed_gib,
        "capacity_gib": memory.capacity_gib,
        "fits": memory.fits,
        "advice": advice.text,
        "alternatives": [alternative.text for alternative in advice.alternatives],
        "hours": hours[0],
        "hours_low": hours[1],
        "hours_high": hours[2],
        "usd": _usd(hours[0], setup, price),
        "usd_low": _usd(hours[1], setup, price),
        "usd_high": _usd(hours[2], setup, price),
        "usd_per_gpu_hour": None if price.value is None else float(price.value),
        "price_source": price.source,
        "price_as_of": price.as_of,
        "notes": list(dict.fromkeys([*memory.notes, *speed.notes])),
    }


def _parts(memory: MemoryBreakdown) -> Iterator[tuple[str, float]]:
    yield "weights", memory.weights_gib
    yield "trained", memory.trained_gib
    yield "activations", memory.activations_gib
    yield "logits", memory.logits_gib
    yield "gathered", memory.gathered_gib
    yield "reserve", memory.reserve_gib


def _usd(hours: float | None, setup: TrainingSetup, price: Figure) -> float | None:
    """Unknown where the hours or the price are; never 0."""
    if hours is None or price.value is None:
        return None
    return float(round(Decimal(str(hours)) * setup.gpus * price.value, 4))


_EXPLAINED: Final = {
    "weights": "the base model",
    "trained": "what is trained, with gradients and optimiser",
    "activations": "kept for the backward pass",
    "logits": "scores over the vocabulary",
    "gathered": "layers that sharding brings together",
    "reserve": "fragments, workspaces, CUDA context",
}


def _show(setup: TrainingSetup, advice: Advice, time: TrainingTime | None, price: Figure) -> None:
    memory, speed = advice.memory, training_speed(setup)
    colour = "green" if memory.fits else "red"
    console.print(f"[bold]{setup.model.name}, {setup.method}, {setup.gpus} x {setup.gpu.name}[/]")
    console.print(f"[{colour}]{advice.text}[/]\n")
    rows = [(part, f"{gib:,.1f}", _EXPLAINED[part]) for part, gib in _parts(memory)]
    rows.append(
        ("[bold]needed[/]", f"[bold]{memory.needed_gib:,.1f}[/]", f"of {memory.capacity_gib:,.1f} GiB on the card")
    )
    console.print(table_of("Memory, GiB per GPU", ["part", "GiB", ""], rows, numeric=[1]))
    console.print(
        f"\nSpeed: {number(speed.tokens_per_s)} tokens/s over all GPUs "
        f"(80 % of runs: {number(speed.low)}-{number(speed.high)})"
    )
    if time is not None:
        usd, low, high = (_usd(hours, setup, price) for hours in (time.hours, time.low, time.high))
        console.print(f"Time: {number(time.hours, 2)} h ({number(time.low, 2)}-{number(time.high, 2)})")
        console.print(f"Cost: {number(usd, 2)} USD ({number(low, 2)}-{number(high, 2)})")
    hourly = f"{price.value:,.4f} USD per GPU-hour, {price.label}, {price.as_of}" if price.known else price.source
    console.print(f"Price: {hourly}", markup=False)
    for note in dict.fromkeys([*memory.notes, *speed.notes]):
        console.print(f"Note: {note}", markup=False)
