"""`python -m backends.peft_local.worker SPEC`: trains one run in the folder its spec lies in.

Ends with 0 when the run has ended or was set aside, whatever came of it: `state.json` says what. Several processes join
one run under `torchrun ... -m backends.peft_local.worker SPEC --ranks`.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backends.events import RunState
from backends.peft_local.children import Process
from backends.peft_local.folder import RunFolder, taken
from backends.peft_local.worker.devices import alone_on, devices_of
from backends.peft_local.worker.life import Life, Stopped
from backends.peft_local.worker.telling import Teller
from backends.spec import TrainingSpec


def main(arguments: Sequence[str]) -> int:
    told = _arguments(arguments)
    os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported
    folder = RunFolder(path=(told.folder or told.spec.parent).resolve())
    if told.ranks:
        return _one_of_many(folder, told)
    lock = told.lock if told.lock is not None else taken(folder.lock)
    if lock is None:
        sys.stderr.write("another process trains this run\n")
        return 3
    os.set_inheritable(lock, False)
    Process.this().remembered(folder.process)
    life = Life(folder=folder)
    life.begin()
    teller = Teller.opened(folder)
    try:
        if folder.wish() in {"cancel", "pause", "stalled"}:
            raise Stopped  # noqa: TRY301 (obeyed in the one place where being stopped is)
        with _alone_on(told.device_lock, life):
            _run(folder, told, life, teller)
    except Stopped:
        life.asked = True
    if life.asked and not teller.standing.ended:
        _set_aside(folder, teller)
    life.end()
    return 0


def _run(folder: RunFolder, told: argparse.Namespace, life: Life, teller: Teller) -> None:
    spec = TrainingSpec.model_validate_json(told.spec.read_bytes())
    # Deferred: seconds and hundreds of megabytes, which a run that still waits shall not cost.
    import torch  # noqa: PLC0415

    from backends.peft_local.worker.ranks import Ranks  # noqa: PLC0415
    from backends.peft_local.worker.running import Options, run  # noqa: PLC0415

    torch.set_num_threads(told.threads)
    model = told.model or Path(spec.model)
    options = Options(
        model=model, device=told.device, retries=told.out_of_memory == "retry", keep=told.keep,
        save_every_s=told.save_every_s,
    )  # fmt: skip
    run(folder, spec, options, life, teller, Ranks())


def _one_of_many(folder: RunFolder, told: argparse.Namespace) -> int:
    """Waits, before the processes meet, until no other trainer is on a device of theirs on this machine."""
    import torch  # noqa: PLC0415 (deferred, as above)

    torch.set_num_threads(told.threads)
    named = devices_of(os.environ, on_gpu=told.device != "cpu" and torch.cuda.is_available())
    home = told.device_locks or folder.path.parent / ".devices"
    leads = os.environ.get("LOCAL_RANK", "0") == "0"
    with alone_on([home / each for each in named], leads=leads, launcher=os.getppid()):
        return _together(folder, told)


def _together(folder: RunFolder, told: argparse.Namespace) -> int:
    """The first process keeps the run's folder; each other one tells into a folder of its own below it."""
    import torch  # noqa: PLC0415 (deferred, as above)

    from backends.peft_local.worker.ranks import joined  # noqa: PLC0415
    from backends.peft_local.worker.running import Options, run  # noqa: PLC0415

    ranks, device = joined(told.device)
    lock = taken(folder.lock) if ranks.first else None
    if ranks.any(ranks.first and lock is None, torch.device(device)):
        sys.stderr.write("another process trains this run\n")
        return 3
    told_in = folder if ranks.first else RunFolder(path=folder.path / f"rank-{ranks.number}")
    told_in.path.mkdir(exist_ok=True)
    Process.this().remembered(told_in.process)
    life = Life(folder=told_in)
    life.begin()
    life.saves_from_now_on()
    teller = Teller.opened(told_in)
    spec = TrainingSpec.model_validate_json(told.spec.read_bytes())
    options = Options(
        model=told.model or Path(spec.model), device=device, retries=False, keep=told.keep,
        save_every_s=told.save_every_s,
    )  # fmt: skip
    run(folder, spec, options, life, teller, ranks)
    if life.asked and not teller.standing.ended:
        _set_aside(told_in, teller)
    life.end()
    ranks.leave()
    return 0


def _set_aside(folder: RunFolder, teller: Teller) -> None:
    """Where a run stands that was asked to end before its end: as was wished, or able to go on by itself."""
    match folder.wish():
        case "cancel":
            teller.change(RunState.CANCELLED)
        case "pause":
            teller.change(RunState.PAUSED)
        case _:
            teller.change(RunState.QUEUED, interrupted=True)


@contextmanager
def _alone_on(lock: Path | None, life: Life) -> Iterator[None]:
    """Waits until nobody else trains on this device; the lock ends with this process, however it ends."""
    if lock is None:
        yield
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    while (held := taken(lock)) is None:
        life.moved()
        time.sleep(0.2)
    yield
    os.close(held)


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m backends.peft_local.worker", description=__doc__)
    parser.add_argument("spec", type=Path, help="the run, as JSON (sixfold.training-spec/1)")
    parser.add_argument("--folder", type=Path, help="where the run is kept; the spec's own folder unless told")
    parser.add_argument("--model", type=Path, help="the folder of the base model; the spec's model unless told")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU; more than cores that are free is slower")
    parser.add_argument("--ranks", action="store_true", help="one of several processes that torchrun started")
    parser.add_argument("--out-of-memory", choices=("retry", "fail"), default="retry")
    parser.add_argument("--keep", type=int, default=5, help="checkpoints to choose from, beside the best")
    parser.add_argument("--save-every-s", type=float, default=600.0)
    parser.add_argument("--lock", type=int, help="a descriptor that holds the run's lock already")
    parser.add_argument("--device-lock", type=Path, help="held while training, so that no two train on one device")
    parser.add_argument("--device-locks", type=Path, help="with --ranks: their folder; beside the runs' unless told")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
