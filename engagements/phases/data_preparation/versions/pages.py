"""Sealed datasets: the pages. A client's people see counts and datasheets, no texts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from pydantic import model_validator
from sqlmodel import Session, col, func, select

from engagements.core.errors import Invalid
from engagements.core.models import EngagementState
from engagements.core.roles import Permission
from engagements.core.service import find, scoped
from engagements.phases.data_preparation import words
from engagements.phases.data_preparation.formats.registry import FORMATS
from engagements.phases.data_preparation.jobs.queue import ENDED
from engagements.phases.data_preparation.jobs.schemas import job_out
from engagements.phases.data_preparation.models import DataJob, Example, ExampleState, JobKind
from engagements.phases.data_preparation.preparing.sheet import datasheet_from
from engagements.phases.data_preparation.sources.pages import engagement_of
from engagements.phases.data_preparation.versions import erasure, lineage, reading, sealed, sealing
from engagements.phases.data_preparation.versions.api import found_in
from engagements.phases.data_preparation.versions.exporting import CANONICAL
from engagements.phases.data_preparation.versions.models import DatasetVersion, Erasure
from engagements.phases.data_preparation.versions.schemas import (
    ErasureIn,
    SealedReadOut,
    SealIn,
    SearchIn,
    SettleIn,
)
from engagements.phases.data_preparation.versions.searching import Found
from engagements.web.call import Call
from engagements.web.pages import again, go, page, read_form, submit, typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form

Against = Annotated[str, QueryParameter(max_length=40)]
_TASKS: Final = [(task.value, said) for task, said in words.TASKS.items()]
_PER_CENT: Final = 100


class SealForm(SealIn):
    """Shares in per cent, as people write them; a box that is not ticked is not sent."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        data = {name: value for name, value in values.items() if value != ""}
        parts = {name: data.pop(name) for name in ("train", "validation", "test") if name in data}
        held_out = {"hold_out": _share(data["hold_out"])} if "hold_out" in data else {}
        return (
            data
            | held_out
            | {
                "shares": {name: _share(value) for name, value in parts.items()},
                "stratify": data.get("stratify") == "yes",
                "seed": _whole(data.get("seed", "7")),
            }
        )


def _lines_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """One text a line, and one id a line."""
    lines = {name: str(values.get(name, "")).split("\n") for name in ("texts", "example_ids")}
    return {name: tuple(line.strip() for line in each if line.strip()) for name, each in lines.items()}


class LookForm(SearchIn):
    """The same form, before there is a reference."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return _lines_of(values)


class PersonForm(ErasureIn):
    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {**values} | _lines_of(values)


class SettleForm(SettleIn):
    """Boxes named `retired.` and an evidence id."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        ticked = tuple(name.removeprefix("retired.") for name in values if name.startswith("retired."))
        return {"retired": ticked, "note": values.get("note", "")}


