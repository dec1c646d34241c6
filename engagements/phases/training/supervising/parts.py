"""What the supervision of runs stands on, put together once."""

from dataclasses import dataclass, field
from pathlib import Path

from engagements.core.clock import Clock
from engagements.db.store import Store
from engagements.phases.data_preparation.storage import Storage
from engagements.phases.training.plans.reading_once import ReadOnce
from engagements.phases.training.trainers import Trainers
from engagements.settings import Agency
from estimator.prices import PriceBook


@dataclass(frozen=True, kw_only=True)
class Parts:
    """`folder`: where files of data lie while a run needs them; `once`: what was read of them to plan with."""

    store: Store
    clock: Clock
    storage: Storage
    trainers: Trainers
    book: PriceBook
    agency: Agency
    folder: Path
    once: ReadOnce = field(default_factory=ReadOnce)
