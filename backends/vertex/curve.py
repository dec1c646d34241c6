"""The metrics of a tuning job: Vertex writes them to a TensorBoard, which the job's experiment names.

Sources: Google's notebook on tuning Gemini (experiment → `backing_tensorboard_resource` → runs → time series), and
"Monitor tuning" for the names of the metrics. Google does not say what its total loss is divided by.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from google.auth.transport.requests import AuthorizedSession
from google.genai.errors import APIError

from backends.events import Metrics
from backends.vertex.project import Project, reading

_API: Final = "v1"
_OURS: Final[Mapping[str, str]] = {
    "/train_total_loss": "train_loss",
    "/train_fraction_of_correct_next_step_preds": "train_accuracy",
    "/eval_total_loss": "full_valid_loss",
    "/eval_fraction_of_correct_next_step_preds": "full_valid_accuracy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    at: datetime
    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`points` in order of their steps. `trained`, `validated`: the last step that every series of that kind has
    reached; 0 where there is none."""

    points: tuple[Point, ...] = ()
    trained: int = 0
    validated: int = 0


def curve_of(project: Project, experiment: str, *, total_steps: int | None) -> Curve:
    """As far as it is written. Raises what `reading` raises."""
    with reading(), project.session() as session:
        series = dict(_series(project, session, experiment))
    reached = {name: max(values) for name, values in series.items()}
    return Curve(
        points=tuple(_points(series, total_steps)),
        trained=min((step for name, step in reached.items() if name.startswith("train_")), default=0),
        validated=min((step for name, step in reached.items() if name.startswith("full_valid_")), default=0),
    )


_Values = Mapping[int, tuple[float, datetime]]


def _series(project: Project, session: AuthorizedSession, experiment: str) -> Iterator[tuple[str, _Values]]:
    """By our names, the values of each series by step."""
    context = _get(project, session, experiment)
    board = (context.get("metadata") or {}).get("backing_tensorboard_resource")
    if not board:
        return
    name = experiment.rsplit("/", 1)[-1]
    runs = _get(project, session, f"{board}/experiments/{name}/runs").get("tensorboardRuns") or ()
    for run in runs:
        told = _get(project, session, f"{run['name']}/timeSeries?pageSize=1000").get("tensorboardTimeSeries") or ()
        for each in told:
            if each.get("displayName") in _OURS:
                # All of them: what is left to the server is a random thousand.
                data = _get(project, session, f"{each['name']}:read?maxDataPoints=-1")
                values = _values(data)
                if values:
                    yield _OURS[each["displayName"]], values


def _values(data: Mapping[str, Any]) -> dict[int, tuple[float, datetime]]:
    values = (data.get("timeSeriesData") or {}).get("values") or ()
    return {
        int(each.get("step", 0)): (float(each["scalar"].get("value", 0.0)), datetime.fromisoformat(each["wallTime"]))
        for each in values
    }


def _points(series: Mapping[str, _Values], total_steps: int | None) -> Iterator[Point]:
    by_step: dict[int, dict[str, float]] = defaultdict(dict)
    at: dict[int, datetime] = {}
    for name, values in series.items():
        for step, (value, moment) in values.items():
            by_step[step][name] = value
            at[step] = max(moment, at.get(step, moment))
    for step in sorted(by_step):
        found = by_step[step]
        metrics = Metrics(
            step=step,
            total_steps=total_steps,
            train_loss=found.get("train_loss"),
            train_accuracy=found.get("train_accuracy"),
            full_valid_loss=found.get("full_valid_loss"),
            full_valid_accuracy=found.get("full_valid_accuracy"),
        )
        yield Point(at=at[step], metrics=metrics)


def _get(project: Project, session: AuthorizedSession, resource: str) -> dict[str, Any]:
    answer = session.get(f"{project.base_url}/{_API}/{resource}", timeout=project.timeout_s)
    APIError.raise_for_response(answer)
    told: dict[str, Any] = answer.json()
    return told
