"""A plan that is not kept, as it is shown."""

from collections.abc import Iterator

from engagements.phases.training.plans.planning import Drafted, PlannedRun, predicted_json, problem_of
from engagements.phases.training.reading import prediction_out
from engagements.phases.training.schemas import PlannedRunOut, PlanOut, RunProblemOut


def plan_out(drafted: Drafted) -> PlanOut:
    known = [each.reserved_minor for each in drafted.runs if each.reserved_minor is not None]
    return PlanOut(
        runs=[_run(each, drafted.currency) for each in drafted.runs], problems=list(_problems(drafted)),
        can_start=drafted.can_start, reserved_minor=sum(known), unpriced=len(drafted.runs) - len(known),
        metric=drafted.metric, currency=drafted.currency, left_of_cap_minor=drafted.left_of_cap_minor,
    )  # fmt: skip


def _run(planned: PlannedRun, currency: str) -> PlannedRunOut:
    run, spec = planned.run, planned.run.spec
    return PlannedRunOut(
        name=run.name, why=run.why, backend=spec.backend, model=spec.model, method=spec.method, seed=spec.seed,
        is_curated=run.is_curated, examples=spec.train.rows, hyperparameters=spec.hyperparameters.given(),
        digest=spec.digest, prediction=prediction_out(predicted_json(planned), currency),
    )  # fmt: skip


def _problems(drafted: Drafted) -> Iterator[RunProblemOut]:
    """Of the whole first, then of each run; warnings too."""
    for each in drafted.problems:
        yield RunProblemOut(
            run="", code=each.code, where=each.where, message=each.message, remedy=each.remedy, severity="error"
        )
    for planned in drafted.runs:
        for found in planned.run.problems:
            told = problem_of(planned.run.name, found)
            yield RunProblemOut(
                run=planned.run.name, code=told.code, where=told.where, message=told.message, remedy=told.remedy,
                severity=found.severity.value,
            )  # fmt: skip
