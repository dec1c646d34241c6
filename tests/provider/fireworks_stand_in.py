"""Fireworks' API on a socket: the calls that tuning takes, and no more.

Requests are held against the parameters of Fireworks' own SDK, and every answer against its types; a field that they do
not have is refused. A job waits, is validated, runs for two moments over two epochs, and succeeds.
"""

import email
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import get_args, get_type_hints

from fireworks import types as sdk
from fireworks._utils import PropertyInfo
from fireworks.types.dataset_create_params import DatasetCreateParams
from fireworks.types.dataset_get_upload_endpoint_params import DatasetGetUploadEndpointParams
from fireworks.types.dpo_job_create_params import DpoJobCreateParams
from fireworks.types.supervised_fine_tuning_job_create_params import SupervisedFineTuningJobCreateParams
from pydantic import TypeAdapter
from typing_extensions import is_typeddict
from wire import Request, Response, Wire, served, told

ACCOUNT, KEY = "acme", "fw-of-the-test"
PARENT = f"accounts/{ACCOUNT}"
PARAMETERS = {"supervisedFineTuningJobs": SupervisedFineTuningJobCreateParams, "dpoJobs": DpoJobCreateParams}
SHAPES = {"supervisedFineTuningJobs": sdk.SupervisedFineTuningJob, "dpoJobs": sdk.DpoJob}
IDS = {"supervisedFineTuningJobs": "supervisedFineTuningJobId", "dpoJobs": "dpoJobId"}
_STATES = ("PENDING", "VALIDATING", "RUNNING", "RUNNING", "WRITING_RESULTS", "COMPLETED")
_PROGRESS = {2: (0, 50), 3: (1, 30), 4: (1, 100), 5: (1, 100)}
_STEPS = 6


@dataclass(kw_only=True)
class Job:
    kind: str
    told: dict
    moment: int = 0


