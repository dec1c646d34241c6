"""A run in this process, which has loaded PyTorch already."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch

from backends.peft_local.folder import RunFolder
from backends.peft_local.worker.life import Life
from backends.peft_local.worker.ranks import Ranks
from backends.peft_local.worker.running import Options, run
from backends.peft_local.worker.telling import Teller

torch.set_num_threads(1)


@dataclass
class Here:
    """One run's folder; `train` goes through it until it ends or `stops` at the next step."""

    path: Path
    spec: object
    options: dict = field(default_factory=dict)

    @property
    def folder(self):
        return RunFolder(path=self.path)

    def train(self, *, stops=False):
        self.path.mkdir(parents=True, exist_ok=True)
        life = Life(folder=self.folder, asked=stops)
        teller = Teller.opened(self.folder)
        told = {"model": Path(self.spec.model), "device": "cpu", "retries": True, "keep": 5, "save_every_s": 600.0}
        run(self.folder, self.spec, Options(**told | self.options), life, teller, Ranks())
        return self.folder.standing()

    @property
    def events(self):
        return [json.loads(line) for line in self.folder.events.read_text().splitlines()]

    @property
    def losses(self):
        """Training and validation loss by step."""
        told = [each["metrics"] for each in self.events if each["metrics"]]
        return {each["step"]: (each["train_loss"], each["full_valid_loss"]) for each in told}

    @property
    def audit(self):
        return json.loads(self.folder.audit.read_text())
