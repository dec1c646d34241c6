"""What has become of a run, as far as its folder tells: read by whoever looks, decided when its trainer is gone."""

from typing import Final

from backends.events import Failure, RunState
from backends.peft_local.folder import RunFolder, Standing, read_json, write_json
from backends.peft_local.manifests import steps_in

IN_VAIN: Final = 3
"""A trainer that died this often without a new checkpoint is not started again."""


def without_trainer(run: RunFolder, standing: Standing) -> Standing:
    """Of a run whose trainer is gone without having said that it ended; the same where it can go on."""
    match run.wish():
        case "cancel":
            return standing.model_copy(update={"state": RunState.CANCELLED})
        case "pause":
            return standing.model_copy(update={"state": RunState.PAUSED})
        case "resume" if standing.state is RunState.PAUSED:
            return standing.model_copy(update={"state": RunState.QUEUED, "interrupted": True})
        case "stalled":
            text, remedy = "the trainer gave no sign of life and was ended", "start it again as a new run"
            return _failed(standing, Failure(code="stalled", message=text, remedy=remedy))
    code = run.exit_code()
    if code == 0 and not standing.interrupted:
        text = "the trainer ended well and left nothing"
        return _failed(standing, Failure(code="artifact_missing", message=text, remedy="see the end of log.txt"))
    in_vain = _in_vain(run, standing)
    if in_vain > IN_VAIN:
        said = f"the trainer died {in_vain} times without getting on (exit {code}): {_tail(run)}"
        return _failed(standing, Failure(code="trainer_died", message=said, remedy="see the end of log.txt"))
    return standing


def not_startable(standing: Standing, error: Exception) -> Standing:
    """Of a run whose base model or interpreter is not there any more, or whose disk takes nothing."""
    failure = Failure(code="trainer_not_started", message=str(error), remedy="put it right, and start a new run")
    return _failed(standing, failure)


def count_launch(run: RunFolder, standing: Standing) -> None:
    """How often it was started, and how often in vain by now."""
    held = read_json(run.launches) or {}
    counted = {"launches": held.get("launches", 0) + 1, "in_vain": _in_vain(run, standing), "step": _newest(run)}
    write_json(run.launches, counted)


def _in_vain(run: RunFolder, standing: Standing) -> int:
    """How many of its trainers in a row died without a new checkpoint; one that was told to end did not die."""
    held = read_json(run.launches)
    if held is None or standing.interrupted or _newest(run) > held["step"]:
        return 0
    return int(held["in_vain"]) + 1


def _newest(run: RunFolder) -> int:
    return max(steps_in(run.checkpoints), default=0)


def _failed(standing: Standing, failure: Failure) -> Standing:
    return standing.model_copy(update={"state": RunState.FAILED, "failure": failure})


def standing_of(run: RunFolder) -> Standing:
    """A file that is none of ours tells nothing; one that claims success without a result is not believed."""
    try:
        found = run.standing()
    except ValueError:
        return Standing(state=RunState.UNKNOWN)
    if found.state is RunState.SUCCEEDED and run.result() is None:
        text = "it said that it succeeded, and left nothing"
        return _failed(found, Failure(code="artifact_missing", message=text, remedy="start it again as a new run"))
    return found


def _tail(run: RunFolder) -> str:
    try:
        return run.log.read_bytes()[-300:].decode("utf-8", "replace").strip()
    except OSError:
        return "it said nothing"
