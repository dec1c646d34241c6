"""At most one live job for each run, whatever is lost on the way.

A job's id is made of the run's id alone, and Fireworks gives an id once. So what became of a lost answer is settled by
asking for the job by its name, and a create may be sent again: the second is refused, and the first is the run's.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from fireworks import omit

from backends.checks import given_files
from backends.errors import AnswerInvalid, OutcomeUnknown, ProviderRefused, RunLost, Unreachable
from backends.fireworks.account import Account, creating
from backends.fireworks.datasets import Placing, dataset_name
from backends.fireworks.jobs import Job, Kind, job_of, name_of
from backends.memory import Memory
from backends.sending import ASK_AGAIN_S, looking
from backends.spec import Method, TrainingSpec

if TYPE_CHECKING:
    from fireworks.types.shared_params.training_config import TrainingConfig

RANK: Final = 8
"""Where nobody chose one: that of `firectl`. A job without a rank is one of full tuning, as users of the API report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One run on its way. Its memory is all that is kept between two calls of `job`."""

    account: Account
    spec: TrainingSpec
    memory: Memory
    now: datetime

    def job(self) -> str:
        """The job's resource name: found, or made. Raises as `Backend.start` does."""
        before = self.memory.recall("sent") or ""
        with looking(was_sent=bool(before)):
            if self._known():
                return self._name
            places = {where: self._placing(where).place() for where in self._files()}
        self.memory.remember("sent", self.now.isoformat())
        try:
            self._create(places)
        except OutcomeUnknown as error:
            self._reconcile(error)
        except (Unreachable, ProviderRefused):
            self.memory.remember("sent", before)
            raise
        return self._name

    @property
    def _kind(self) -> Kind:
        return Kind.DPO if self.spec.method is Method.DPO else Kind.SFT

    @property
    def _name(self) -> str:
        return name_of(self.account, self._kind, job_id(self.spec.run_id))

    def _files(self) -> list[str]:
        """A preference job has no place for a validation file."""
        return ["train"] if self._kind is Kind.DPO else list(given_files(self.spec))

    def _placing(self, where: str) -> Placing:
        return Placing(
            account=self.account, memory=self.memory, now=self.now, run_id=self.spec.run_id, where=where,
            file=given_files(self.spec)[where],
        )  # fmt: skip

    def _known(self) -> bool:
        """Raises `ProviderRefused` where a job of this name learns from other data."""
        try:
            job = job_of(self.account, self._name)
        except RunLost:
            return False
        if job.dataset != dataset_name(self.account, self.spec.run_id, self.spec.train):
            raise ProviderRefused(
                f"another job of this account is called {job.name}", provider_code="name_taken", param="dataset",
                remedy="start the run anew under another id",
            )  # fmt: skip
        return True

    def _reconcile(self, error: OutcomeUnknown) -> None:
        """Returns where the job is there after all. Raises `OutcomeUnknown`: it may still come."""
        with looking(was_sent=True):
            if self._known():
                return
        raise error

    def _create(self, places: Mapping[str, str]) -> None:
        with creating(), self.account.client() as client:
            answer: object
            if self._kind is Kind.DPO:
                answer = client.dpo_jobs.create(
                    dataset=places["train"], dpo_job_id=job_id(self.spec.run_id), display_name=display_name(self.spec),
                    loss_config={"method": "DPO"}, training_config=self._config(),
                )  # fmt: skip
            else:
                answer = client.supervised_fine_tuning_jobs.create(
                    dataset=places["train"],
                    supervised_fine_tuning_job_id=job_id(self.spec.run_id),
                    display_name=display_name(self.spec),
                    evaluation_dataset=places.get("validation", omit),
                    # Without this Fireworks takes an evaluation set out of the training file.
                    eval_auto_carveout=False,
                    **self._config(),
                )
        try:
            told = Job.read(answer).name
        except AnswerInvalid as invalid:
            raise OutcomeUnknown(str(invalid), retry_in_s=ASK_AGAIN_S) from invalid
        if told != self._name:
            raise OutcomeUnknown(f"the answer tells of another job, {told}", retry_in_s=ASK_AGAIN_S)

    def _config(self) -> "TrainingConfig":
        """What both kinds of jobs take, under the SDK's names."""
        chosen = self.spec.hyperparameters
        config: TrainingConfig = {
            "base_model": self.spec.model,
            "output_model": model_name(self.account, self.spec),
            "lora_rank": chosen.rank or RANK,
        }
        if chosen.epochs is not None:
            config["epochs"] = chosen.epochs
        if chosen.learning_rate is not None:
            config["learning_rate"] = chosen.learning_rate
        if chosen.batch_size is not None:
            config["batch_size_samples"] = chosen.batch_size
        if chosen.max_length is not None:
            config["max_context_length"] = chosen.max_length
        if chosen.weight_decay is not None:
            config["optimizer_weight_decay"] = chosen.weight_decay
        return config


def job_id(run_id: str) -> str:
    return f"sixfold-{_token(run_id)[:40]}"


def model_name(account: Account, spec: TrainingSpec) -> str:
    return f"accounts/{account.account}/models/{word(spec.suffix or '')}-{_token(spec.run_id)[:16]}"


def display_name(spec: TrainingSpec) -> str:
    """Under 64 characters, as the SDK says of models."""
    return (f"{spec.suffix}-{spec.run_id}" if spec.suffix else spec.run_id)[:63]


def word(suffix: str) -> str:
    """As it may stand in a name: lower case letters and digits, and single - between them."""
    found = re.sub(r"[^0-9a-z]+", "-", suffix.lower()).strip("-")
    return found if found[:1].isalpha() else f"sixfold-{found}".rstrip("-")


def _token(run_id: str) -> str:
    return hashlib.sha256(run_id.encode()).hexdigest()
