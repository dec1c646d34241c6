"""Amazon Bedrock, over moto on a socket. The suite tries Nova; Claude differs in rows and knobs alone, which
`bedrock/test_bedrock_refusals.py` and `test_bedrock_runs.py` try."""

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest_socket

from backends.bedrock.backend import make
from backends.spec import DataFile, TrainingSpec

sys.path.insert(0, str(Path(__file__).parents[2] / "provider"))

MODELS = {"nova": "amazon.nova-micro-v1:0:128k", "claude": "anthropic.claude-3-haiku-20240307-v1:0:200k"}


def row(family, number):
    question, answer = f"which queue takes ticket {number}?", f"Q{number % 3}"
    if family == "claude":
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return {"system": "Sort.", "messages": turns}
    turns = [{"role": "user", "content": [{"text": question}]}, {"role": "assistant", "content": [{"text": answer}]}]
    return {"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "Sort."}], "messages": turns}


def files(folder, family):
    """100 rows to train on, as Nova's guide advises, and 4 to validate on."""
    folder.mkdir(parents=True, exist_ok=True)
    data_format = {"nova": "bedrock_converse", "claude": "anthropic_bedrock"}[family]
    for name, count in (("train", 100), ("validation", 4)):
        lines = [json.dumps(row(family, number)) + "\n" for number in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    return [DataFile.of(folder / f"{name}.jsonl", format=data_format) for name in ("train", "validation")]


@dataclass
class BedrockCase:
    folder: Path
    family: str
    stand_in: object

    def backend(self, **settings):
        return make("bedrock", self.stand_in.settings | {"family": self.family} | settings)

    def spec(self, run_id, **changes):
        train, validation = files(self.folder / "data", self.family)
        described = {"model": MODELS[self.family], "train": train, "validation": validation}
        return TrainingSpec(run_id=run_id, backend="bedrock", **(described | changes))

    def let_time_pass(self):
        for name, job in self.stand_in.jobs.items():
            if job.status == "InProgress":
                self.stand_in.complete(name)

    def cut_off(self):
        return self.stand_in.wire.cut_off()

    def begun(self):
        return len(self.stand_in.jobs)


@contextmanager
def opened(folder, *, family):
    from bedrock_stand_in import bedrock_served  # noqa: PLC0415  # moto takes a second to load

    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    with bedrock_served() as stand_in:
        yield BedrockCase(folder, family, stand_in)


CASES = {"bedrock": partial(opened, family="nova")}
