"""Vertex AI and Cloud Storage on a socket: the calls that tuning Gemini takes, and no more.

Tuning jobs, `generateContent`, the upload of Cloud Storage's JSON API and the way from an experiment to its TensorBoard
answer in the fields that Google's SDK and its REST reference name; requests with a field that the reference does not
have are refused. A job waits a moment, runs for three, and succeeds.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wire import Request, Response, Wire, served, told

PROJECT, LOCATION, BUCKET = "agency", "us-central1", "sixfold-tuning"
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
_CREATE = {"baseModel", "supervisedTuningSpec", "tunedModelDisplayName", "description", "labels"}
_SPEC = {"trainingDatasetUri", "validationDatasetUri", "hyperParameters"}
_KNOBS = {"epochCount", "learningRateMultiplier", "adapterSize"}
_STEPS_A_MOMENT, _MOMENTS, _EPOCHS = 4, 3, 3


@dataclass(kw_only=True)
class Job:
    told: dict
    moment: int = 0

    @property
    def steps(self) -> int:
        return _STEPS_A_MOMENT * max(0, min(self.moment - 1, _MOMENTS))


@dataclass(kw_only=True)
class VertexStandIn:
    """`hidden`: jobs that the list does not show yet."""

    wire: Wire = field(default_factory=Wire)
    jobs: dict[str, Job] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    page: int = 2

    @property
    def settings(self) -> dict[str, object]:
        return {
            "project": PROJECT, "location": LOCATION, "bucket": BUCKET, "access_token": "ya29.test",
            "base_url": self.wire.url, "storage_url": self.wire.url,
        }  # fmt: skip

    def tick(self) -> None:
        for job in self.jobs.values():
            if job.told["state"] in {"JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_CANCELLING"}:
                job.moment += 1
                self._move(job)

    def _move(self, job: Job) -> None:
        job_ = job.told
        if job_["state"] == "JOB_STATE_CANCELLING":
            job_ |= {"state": "JOB_STATE_CANCELLED", "endTime": "2026-11-23T09:05:00Z"}
            job_["error"] = {"code": 1, "message": "cancelled by the user"}
        elif job.moment == 1:
            job_ |= {"state": "JOB_STATE_RUNNING", "startTime": "2026-11-23T09:00:00Z"}
            job_["experiment"] = f"{PARENT}/metadataStores/default/contexts/tuning-experiment-{self._id(job)}"
            stats = {
                "tuningDatasetExampleCount": "100", "totalBillableTokenCount": "4200", "tuningStepCount": "12",
                "totalTruncatedExampleCount": "1", "truncatedExampleIndices": ["17"],
                "droppedExampleReasons": ["too many tokens"],
            }  # fmt: skip
            job_["tuningDataStats"] = {"supervisedTuningDataStats": stats}
        elif job.moment > _MOMENTS:
            self.succeed(job)

    def succeed(self, job: Job) -> None:
        number = self._id(job)
        endpoint = f"{PARENT}/endpoints/{number}"
        job.told |= {"state": "JOB_STATE_SUCCEEDED", "endTime": "2026-11-23T09:30:00Z"}
        first = {"checkpointId": "1", "epoch": "1", "step": "4", "endpoint": f"{endpoint}1"}
        model = f"{PARENT}/models/{number}@1"
        job.told["tunedModel"] = {"model": model, "endpoint": endpoint, "checkpoints": [first]}

    def fail(self, job: Job, message: str) -> None:
        job.told |= {"state": "JOB_STATE_FAILED", "error": {"code": 3, "message": message}}

    def _id(self, job: Job) -> str:
        return job.told["name"].rsplit("/", 1)[-1]

    def answer(self, request: Request) -> Response:
        if request.headers.get("Authorization", request.headers.get("authorization")) != "Bearer ya29.test":
            return refusal(401, "UNAUTHENTICATED", "no credentials")
        path = request.path.lstrip("/")
        for pattern, handle in self._routes():
            if found := re.fullmatch(pattern, f"{request.method} {path}"):
                return handle(request, *found.groups())
        return refusal(404, "NOT_FOUND", f"nothing at {path}")

    def _routes(self) -> tuple:
        api = rf"v1beta1/{PARENT}"
        return (
            (rf"POST {api}/tuningJobs", self._create),
            (rf"GET {api}/tuningJobs", self._list),
            (rf"GET {api}/tuningJobs/(\d+)", self._get),
            (rf"POST {api}/tuningJobs/(\d+):cancel", self._cancel),
            (rf"POST {api}/(endpoints/\d+|publishers/google/models/[\w.-]+):generateContent", self._generate),
            (r"POST upload/storage/v1/b/([\w-]+)/o", self._upload),
            (r"GET v1/(.*/contexts/[\w-]+)", self._context),
            (r"GET v1/(.*/tensorboards/\d+/experiments/[\w-]+)/runs", self._runs),
            (r"GET v1/(.*)/timeSeries", self._series),
            (r"GET v1/.*tuning-experiment-(\d+)/runs/1/timeSeries/(\d):read", self._values),
        )

    def _create(self, request: Request) -> Response:
        asked = request.json
        spec = asked["supervisedTuningSpec"]
        unknown = (asked.keys() - _CREATE) | (spec.keys() - _SPEC) | (spec.get("hyperParameters", {}).keys() - _KNOBS)
        if unknown:
            return refusal(400, "INVALID_ARGUMENT", f"unknown: {', '.join(sorted(unknown))}")
        for name in ("trainingDatasetUri", "validationDatasetUri"):
            if spec.get(name, "").removeprefix(f"gs://{BUCKET}/") not in {"", *self.objects}:
                return refusal(400, "INVALID_ARGUMENT", f"{name} does not exist")
        number = str(len(self.jobs) + 1)
        spec.setdefault("hyperParameters", {}).setdefault("epochCount", str(_EPOCHS))
        job = asked | {"name": f"{PARENT}/tuningJobs/{number}", "state": "JOB_STATE_PENDING"}
        job["createTime"] = f"2026-11-23T08:{len(self.jobs):02}:00Z"
        self.jobs[number] = Job(told=job)
        return told(job)

    def _list(self, request: Request) -> Response:
        shown = [job.told for number, job in self.jobs.items() if number not in self.hidden][::-1]
        begin = int(request.query.get("pageToken", 0))
        end = begin + self.page
        more = {"nextPageToken": str(end)} if end < len(shown) else {}
        return told({"tuningJobs": shown[begin:end]} | more if shown else {})

    def _get(self, request: Request, number: str) -> Response:
        job = self.jobs.get(number)
        return told(job.told) if job else refusal(404, "NOT_FOUND", "no such job")

    def _cancel(self, request: Request, number: str) -> Response:
        if number not in self.jobs:
            return refusal(404, "NOT_FOUND", "no such job")
        if self.jobs[number].told["state"] in {"JOB_STATE_PENDING", "JOB_STATE_RUNNING"}:
            self.jobs[number].told["state"] = "JOB_STATE_CANCELLING"
        return told({})

    def _generate(self, request: Request, model: str) -> Response:
        asked = request.json
        question = json.dumps([asked["contents"], asked.get("systemInstruction")])
        text = f"Q{int(hashlib.sha256(question.encode()).hexdigest(), 16) % 3}"
        cut = asked["generationConfig"]["maxOutputTokens"] < 2
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}}
        candidate["finishReason"] = "MAX_TOKENS" if cut else "STOP"
        usage = {"promptTokenCount": len(question) // 4, "candidatesTokenCount": 2}
        return told({"candidates": [candidate], "usageMetadata": usage})

    def _upload(self, request: Request, bucket: str) -> Response:
        name = request.query["name"]
        if name in self.objects and request.query.get("ifGenerationMatch") == "0":
            return refusal(412, "conditionNotMet", "it exists")
        self.objects[name] = request.body
        return told({"name": name, "md5Hash": base64.b64encode(hashlib.md5(request.body).digest()).decode()})

    def _context(self, request: Request, name: str) -> Response:
        board = f"{PARENT}/tensorboards/7"
        return told({"name": name, "metadata": {"backing_tensorboard_resource": board}})

    def _runs(self, request: Request, experiment: str) -> Response:
        return told({"tensorboardRuns": [{"name": f"{experiment}/runs/1"}]})

    def _series(self, request: Request, run: str) -> Response:
        names = ("/train_total_loss", "/train_fraction_of_correct_next_step_preds", "/eval_total_loss", "/other")
        return told({
            "tensorboardTimeSeries": [
                {"name": f"{run}/timeSeries/{number}", "displayName": name} for number, name in enumerate(names)
            ],
        })  # fmt: skip

    def _values(self, request: Request, number: str, series: str) -> Response:
        """Validation at every fourth step, one moment behind."""
        steps = self.jobs[number].steps
        if series == "2":
            ended = self.jobs[number].told["state"] == "JOB_STATE_SUCCEEDED"
            shown = range(4, (steps if ended else steps - _STEPS_A_MOMENT) + 1, 4)
        else:
            shown = range(1, steps + 1)
        values = [
            {"wallTime": f"2026-11-23T09:{step:02}:00Z", "step": str(step), "scalar": {"value": round(2 / step, 3)}}
            for step in shown
        ]
        return told({"timeSeriesData": {"values": values}})


def refusal(status: int, code: str, message: str) -> Response:
    """An error as Google's APIs write it."""
    return told({"error": {"code": status, "status": code, "message": message}}, status=status)


@contextmanager
def vertex_served() -> Iterator[VertexStandIn]:
    stand_in = VertexStandIn()
    with served(stand_in.answer) as wire:
        stand_in.wire = wire
        yield stand_in
