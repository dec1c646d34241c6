"""Jobs and files that belong to no run: what a lost answer and a lagging list can leave behind, once a day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backends.events import ENDED, RunState
from backends.openai_api import answers, listing
from backends.openai_api.profiles import Profile
from backends.openai_api.requests import INSTALLATION, RUN
from backends.openai_api.wire import Wire


class StrayKind(StrEnum):
    """`UNKNOWN_RUN`: no run of ours has this id. `SECOND_JOB`: its run has an older one."""

    UNKNOWN_RUN = "unknown_run"
    SECOND_JOB = "second_job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    job: str
    run_id: str
    kind: StrayKind
    state: RunState


def strays(wire: Wire, profile: Profile, *, installation: str, known: Mapping[str, str]) -> tuple[Stray, ...]:
    """Live jobs of this installation that no run needs. `known`: every run of ours with the job it points to, "" while
    it points to none; then the oldest is its own, as it is when the run looks for it. Jobs of others, and of other
    installations in one account, are never among them. Raises as `Wire.read` does."""
    ours: dict[str, dict[str, answers.Job]] = {}
    for job in listing.jobs(wire, profile, run_id=None):
        metadata = job.metadata or {}
        if RUN in metadata and metadata.get(INSTALLATION) == installation:
            ours.setdefault(metadata[RUN], {})[job.id] = job
    found = (_strays_of(run_id, jobs, known, profile) for run_id, jobs in ours.items())
    return tuple(stray for each in found for stray in each if stray.state not in ENDED)


def _strays_of(
    run_id: str, jobs: Mapping[str, answers.Job], known: Mapping[str, str], profile: Profile
) -> Iterator[Stray]:
    kept = None
    if run_id in known:
        oldest = min(jobs.values(), key=lambda each: (each.created_at, each.id))
        kept = known[run_id] if known[run_id] in jobs else oldest.id
    kind = StrayKind.UNKNOWN_RUN if kept is None else StrayKind.SECOND_JOB
    for job in jobs.values():
        if job.id != kept:
            state = profile.states.get(job.status, RunState.UNKNOWN)
            yield Stray(job=job.id, run_id=run_id, kind=kind, state=state)
