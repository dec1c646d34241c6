"""A model has a last day for new jobs and a last day at all. A plan past either is refused or flagged.

The boundary day belongs to the vendor: a job on the day from which nobody can create one is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from estimator.prices import InferencePrice, TrainingPrice


class Standing(StrEnum):
    """`REFUSED` cannot be done as planned; `FLAGGED` can, and a person has to know; `UNKNOWN` lacks a fact."""

    OPEN = "open"
    FLAGGED = "flagged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What stands against a route, or should be known about it."""

    code: str
    standing: Standing
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDates:
    """The days a plan depends on: first and last training job, first and last day of service."""

    first_job: date
    last_job: date
    go_live: date
    service_end: date


def check_sunset(row: TrainingPrice, plan: PlanDates) -> Iterator[Finding]:
    """What a model's announced end means for a plan; nothing where no end is announced."""
    yield from _new_jobs(row, plan)
    yield from _shutdown(row, plan)


def check_base(name: str, row: InferencePrice | None, plan: PlanDates) -> Iterator[Finding]:
    """What stands against the prompted alternative: no known price, or an end before that of the service."""
    if row is None or row.input is None or row.output is None:
        message = f"no price is known for {name}, the prompted alternative, so neither is what serving saves"
        remedy = f'add [[inference]] (variant = "base") for {name} to a price file and pass it with --prices'
        yield Finding(code="base.unknown", standing=Standing.UNKNOWN, message=message, remedy=remedy)
    elif row.shutdown is not None and plan.service_end > row.shutdown:
        end = f"{row.shutdown}; service is planned until {plan.service_end}"
        message = f"{name}, the prompted alternative, shuts down on {end}"
        remedy = "name its successor in traffic.base_model"
        yield Finding(code="base.shutdown", standing=Standing.FLAGGED, message=message, remedy=remedy)


def worst(findings: list[Finding]) -> Standing:
    """The standing that a list of findings adds up to."""
    order = [Standing.OPEN, Standing.FLAGGED, Standing.UNKNOWN, Standing.REFUSED]
    return max((finding.standing for finding in findings), key=order.index, default=Standing.OPEN)


def _new_jobs(row: TrainingPrice, plan: PlanDates) -> Iterator[Finding]:
    until, model = row.new_jobs_until, f"{row.provider}/{row.model}"
    elsewhere = "train on a route that stays open"
    if until == "closed":
        message = f"{model} takes no new jobs any more"
        yield Finding(code="model.not_tunable", standing=Standing.REFUSED, message=message, remedy=elsewhere)
    elif until is not None and plan.first_job >= until:
        message = f"{model} takes no new jobs from {until}; the first run is planned for {plan.first_job}"
        yield Finding(code="model.retired", standing=Standing.REFUSED, message=message, remedy=elsewhere)
    elif until is not None and plan.last_job >= until:
        message = f"{model} takes no new jobs from {until}; the last run may be as late as {plan.last_job}"
        yield Finding(
            code="model.closing", standing=Standing.FLAGGED, message=message, remedy="train early or elsewhere"
        )
    elif until is not None and plan.service_end >= until:
        message = f"{model} takes no new jobs from {until}: retraining during service needs another route"
        yield Finding(code="model.closing", standing=Standing.FLAGGED, message=message, remedy="plan the move now")


def _shutdown(row: TrainingPrice, plan: PlanDates) -> Iterator[Finding]:
    day, model = row.shutdown, f"{row.provider}/{row.model}"
    if day is None:
        return
    if plan.go_live >= day:
        message = f"{model} shuts down on {day}, before it would go live on {plan.go_live}"
        remedy = "choose a model that will exist"
        yield Finding(code="model.retired", standing=Standing.REFUSED, message=message, remedy=remedy)
    elif plan.service_end > day:
        message = f"{model} shuts down on {day}; service is planned until {plan.service_end}"
        remedy = "shorten the service, or price the move to another model"
        yield Finding(code="model.shutdown", standing=Standing.FLAGGED, message=message, remedy=remedy)
