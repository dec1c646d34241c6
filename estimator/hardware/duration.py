"""How long a run takes, from its first import to its saved weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from estimator.errors import Problem
from estimator.hardware.memory import GIB
from estimator.hardware.speed import TrainingSpeed, training_speed
from estimator.hardware.training_setup import Method, SetupInvalid, TrainingSetup, setup_problem

# Our judgement: imports, CUDA start and data preparation; weights from and to disk at what a cloud volume gives.
_START_H: Final = 2 / 60
_DISK_GIB_S: Final = 1.0
# One pass without gradients over 10 % of the data costs a third of what training on it does; 1.5 times an epoch.
_EVALUATION_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTime:
    """Hours of the whole run, and what they hold. None where the speed is unknown; start and saving never are."""

    hours: float | None
    low: float | None
    high: float | None
    training_h: float | None
    evaluation_h: float | None
    start_h: float
    save_h: float
    speed: TrainingSpeed


def training_time(setup: TrainingSetup, tokens: int, *, evaluation_share: float = _EVALUATION_SHARE) -> TrainingTime:
    """Hours for `tokens`, all epochs together, padding not counted (cost reference, section 3.2).

    hours = tokens / (tokens per s) / 3600 * (1 + evaluation_share) + start + save. `low` is the shortest time of the
    80 % interval. Raises SetupInvalid for fewer than one token or a negative share.
    """
    if problems := tuple(_problems(tokens, evaluation_share)):
        raise SetupInvalid(*problems)
    speed = training_speed(setup)
    saved = 2 * setup.model.parameters if setup.method is Method.FULL else 0
    start_h = _START_H + _disk_h(2 * setup.model.parameters)
    save_h = _disk_h(saved)

    training_h = _hours(tokens, speed.tokens_per_s)
    fixed_h = start_h + save_h

    def whole(tokens_per_s: float | None) -> float | None:
        hours = _hours(tokens, tokens_per_s)
        return None if hours is None else hours * (1 + evaluation_share) + fixed_h

    return TrainingTime(
        hours=whole(speed.tokens_per_s), low=whole(speed.high), high=whole(speed.low), training_h=training_h,
        evaluation_h=None if training_h is None else training_h * evaluation_share, start_h=start_h, save_h=save_h,
        speed=speed,
    )  # fmt: skip


def _hours(tokens: int, tokens_per_s: float | None) -> float | None:
    return None if tokens_per_s is None else tokens / tokens_per_s / 3600


def _disk_h(bytes_moved: float) -> float:
    return bytes_moved / GIB / _DISK_GIB_S / 3600


def _problems(tokens: int, evaluation_share: float) -> Iterator[Problem]:
    if tokens < 1:
        yield setup_problem("tokens", f"{tokens} tokens train nothing", "give the tokens of all epochs together")
    if not 0 <= evaluation_share <= 1:
        yield setup_problem("evaluation_share", f"{evaluation_share:g} is not a share", "give a number from 0 to 1")