@dataclass(kw_only=True)
class FireworksStandIn:
    """`slow`: a dataset that was uploaded is read until `tick`. `at_once_max`: bytes that one upload takes."""

    wire: Wire = field(default_factory=Wire)
    jobs: dict[str, Job] = field(default_factory=dict)
    datasets: dict[str, dict] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    deployed: bool = True
    slow: bool = False
    metrics: bytes | None = None

    @property
    def settings(self) -> dict[str, object]:
        return {"account": ACCOUNT, "api_key": KEY, "base_url": self.wire.url}

    def tick(self) -> None:
        for name in self.contents:
            self.datasets[name]["state"] = "READY"
        for job in self.jobs.values():
            self._move(job)

    def _move(self, job: Job) -> None:
        if job.told["state"] == "JOB_STATE_CANCELLING":
            job.told |= {"state": "JOB_STATE_CANCELLED", "completedTime": "2026-11-23T09:05:00Z"}
        elif job.told["state"].removeprefix("JOB_STATE_") in _STATES[:-1]:
            job.moment += 1
            self._describe(job)

    def _describe(self, job: Job) -> None:
        job.told["state"] = f"JOB_STATE_{_STATES[job.moment]}"
        if job.kind == "supervisedFineTuningJobs":
            job.told["updateTime"] = f"2026-11-23T09:{job.moment:02}:00Z"
            if job.moment in _PROGRESS:
                epoch, percent = _PROGRESS[job.moment]
                job.told["jobProgress"] = {"epoch": epoch, "percent": percent, "inputTokens": 4_200 * (epoch + 1)}
        if job.moment == len(_STATES) - 1:
            job.told["completedTime"] = "2026-11-23T09:30:00Z"
            if job.kind == "supervisedFineTuningJobs":
                job.told["metricsFileSignedUrl"] = f"{self.wire.url}/signed/metrics"

    def fail(self, name: str, message: str) -> None:
        self.jobs[name].told |= {
            "state": "JOB_STATE_FAILED", "status": {"code": "INVALID_ARGUMENT", "message": message},
        }  # fmt: skip

    def answer(self, request: Request) -> Response:
        path = request.path.lstrip("/")
        signed = path.startswith("signed/")
        key = request.headers.get("Authorization", request.headers.get("authorization"))
        if signed and key:
            return refusal(400, "INVALID_ARGUMENT", "a signed address wants no key")
        if not signed and key != f"Bearer {KEY}":
            return refusal(401, "UNAUTHENTICATED", "no such key")
        for pattern, handle in self._routes():
            if found := re.fullmatch(pattern, f"{request.method} {path}"):
                return handle(request, *found.groups())
        return refusal(404, "NOT_FOUND", f"nothing at {path}")

    def _routes(self) -> tuple:
        api, kind = f"v1/{PARENT}", r"(supervisedFineTuningJobs|dpoJobs)"
        return (
            (rf"POST {api}/datasets", self._create_dataset),
            (rf"GET {api}/datasets/([\w-]+)", self._get_dataset),
            (rf"POST {api}/datasets/([\w-]+):upload", self._upload),
            (rf"POST {api}/datasets/([\w-]+):getUploadEndpoint", self._upload_endpoint),
            (rf"POST {api}/datasets/([\w-]+):validateUpload", self._validate_upload),
            (r"PUT signed/datasets/([\w-]+)", self._put),
            (rf"POST {api}/{kind}", self._create_job),
            (rf"GET {api}/{kind}/([\w-]+)", self._get_job),
            (rf"POST {api}/{kind}/([\w-]+):cancel", self._cancel),
            (rf"GET {api}/dpoJobs/([\w-]+):getMetricsFileEndpoint", self._metrics_endpoint),
            (r"GET signed/metrics", self._metrics),
            (r"POST inference/v1/chat/completions", self._complete),
        )

    def _create_dataset(self, request: Request) -> Response:
        if wrong := faults(DatasetCreateParams, request.json):
            return refusal(400, "INVALID_ARGUMENT", wrong)
        name = request.json["datasetId"]
        if name in self.datasets:
            return refusal(409, "ALREADY_EXISTS", f"dataset {name} exists")
        made = {"name": f"{PARENT}/datasets/{name}", "state": "UPLOADING", "createTime": "2026-11-23T08:00:00Z"}
        self.datasets[name] = request.json["dataset"] | made
        return said(sdk.Dataset, self.datasets[name])

    def _get_dataset(self, request: Request, name: str) -> Response:
        if name not in self.datasets:
            return refusal(404, "NOT_FOUND", "no such dataset")
        return said(sdk.Dataset, self.datasets[name])

    def _upload(self, request: Request, name: str) -> Response:
        head = f"Content-Type: {request.headers.get('Content-Type', request.headers.get('content-type'))}\r\n\r\n"
        (part,) = email.message_from_bytes(head.encode() + request.body).get_payload()
        content = part.get_payload(decode=True)
        self._arrived(name, content)
        return said(sdk.DatasetUploadResponse, {"filename": part.get_filename(), "bytes": len(content)})

    def _arrived(self, name: str, content: bytes) -> None:
        self.contents[name] = content
        self.datasets[name]["state"] = "UPLOADING" if self.slow else "READY"

    def _upload_endpoint(self, request: Request, name: str) -> Response:
        if wrong := faults(DatasetGetUploadEndpointParams, request.json):
            return refusal(400, "INVALID_ARGUMENT", wrong)
        urls = dict.fromkeys(request.json["filenameToSize"], f"{self.wire.url}/signed/datasets/{name}")
        return said(sdk.DatasetGetUploadEndpointResponse, {"filenameToSignedUrls": urls})

    def _put(self, request: Request, name: str) -> Response:
        headers = {key.lower(): value for key, value in request.headers.items()}
        size = len(request.body)
        wanted = (f"{size},{size}", "application/octet-stream")
        if (headers.get("x-goog-content-length-range"), headers.get("content-type")) != wanted:
            return refusal(403, "PERMISSION_DENIED", "the signature does not match")
        self.contents[name] = request.body
        return Response()

    def _validate_upload(self, request: Request, name: str) -> Response:
        self._arrived(name, self.contents[name])
        return told({})

    def _create_job(self, request: Request, kind: str) -> Response:
        asked, name = request.json, request.query[IDS[kind]]
        if wrong := faults(PARAMETERS[kind], asked):
            return refusal(400, "INVALID_ARGUMENT", wrong)
        if name in self.jobs:
            return refusal(409, "ALREADY_EXISTS", f"job {name} exists")
        for each in filter(None, (asked["dataset"], asked.get("evaluationDataset"))):
            if self.datasets.get(each.removeprefix(f"{PARENT}/datasets/"), {}).get("state") != "READY":
                return refusal(400, "FAILED_PRECONDITION", f"{each} is not ready")
        made = {"name": f"{PARENT}/{kind}/{name}", "state": "JOB_STATE_PENDING", "createTime": "2026-11-23T09:00:00Z"}
        if kind == "supervisedFineTuningJobs":
            made["estimatedCost"] = {"currencyCode": "USD", "units": "1", "nanos": 250_000_000}
        self.jobs[name] = Job(kind=kind, told=asked | made)
        return said(SHAPES[kind], self.jobs[name].told)

    def _get_job(self, request: Request, kind: str, name: str) -> Response:
        job = self.jobs.get(name)
        return said(SHAPES[kind], job.told) if job and job.kind == kind else refusal(404, "NOT_FOUND", "no such job")

    def _cancel(self, request: Request, kind: str, name: str) -> Response:
        if name not in self.jobs:
            return refusal(404, "NOT_FOUND", "no such job")
        if self.jobs[name].told["state"].removeprefix("JOB_STATE_") not in _STATES[:-1]:
            return refusal(400, "FAILED_PRECONDITION", "it has ended")
        self.jobs[name].told["state"] = "JOB_STATE_CANCELLING"
        return told({})

    def _metrics_endpoint(self, request: Request, name: str) -> Response:
        return said(sdk.DpoJobGetMetricsFileEndpointResponse, {"signedUrl": f"{self.wire.url}/signed/metrics"})

    def _metrics(self, request: Request) -> Response:
        lines = [{"step": step, "train/loss": round(2 / step, 3), "train/lr": 1e-4} for step in range(1, _STEPS + 1)]
        return Response(body=self.metrics or b"".join(json.dumps(each).encode() + b"\n" for each in lines))

    def _complete(self, request: Request) -> Response:
        asked = request.json
        if asked["model"].startswith(PARENT) and not self.deployed:
            return refusal(404, "NOT_FOUND", "Model not found, inaccessible, and/or not deployed")
        text = f"Q{int(hashlib.sha256(json.dumps(asked['messages']).encode()).hexdigest(), 16) % 3}"
        reason = "length" if asked["max_tokens"] < 2 else "stop"
        choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text}}
        return told({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}})


