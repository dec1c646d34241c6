"""The OpenAI protocol, over a stand-in on a socket whose clock the case moves; the same, really training; and Mistral's
dialect of it."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conformance_case import data_files
from pytest_socket import enable_socket

from backends.fake import FakeBackend
from backends.openai_api.backend import make
from backends.spec import Hyperparameters, TrainingSpec
from backends.stand_in.serving import serving

MOMENT_S = 3.0
KNOBS = Hyperparameters(epochs=2, batch_size=4)


@dataclass
class Moved:
    """A clock that stands still until it is moved."""

    now: float = 1_795_000_000.0

    def __call__(self):
        return self.now


@dataclass
class OpenAICase:
    folder: Path
    stand_in: object
    clock: Moved
    profile: str = "openai"
    form: str = "openai_chat"
    knobs: Hyperparameters = KNOBS
    made: list = field(default_factory=list)

    def backend(self):
        settings = {"profile": self.profile, "base_url": self.stand_in.base_url, "api_key": "sk-of-the-test"}
        self.made.append(make("openai", settings))
        return self.made[-1]

    def close(self):
        for each in self.made:
            each.close()

    def spec(self, run_id):
        files = data_files(self.folder / "data")
        train, validation = (each.model_copy(update={"format": self.form}) for each in files)
        return TrainingSpec(
            run_id=run_id, backend="openai", model="gpt-4o-mini-2024-07-18", train=train, validation=validation,
            hyperparameters=self.knobs, suffix="triage", seed=7,
        )  # fmt: skip

    def let_time_pass(self):
        self.clock.now += MOMENT_S

    @contextmanager
    def cut_off(self):
        self.stand_in.is_cut_off = True
        try:
            yield
        finally:
            self.stand_in.is_cut_off = False

    def begun(self):
        with self.stand_in.ledger.reading() as known:
            return len(known.jobs)


@contextmanager
def opened(folder, *, profile, knobs=KNOBS, form="openai_chat", **settings):
    # The suite itself asks for no socket: most backends need none.
    enable_socket()
    clock = Moved()
    with serving(folder / "stand-in", clock=clock, **settings) as stand_in:
        case = OpenAICase(folder, stand_in, clock, profile, form, knobs)
        yield case
        case.close()


def scripted(folder):
    return opened(folder, profile="openai")


def really_training(folder):
    return opened(folder, profile="generic", train_with=FakeBackend(folder=folder / "inner"))


def mistral(folder):
    return opened(folder, profile="mistral", dialect="mistral", form="mistral", knobs=Hyperparameters(epochs=2))


CASES = {"openai": scripted, "openai-really-training": really_training, "mistral": mistral}
