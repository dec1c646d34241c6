"""The backend of this machine, over a model too small to learn anything."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance_case import data_files
from tiny_llama import tiny_llama
from warm import warm_for_all

from backends.events import ENDED
from backends.peft_local.backend import PeftBackend
from backends.protocol import Handle
from backends.spec import Hyperparameters, TrainingSpec

FEW_STEPS = Hyperparameters(epochs=2, batch_size=4, micro_batch_size=2, evaluations=2, checkpoints=2, rank=2)


@dataclass
class PeftCase:
    folder: Path
    model: Path
    modules: tuple[str, ...]

    def backend(self):
        return PeftBackend(folder=self.folder / "runs", device="cpu", modules=self.modules)

    def spec(self, run_id):
        train, validation = data_files(self.folder / "data")
        return TrainingSpec(
            run_id=run_id, backend="peft", model=str(self.model), train=train, validation=validation,
            hyperparameters=FEW_STEPS,
        )  # fmt: skip

    def let_time_pass(self):
        time.sleep(0.05)

    def cut_off(self):
        return None

    def begun(self):
        return len(list((self.folder / "runs").glob("*/spec.json")))

    def end(self):
        """Leaves no trainer behind."""
        for spec in (self.folder / "runs").glob("*/spec.json"):
            handle = Handle(backend="peft", reference=spec.parent.name)
            self.backend().cancel(handle)
            while self.backend().poll(handle).state not in ENDED:
                self.let_time_pass()


@contextmanager
def opened(folder):
    case = PeftCase(folder, tiny_llama(folder / "model"), warm_for_all())
    try:
        yield case
    finally:
        case.end()


CASES = {"peft": opened}
