"""A real Ray in an environment of its own, and the real worker: slow, and the measure of our stand-in."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from cases_peft import FEW_STEPS
from cases_ray import RayCase
from tiny_llama import tiny_llama

from backends.errors import RunLost
from backends.events import ENDED, EventKind, RunState
from backends.memory import FileMemory
from backends.protocol import Handle

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PROJECT = Path(__file__).parents[3]
INSTALL_S, START_S, RUN_S = 600, 120, 300


@pytest.fixture(scope="module")
def ray_command(request):
    """Of an environment that is made once and kept in pytest's cache: 382 MB."""
    kept = Path(request.config.cache.mkdir("ray"))
    command = kept / "environment" / "bin" / "ray"
    if not command.exists():
        shutil.rmtree(kept / "environment", ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(kept / "environment")], check=True)
        pip = [str(kept / "environment" / "bin" / "pip"), "install", "-q", "-c", str(PROJECT / "constraints.txt")]
        made = subprocess.run([*pip, "ray[default]"], capture_output=True, timeout=INSTALL_S, check=False)
        if made.returncode:
            pytest.skip(f"Ray cannot be installed here: {made.stderr.decode()[-300:]}")
    return command


@pytest.fixture(scope="module")
def cluster(ray_command):
    """Its address. Everything of it is ended afterwards, found by the folder that is its own."""
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    port, dashboard, client, agent = (free_port() for _ in range(4))
    command = [
        str(ray_command), "start", "--head", "--block", "--num-cpus=2", f"--port={port}", f"--temp-dir={folder}",
        "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}", "--disable-usage-stats",
        "--node-ip-address=127.0.0.1", f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={agent}",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": folder}
    with (Path(folder) / "output").open("wb") as output:
        head = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{dashboard}"
    try:
        wait_for(address, head, Path(folder) / "output")
        yield address
    finally:
        head.terminate()
        with suppress(subprocess.TimeoutExpired):
            head.wait(timeout=20)
        end_all(folder)
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address, head, output):
    until = time.monotonic() + START_S
    while time.monotonic() < until and head.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{address}/api/jobs/", timeout=2, trust_env=False).is_success:
                return
        time.sleep(0.5)
    pytest.fail(f"Ray does not start: {output.read_text('utf-8', 'replace')[-500:]}")


def end_all(folder):
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


@pytest.fixture
def case(cluster, tmp_path):
    real = SimpleNamespace(wire=SimpleNamespace(url=cluster))
    world = RayCase(tmp_path, tiny_llama(tmp_path / "model"), real)
    world.name = tmp_path.name.replace(".", "_")
    return world


def backend_of(case):
    return case.backend(worker="backends.peft_local.worker", pythonpath=str(PROJECT))


def finish(backend, handle, until=ENDED):
    cursor, events, deadline = "", [], time.monotonic() + RUN_S
    while time.monotonic() < deadline:
        told = backend.poll(handle, cursor=cursor)
        cursor = told.cursor
        events += told.events
        if told.state in until:
            return told, events
        time.sleep(0.5)
    pytest.fail(f"it does not end; last: {told}")


def test_a_real_run_on_a_real_cluster_ends_with_a_model_that_answers(case, tmp_path):
    backend, spec = backend_of(case), case.spec(f"{case.name}-1", hyperparameters=FEW_STEPS)
    handle = backend.start(spec, FileMemory(path=tmp_path / "memory.json"), now=NOW)
    forgotten = FileMemory(path=tmp_path / "forgotten.json")
    assert backend.start(spec, forgotten, now=NOW) == handle
    told, events = finish(backend, handle)
    assert (told.state, told.failure, told.provider_state in {"RUNNING", "SUCCEEDED"}) == (
        RunState.SUCCEEDED,
        None,
        True,
    )
    steps = [each.metrics.step for each in events if each.kind is EventKind.METRICS]
    assert steps == [0, 1, 2, 3, 4, 5, 6]
    predictor = backend.predictor(told.model)
    (answer,) = predictor.predict_many([[{"role": "user", "content": "which queue takes ticket 1?"}]], max_tokens=4)
    predictor.close()
    assert isinstance(answer.text, str)


def test_a_real_job_is_stopped_and_a_job_that_nobody_knows_is_lost(case, tmp_path):
    long = FEW_STEPS.model_copy(update={"epochs": 50})
    backend, spec = backend_of(case), case.spec(f"{case.name}-2", hyperparameters=long)
    handle = backend.start(spec, FileMemory(path=tmp_path / "memory.json"), now=NOW)
    finish(backend, handle, until={RunState.RUNNING})
    backend.cancel(handle)
    told, _ = finish(backend, handle)
    assert told.state is RunState.CANCELLED
    backend.cancel(handle)
    assert backend.poll(handle).state is RunState.CANCELLED
    with pytest.raises(RunLost):
        backend.poll(Handle(backend="ray", reference="nobody"))
