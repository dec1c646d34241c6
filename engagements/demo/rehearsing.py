"""The same sealed files at a provider that is none: ours, on a socket of this machine, over the OpenAI protocol.

It trains nothing: its losses are made up by a formula, and its events say so. What is rehearsed is all that costs money
when it goes wrong: files, the one job, its events, checkpoints and model.
"""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from backends import registry
from backends.errors import OutcomeUnknown
from backends.events import ENDED, Poll
from backends.memory import FileMemory
from backends.protocol import Backend, Handle
from backends.spec import DataFile, Hyperparameters, TrainingSpec
from backends.stand_in.faults import CREATE_JOB, Fault, Kind
from backends.stand_in.serving import serving
from engagements.client import Sixfold
from engagements.client.datasets import DatasetVersion
from engagements.core.clock import SystemClock
from engagements.demo.words import note

KIND: Final = "openai"
_MODEL: Final = "large-1"
_SCALE: Final = 20.0
"""Its seconds in one of ours: what a provider takes minutes for is over in one."""
_POLL_S: Final = 0.5
_ASKED_MOST: Final = 5


def rehearse(delivery: Sixfold, version: DatasetVersion) -> None:
    with TemporaryDirectory() as kept, serving(Path(kept) / "provider", scale=_SCALE) as provider:
        backend = registry.make(KIND, name=KIND, settings={"base_url": provider.base_url, "api_key": "sk-rehearsal"})
        spec = _spec(delivery, version, Path(kept))
        note(
            "Rehearsal",
            f"the same {spec.train.rows} examples, sha256 {spec.train.sha256[:12]}, at {provider.base_url}:",
        )
        note("", "a provider of our own that speaks the OpenAI protocol; its losses are made up, and it says so")
        provider.faults.add(Fault(kind=Kind.DROP_REPLY))
        handle = _started(backend, spec, FileMemory(path=Path(kept) / "memory.json"))
        sent = provider.asked.count(CREATE_JOB)
        assert sent == 1, "a job that was lost sight of is looked for, never sent anew"
        note(
            "",
            f"the answer to its job is lost on the way; it is looked for and found, not sent anew: {handle.reference}",
        )
        ended = _watched(backend, handle)
        assert ended.model is not None, ended.failure
        kept_ones = ", ".join(str(each.step) for each in ended.checkpoints)
        note(
            "", f"{ended.state}: checkpoints at steps {kept_ones}; {ended.usage.billed_tokens:,} tokens would be billed"
        )
        asked = json.loads(spec.train.path.read_text("utf-8").splitlines()[0])["messages"]
        with closing(backend.predictor(ended.model)) as predictor:
            (said,) = predictor.predict_many([asked[:-1]], max_tokens=8)
        note("", f"{ended.model} repeats what it was shown: “{said.text}”")


def _spec(delivery: Sixfold, version: DatasetVersion, folder: Path) -> TrainingSpec:
    return TrainingSpec(
        run_id=f"rehearsal-{version.sha256[:12]}", backend=KIND, model=_MODEL,
        train=_file(delivery, version, "train", folder), validation=_file(delivery, version, "validation", folder),
        hyperparameters=Hyperparameters(epochs=3, batch_size=8), seed=7,
    )  # fmt: skip


def _file(delivery: Sixfold, version: DatasetVersion, split: str, folder: Path) -> DataFile:
    path = folder / f"{split}.jsonl"
    path.write_bytes(delivery.datasets.export(version.id, split, form="openai_chat"))
    return DataFile.of(path)


def _started(backend: Backend, spec: TrainingSpec, memory: FileMemory) -> Handle:
    for _ in range(_ASKED_MOST):
        try:
            return backend.start(spec, memory, now=SystemClock().now())
        except OutcomeUnknown as unknown:
            time.sleep(min(unknown.retry_in_s, _POLL_S))
    raise AssertionError("it never learnt of its job")


def _watched(backend: Backend, handle: Handle) -> Poll:
    """To its end; a line for each quarter of it."""
    *_, last = _polls(backend, handle)
    return last


def _polls(backend: Backend, handle: Handle) -> Iterator[Poll]:
    cursor, told = "", 0
    while True:
        poll = backend.poll(handle, cursor=cursor)
        cursor = poll.cursor
        for event in poll.events:
            at = event.metrics
            if at and at.total_steps and at.train_loss is not None and 2 * at.step // at.total_steps > told:
                told += 1
                note("", event.message)
        yield poll
        if poll.state in ENDED:
            return
        time.sleep(_POLL_S)
