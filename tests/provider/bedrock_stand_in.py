"""Amazon Bedrock and S3 on a socket: moto's server, and in front of it what moto does not have.

moto keeps jobs, models and objects as AWS describes them, and leaves a job `InProgress` until it is stopped; so its end
is set here, in moto's own record of the job, and the curve is written to S3 as Bedrock would. moto has no deployments
and no Converse: those two are answered here, with the fields that the SDK's own description requires. It checks no
signature and no role.
"""

import atexit
import hashlib
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from moto.bedrock.models import ModelCustomizationJob, bedrock_backends
from moto.server import ThreadedMotoServer
from wire import Request, Response, Wire, served, told

REGION, ACCOUNT, BUCKET = "us-east-1", "123456789012", "sixfold-tuning"
KEYS = {"access_key_id": "AKIATEST", "secret_access_key": "secret"}
_STEPS = 6


@dataclass(kw_only=True)
class BedrockStandIn:
    """`deployed`: models that answer, by the ARN of their deployment."""

    wire: Wire
    s3: Any = None
    deployed: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, object]:
        role = f"arn:aws:iam::{ACCOUNT}:role/sixfold"
        return KEYS | {"region": REGION, "bucket": BUCKET, "role_arn": role, "endpoint_url": self.wire.url}

    @property
    def jobs(self) -> dict[str, ModelCustomizationJob]:
        return bedrock_backends[ACCOUNT][REGION].model_customization_jobs

    def objects(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET)
        return [each["Key"] for each in found.get("Contents", ())]

    def complete(self, name: str) -> None:
        """As Bedrock ends a job: its curve in S3, ten minutes after it began, and the model to be had."""
        job = self.jobs[name]
        self._write_curve(job)
        job.creation_time, job.end_time = "2026-11-01 09:00:00", "2026-11-01 09:10:00"
        job.status = "Completed"
        self.deployed[f"arn:aws:bedrock:{REGION}:{ACCOUNT}:custom-model-deployment/{name}"] = job.output_model_arn

    def fail(self, name: str, message: str) -> None:
        self.jobs[name].status, self.jobs[name].failure_message = "Failed", message

    def _write_curve(self, job: ModelCustomizationJob) -> None:
        folder = f"{job.output_data_config['s3Uri'].split(BUCKET + '/')[1]}model-customization-job-abc/"
        steps = [f"{step},{step // 3},{2 / (step + 1):.3f},{3 / (step + 1):.3f}" for step in range(_STEPS)]
        texts = {
            "training_artifacts/step_wise_training_metrics.csv": [
                "step_number,epoch_number,training_loss,perplexity", *steps,
            ],
            "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv": [
                "step_number,epoch_number,validation_loss,perplexity", "5,1,0.625,1.868",
            ],
        }  # fmt: skip
        for name, lines in texts.items():
            self.s3.put_object(Bucket=BUCKET, Key=folder + name, Body="\n".join(lines).encode())

    def answer(self, request: Request) -> Response | None:
        """None for what moto answers."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["model-customization", "custom-model-deployments"]:
                return told({"modelDeploymentSummaries": self._deployments(request.query["modelArnEquals"])})
            case "GET", ["provisioned-model-throughputs"]:
                return told({"provisionedModelSummaries": []})
            case "POST", ["model", *model, "converse"]:
                return self._converse("/".join(model), request.json)
        return None

    def _deployments(self, model: str) -> list[dict[str, str]]:
        return [
            {
                "customModelDeploymentArn": arn, "customModelDeploymentName": "d", "modelArn": model,
                "createdAt": "2026-11-01T09:00:00Z", "status": "Active", "lastUpdatedAt": "2026-11-01T09:00:00Z",
            }
            for arn, deployed in self.deployed.items()
            if deployed == model
        ]  # fmt: skip

    def _converse(self, model: str, asked: dict) -> Response:
        if ":custom-model" in model and model not in self.deployed:
            return Response(
                status=404, body=b'{"message": "no such model"}', headers=_named("ResourceNotFoundException")
            )
        question = json.dumps([asked["messages"], asked.get("system")])
        text = f"Q{int(hashlib.sha256(question.encode()).hexdigest(), 16) % 3}"
        cut = asked["inferenceConfig"]["maxTokens"] < 2
        return told({
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
            "stopReason": "max_tokens" if cut else "end_turn",
            "usage": {"inputTokens": len(question) // 4, "outputTokens": 2, "totalTokens": len(question) // 4 + 2},
            "metrics": {"latencyMs": 3},
        })  # fmt: skip


def refusal(code: str, message: str, *, status: int = 400) -> Response:
    """An error as AWS's JSON protocol writes it."""
    return Response(status=status, body=json.dumps({"message": message}).encode(), headers=_named(code))


@contextmanager
def bedrock_served() -> Iterator[BedrockStandIn]:
    """Empty; one moto and one socket serve the whole process, since loading both and making clients takes a second."""
    stand_in = _world()
    _forwarded(*_moto(), Request(method="POST", target="/moto-api/reset", headers={}, body=b""))
    stand_in.deployed.clear()
    stand_in.s3.create_bucket(Bucket=BUCKET)
    stand_in.wire.faults.clear()
    stand_in.wire.seen.clear()
    yield stand_in


@cache
def _world() -> BedrockStandIn:
    stand_in = BedrockStandIn(wire=Wire())
    served_now = served(lambda request: stand_in.answer(request) or _forwarded(*_moto(), request))
    stand_in.wire = served_now.__enter__()
    atexit.register(served_now.__exit__, None, None, None)
    stand_in.s3 = boto3.client(
        "s3", region_name=REGION, endpoint_url=stand_in.wire.url, aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
    )  # fmt: skip
    return stand_in


@cache
def _moto() -> tuple[str, int]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    atexit.register(moto.stop)
    return moto.get_host_and_port()


def _named(code: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "x-amzn-ErrorType": code}


def _forwarded(host: str, port: int, request: Request) -> Response:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    headers = {name: value for name, value in request.headers.items() if name not in {"Transfer-Encoding", "Expect"}}
    connection.request(request.method, request.target, body=request.body, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    kept = {name: value for name, value in answer.getheaders() if name not in {"Connection", "Server", "Date"}}
    if request.method != "HEAD":
        kept["Content-Length"] = str(len(body))
    return Response(status=answer.status, body=body, headers=kept)
