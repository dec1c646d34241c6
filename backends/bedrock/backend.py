"""Tuning on Amazon Bedrock: files go to S3, and a customization job bears the run's name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from backends.bedrock.account import TAKEN, WANTED, Account, reading
from backends.bedrock.answers import ConversePredictor, target_of
from backends.bedrock.families import FAMILIES, NOVA, Family
from backends.bedrock.progress import ENDED, Job, curve_of, told
from backends.bedrock.submitting import Submission, job_name, job_of, tag_fits
from backends.checks import given_files, missing_settings, not_offered, refuse, seed_ignored, unreadable_rows
from backends.errors import AnswerInvalid, Problem, ProviderRefused, Severity, Unreachable
from backends.events import Metrics, Poll, RunState
from backends.memory import Memory
from backends.protocol import Capabilities, Handle
from backends.spec import Method, TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockBackend:
    """One family of base models in one account. `lacking`: the settings that it cannot do without."""

    name: str
    account: Account
    family: Family = NOVA
    at_once: int = 4
    lacking: tuple[Problem, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            methods=frozenset({Method.SFT}),
            data_format={Method.SFT: self.family.data_format},
            hyperparameters=frozenset(self.family.knobs),
        )

    def problems(self, spec: TrainingSpec, *, today: date) -> tuple[Problem, ...]:  # noqa: ARG002 (the contract's)
        return tuple(self._problems(spec))

    def start(self, spec: TrainingSpec, memory: Memory, *, now: datetime) -> Handle:
        if not memory.recall("job"):
            if not memory.recall("sent"):
                refuse(self.problems(spec, today=now.date()))
            Submission(account=self.account, family=self.family, spec=spec, memory=memory, now=now).submit()
            memory.remember("job", job_name(spec.run_id))
        return Handle(backend=self.name, reference=job_name(spec.run_id))

    def poll(self, handle: Handle, *, cursor: str = "") -> Poll:
        try:
            job = job_of(self.account, handle.reference)
            curve = self._curve(job) if job.get("status") in ENDED else ()
        except ProviderRefused as refusal:
            return Poll(state=RunState.UNKNOWN, cursor=cursor, provider_state=refusal.provider_code)
        except (Unreachable, AnswerInvalid) as error:
            return Poll(state=RunState.UNKNOWN, cursor=cursor, provider_state=error.code)
        return told(job, curve, cursor=cursor)

    def cancel(self, handle: Handle) -> None:
        if job_of(self.account, handle.reference).get("status") in ENDED:
            return
        try:
            with reading():
                self.account.client("bedrock").stop_model_customization_job(jobIdentifier=handle.reference)
        except ProviderRefused as refusal:
            # It ended between the two requests.
            if refusal.provider_code not in TAKEN:
                raise

    def predictor(self, model: str) -> ConversePredictor:
        return ConversePredictor(account=self.account, target=target_of(self.account, model), at_once=self.at_once)

    def _problems(self, spec: TrainingSpec) -> Iterator[Problem]:
        yield from self.lacking
        yield from not_offered(spec, self.capabilities)
        yield from self.family.problems(spec)
        for where, file in given_files(spec).items():
            yield from unreadable_rows(where, file, wanted=("messages",))
        for name, value in spec.labels.items():
            if not tag_fits(name, value):
                yield Problem(
                    code="label_left_out", message=f"AWS takes no tag {name}={value}", where=f"labels.{name}",
                    remedy="use letters, digits, spaces and . _ : / = + @ -", severity=Severity.WARNING,
                )  # fmt: skip
        yield from seed_ignored(spec)

    def _curve(self, job: Job) -> tuple[Metrics, ...]:
        """Empty where Bedrock wrote none, or the bucket is not ours to read (any more)."""
        bucket, _, folder = str(job["outputDataConfig"]["s3Uri"]).removeprefix("s3://").partition("/")
        s3 = self.account.client("s3")
        try:
            with reading():
                found = s3.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents") or ()
                texts = [
                    "".join(_text(s3, bucket, each["Key"]) for each in found if each["Key"].endswith(f"/{name}"))
                    for name in ("step_wise_training_metrics.csv", "validation_metrics.csv")
                ]
        except ProviderRefused:
            return ()
        return curve_of(*texts)


def make(name: str, settings: Mapping[str, object]) -> BedrockBackend:
    """Settings: `region`, `bucket`, `role_arn`; `family` (`nova` or `claude`), `prefix` of everything in the bucket,
    `kms_key_id`, `profile` or `access_key_id`, `secret_access_key` and `session_token`, `endpoint_url` in place of
    AWS's own, `connect_timeout_s`, `read_timeout_s`, `at_once` (questions asked together).
    """
    family = str(settings.get("family", NOVA.name))
    if family not in FAMILIES:
        raise ValueError(f"no family {family!r} of models on Bedrock; known are {', '.join(sorted(FAMILIES))}")
    return BedrockBackend(
        name=name, account=Account.of(settings), family=FAMILIES[family], at_once=int(str(settings.get("at_once", 4))),
        lacking=tuple(missing_settings(settings, WANTED)),
    )  # fmt: skip


def _text(s3: Any, bucket: str, key: str) -> str:
    return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8-sig"))
