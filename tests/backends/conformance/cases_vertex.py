"""Gemini on Vertex AI, over our stand-in on a socket."""

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest_socket

from backends.spec import DataFile, TrainingSpec

sys.path.insert(0, str(Path(__file__).parents[2] / "provider"))


def row(number):
    turns = (("user", f"which queue takes ticket {number}?"), ("model", f"Q{number % 3}"))
    contents = [{"role": role, "parts": [{"text": text}]} for role, text in turns]
    return {"systemInstruction": {"role": "system", "parts": [{"text": "Sort."}]}, "contents": contents}


def files(folder):
    """100 rows to train on, as Google's guide advises, and 4 to validate on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", 100), ("validation", 4)):
        lines = [json.dumps(row(number)) + "\n" for number in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    return [DataFile.of(folder / f"{name}.jsonl", format="gemini") for name in ("train", "validation")]


@dataclass
class VertexCase:
    folder: Path
    stand_in: object

    def backend(self, **settings):
        from backends.vertex.backend import make  # noqa: PLC0415  # Google's SDK takes seconds to load

        return make("vertex", self.stand_in.settings | settings)

    def spec(self, run_id, **changes):
        train, validation = files(self.folder / "data")
        described = {"model": "gemini-3.5-flash", "train": train, "validation": validation}
        return TrainingSpec(run_id=run_id, backend="vertex", **(described | changes))

    def let_time_pass(self):
        self.stand_in.tick()

    def cut_off(self):
        return self.stand_in.wire.cut_off()

    def begun(self):
        return len(self.stand_in.jobs)


@contextmanager
def opened(folder):
    from vertex_stand_in import vertex_served  # noqa: PLC0415  # its folder has just been made known

    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    with vertex_served() as stand_in:
        yield VertexCase(folder, stand_in)


CASES = {"vertex": opened}
