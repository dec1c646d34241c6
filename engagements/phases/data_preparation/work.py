"""What is done for each kind of job, and what is put in order now and then.

Each module of work is loaded when there is such work: readers of spreadsheets, detectors of language and personal data
weigh hundreds of megabytes, which a process that only serves pages does without.
"""

# ruff: noqa: PLC0415  # see above

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.jobs.worker import Upkeep, Work
from engagements.phases.data_preparation.models import JobKind
from engagements.phases.data_preparation.sources.uploads import sweep
from engagements.phases.data_preparation.versions.references import sweep_unnamed


def _fetch(context: JobContext) -> Mapping[str, Any]:
    from engagements.phases.data_preparation.sources.fetching import fetch_source

    return fetch_source(context)


def _import(context: JobContext) -> Mapping[str, Any]:
    from engagements.phases.data_preparation.sources.importing import import_source

    return import_source(context)


def _check(context: JobContext) -> Mapping[str, Any]:
    from engagements.phases.data_preparation.pool.checking import check_pool

    return check_pool(context)


def _draw_curve(context: JobContext) -> Mapping[str, Any]:
    from engagements.phases.data_preparation.synthesis.drawing import draw_curve

    return draw_curve(context)


def _seal(context: JobContext) -> Mapping[str, Any]:
    from engagements.phases.data_preparation.versions.sealing import seal

    return seal(context)


def _erase(context: JobContext) -> Mapping[str, Any]:
    from engagements.phases.data_preparation.versions.erasing import erase

    return erase(context)


WORK: Final[Mapping[JobKind, Work]] = {
    JobKind.FETCH: _fetch,
    JobKind.IMPORT: _import,
    JobKind.CHECK: _check,
    JobKind.SPLIT: _draw_curve,
    JobKind.SEAL: _seal,
    JobKind.ERASE: _erase,
}
UPKEEP: Final[Sequence[Upkeep]] = (sweep, sweep_unnamed)
