"""The pages of review: rounds, opening one, how one goes, the desk of a reviewer, and a disagreement."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from pydantic import model_validator
from sqlmodel import Session

from engagements.actuals.place import person_behind
from engagements.actuals.when import when_of
from engagements.core.errors import NotFound
from engagements.core.models import Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import EngagementOut
from engagements.core.service import find
from engagements.phases.data_preparation.review import (
    adjudicating,
    agreement,
    desk,
    reviewing,
    rounds,
    showing,
    throughput,
)
from engagements.phases.data_preparation.review.desk import AnswerForm, DeskShown
from engagements.phases.data_preparation.review.reviewers import people_who_review, reach_round
from engagements.phases.data_preparation.review.rules import DIMENSIONS, Decision
from engagements.phases.data_preparation.review.schemas import AdjudicateIn, ReviewedItemOut, RoundIn, TakeTimeIn
from engagements.proposals.proposal_pages import nested
from engagements.web.call import Call
from engagements.web.pages import go, is_fragment, page, read_form, submit, typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form


class RoundForm(RoundIn):
    """Reviewers are boxes named `reviewers.` and an id; golden examples lines of id, decision and label."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        data = nested({name: value for name, value in values.items() if value != ""})
        ticked = data.get("reviewers")
        golden = [line.split(None, 2) for line in str(data.pop("golden", "")).splitlines() if line.strip()]
        return {
            **data,
            "reviewers": tuple(ticked) if isinstance(ticked, dict) else (),
            "golden": tuple(dict(zip(("example_id", "decision", "label"), line, strict=False)) for line in golden),
        }


class AdjudicateForm(AdjudicateIn):
    """`take`: the id of the answer whose text is taken, or empty for the example as it is."""

    take: str = ""


