"""Every name in a brief that nothing describes, found in one pass before anything is computed from it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from estimator.brief import Brief, Route
from estimator.calendar import WorkCalendar
from estimator.effort import EffortModel
from estimator.errors import BriefInvalid, Problem, UnknownName
from estimator.hardware import find_gpu, find_model
from estimator.prices import PriceBook


def roles_of(brief: Brief, model: EffortModel) -> set[str]:
    """Every role that works on an engagement or on what a client may add."""
    optional = {role for line in brief.commercial.optional for role in line.hours}
    labelling = {"annotator", "annotation_lead"} if brief.data.labelling else set()
    return {line.role for line in model.lines} | labelling | optional


def check_names(brief: Brief, prices: PriceBook, model: EffortModel) -> None:
    """Raises `BriefInvalid` with every role, place, provider, model and GPU that nothing describes."""
    problems = [*_roles(brief, prices, model), *_place(brief)]
    for number, route in enumerate(brief.training.routes, start=1):
        problems += _route(route, prices, f"training.routes[{number}]")
    if problems:
        raise BriefInvalid(*problems)


def _roles(brief: Brief, prices: PriceBook, model: EffortModel) -> Iterator[Problem]:
    own, book = brief.commercial.cost_per_h, prices.rates()
    for role in sorted(roles_of(brief, model) | set(own)):
        if role not in book:
            remedy = f"use one of {', '.join(sorted(book))}, or add a [[rate]] to a price file"
            yield Problem(code="unknown_role", where="commercial", message=f"no role is called {role!r}", remedy=remedy)
        elif role not in own and book[role].currency not in {"USD", brief.commercial.currency}:
            message = f"an hour of {role} is priced in {book[role].currency}, this brief in {brief.commercial.currency}"
            remedy = f"add {role} to commercial.cost_per_h, or keep the price file in USD"
            yield Problem(code="rate.currency", where="commercial.cost_per_h", message=message, remedy=remedy)


def _place(brief: Brief) -> list[Problem]:
    return _unknown(lambda: WorkCalendar(country=brief.client.country, region=brief.client.region), "client")


def _route(route: Route, prices: PriceBook, where: str) -> list[Problem]:
    if route.provider != "own":
        return _unknown(lambda: prices.terms_of(route.provider), where)
    model = _unknown(lambda: find_model(route.model), where)
    return model + _unknown(lambda: find_gpu(route.gpu or ""), where)


def _unknown(look_up: Callable[[], object], where: str) -> list[Problem]:
    try:
        look_up()
    except UnknownName as error:
        return [replace(problem, where=f"{where}.{error.kind}") for problem in error.problems]
    return []
