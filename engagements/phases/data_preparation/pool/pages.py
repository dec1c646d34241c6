"""Examples, and what the checks found: the pages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from engagements.core.errors import NotFound
from engagements.core.roles import Permission
from engagements.core.schemas import EngagementOut, In
from engagements.phases.data_preparation import words
from engagements.phases.data_preparation.jobs import queue
from engagements.phases.data_preparation.jobs.schemas import job_out
from engagements.phases.data_preparation.models import Example, ExampleState, JobKind
from engagements.phases.data_preparation.pool import service, standing
from engagements.phases.data_preparation.pool.page_forms import CheckForm, NoFields, TextsForm
from engagements.phases.data_preparation.pool.schemas import AcknowledgeIn, ExcludeIn
from engagements.phases.data_preparation.pool.service import Chosen
from engagements.phases.data_preparation.pool.showing import ClusterLine, address_of, heat_of, line_of
from engagements.phases.data_preparation.reach import find_row
from engagements.phases.data_preparation.records import record_of
from engagements.phases.data_preparation.sources.pages import engagement_of
from engagements.web.call import Call, CallOfRequest
from engagements.web.pages import go, page, submit, version_typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form

_SHOWN: Final = 50
_CONFLICTS_SHOWN: Final = 20
Typed = Annotated[str, QueryParameter(max_length=400)]


class PoolPages(Controller):
    path = "/engagements/{engagement_id:str}/data"
    include_in_schema = False

    @get("/examples", permission=Permission.VIEW_DATA)
    def show_examples(
        self, engagement_id: FromPath[str], call: Call, review: Typed = "", label: Typed = "", source: Typed = "",
        finding: Typed = "", cluster: Typed = "", score: Typed = "", cursor: Typed = "",
    ) -> Response[str]:  # fmt: skip
        asked = {"review": review, "label": label, "source": source, "finding": finding, "cluster": cluster,
                 "score": score}  # fmt: skip
        chosen = Chosen(
            state=next((each for each in ExampleState if each.value == review), None), label=label or None,
            source_id=source or None, finding=finding or None, cluster=cluster or None, score_max=_points(score),
        )  # fmt: skip

        def shown(session: Session) -> Mapping[str, Any]:
            found = service.examples_of(session, call.actor, engagement_id, chosen, limit=_SHOWN, cursor=cursor or None)
            following = address_of(engagement_id, **asked, cursor=found.next) if found.next else ""
            return {
                "engagement": engagement_of(session, call, engagement_id), "asked": asked, "following": following,
                "lines": [line_of(each) for each in found.items], "is_first": not cursor,
                "states": service.states_of(session, engagement_id),
                "choices": service.choices_of(session, engagement_id),
            }  # fmt: skip

        return page(call, "pages/data/examples.html", words=words, **call.read(shown))

    @get("/checks", permission=Permission.VIEW_DATA)
    def show_checks(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _checks(call, engagement_id)

    @post("/checks", permission=Permission.PREPARE_DATA)
    def check(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return _on_checks(
            call, engagement_id, CheckForm, lambda _: "The check has begun; you may leave this page",
            lambda s, data: standing.ask_check(s, call.actor, engagement_id, data, at=call.now).id,
        )  # fmt: skip

    @post("/acknowledge", permission=Permission.PREPARE_DATA)
    def acknowledge(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return _on_checks(
            call, engagement_id, AcknowledgeIn, lambda name: f"{name} answers for the personal data",
            lambda s, data: standing.acknowledge(s, call.actor, engagement_id, data, at=call.now).by_name,
        )  # fmt: skip

    @post("/exclude-duplicates", permission=Permission.PREPARE_DATA)
    def exclude_duplicates(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return _on_checks(
            call, engagement_id, NoFields, lambda count: f"{count} duplicates were left out",
            lambda s, _: str(service.exclude_duplicates(s, call.actor, engagement_id, at=call.now)),
        )  # fmt: skip


class ExamplePages(Controller):
    path = "/examples/{example_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_DATA)
    def show_example(self, example_id: FromPath[str], call: Call) -> Response[str]:
        return _example(call, example_id)

    @post("/edit", permission=Permission.PREPARE_DATA)
    def edit(self, example_id: FromPath[str], call: Call) -> Response[Any]:
        def edited(session: Session, data: TextsForm) -> Example:
            before = service.example_of(session, call.actor, example_id).record
            if before is None:
                raise NotFound
            change = data.edit_of(record_of(before))
            return service.edit_example(
                session, call.actor, example_id, change, version=version_typed(call), at=call.now
            )

        return _change(call, example_id, TextsForm, "Edited; what it read before is kept", edited)

    @post("/exclude", permission=Permission.PREPARE_DATA)
    def exclude(self, example_id: FromPath[str], call: Call) -> Response[Any]:
        return _change(
            call, example_id, ExcludeIn, "Left out",
            lambda s, data: service.exclude(
                s, call.actor, example_id, data, version=version_typed(call), at=call.now
            ),
        )  # fmt: skip

    @post("/include", permission=Permission.PREPARE_DATA)
    def include(self, example_id: FromPath[str], call: Call) -> Response[Any]:
        return _change(
            call, example_id, NoFields, "It waits for review again",
            lambda s, _: service.include(s, call.actor, example_id, version=version_typed(call), at=call.now),
        )  # fmt: skip


def _points(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 3 else None


def _checks(call: CallOfRequest, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def read(session: Session) -> Mapping[str, Any]:
        live = queue.live_job(session, {JobKind.CHECK}, engagement_id)
        stands = standing.standing_of(session, call.actor, engagement_id)
        done = standing.report_of(session, call.actor, engagement_id) if stands.job_id else None
        there = done is not None and "report_sha256" in done.result  # an erasure takes a report that quotes somebody
        report = standing.report_in(call.request.app.state.wiring.storage, done) if done and there else None
        return {
            "engagement": engagement_of(session, call, engagement_id), "standing": stands, "report": report,
            "live": job_out(session, live) if live else None, "heat": heat_of(report) if report else (),
            "asked_last": done.options if done else {}, "clusters": _clusters(session, call, engagement_id),
        }  # fmt: skip

    return page(
        call,
        "pages/data/checks.html",
        words=words,
        form=form,
        status=status,
        address_of=address_of,
        **call.read(read),
    )


def _clusters(session: Session, call: CallOfRequest, engagement_id: str) -> Sequence[ClusterLine]:
    lines = []
    for cluster, size in service.clusters_of(session, engagement_id):
        chosen = Chosen(cluster=cluster)
        one = service.examples_of(session, call.actor, engagement_id, chosen, limit=1, cursor=None).items
        lines.append(ClusterLine(id=cluster, size=size, asked=line_of(one[0]).asked if one else None))
    return lines


def _on_checks(
    call: CallOfRequest, engagement_id: str, model: type[In], said: Callable[[str], str],
    effect: Callable[[Session, Any], str],
) -> Response[Any]:  # fmt: skip
    return submit(
        call, model, effect,
        then=lambda made: go(f"/engagements/{engagement_id}/data/checks", said=said(made)),
        show=lambda form, status: _checks(call, engagement_id, form, status),
    )  # fmt: skip


def _example(call: CallOfRequest, example_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def read(session: Session) -> Mapping[str, Any]:
        example = service.example_of(session, call.actor, example_id)
        engagement: EngagementOut = engagement_of(session, call, example.engagement_id)
        like = Chosen(cluster=example.cluster)
        near = (
            service.examples_of(session, call.actor, engagement.id, like, limit=_CONFLICTS_SHOWN, cursor=None).items
            if example.cluster
            else []
        )
        return {
            "example": example, "engagement": engagement, "edits": service.edits_of(session, call.actor, example_id),
            "source": service.source_name(session, example.source_id), "neighbours": service.beside(
                session, call.actor, find_row(session, call.actor, Example, example_id)
            ),
            "near": [line_of(each) for each in near if each.id != example.id],
        }  # fmt: skip

    return page(call, "pages/data/example.html", words=words, form=form, status=status, **call.read(read))


def _change(
    call: CallOfRequest, example_id: str, model: type[In], said: str, effect: Callable[[Session, Any], Example]
) -> Response[Any]:
    return submit(
        call, model, lambda s, data: effect(s, data).id,
        then=lambda _: go(f"/examples/{example_id}", said=said),
        show=lambda form, status: _example(call, example_id, form, status),
    )  # fmt: skip


ROUTES: Final[Sequence[ControllerRouterHandler]] = (PoolPages, ExamplePages)
