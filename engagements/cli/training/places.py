"""Where a run trains: a backend that the settings name, or an installed one that needs none."""

import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from backends import registry
from backends.errors import BackendError, Problem, SpecRefused
from backends.protocol import Backend
from engagements.core.errors import EngagementError
from engagements.phases.training.trainers import Trainers
from engagements.settings import TrainingBackend, read_settings
from estimator import errors

NOTHING: Final[Mapping[str, str]] = {}

P = ParamSpec("P")
R = TypeVar("R")


class BackendRefused(errors.EstimatorError):
    """The backend cannot be had, or says no before anything has begun."""

    code = "backend_refused"


def described(
    name: str, settings: Mapping[str, str] = NOTHING, secrets: Mapping[str, str] = NOTHING
) -> TrainingBackend:
    """What the settings say of a backend, and `settings` and `secrets` over that; of an installed kind that they do not
    name, its kind alone.

    Another address or profile than the usual one is another provider, whose prices are its own. Raises `UnknownName`
    and `SettingsInvalid`.
    """
    said = read_settings().backends
    if name in said or name in registry.kinds():
        found = said.get(name) or _USUAL.get(name, TrainingBackend(kind=name))
        elsewhere = settings.get("profile") or settings.get("base_url")
        return found.model_copy(update={
            "settings": {**found.settings, **settings}, "secrets": {**found.secrets, **secrets},
            "provider": elsewhere if elsewhere and name not in said else found.provider,
        })  # fmt: skip
    known = {*said, *registry.kinds()}
    add = f"use one of {', '.join(sorted(known))}, or describe it in sixfold.toml as [backends.{name[:40]}]"
    raise errors.UnknownName("backend", name, known=known, add=add)


_USUAL: Final = {
    "openai": TrainingBackend(kind="openai", secrets={"api_key": "OPENAI_API_KEY"}, provider="openai"),
    "fireworks": TrainingBackend(kind="fireworks", secrets={"api_key": "FIREWORKS_API_KEY"}, provider="fireworks"),
}
"""Those whose key the environment usually holds under this name."""


def made(name: str, said: TrainingBackend, folder: Path) -> Backend:
    """The backend itself; one that keeps runs on this machine keeps them below `folder`. Raises `BackendRefused`."""
    try:
        return Trainers(by_name={name: said}, environment=os.environ, folder=folder.resolve()).named(name)
    except EngagementError as error:
        problem = errors.Problem(code=error.code, where="backend", message=error.message, remedy=error.remedy)
        raise BackendRefused(*(error.problems or (problem,))) from error


def refusals(function: Callable[P, R]) -> Callable[P, R]:
    """Says what a backend refuses as problems with their remedy. Stands below `answers`."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except SpecRefused as error:
            raise BackendRefused(*map(as_problem, error.problems)) from error
        except BackendError as error:
            remedy = getattr(error, "remedy", "") or "mend what it names, then run the same command again"
            problem = errors.Problem(code=error.code, where="backend", message=str(error), remedy=remedy)
            raise BackendRefused(problem) from error

    return wrapped


def as_problem(problem: Problem) -> errors.Problem:
    """A backend's problem as every command shows them."""
    return errors.Problem(
        code=problem.code, message=problem.message, remedy=problem.remedy, where=problem.where, line=problem.line,
        severity=errors.Severity(problem.severity.value),
    )  # fmt: skip
