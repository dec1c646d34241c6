"""The model before training: measured once an experiment, by whichever of its runs comes to it first, so that a gain is
never claimed over what nobody measured."""

from enum import StrEnum
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from backends.events import Checkpoint
from engagements.phases.training.judging.selection import Candidate
from engagements.phases.training.models import BaseScore, TrainingRun, TrainingState
from engagements.phases.training.supervising.holding import Held
from engagements.phases.training.supervising.parts import Parts

TRIES_MAX: Final = 3
"""How often anything is measured before it is given up."""
_BOUGHT: Final = "asking it is billed by {provider}, and no budget holds that"


class Turn(StrEnum):
    """Who measures it now; `OVER`: it is measured, or given up."""

    OURS = "ours"
    ANOTHERS = "anothers"
    OVER = "over"


def turn_of(held: Held, parts: Parts) -> Turn:
    """Whether this run measures the base model. Where another one began to and ended, it is ours."""
    session, run = held.session, held.run
    row = session.get(BaseScore, _key(run), with_for_update=True)
    if row is None:
        provider = parts.trainers.said(run.backend).provider
        row = _laid(session, run, bought_from=provider)
    if row.score is not None or row.tries >= TRIES_MAX:
        return Turn.OVER
    if row.run_id != run.id:
        owner = session.get(TrainingRun, row.run_id)
        if owner is not None and owner.state is TrainingState.SCORING:
            return Turn.ANOTHERS
        row.run_id = run.id
    return Turn.OURS


def row_of(session: Session, run: TrainingRun) -> BaseScore:
    """Of the model that a run began from, once its turn was asked for."""
    return session.get_one(BaseScore, _key(run))


def base_of(session: Session, run: TrainingRun, metric: str) -> Candidate | None:
    """As checkpoints are compared with it; its value is None where it could not be measured. None where nobody looked,
    as without a validation split."""
    row = session.get(BaseScore, _key(run))
    if row is None:
        return None
    score, before = row.score or {}, Checkpoint(id="base", step=0, model=run.model)
    return Candidate(checkpoint=before, metric=metric, value=score.get("value"), hits=score.get("per_item"))


def _key(run: TrainingRun) -> tuple[str, str, str]:
    return run.experiment_id, run.backend, run.model


def _laid(session: Session, run: TrainingRun, *, bought_from: str) -> BaseScore:
    """What would be bought is given up at once."""
    experiment_id, backend, model = _key(run)
    row = BaseScore(
        experiment_id=experiment_id, backend=backend, model=model, run_id=run.id,
        tries=TRIES_MAX if bought_from else 0, failure=_BOUGHT.format(provider=bought_from) if bought_from else "",
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        pass  # another process laid it in this moment
    return row_of(session, run)
