"""The application while it trains: what its process holds, and how long it lets people wait.

A server of its own process over the demo's second engagement, asked by one caller: idle, while its
local backend trains SmolLM2-135M-Instruct beside it, idle again. A request is one record or one list by the API. The
memory is that of the server's process alone; the trainer is another one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread
from typing import Any

import httpx
import psutil
from measurement import Measurement

from engagements.client import Sixfold
from engagements.demo import agreeing, routing_data
from engagements.demo.data import RAW
from engagements.demo.house import DELIVERY, LEAD, House, found, welcome
from engagements.demo.model.weights import NAME, converted, laid_down
from engagements.demo.routing import CSV_NAME, exported
from engagements.demo.server import serving
from engagements.demo.story import Story
from engagements.demo.training import BACKEND, backend
from engagements.settings import Settings
from estimator.brief.example import example_brief

IDLE_S, BUSY_S = 10.0, 30.0
BETWEEN_S = 0.02
"""A caller takes breath between two requests, as people and programs do."""
MEMORY_BAR_MB, WAIT_BAR = 250, 2.0


@dataclass(frozen=True, kw_only=True)
class World:
    """What a server finds when it is started on `home`, and who asks it."""

    home: Path
    engagement_id: str
    client_id: str
    version_id: str
    key: str


def measure() -> Iterator[Measurement]:
    if not laid_down().is_file():
        return
    model = converted(laid_down())
    with tempfile.TemporaryDirectory() as place, chdir(place):
        world = _world(Path(place) / "home")
        with _served(world, model) as (url, process), _memory(process) as peak:
            before = _waits(url, world, IDLE_S)
            run = _train(url, world)
            during = _waits(url, world, BUSY_S, until_over=run)
            _stop(url, world, run)
            after = _waits(url, world, IDLE_S)
    idle, busy = _p95_ms(before + after), _p95_ms(during)
    yield Measurement(
        name="API while a model trains beside it: p95 of an idle one's", measured=busy / idle, unit="x",
        bar=f"<= {WAIT_BAR:g}", holds=busy / idle <= WAIT_BAR,
        beside=f"{busy:.0f} ms over {len(during)} requests, idle {idle:.0f} ms over {len(before + after)}",
    )  # fmt: skip
    held = max(peak) / 1e6
    yield Measurement(
        name="API process while a model trains, most memory", measured=held, unit="MB", bar=f"<= {MEMORY_BAR_MB}",
        holds=held <= MEMORY_BAR_MB, beside=f"{min(peak) / 1e6:.0f} MB at its start; the trainer is another process",
    )  # fmt: skip


def _world(home: Path) -> World:
    """The second engagement of the demo up to its sealed data, with phase 3 begun."""
    story = Story.until(datetime.now(UTC).date())
    brief = json.loads(json.dumps(tomllib.loads(example_brief(story.today)), default=str))
    brief["data"].pop("dataset", None)
    who = brief["client"]["contact_name"]
    RAW.mkdir()
    (RAW / CSV_NAME).write_bytes(exported(7))
    with serving(Settings(home=home), story.clock) as running:
        house = found(running)
        first = _first(running.url, house, brief["client"]["name"])
        welcome(running, house, client_id=first.client_id, name=who, email=brief["client"]["contact_email"])
        engagement = agreeing.agree(running.url, house, story, first, brief)
        with (
            Sixfold(running.url, house.keys[DELIVERY]) as delivery, Sixfold(running.url, house.keys[LEAD]) as lead,
            Sixfold(running.url, house.keys[who]) as client,
        ):  # fmt: skip
            agreeing.begin(delivery, house, engagement.id, who)
            version = routing_data.prepare(running.url, delivery, house, engagement.id)
            for phase, following in (("data_preparation", "baseline_evaluation"), ("baseline_evaluation", "training")):
                agreeing.overrule(lead, client, delivery, engagement.id, phase, next_one=following)
        return World(
            home=home, engagement_id=engagement.id, client_id=first.client_id, version_id=version.id,
            key=house.keys[DELIVERY],
        )  # fmt: skip


def _first(url: str, house: House, client_name: str) -> Any:
    with Sixfold(url, house.keys[LEAD]) as lead:
        client = lead.clients.create(name=client_name, country="DE")
        return lead.engagements.open(client_id=client.id, name="First", owner_id=house.people[LEAD])


@contextmanager
def _served(world: World, model: Path) -> Iterator[tuple[str, psutil.Process]]:
    trainer = backend(model, on=datetime.now(UTC).date())
    backends = {BACKEND: trainer.model_dump(mode="json", exclude_defaults=True)}
    told = {"SIXFOLD_HOME": str(world.home), "SIXFOLD_BACKENDS": json.dumps(backends)}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIXFOLD_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "engagements", "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**clean, **told},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        said = json.loads(b"".join(iter(server.stdout.readline, b"}\n")) + b"}")
        assert "url" in said, said
        yield said["url"], psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _memory(process: psutil.Process) -> Iterator[Sequence[int]]:
    """Looks at what the process holds resident, twice a second, in bytes."""
    seen, over = [process.memory_info().rss], Event()

    def look() -> None:
        while not over.wait(0.5):
            seen.append(process.memory_info().rss)

    looking = Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def _train(url: str, world: World) -> str:
    """Starts one run that is longer than we look, and waits for its second step; its id."""
    knobs: Mapping[str, Any] = {
        "epochs": 40, "batch_size": 8, "micro_batch_size": 8, "learning_rate": 2e-3, "adapter": "lora", "rank": 8,
        "alpha": 16, "max_length": 128, "evaluations": 1, "checkpoints": 1,
    }  # fmt: skip
    with Sixfold(url, world.key) as delivery:
        planned = delivery.experiments.plan(
            world.engagement_id, name="Long", dataset_version_id=world.version_id, metric="label",
            base={"backend": BACKEND, "model": NAME, "hyperparameters": knobs}, cap_minor=500, cap_hours=4.0,
            answer_tokens_max=6,
        )  # fmt: skip
        (run,) = delivery.experiments.start(planned.id).runs
        while delivery.training_runs.get(run.id).now.step < 2:
            time.sleep(0.5)
        return run.id


def _stop(url: str, world: World, run_id: str) -> None:
    with Sixfold(url, world.key) as delivery:
        delivery.training_runs.cancel(run_id)
        for _ in delivery.training_runs.follow(run_id):
            pass


def _waits(url: str, world: World, seconds: float, *, until_over: str = "") -> list[float]:
    """How long each request took, in seconds. With a run, it must train all along."""
    engagement = f"/api/v1/engagements/{world.engagement_id}"
    paths = [f"/api/v1/clients/{world.client_id}", engagement, f"{engagement}/experiments"]
    waited: list[float] = []
    with httpx.Client(base_url=url, headers={"X-API-Key": world.key}, timeout=60) as caller:
        for path in paths:
            caller.get(path).raise_for_status()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            caller.get(paths[len(waited) % len(paths)]).raise_for_status()
            waited.append(time.perf_counter() - began)
            time.sleep(BETWEEN_S)
        if until_over:
            state = caller.get(f"/api/v1/training-runs/{until_over}").json()["state"]
            assert state == "running", f"the run was {state} before we had looked"
    return waited


def _p95_ms(waited: Sequence[float]) -> float:
    return 1_000 * quantiles(waited, n=20)[-1]