class DatasetPages(Controller):
    path = "/engagements/{engagement_id:str}"
    include_in_schema = False

    @get("/datasets", permission=Permission.VIEW_DELIVERY)
    def list_versions(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _listed(call, engagement_id)

    @post("/datasets", permission=Permission.SEAL_DATA)
    def seal(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, SealForm,
            lambda s, data: sealing.ask_to_seal(s, call.actor, engagement_id, _plain(data), at=call.now).id,
            then=lambda _: go(f"/engagements/{engagement_id}/datasets", said="It is being sealed"),
            show=lambda form, status: _listed(call, engagement_id, form, status),
        )  # fmt: skip

    @get("/erasures", permission=Permission.VIEW_DATA)
    def list_erasures(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _erasures(call, engagement_id)

    @post("/erasures/look", permission=Permission.ERASE_DATA)
    def look(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        """What would be erased; nothing is changed yet."""
        values = typed(call.request)
        try:
            found = found_in(call, engagement_id, read_form(LookForm, values))
        except Invalid as error:
            return _erasures(call, engagement_id, again(values, error), error.status)
        return _erasures(call, engagement_id, Form(values=values, faults={}), found=found)

    @post("/erasures", permission=Permission.ERASE_DATA)
    def erase(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        values = typed(call.request)
        try:
            data = read_form(PersonForm, values)
            found = found_in(call, engagement_id, data)
            made = call.write(lambda s: erasure.open_erasure(s, call.actor, engagement_id, data, found, at=call.now).id)
        except Invalid as error:
            return _erasures(call, engagement_id, again(values, error), error.status)
        return go(f"/erasures/{made}", said="The person is being erased")


class VersionPages(Controller):
    path = "/dataset-versions/{version_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DELIVERY)
    def show_version(self, version_id: FromPath[str], call: Call) -> Response[str]:
        def found(session: Session) -> dict[str, Any]:
            inside = call.actor.may(Permission.VIEW_DATA)
            return _place(session, call, version_id) | {
                "reads": [SealedReadOut.of(row) for row in sealed.reads_of(session, call.actor, version_id)]
                if inside
                else [],
                "lineage": lineage.version_lineage(session, call.actor, version_id) if inside else None,
                "formats": [
                    (CANONICAL, "Canonical records"),
                    *((name, each.provider) for name, each in FORMATS.items()),
                ],
            }

        return page(call, "pages/datasets/version.html", **call.read(found))

    @get("/card", permission=Permission.VIEW_DELIVERY)
    def show_card(self, version_id: FromPath[str], call: Call) -> Response[str]:
        def found(session: Session) -> dict[str, Any]:
            card = reading.card_of(session, call.actor, version_id)
            return _place(session, call, version_id) | {"card": card, "sheet": datasheet_from(card.content)}

        return page(call, "pages/datasets/card.html", **call.read(found))

    @get("/diff", permission=Permission.VIEW_DATA)
    def show_diff(self, version_id: FromPath[str], call: Call, against: Against = "") -> Response[str]:
        def found(session: Session) -> dict[str, Any]:
            place = _place(session, call, version_id)
            diff = reading.diff_of(session, call.actor, version_id, against)
            return place | {
                "against": against or place["version"].parent_id or "", "diff": reading.diff_out(diff),
            }  # fmt: skip

        return page(call, "pages/datasets/diff.html", **call.read(found))


class ExampleLineagePages(Controller):
    path = "/examples/{example_id:str}/lineage"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_lineage(self, example_id: FromPath[str], call: Call) -> Response[str]:
        def found(session: Session) -> dict[str, Any]:
            seen = lineage.example_lineage(session, call.actor, example_id)
            row = session.get_one(Example, example_id)
            return {"seen": seen, "engagement": engagement_of(session, call, row.engagement_id)}

        return page(call, "pages/datasets/lineage.html", **call.read(found))


class ErasurePages(Controller):
    path = "/erasures/{erasure_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_erasure(self, erasure_id: FromPath[str], call: Call) -> Response[str]:
        return _erasure(call, erasure_id)

    @post("/settle", permission=Permission.ERASE_DATA)
    def settle(self, erasure_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, SettleForm, lambda s, data: erasure.settle(s, call.actor, erasure_id, data, at=call.now).id,
            then=lambda made: go(f"/erasures/{made}", said="The erasure is closed"),
            show=lambda form, status: _erasure(call, erasure_id, form, status),
        )  # fmt: skip


def _listed(call: Call, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, Any]:
        engagement = engagement_of(session, call, engagement_id)
        rows = reading.versions_of(session, call.actor, engagement_id).order_by(col(DatasetVersion.number).desc())
        jobs = scoped(DataJob, call.actor).where(
            col(DataJob.engagement_id) == engagement_id, col(DataJob.kind) == JobKind.SEAL
        )
        last = session.exec(jobs.order_by(col(DataJob.id).desc()).limit(1)).first()
        return {
            "engagement": engagement,
            "versions": [reading.version_out(row, call.actor) for row in session.exec(rows)],
            "is_active": engagement.state is EngagementState.ACTIVE,
            "accepted": _accepted(session, engagement_id) if call.actor.may(Permission.SEAL_DATA) else None,
            "job": job_out(session, last) if last is not None and call.actor.is_staff else None,
        }

    return page(
        call,
        "pages/datasets/datasets.html",
        form=form,
        status=status,
        tasks=_TASKS,
        ended=ENDED,
        words=words,
        **call.read(found),
    )


def _accepted(session: Session, engagement_id: str) -> int:
    mine = select(func.count()).where(
        col(Example.engagement_id) == engagement_id, col(Example.state) == ExampleState.ACCEPTED
    )
    return session.exec(mine).one()


def _place(session: Session, call: Call, version_id: str) -> dict[str, Any]:
    """The version, its engagement, and its siblings by number."""
    row = find(session, call.actor, DatasetVersion, version_id)
    others = reading.versions_of(session, call.actor, row.engagement_id).order_by(col(DatasetVersion.number).desc())
    return {
        "version": reading.version_out(row, call.actor),
        "engagement": engagement_of(session, call, row.engagement_id),
        "others": [(each.id, f"{each.number}: {each.name}") for each in session.exec(others)],
    }


def _erasures(
    call: Call, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200, *, found: Found | None = None
) -> Response[str]:
    def read(session: Session) -> dict[str, Any]:
        return {
            "engagement": engagement_of(session, call, engagement_id),
            "erasures": erasure.erasures_of(session, call.actor, engagement_id),
            "found": erasure.found_out(session, call.actor, engagement_id, found.as_json()) if found else None,
        }

    return page(call, "pages/datasets/erasures.html", form=form, status=status, **call.read(read))


def _erasure(call: Call, erasure_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, Any]:
        row = find(session, call.actor, Erasure, erasure_id)
        return {
            "erasure": erasure.erasure_out(session, call.actor, row),
            "engagement": engagement_of(session, call, row.engagement_id),
        }

    return page(call, "pages/datasets/erasure.html", form=form, status=status, **call.read(found))


def _plain(data: SealForm) -> SealIn:
    return SealIn.model_validate(data.model_dump())


def _share(value: str) -> object:
    """A number of per cent as a share; what is none is left for the schema to refuse."""
    try:
        return float(value) / _PER_CENT
    except ValueError:
        return value


def _whole(value: str) -> object:
    return int(value) if value.isascii() and value.isdigit() else value


ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    DatasetPages, VersionPages, ExampleLineagePages, ErasurePages,
)  # fmt: skip