def faults(parameters: type, asked: object) -> str:
    """What the SDK's parameters do not have, or have otherwise; "" where nothing."""
    try:
        TypeAdapter(parameters).validate_python(_named(parameters, asked, parameters.__name__), strict=True)
    except ValueError as error:
        return str(error)
    return ""


def _named(parameters: type, asked: dict, where: str) -> dict:
    """By the SDK's names. Raises `ValueError` for a name on the wire that the SDK has not."""
    hints = get_type_hints(parameters, include_extras=True)
    on_the_wire = {_alias(hint) or name: name for name, hint in hints.items()}
    if unknown := asked.keys() - on_the_wire.keys():
        raise ValueError(f"{where} has no {', '.join(sorted(unknown))}")
    return {
        on_the_wire[key]: _named(inner, value, key) if (inner := _inner(hints[on_the_wire[key]])) else value
        for key, value in asked.items()
    }


def _alias(hint: object) -> str | None:
    return next((each.alias for each in _within(hint) if isinstance(each, PropertyInfo)), None)


def _inner(hint: object) -> type | None:
    return next((each for each in [hint, *_within(hint)] if is_typeddict(each)), None)


def _within(hint: object) -> list[object]:
    return [found for each in get_args(hint) for found in (each, *_within(each))]


def said(shape: type, value: dict) -> Response:
    """An answer that the SDK's type has; a broken one is a fault of ours, and shows as such."""
    known = {each.alias or name for name, each in shape.model_fields.items()}
    # What stands in requests alone, the SDK's types do not tell back.
    shown = {name: each for name, each in value.items() if name in known}
    shape.model_validate(shown)
    return told(shown)


def refusal(status: int, code: str, message: str) -> Response:
    """As Google's gateways write it, which Fireworks' API is made with; its own description has no errors."""
    return told({"error": {"code": status, "status": code, "message": message}}, status=status)


@contextmanager
def fireworks_served() -> Iterator[FireworksStandIn]:
    stand_in = FireworksStandIn()
    with served(stand_in.answer) as wire:
        stand_in.wire = wire
        yield stand_in
