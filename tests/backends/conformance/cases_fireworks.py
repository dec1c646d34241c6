"""Fireworks, over our stand-in on a socket: learning from answers, and from preferences."""

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest_socket

from backends.spec import DataFile, Method, TrainingSpec

sys.path.insert(0, str(Path(__file__).parents[2] / "provider"))

FORMATS = {Method.SFT: "fireworks_chat", Method.DPO: "fireworks_dpo"}


def row(method, number):
    question = {"role": "user", "content": f"which queue takes ticket {number}?"}
    better, worse = ([{"role": "assistant", "content": f"Q{(number + each) % 3}"}] for each in (0, 1))
    if method is Method.DPO:
        return {"input": {"messages": [question]}, "preferred_output": better, "non_preferred_output": worse}
    return {"messages": [{"role": "system", "content": "Sort."}, question, *better]}


def files(folder, method):
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", 12), ("validation", 4)):
        lines = [json.dumps(row(method, number)) + "\n" for number in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    return [DataFile.of(folder / f"{name}.jsonl", format=FORMATS[method]) for name in ("train", "validation")]


@dataclass
class FireworksCase:
    folder: Path
    method: Method
    stand_in: object

    def backend(self, **settings):
        from backends.fireworks.backend import make  # noqa: PLC0415  # the SDK takes a second to load

        return make("fireworks", self.stand_in.settings | settings)

    def spec(self, run_id, **changes):
        train, validation = files(self.folder / "data", self.method)
        described = {"model": "accounts/fireworks/models/llama-v3p1-8b-instruct", "train": train}
        described |= {"method": self.method, "validation": validation if self.method is Method.SFT else None}
        return TrainingSpec(run_id=run_id, backend="fireworks", **(described | changes))

    def let_time_pass(self):
        self.stand_in.tick()

    def cut_off(self):
        return self.stand_in.wire.cut_off()

    def begun(self):
        return len(self.stand_in.jobs)


@contextmanager
def opened(folder, *, method=Method.SFT):
    from fireworks_stand_in import fireworks_served  # noqa: PLC0415  # its folder has just been made known

    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    with fireworks_served() as stand_in:
        yield FireworksCase(folder, method, stand_in)


CASES = {"fireworks": opened, "fireworks-preferences": partial(opened, method=Method.DPO)}
