"""At most one live job for each run.

A job's name is unique in the account and its client token makes a request that is sent twice one job, so what became of
a lost answer is settled by looking for the name, and a create may be sent again.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # botocore ships no types

from backends.bedrock.account import NOT_FOUND, TAKEN, Account, code_of, creating, reading
from backends.bedrock.families import Family
from backends.bedrock.progress import Job
from backends.checks import given_files, unaltered
from backends.errors import AnswerInvalid, OutcomeUnknown, ProviderRefused, RunLost, Unreachable
from backends.memory import Memory
from backends.sending import ASK_AGAIN_S, looking
from backends.spec import DataFile, TrainingSpec

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}")
_TAG: Final = re.compile(r"[a-zA-Z0-9\s._:/=+@-]*")
_TAG_NAME_MAX, _TAG_MAX = 128, 256
# What `GetModelCustomizationJobResponse` requires and we read. The SDK itself takes any answer, a proxy's page too.
_ALWAYS: Final = frozenset({"jobArn", "jobName", "creationTime", "outputDataConfig"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One run on its way. Its memory is all that is kept between two calls of `submit`."""

    account: Account
    family: Family
    spec: TrainingSpec
    memory: Memory
    now: datetime

    def submit(self) -> None:
        """Afterwards the run's job exists. Raises as `Backend.start` does."""
        before = self.memory.recall("sent") or ""
        with looking(was_sent=bool(before)):
            if self._known():
                return
            places = {where: self._place(file) for where, file in given_files(self.spec).items()}
        self.memory.remember("sent", self.now.isoformat())
        try:
            self._create(places)
        except (Unreachable, ProviderRefused):
            self.memory.remember("sent", before)
            raise

    def _known(self) -> bool:
        """Raises `ProviderRefused` where the name is another's."""
        try:
            job = job_of(self.account, job_name(self.spec.run_id))
        except RunLost:
            return False
        if job.get("clientRequestToken") != token_of(self.spec.run_id):
            raise ProviderRefused(
                f"another job of this account is called {job['jobName']}", provider_code="name_taken",
                param="jobName", remedy="start the run anew under another id",
            )  # fmt: skip
        return True

    def _create(self, places: Mapping[str, str]) -> None:
        try:
            with creating():
                answer = self.account.client("bedrock").create_model_customization_job(**self._request(places))
        except ProviderRefused as refusal:
            if refusal.provider_code in TAKEN and self._known():
                return
            raise
        if not answer.get("jobArn"):
            raise OutcomeUnknown("Bedrock answered without a job", retry_in_s=ASK_AGAIN_S)

    def _request(self, places: Mapping[str, str]) -> dict[str, object]:
        name, token = job_name(self.spec.run_id), token_of(self.spec.run_id)
        request: dict[str, object] = {
            "jobName": name,
            "customModelName": f"{_word(self.spec.suffix or 'sixfold')}-{token[:16]}",
            "clientRequestToken": token,
            "roleArn": self.account.role_arn,
            "baseModelIdentifier": self.spec.model,
            "customizationType": "FINE_TUNING",
            "hyperParameters": self.family.hyperparameters(self.spec),
            "trainingDataConfig": {"s3Uri": places["train"]},
            "outputDataConfig": {"s3Uri": f"s3://{self.account.bucket}/{self.account.prefix}/runs/{name}/"},
            "jobTags": _tags(self.spec),
        }
        if "validation" in places:
            request["validationDataConfig"] = {"validators": [{"s3Uri": places["validation"]}]}
        if self.account.kms_key_id:
            request["customModelKmsKeyId"] = self.account.kms_key_id
        return request

    def _place(self, file: DataFile) -> str:
        """Where it lies in S3, under a name that its content gives it. S3 checks what arrives against the digest."""
        unaltered(file)
        key = f"{self.account.prefix}/data/{file.sha256}.jsonl"
        place = {"Bucket": self.account.bucket, "Key": key}
        s3 = self.account.client("s3")
        with reading():
            if not _there(s3, place):
                with file.path.open("rb") as content:
                    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
                    s3.put_object(**place, Body=content, ChecksumSHA256=digest)
        return f"s3://{self.account.bucket}/{key}"


def job_of(account: Account, name: str) -> Job:
    """Raises `RunLost`, and what `reading` raises."""
    try:
        with reading():
            job: Job = account.client("bedrock").get_model_customization_job(jobIdentifier=name)
    except ProviderRefused as refusal:
        if refusal.provider_code in NOT_FOUND:
            raise RunLost(f"Bedrock knows no job {name}") from refusal
        raise
    if lacking := _ALWAYS - job.keys():
        raise AnswerInvalid(f"Bedrock described a job without {', '.join(sorted(lacking))}")
    return job


def job_name(run_id: str) -> str:
    """The run's id where Bedrock's rules for names allow it (`_` becomes `.`, which no id has), else its digest."""
    name = run_id.replace("_", ".")
    return name if _NAME.fullmatch(name) else f"run-{token_of(run_id)[:40]}"


def token_of(run_id: str) -> str:
    """By which AWS knows a request that is sent twice."""
    return hashlib.sha256(run_id.encode()).hexdigest()


def tag_fits(name: str, value: str) -> bool:
    """AWS's alphabet and lengths of tags."""
    whole = _TAG.fullmatch(name) and _TAG.fullmatch(value) and not name.lower().startswith("aws:")
    return bool(whole) and 0 < len(name) <= _TAG_NAME_MAX and len(value) <= _TAG_MAX


def _tags(spec: TrainingSpec) -> list[dict[str, str]]:
    ours = {"sixfold-run": spec.run_id, "sixfold-spec": spec.digest}
    labels = {name: value for name, value in spec.labels.items() if tag_fits(name, value)}
    return [{"key": name, "value": value} for name, value in (labels | ours).items()]


def _there(s3: Any, place: Mapping[str, str]) -> bool:
    try:
        s3.head_object(**place)
    except ClientError as error:
        if code_of(error) in NOT_FOUND:
            return False
        raise
    return True


def _word(suffix: str) -> str:
    """A custom model's name has letters and digits, and single - or _ between them."""
    return re.sub(r"[^0-9a-zA-Z]+", "-", suffix).strip("-") or "sixfold"
