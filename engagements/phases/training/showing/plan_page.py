"""The page of a new experiment: what can be chosen, and what each run is predicted to take before it is kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlmodel import Session, col

from backends.errors import Severity
from engagements.actuals.rates import agreed_baseline, currency_of
from engagements.core.models import Engagement
from engagements.core.roles import Actor
from engagements.core.schemas import EngagementOut
from engagements.core.service import find, scoped
from engagements.phases.data_preparation.versions.models import DatasetVersion
from engagements.phases.training.catalogue import catalogue_of
from engagements.phases.training.catalogue_schemas import CatalogueBackendOut, CatalogueModelOut
from engagements.phases.training.plans.budgeting import left_of_the_agreed
from engagements.phases.training.plans.planning import Drafted, PlannedRun, problem_of, sources_of, unknown_of
from engagements.phases.training.showing import knobs, words
from engagements.phases.training.showing.knobs import ShownKnob
from engagements.phases.training.showing.page_forms import at_fields, to_look_at
from engagements.phases.training.supervising.parts import Parts
from engagements.rendering import Formats
from estimator.errors import Problem
from estimator.money import Money

_ROWS: Final = {"train": "to train on", "validation": "to choose by"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`value` None: unknown, and `note` says why; else `note` is where it is from."""

    label: str
    value: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """`doubts`: what a person should look at, though it may begin."""

    name: str
    why: str
    examples: int
    is_curated: bool
    set: str
    facts: tuple[Fact, ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPlan:
    """`held_back` when it starts; of `unpriced` runs nobody can say it. `faults` by field."""

    runs: tuple[ShownRun, ...]
    held_back: Money
    unpriced: int
    left: Money | None
    faults: Mapping[str, Problem]
    can_start: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the form offers. `models`: of the chosen backend; `about`: the rows of the model that is typed."""

    engagement: EngagementOut
    datasets: tuple[tuple[str, str], ...]
    backends: tuple[CatalogueBackendOut, ...]
    backend: CatalogueBackendOut | None
    knobs: tuple[ShownKnob, ...]
    models: tuple[CatalogueModelOut, ...]
    about: tuple[CatalogueModelOut, ...]
    methods: tuple[tuple[str, str], ...]
    currency: str
    left: Money | None

    @property
    def usable(self) -> tuple[tuple[str, str], ...]:
        return tuple((each.name, _named(each)) for each in self.backends if not each.problem)


METHODS: Final[Mapping[str, str]] = {
    "sft": "Answers to learn from", "dpo": "Pairs of a better and a worse answer", "rft": "Points of a grader",
}  # fmt: skip


def choices(
    session: Session, actor: Actor, engagement_id: str, values: Mapping[str, str], parts: Parts, *, today: date
) -> Choices:
    """Raises `NotFound` and `NothingAgreed`."""
    engagement = find(session, actor, Engagement, engagement_id)
    currency = currency_of(agreed_baseline(session, engagement.id))
    catalogue = catalogue_of(parts.trainers, parts.book, today=today)
    backend = _chosen(catalogue.backends, values.get("base.backend", ""))
    models = tuple(each for each in catalogue.models if backend is not None and backend.name in each.backends)
    typed = values.get("base.model", "").strip().lower()
    left = left_of_the_agreed(session, engagement.id, currency=currency)
    return Choices(
        engagement=EngagementOut.of(engagement), datasets=tuple(_datasets(session, actor, engagement.id)),
        backends=tuple(catalogue.backends), backend=backend, models=models,
        about=tuple(each for each in models if typed in {each.model.lower(), *map(str.lower, each.aliases)}),
        knobs=tuple(knobs.offered(backend)) if backend else (),
        methods=tuple(each for each in METHODS.items() if backend and each[0] in backend.methods),
        currency=currency, left=None if left is None else Money(max(0, left), currency),
    )  # fmt: skip


def shown(drafted: Drafted, values: Mapping[str, str], formats: Formats) -> ShownPlan:
    currency, left = drafted.currency, drafted.left_of_cap_minor
    known = [each.reserved_minor for each in drafted.runs if each.reserved_minor is not None]
    return ShownPlan(
        runs=_once(_run(each, formats, currency) for each in drafted.runs),
        held_back=Money(sum(known), currency),
        unpriced=len(drafted.runs) - len(known), left=None if left is None else Money(max(0, left), currency),
        faults=at_fields(problems_of(drafted), to_look_at(values)), can_start=drafted.can_start,
    )  # fmt: skip


def problems_of(drafted: Drafted) -> Iterator[Problem]:
    """All that prevents it: of the whole, and of each run."""
    yield from drafted.problems
    for planned in drafted.runs:
        for each in planned.run.problems:
            if each.severity is Severity.ERROR:
                yield problem_of(planned.run.name, each)


def _chosen(backends: Sequence[CatalogueBackendOut], name: str) -> CatalogueBackendOut | None:
    """The one that is named; while none is, the first that can be used."""
    usable = [each for each in backends if not each.problem]
    return next((each for each in usable if each.name == name), usable[0] if usable else None)


def _named(backend: CatalogueBackendOut) -> str:
    where = backend.provider or (f"on {backend.gpu}" if backend.gpu else "on this machine" if backend.is_local else "")
    return f"{backend.name}, {where}" if where and where != backend.name else backend.name


def _datasets(session: Session, actor: Actor, engagement_id: str) -> Iterator[tuple[str, str]]:
    """Complete versions, newest first, with the sizes of the splits that training reads."""
    mine = scoped(DatasetVersion, actor).where(
        col(DatasetVersion.engagement_id) == engagement_id, col(DatasetVersion.erased) == 0
    )
    for row in session.exec(mine.order_by(col(DatasetVersion.number).desc())):
        sizes = [f"{each['examples']:,} {_ROWS[each['name']]}" for each in row.splits if each["name"] in _ROWS]
        yield row.id, f"{row.name}: {', '.join(sizes)}"


def _once(runs: Iterator[ShownRun]) -> tuple[ShownRun, ...]:
    """Where a number is from is said of the first run that has it from there."""
    said: set[tuple[str, str]] = set()
    found = []
    for run in runs:
        told = [replace(each, note="") if (each.label, each.note) in said else each for each in run.facts]
        said |= {(each.label, each.note) for each in run.facts}
        found.append(replace(run, facts=tuple(told)))
    return tuple(found)


def _run(planned: PlannedRun, formats: Formats, currency: str) -> ShownRun:
    run = planned.run
    return ShownRun(
        name=run.name, why=run.why, examples=run.spec.train.rows, is_curated=run.is_curated,
        set=knobs.listed(run.spec.hyperparameters.given()),
        facts=_together(_facts(planned, formats, currency)),
        doubts=tuple(
            f"{each.message}: {each.remedy}" for each in run.problems if each.severity is Severity.WARNING
        ),
    )  # fmt: skip


def _facts(planned: PlannedRun, formats: Formats, currency: str) -> Iterator[Fact]:
    found, price = planned.run.prediction, planned.priced.range
    unknown, sources = unknown_of(planned), sources_of(planned)

    def fact(label: str, name: str, value: str | None) -> Fact:
        note = unknown.get(name, "") if value is None else sources.get(name, "")
        return Fact(label=label, value=value, note=note)

    steps = f", {formats.number(found.steps)} steps" if found.steps else ""
    yield fact("Tokens", "tokens", f"{formats.number(found.tokens)}{steps}" if found.tokens is not None else None)
    hours = found.hours
    yield fact("Time", "hours", _span(words.duration(hours.low), words.duration(hours.high)) if hours else None)
    memory = None if found.memory_gib is None else f"{formats.number(found.memory_gib, 1)} GiB{_fits(found.fits)}"
    yield fact("Memory", "memory_gib", memory)
    cost = [formats.money(Money(minor, currency)) for minor in (price.low, price.high)] if price else []
    yield fact("Cost", "cost", _span(*cost) if cost else None)


def _together(facts: Iterator[Fact]) -> tuple[Fact, ...]:
    """What is unknown for one reason is said once."""
    found: list[Fact] = []
    for each in facts:
        if each.value is None and found and found[-1].value is None and found[-1].note == each.note:
            found[-1] = replace(each, label=f"{found[-1].label}, {each.label.lower()}")
        else:
            found.append(each)
    return tuple(found)


def _fits(fits: bool | None) -> str:
    return "" if fits is None else ", fits" if fits else ", does not fit"


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
