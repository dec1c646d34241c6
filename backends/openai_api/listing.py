"""Lists of a provider, over all their pages."""

from collections.abc import Iterator, Mapping
from typing import Final

from backends.errors import AnswerInvalid
from backends.openai_api import answers
from backends.openai_api.profiles import Profile
from backends.openai_api.requests import RUN
from backends.openai_api.wire import Refused, Wire

PAGE: Final = 100
_PAGES_MAX: Final = 1_000


def jobs(wire: Wire, profile: Profile, *, run_id: str | None) -> Iterator[answers.Job]:
    """All jobs; those of one run first asked for by their metadata, and all of them where that is refused.

    The other side may ignore the filter: match again. Raises as `Wire.read` does."""
    if run_id is None:
        yield from _jobs(wire, profile, {})
        return
    try:
        yield from _jobs(wire, profile, {"metadata": {RUN: run_id}})
    except Refused as refused:
        if not refused.is_certain:
            raise
        yield from _jobs(wire, profile, {})


def files(wire: Wire, profile: Profile) -> Iterator[answers.UploadedFile]:
    """All that were uploaded to train on."""
    query: dict[str, object] = {"purpose": "fine-tune", **_first(profile)}
    for number in range(1, _PAGES_MAX):
        page = wire.read("/files", profile.files, query=query)
        yield from page.data
        if not (following := _following(profile, query, number, page)):
            return
        query = following


def events(wire: Wire, profile: Profile, job: str) -> Iterator[list[answers.JobEvent]]:
    """Pages of events, the newest first."""
    query: dict[str, object] = {"limit": PAGE}
    for _ in range(_PAGES_MAX):
        page = wire.read(f"{profile.jobs_path}/{job}/events", answers.JobEvents, query=query)
        yield page.data
        if not page.has_more:
            return
        query = _next(query, page.data[-1].id if page.data else None)


def checkpoints(wire: Wire, profile: Profile, job: str) -> Iterator[answers.JobCheckpoint]:
    query: dict[str, object] = {"limit": PAGE}
    for _ in range(_PAGES_MAX):
        page = wire.read(f"{profile.jobs_path}/{job}/checkpoints", answers.JobCheckpoints, query=query)
        yield from page.data
        if not page.has_more:
            return
        query = _next(query, page.data[-1].id if page.data else None)


def _jobs(wire: Wire, profile: Profile, asked: Mapping[str, object]) -> Iterator[answers.Job]:
    query = _first(profile) | dict(asked)
    for number in range(1, _PAGES_MAX):
        page = wire.read(profile.jobs_path, profile.jobs, query=query)
        yield from page.data
        if not (following := _following(profile, query, number, page)):
            return
        query = following


def _first(profile: Profile) -> dict[str, object]:
    return {"limit": PAGE} if profile.page_name == "after" else {"page": 0, "page_size": PAGE}


def _following(
    profile: Profile, query: Mapping[str, object], number: int, page: answers.Jobs | answers.UploadedFiles
) -> dict[str, object] | None:
    """How the page after this one is asked for; None after the last. A list that pages by `number` says no more than
    how many there are, so a full page is followed."""
    if profile.page_name == "page":
        return {**query, "page": number} if len(page.data) == PAGE else None
    return _next(query, page.data[-1].id if page.data else None) if page.has_more else None


def _next(query: Mapping[str, object], last: str | None) -> dict[str, object]:
    if last is None or query.get("after") == last:
        raise AnswerInvalid("a list says that it goes on and does not")
    return dict(query) | {"after": last}