class ReviewPages(Controller):
    path = "/engagements/{engagement_id:str}/review"
    include_in_schema = False

    @get(permission=Permission.REVIEW_DATA)
    def list_rounds(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        engagement, listed, me = call.read(
            lambda s: (
                _engagement(s, call, engagement_id),
                rounds.rounds_of(s, call.actor, engagement_id),
                person_behind(s, call.actor.id),
            )
        )
        return page(call, "pages/review/rounds.html", engagement=engagement, rounds=listed, me=me)

    @get("/new", permission=Permission.ADJUDICATE_DATA)
    def ask_round(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return _new(call, engagement_id)

    @post("/new", permission=Permission.ADJUDICATE_DATA)
    def open_round(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, RoundForm, lambda s, data: rounds.open_round(s, call.actor, engagement_id, data, at=call.now).id,
            then=lambda made: go(f"/engagements/{engagement_id}/review/{made}", said="The round is open"),
            show=lambda form, status: _new(call, engagement_id, form, status),
        )  # fmt: skip

    @get("/{round_id:str}", permission=Permission.VIEW_DATA)
    def show_round(self, engagement_id: FromPath[str], round_id: FromPath[str], call: Call) -> Response[str]:
        return _round(call, engagement_id, round_id)

    @post("/{round_id:str}/close", permission=Permission.ADJUDICATE_DATA)
    def close_round(self, engagement_id: FromPath[str], round_id: FromPath[str], call: Call) -> Response[Any]:
        call.write(lambda s: rounds.close_round(s, call.actor, round_id, at=call.now))
        return go(f"/engagements/{engagement_id}/review/{round_id}", said="The round is closed")

    @post("/{round_id:str}/time", permission=Permission.APPROVE_TIME)
    def take_time(self, engagement_id: FromPath[str], round_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, TakeTimeIn,
            lambda s, data: len(
                throughput.take_time(s, call.actor, round_id, data, when=when_of(s, call)).entries
            ),
            then=lambda days: go(
                f"/engagements/{engagement_id}/review/{round_id}#throughput", said=f"{days} days of work are logged"
            ),
            show=lambda form, status: _round(call, engagement_id, round_id, form, status),
        )  # fmt: skip

    @get("/{round_id:str}/items/{review_item_id:str}", permission=Permission.VIEW_DATA)
    def show_item(
        self, engagement_id: FromPath[str], round_id: FromPath[str], review_item_id: FromPath[str], call: Call
    ) -> Response[str]:
        return _item(call, engagement_id, round_id, review_item_id)

    @post("/{round_id:str}/items/{review_item_id:str}", permission=Permission.ADJUDICATE_DATA)
    def adjudicate(
        self, engagement_id: FromPath[str], round_id: FromPath[str], review_item_id: FromPath[str], call: Call
    ) -> Response[Any]:
        return submit(
            call, AdjudicateForm, lambda s, data: _adjudicated(s, call, review_item_id, data),
            then=lambda _: go(f"/engagements/{engagement_id}/review/{round_id}#disagreements", said="Decided"),
            show=lambda form, status: _item(call, engagement_id, round_id, review_item_id, form, status),
        )  # fmt: skip


class DeskPages(Controller):
    path = "/engagements/{engagement_id:str}/review/{round_id:str}/work"
    include_in_schema = False

    @get(permission=Permission.REVIEW_DATA)
    def show_desk(self, engagement_id: FromPath[str], round_id: FromPath[str], call: Call) -> Response[str]:
        """Hands out what it shows; to htmx the desk alone."""
        return _desk(call, engagement_id, round_id, lambda s: desk.desk_shown(s, call.actor, round_id, at=call.now))

    @post("/answer", permission=Permission.REVIEW_DATA)
    def answer(self, engagement_id: FromPath[str], round_id: FromPath[str], call: Call) -> Response[Any]:
        def effect(session: Session, data: AnswerForm) -> DeskShown:
            return desk.answered(session, call.actor, data, at=call.now)

        if is_fragment(call.request):
            data = read_form(AnswerForm, typed(call.request))
            laid = call.write(lambda s: effect(s, data))
            is_shown = laid.now is not None and laid.now.item.id == data.showing
            return page(
                call, "pages/review/_desk.html", desk=laid, is_shown=is_shown, is_done=True, words=showing,
                dimensions=DIMENSIONS,
            )  # fmt: skip
        return submit(
            call, AnswerForm, effect, then=lambda _: go(f"/engagements/{engagement_id}/review/{round_id}/work"),
            show=lambda form, status: _desk(
                call, engagement_id, round_id, lambda s: desk.desk_shown(s, call.actor, round_id, at=call.now), form,
                status,
            ),
        )  # fmt: skip

    @post("/undo", permission=Permission.REVIEW_DATA)
    def undo(self, engagement_id: FromPath[str], round_id: FromPath[str], call: Call) -> Response[Any]:
        if is_fragment(call.request):
            return _desk(call, engagement_id, round_id, lambda s: desk.taken_back(s, call.actor, round_id, at=call.now))
        call.write(lambda s: reviewing.undo(s, call.actor, round_id, at=call.now))
        return go(f"/engagements/{engagement_id}/review/{round_id}/work", said="Your last answer is taken back")


def _engagement(session: Session, call: Call, engagement_id: str, round_id: str = "") -> EngagementOut:
    """Raises `NotFound`, also for a round of another engagement."""
    engagement = find(session, call.actor, Engagement, engagement_id)
    if round_id and reach_round(session, call.actor, round_id).engagement_id != engagement.id:
        raise NotFound
    return EngagementOut.of(engagement)


def _new(call: Call, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, object]:
        engagement = _engagement(session, call, engagement_id)
        return {
            "engagement": engagement,
            "people": people_who_review(session, call.actor, engagement.client_id),
            "labels": [(label, label) for label in desk.labels_of(session, engagement.id)],
        }

    return page(call, "pages/review/new.html", form=form, status=status, **call.read(found))


def _round(call: Call, engagement_id: str, round_id: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
    def found(session: Session) -> dict[str, object]:
        return {
            "engagement": _engagement(session, call, engagement_id, round_id),
            "round": rounds.round_seen(session, call.actor, round_id),
            "agreement": agreement.agreement_seen(session, call.actor, round_id),
            "throughput": throughput.throughput_seen(session, call.actor, round_id),
            "disputes": adjudicating.disputes_of(session, call.actor, round_id),
            "me": person_behind(session, call.actor.id),
        }

    return page(
        call,
        "pages/review/round.html",
        form=form,
        status=status,
        words=showing,
        dimensions=DIMENSIONS,
        **call.read(found),
    )


def _item(
    call: Call, engagement_id: str, round_id: str, item_id: str, form: Form = EMPTY_FORM, status: int = 200
) -> Response[str]:
    def found(session: Session) -> dict[str, object]:
        item = adjudicating.reviewed_item(session, call.actor, item_id)
        return {
            "engagement": _engagement(session, call, engagement_id, round_id),
            "round": rounds.round_seen(session, call.actor, round_id),
            "item": item,
            "shown": showing.shown(item.record),
            "edits": _edits(item),
            "is_mine": person_behind(session, call.actor.id) in {
                each.reviewer_id for each in item.answers if each.decision is not Decision.SKIP
            },
        }  # fmt: skip

    return page(
        call,
        "pages/review/item.html",
        form=form,
        status=status,
        words=showing,
        dimensions=DIMENSIONS,
        **call.read(found),
    )


def _edits(item: ReviewedItemOut) -> Mapping[str, Sequence[showing.Piece]]:
    """By answer, what it would change."""
    return {each.id: showing.differences(item.record, each.edited) for each in item.answers if each.edited is not None}


def _adjudicated(session: Session, call: Call, item_id: str, data: AdjudicateForm) -> str:
    item = adjudicating.reviewed_item(session, call.actor, item_id)
    taken = next((each.edited for each in item.answers if each.id == data.take), None)
    wanted = AdjudicateIn.model_validate({**data.model_dump(exclude={"take"}), "edited": taken})
    return adjudicating.adjudicate(session, call.actor, item_id, wanted, at=call.now).id


def _desk(
    call: Call,
    engagement_id: str,
    round_id: str,
    laid: Callable[[Session], DeskShown],
    form: Form = EMPTY_FORM,
    status: int = 200,
) -> Response[str]:
    engagement = call.read(lambda s: _engagement(s, call, engagement_id, round_id))
    shown = call.write(laid)
    if is_fragment(call.request):
        is_done = call.request.method == "POST"
        return page(
            call, "pages/review/_desk.html", desk=shown, is_shown=False, is_done=is_done, words=showing,
            dimensions=DIMENSIONS,
        )  # fmt: skip
    labels = call.read(lambda s: desk.labels_of(s, engagement_id))
    return page(
        call, "pages/review/work.html", form=form, status=status, desk=shown, engagement=engagement, labels=labels,
        words=showing, dimensions=DIMENSIONS,
    )  # fmt: skip


ROUTES: Final[Sequence[ControllerRouterHandler]] = (ReviewPages, DeskPages)
