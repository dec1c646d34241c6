"""Files of data that no run reads any more are taken away: they can be written again, and hold what people wrote."""

from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from engagements.phases.training.models import ENDED, Experiment, ExperimentState, TrainingRun
from engagements.phases.training.supervising.parts import Parts

KEPT_FOR: Final = timedelta(days=1)
"""What nobody started may be looked at again the same day; planned runs have theirs written anew."""


def sweep_files(parts: Parts) -> int:
    """How many were taken away."""
    if not parts.folder.is_dir():
        return 0
    with parts.store.read() as session:
        needed = _needed(session)
    before = (parts.clock.now() - KEPT_FOR).timestamp()
    gone = [
        file for file in parts.folder.iterdir()
        if file.is_file() and file.name not in needed and file.stat().st_mtime < before
    ]  # fmt: skip
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def _needed(session: Session) -> set[str]:
    """Names of the files of runs under way."""
    under_way = (
        select(TrainingRun.spec)
        .join(Experiment, col(Experiment.id) == col(TrainingRun.experiment_id))
        .where(col(Experiment.state) == ExperimentState.RUNNING, col(TrainingRun.state).not_in(ENDED))
    )
    specs = session.exec(under_way).all()
    return {each["path"] for spec in specs for each in (spec["train"], spec["validation"]) if each}
