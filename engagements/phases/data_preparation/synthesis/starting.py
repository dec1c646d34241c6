"""Beginning a planned run, and stopping it."""

from datetime import datetime

from sqlmodel import Session

from engagements.core import audit
from engagements.core.errors import Conflict
from engagements.core.roles import Actor
from engagements.core.service import find
from engagements.delivery.under_way import claim_active, claim_in_active
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.models import JobKind
from engagements.phases.data_preparation.synthesis.endpoints import Endpoints
from engagements.phases.data_preparation.synthesis.models import SynthesisRun, SynthesisState


class RunStateRefused(Conflict):
    """A step that the run's state does not allow."""

    code = "run_active"


def start(session: Session, actor: Actor, run_id: str, *, endpoints: Endpoints, at: datetime) -> SynthesisRun:
    """From here on money is spent, up to the cap. Raises `RunStateRefused`, `NotConfigured` and `NotUnderWay`."""
    run = claim_in_active(session, actor, SynthesisRun, run_id)
    if run.state is not SynthesisState.PLANNED:
        raise RunStateRefused(f"this run is {run.state.value}", remedy="plan another")
    endpoints.named(run.endpoint)
    engagement = claim_active(session, actor, run.engagement_id)
    job = queue.ask_for(session, actor, engagement, JobKind.SYNTHESISE, subject_id=run.id, at=at)
    run.state, run.job_id = SynthesisState.RUNNING, job.id
    audit.record(session, actor, "synthesis_run.started", run, at=at)
    return run


def stop(session: Session, actor: Actor, run_id: str, *, at: datetime) -> SynthesisRun:
    """It sends nothing more; when what is out has come back, its job keeps what was paid for.

    Raises `RunStateRefused` and `JobTerminal`.
    """
    run = find(session, actor, SynthesisRun, run_id)
    if run.state is not SynthesisState.RUNNING or run.job_id is None:
        raise RunStateRefused(f"this run is {run.state.value}", remedy="only a run under way is stopped")
    queue.cancel(session, actor, run.job_id, at=at)
    return run
