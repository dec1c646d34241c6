"""What long work sees of the job it does: whom it works for, how it tells how far it is, and when it must stop."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from pydantic import SecretStr
from sqlmodel import Session, col, select

from engagements.core.clock import Clock
from engagements.core.leases import LEASE, RENEWED_EVERY_S, LeaseLost, renewed
from engagements.core.roles import Actor, ActorKind, Role
from engagements.db.store import Store
from engagements.phases.data_preparation.models import DataJob, DataJobProgress, JobState
from engagements.phases.data_preparation.storage import Storage

_TOLD_EVERY: Final = timedelta(seconds=0.5)


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


@dataclass(kw_only=True)
class JobContext:
    """Handed to the function that does the work, which returns the job's result: ids and numbers, as JSON.

    All that it writes to the database it writes inside `write`: a worker that was taken for dead changes nothing.
    `places`: the setting `data_places`, with the logins that it holds.
    """

    store: Store
    clock: Clock
    storage: Storage
    job: DataJob
    fence: int
    places: Sequence[SecretStr] = ()
    _told: Any = field(default=None)

    @property
    def actor(self) -> Actor:
        """Who asked for the work, as they were then."""
        said: Mapping[str, Any] = self.job.actor
        return Actor(
            kind=ActorKind(said["kind"]), id=said["id"], name=said["name"], organisation_id=self.job.organisation_id,
            role=Role(said["role"]) if said["role"] else None, client_id=said["client_id"],
        )  # fmt: skip

    def progress(self, step: str, done: int = 0, total: int | None = None) -> None:
        """Said as often as one likes, written twice a second. Raises `Cancelled` and `LeaseLost`."""
        now = self.clock.now()
        if self._told is not None and self._told[0] == step and now - self._told[1] < _TOLD_EVERY:
            return
        with self.store.write() as session:
            row = self._held(session)
            row.step, row.done, row.total, row.lease_until = step, done, total, now + LEASE
            asked = session.get_one(DataJob, self.job.id).cancel_asked
            session.add(row)
        self._told = (step, now)
        if asked:
            raise Cancelled

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction of a job that is still ours. Raises `LeaseLost`."""
        with self.store.write() as session:
            self._held(session)
            yield session

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around a step that takes long and cannot say how far it is: the lease is renewed beside it.

        Whether the job is still ours, and still wanted, the next `progress` says.
        """
        with renewed(self._renew, name=self.job.id, every_s=RENEWED_EVERY_S):
            yield

    def _renew(self) -> None:
        with self.write() as session:
            session.get_one(DataJobProgress, self.job.id).lease_until = self.clock.now() + LEASE

    def _held(self, session: Session) -> DataJobProgress:
        mine = select(DataJobProgress).where(col(DataJobProgress.job_id) == self.job.id).with_for_update()
        row = session.exec(mine).one()
        if row.fence != self.fence or session.get_one(DataJob, self.job.id).state is not JobState.RUNNING:
            raise LeaseLost
        return row
