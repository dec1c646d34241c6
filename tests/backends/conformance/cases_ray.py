"""Ray Jobs, over our stand-in on a socket that really starts what it is told to. The worker is a quick one that trains
nothing; the real one, and a real Ray, are tried in `ray_jobs/test_ray_real.py`."""

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest_socket
from conformance_case import data_files
from tiny_llama import tiny_llama

from backends.ray_jobs.backend import make
from backends.spec import TrainingSpec

TESTS = Path(__file__).parents[2]
sys.path.insert(0, str(TESTS / "provider"))


@dataclass
class RayCase:
    folder: Path
    model: Path
    stand_in: object

    @property
    def settings(self):
        return {
            "address": self.stand_in.wire.url, "folder": self.folder / "runs", "models": {"tiny": self.model},
            "python": sys.executable, "pythonpath": f"{TESTS / 'provider'}:{TESTS.parent}", "worker": "quick_worker",
            "device": "cpu", "answers_on": "cpu", "settle_s": 0,
        }  # fmt: skip

    def backend(self, **settings):
        return make("ray", self.settings | settings)

    def spec(self, run_id, **changes):
        train, validation = data_files(self.folder / "data")
        described = {"model": "tiny", "train": train, "validation": validation}
        return TrainingSpec(run_id=run_id, backend="ray", **(described | changes))

    def let_time_pass(self):
        time.sleep(0.02)

    def cut_off(self):
        return self.stand_in.wire.cut_off()

    def begun(self):
        return len(self.stand_in.jobs)


@contextmanager
def opened(folder):
    from ray_stand_in import ray_served  # noqa: PLC0415  # its folder has just been made known

    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    with ray_served() as stand_in:
        yield RayCase(folder, tiny_llama(folder / "model"), stand_in)


CASES = {"ray": opened}
