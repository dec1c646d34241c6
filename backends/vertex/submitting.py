"""At most one live job for each run, whatever is lost on the way (reliability reference, section 2.4).

Vertex takes no key that would make a create safe to repeat. So the job bears the run's id in its name, the intent is
remembered before it is sent, and a create whose outcome is not known is looked for until the horizon before it is sent
once more.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from google.genai.types import (
    AdapterSize,
    CreateTuningJobConfig,
    ListTuningJobsConfig,
    TuningDataset,
    TuningJob,
    TuningValidationDataset,
)

from backends.checks import given_files
from backends.errors import OutcomeUnknown, ProviderRefused, Unreachable
from backends.memory import Memory
from backends.sending import ASK_AGAIN_S, Sent, looking
from backends.spec import TrainingSpec
from backends.vertex.project import Project, creating, reading
from backends.vertex.storage import place

_PAGE: Final = 100
ADAPTERS: Final = {
    1: AdapterSize.ADAPTER_SIZE_ONE, 2: AdapterSize.ADAPTER_SIZE_TWO, 4: AdapterSize.ADAPTER_SIZE_FOUR,
    8: AdapterSize.ADAPTER_SIZE_EIGHT, 16: AdapterSize.ADAPTER_SIZE_SIXTEEN, 32: AdapterSize.ADAPTER_SIZE_THIRTY_TWO,
}  # fmt: skip
_LABEL: Final = re.compile(r"[\w-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One run on its way. Its memory is all that is kept between two calls of `job`."""

    project: Project
    spec: TrainingSpec
    memory: Memory
    now: datetime

    def job(self) -> str:
        """The job's resource name: found, or made. Raises as `Backend.start` does."""
        before = Sent.read(self.memory.recall("sent"))
        with looking(was_sent=before is not None):
            found = self._found()
        if found is not None:
            return found
        if before is not None:
            before.wait_out(self.now)
        with looking(was_sent=before is not None):
            places = {where: place(self.project, file) for where, file in given_files(self.spec).items()}
        return self._made(places, before)

    def _found(self) -> str | None:
        """The oldest job of this run; younger ones are told to stop."""
        with reading():
            jobs = self.project.client().tunings.list(config=ListTuningJobsConfig(page_size=_PAGE))
            ours = [each for each in jobs if self._is_ours(each)]
        ours.sort(key=lambda each: (each.create_time is None, each.create_time, each.name))
        for each in ours[1:]:
            if not each.has_ended:
                with reading():
                    self.project.client().tunings.cancel(name=str(each.name))
        return str(ours[0].name) if ours else None

    def _is_ours(self, job: TuningJob) -> bool:
        return job.tuned_model_display_name == display_name(self.spec) and job.description == described(self.spec)

    def _made(self, places: Mapping[str, str], before: Sent | None) -> str:
        self.memory.remember("sent", str(Sent(at=self.now, times=before.times + 1 if before else 1)))
        try:
            with creating(), warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="The SDK's tuning implementation is experimental")
                job = self.project.client().tunings.tune(
                    base_model=self.spec.model,
                    training_dataset=TuningDataset(gcs_uri=places["train"]),
                    config=self._config(places.get("validation")),
                )
        except (Unreachable, ProviderRefused) as error:
            self.memory.remember("sent", str(before) if before else "")
            if before:
                said = f"sent again it was not taken, and the first may have begun: {error}"
                raise OutcomeUnknown(said, retry_in_s=ASK_AGAIN_S) from error
            raise
        if not job.name:
            raise OutcomeUnknown("Vertex answered without a job", retry_in_s=ASK_AGAIN_S)
        return str(job.name)

    def _config(self, validation: str | None) -> CreateTuningJobConfig:
        chosen = self.spec.hyperparameters
        return CreateTuningJobConfig(
            tuned_model_display_name=display_name(self.spec),
            description=described(self.spec),
            validation_dataset=TuningValidationDataset(gcs_uri=validation) if validation else None,
            epoch_count=chosen.epochs,
            learning_rate_multiplier=chosen.learning_rate_multiplier,
            adapter_size=ADAPTERS[chosen.rank] if chosen.rank else None,
            labels={name: value for name, value in self.spec.labels.items() if label_fits(name, value)} or None,
        )


def display_name(spec: TrainingSpec) -> str:
    """Of the job and of its model."""
    return f"{spec.suffix}-{spec.run_id}" if spec.suffix else spec.run_id


def described(spec: TrainingSpec) -> str:
    return f"sixfold run {spec.run_id}, spec {spec.digest}"


def label_fits(name: str, value: str) -> bool:
    """Google's rule for labels: lower case letters of any script, digits, _ and -, and a letter first."""
    written = f"{name}{value}" == f"{name}{value}".lower()
    return bool(written and name[:1].isalpha() and _LABEL.fullmatch(name) and _LABEL.fullmatch(value))
