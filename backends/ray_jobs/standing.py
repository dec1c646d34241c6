"""What a run's folder and Ray say together: the folder what the worker did, Ray whether it lives."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from backends.errors import CheckpointInvalid
from backends.events import Checkpoint, Failure, Poll, RunState, Usage
from backends.peft_local.folder import RunFolder, Standing, read_json, write_json
from backends.peft_local.manifests import as_checkpoint, manifest_in, steps_in
from backends.peft_local.reading import read_from
from backends.ray_jobs.cluster import ENDED, Job

_TOLD_CHARACTERS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stand:
    state: RunState
    failure: Failure | None = None


def told(run: RunFolder, job: Job | None, *, cursor: str, settle_s: float) -> Poll:
    """`job`: asked for before the folder is read, so that the folder is no older; None for a run that ended and which
    Ray forgot. `settle_s`: how long what is written on another machine may stay unseen here."""
    standing = _standing(run)
    stand = _stand(run, standing, job, settle_s)
    piece = read_from(run.events, int(cursor) if cursor.isdigit() else 0)
    if piece.more and stand.state in {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}:
        # An end is told together with the last events, not before them.
        stand = _Stand(state=RunState.FINALIZING)
    return Poll(
        state=stand.state,
        cursor=str(piece.cursor),
        events=piece.events,
        checkpoints=tuple(_checkpoints(run)),
        model=run.run_id if stand.state is RunState.SUCCEEDED else None,
        usage=_usage(standing, job),
        failure=stand.failure,
        provider_state=job.status if job else "forgotten",
        environment=standing.environment if standing else {},
    )


def _standing(run: RunFolder) -> Standing | None:
    """None for a file that is none of ours."""
    try:
        return run.standing()
    except ValueError:
        return None


def _stand(run: RunFolder, standing: Standing | None, job: Job | None, settle_s: float) -> _Stand:
    if standing is None:
        return _Stand(state=RunState.UNKNOWN)
    if standing.ended:
        return _ended(run, standing)
    if job is not None and job.status in ENDED and _seen_ended_s(run) < settle_s:
        return _Stand(state=RunState.FINALIZING)
    match job.status if job else "":
        case "PENDING":
            return _Stand(state=RunState.QUEUED)
        case "RUNNING":
            return _Stand(state=standing.state)
        case "STOPPED":
            return _Stand(state=RunState.CANCELLED)
        case "FAILED" if job:
            remedy = "see Ray's logs of the job, and start it again as a new run"
            message = job.message[-_TOLD_CHARACTERS:] or "Ray gives no reason"
            return _Stand(state=RunState.FAILED, failure=Failure(code="provider_error", message=message, remedy=remedy))
        case "SUCCEEDED":
            text = "the worker ended and left nothing"
            if standing.interrupted or standing.state is RunState.PAUSED:
                text = "the worker was told to end by somebody on the cluster, and stands at a checkpoint"
            return _nothing_left(text)
        case _:
            return _Stand(state=RunState.UNKNOWN)


def _ended(run: RunFolder, standing: Standing) -> _Stand:
    if standing.state is RunState.SUCCEEDED and run.result() is None:
        return _nothing_left("the worker said that it succeeded, and left nothing")
    return _Stand(state=standing.state, failure=standing.failure if standing.state is RunState.FAILED else None)


def _nothing_left(text: str) -> _Stand:
    failure = Failure(code="artifact_missing", message=text, remedy="start it again as a new run")
    return _Stand(state=RunState.FAILED, failure=failure)


def _seen_ended_s(run: RunFolder) -> float:
    """How long ago somebody here first saw that Ray says it ended; by the clock of this machine's uptime."""
    path = run.path / "ray.json"
    held = read_json(path)
    if held is None:
        write_json(path, {"ended_seen_at": time.monotonic()})
        return 0.0
    return max(0.0, time.monotonic() - float(held["ended_seen_at"]))


def _usage(standing: Standing | None, job: Job | None) -> Usage:
    used = standing.usage if standing else Usage()
    return replace(used, seconds=job.seconds) if used.seconds is None and job else used


def _checkpoints(run: RunFolder) -> Iterator[Checkpoint]:
    for path in steps_in(run.checkpoints).values():
        # It may be replaced or given up while we look.
        with suppress(CheckpointInvalid):
            manifest = manifest_in(path)
            if manifest.candidate:
                yield as_checkpoint(run.run_id, manifest)
