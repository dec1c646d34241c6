"""Who looks after a run: one process at a time, for as long as its lease is renewed; whoever lost it writes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, or_, update
from sqlmodel import Session, col, select

from engagements.core.clock import Clock
from engagements.core.leases import LEASE, LeaseLost, renewed
from engagements.db.store import Store
from engagements.phases.training.models import RESTING, Experiment, RunMemory, TrainingProgress, TrainingRun, Wish


@dataclass(frozen=True, kw_only=True)
class Held:
    """A run in a transaction of whoever holds it, both rows locked."""

    session: Session
    run: TrainingRun
    progress: TrainingProgress

    def again(self, at: datetime | None, *, said: str | None = None) -> None:
        """The step is over: when the run is looked at next; None where nobody is to. `said` None: as it was."""
        self.progress.next_due_at, self.progress.lease_until = at, None
        if said is not None:
            self.progress.said = said[:500]


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A claim of a run. `fence`: which one it is; a later one makes this worthless."""

    store: Store
    clock: Clock
    run_id: str
    fence: int

    @contextmanager
    def write(self) -> Iterator[Held]:
        """A transaction over a run that is still ours. Raises `LeaseLost`."""
        with self.store.write() as session:
            yield self._held(session)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around a step that takes long: the lease is renewed beside it."""
        with renewed(self._renew, name=self.run_id):
            yield

    def _renew(self) -> None:
        with self.write() as held:
            held.progress.lease_until = self.clock.now() + LEASE

    def _held(self, session: Session) -> Held:
        mine = select(TrainingProgress).where(col(TrainingProgress.run_id) == self.run_id).with_for_update()
        progress = session.exec(mine).one()
        if progress.fence != self.fence:
            raise LeaseLost
        run = session.exec(select(TrainingRun).where(col(TrainingRun.id) == self.run_id).with_for_update()).one()
        return Held(session=session, run=run, progress=progress)


def claim_next(store: Store, clock: Clock) -> Hold | None:
    """The run that is due and goes first: by the priority of its experiment, then by how long it has been due."""
    now = clock.now()
    to_do = or_(col(TrainingRun.state).not_in(RESTING), col(TrainingRun.wish) == Wish.CANCEL)
    free = or_(col(TrainingProgress.lease_until).is_(None), col(TrainingProgress.lease_until) < now)
    due = (
        select(TrainingProgress.run_id, TrainingProgress.fence)
        .join(TrainingRun, col(TrainingRun.id) == col(TrainingProgress.run_id))
        .join(Experiment, col(Experiment.id) == col(TrainingRun.experiment_id))
        .where(col(TrainingProgress.next_due_at) <= now, free, to_do)
        .order_by(col(Experiment.priority).desc(), col(TrainingProgress.next_due_at), col(TrainingProgress.run_id))
        .limit(1)
    )
    with store.read() as session:
        found = session.exec(due).first()
    if found is None:
        return None
    run_id, fence = found
    with store.write() as session:
        won = session.execute(
            update(TrainingProgress)
            .where(col(TrainingProgress.run_id) == run_id, col(TrainingProgress.fence) == fence, free)
            .values(fence=fence + 1, lease_until=now + LEASE)
        )
        assert isinstance(won, CursorResult), "an update answers with a cursor"
        is_ours = won.rowcount == 1
    return Hold(store=store, clock=clock, run_id=run_id, fence=fence + 1) if is_ours else claim_next(store, clock)


@dataclass(frozen=True, kw_only=True)
class RowMemory:
    """What a start must not forget, as rows of its run; each committed before `remember` returns."""

    hold: Hold

    def recall(self, key: str) -> str | None:
        with self.hold.store.read() as session:
            row = session.get(RunMemory, (self.hold.run_id, key))
            return row.value if row is not None else None

    def remember(self, key: str, value: str) -> None:
        """Raises `LeaseLost`: who was taken for dead must not send what somebody else is sending."""
        with self.hold.write() as held:
            held.session.merge(
                RunMemory(run_id=self.hold.run_id, key=key, value=value, at=self.hold.clock.now())
            )  # fmt: skip
