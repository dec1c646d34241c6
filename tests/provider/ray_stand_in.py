"""Ray Jobs on a socket: the calls of its REST interface that a job takes, over processes that really run.

Statuses, texts and status codes are those that Ray 2.60 was seen to answer; where jobs run, how they are packed and
what they may use is not imitated.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from wire import Request, Response, Wire, served, told

_GRACE_S = 3.0
_FIELDS = {
    "entrypoint", "submission_id", "runtime_env", "metadata", "entrypoint_num_cpus", "entrypoint_num_gpus",
    "entrypoint_memory",
}  # fmt: skip


@dataclass(kw_only=True)
class Job:
    asked: dict
    process: subprocess.Popen
    began: int
    stopped: bool = False
    said: str = ""

    @property
    def status(self) -> str:
        code = self.process.poll()
        if self.said:
            return self.said
        if code is None:
            return "RUNNING"
        return "STOPPED" if self.stopped else "FAILED" if code else "SUCCEEDED"

    @property
    def told(self) -> dict:
        status = self.status
        failed = f"Job entrypoint command failed with exit code {self.process.returncode}, last available logs"
        said = {"RUNNING": "Job is currently running.", "STOPPED": "Job was intentionally stopped."}
        message = said.get(status, failed if status == "FAILED" else "Job finished successfully.")
        ended = status in {"STOPPED", "FAILED", "SUCCEEDED"}
        return {
            "type": "SUBMISSION", "job_id": None, "submission_id": self.asked["submission_id"], "status": status,
            "entrypoint": self.asked["entrypoint"], "message": message, "metadata": self.asked.get("metadata"),
            "error_type": "JOB_ENTRYPOINT_COMMAND_ERROR" if status == "FAILED" else None,
            "start_time": self.began, "end_time": self.began + 2500 if ended else None,
            "driver_exit_code": self.process.returncode,
        }  # fmt: skip


@dataclass(kw_only=True)
class RayStandIn:
    wire: Wire = field(default_factory=Wire)
    jobs: dict[str, Job] = field(default_factory=dict)

    def answer(self, request: Request) -> Response:
        match request.method, request.path.strip("/").split("/")[1:]:
            case "POST", ["jobs"]:
                return self._submit(request.json)
            case "GET", ["jobs"]:
                return told([job.told for job in self.jobs.values()])
            case "GET", ["jobs", name] if name in self.jobs:
                return told(self.jobs[name].told)
            case "GET", ["jobs", name, "logs"] if name in self.jobs:
                return told({"logs": ""})
            case "POST", ["jobs", name, "stop"] if name in self.jobs:
                return told({"stopped": self._stop(self.jobs[name])})
            case _, ["jobs", name, *_]:
                return Response(status=404, body=f"Job {name} does not exist".encode())
        return Response(status=404, body=b"404: Not Found")

    def _submit(self, asked: dict) -> Response:
        name = asked["submission_id"]
        if unknown := asked.keys() - _FIELDS:
            return Response(status=400, body=f"TypeError: unexpected keyword argument {sorted(unknown)}".encode())
        if name in self.jobs:
            words = (
                f"ValueError: Job with submission_id {name} already exists. Please use a different submission_id.\n."
            )
            return Response(status=500, body=f"Traceback (most recent call last):\n  File\n{words}\n".encode())
        environment = {"PATH": os.environ["PATH"]} | asked["runtime_env"]["env_vars"]
        process = subprocess.Popen(
            ["/bin/sh", "-c", asked["entrypoint"]], env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.jobs[name] = Job(asked=asked, process=process, began=1_795_449_874_943)
        return told({"job_id": name, "submission_id": name})

    def _stop(self, job: Job) -> bool:
        if job.process.poll() is not None:
            return False
        job.stopped = True
        os.killpg(job.process.pid, signal.SIGTERM)
        threading.Thread(target=_insist, args=(job.process,), daemon=True).start()
        return True

    def end(self) -> None:
        for job in self.jobs.values():
            with suppress(ProcessLookupError):
                os.killpg(job.process.pid, signal.SIGKILL)
            job.process.wait()


def _insist(process: subprocess.Popen) -> None:
    until = time.monotonic() + _GRACE_S
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def ray_served() -> Iterator[RayStandIn]:
    stand_in = RayStandIn()
    with served(stand_in.answer) as wire:
        stand_in.wire = wire
        try:
            yield stand_in
        finally:
            stand_in.end()
