"""Review over /api/v1: rounds, items handed out, answers, agreement, disagreements, throughput."""

from collections.abc import Sequence
from typing import Final

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from engagements.actuals.when import when_of
from engagements.core.roles import Permission
from engagements.phases.data_preparation.review import adjudicating, agreement, answering, reviewing, rounds, throughput
from engagements.phases.data_preparation.review.schemas import (
    AdjudicateIn,
    AdjudicationOut,
    AnswerIn,
    AnswersIn,
    HandedOut,
    NextIn,
    ReviewedItemList,
    ReviewedItemOut,
    ReviewList,
    ReviewOut,
    RoundAgreementOut,
    RoundIn,
    RoundList,
    RoundOut,
    TakeTimeIn,
    ThroughputOut,
    TimesTakenOut,
)
from engagements.web.call import Call
from engagements.web.routes import get, post


class RoundsOfEngagement(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/data/review-rounds"
    tags = ("Review",)

    @get(permission=Permission.REVIEW_DATA, summary="Its review rounds, the newest first")
    def list_rounds(self, engagement_id: FromPath[str], call: Call) -> RoundList:
        """A client's people see the rounds that name them."""
        return call.read(lambda s: RoundList(items=rounds.rounds_of(s, call.actor, engagement_id)))

    @post(permission=Permission.ADJUDICATE_DATA, summary="Open a round over pending examples")
    def open_round(self, engagement_id: FromPath[str], data: JSONBody[RoundIn], call: Call) -> Response[RoundOut]:
        return call.create(
            lambda s: rounds.round_out(
                s, call.actor, rounds.open_round(s, call.actor, engagement_id, data, at=call.now)
            )
        )


class Rounds(Controller):
    path = "/api/v1/review-rounds/{round_id:str}"
    tags = ("Review",)

    @get(permission=Permission.REVIEW_DATA, summary="One round, and how far it is")
    def show_round(self, round_id: FromPath[str], call: Call) -> Response[RoundOut]:
        return call.show(lambda s: rounds.round_seen(s, call.actor, round_id))

    @post("/close", permission=Permission.ADJUDICATE_DATA, summary="Close it", status_code=200)
    def close_round(self, round_id: FromPath[str], call: Call) -> Response[RoundOut]:
        """What is not answered stays pending; disagreements can still be decided."""
        return call.act(
            lambda s: rounds.round_out(s, call.actor, rounds.close_round(s, call.actor, round_id, at=call.now))
        )

    @post("/next", permission=Permission.REVIEW_DATA, summary="Be handed the next examples", status_code=200)
    def next_items(self, round_id: FromPath[str], data: JSONBody[NextIn], call: Call) -> Response[HandedOut]:
        """They are with you for a quarter of an hour; asking again says the same ones first."""
        return call.act(lambda s: reviewing.next_items(s, call.actor, round_id, count=data.count, at=call.now))

    @post("/answers", permission=Permission.REVIEW_DATA, summary="Answer several at once")
    def answer_all(self, round_id: FromPath[str], data: JSONBody[AnswersIn], call: Call) -> Response[ReviewList]:
        """All are taken, or none. For tools that reviewers work in; everything holds that holds of one answer."""
        return call.create(
            lambda s: ReviewList(
                items=[
                    adjudicating.review_out(row)
                    for row in answering.submit_all(s, call.actor, round_id, data, at=call.now)
                ]
            )
        )

    @post("/undo", permission=Permission.REVIEW_DATA, summary="Take your last answer back", status_code=200)
    def undo(self, round_id: FromPath[str], call: Call) -> Response[HandedOut]:
        """409 once others have answered that example too, or it was changed or sealed since."""
        return call.act(lambda s: reviewing.undone(s, call.actor, round_id, at=call.now))

    @get("/agreement", permission=Permission.VIEW_DATA, summary="How far its reviewers agree")
    def show_agreement(self, round_id: FromPath[str], call: Call) -> RoundAgreementOut:
        return call.read(lambda s: agreement.agreement_seen(s, call.actor, round_id))

    @get("/throughput", permission=Permission.VIEW_DATA, summary="How fast and how well its reviewers work")
    def show_throughput(self, round_id: FromPath[str], call: Call) -> ThroughputOut:
        return call.read(lambda s: throughput.throughput_seen(s, call.actor, round_id))

    @get("/disagreements", permission=Permission.VIEW_DATA, summary="What its reviewers disagree about")
    def list_disagreements(self, round_id: FromPath[str], call: Call) -> ReviewedItemList:
        return call.read(lambda s: ReviewedItemList(items=adjudicating.disputes_of(s, call.actor, round_id)))

    @post("/time", permission=Permission.APPROVE_TIME, summary="Take its time over as time entries", status_code=200)
    def take_time(self, round_id: FromPath[str], data: JSONBody[TakeTimeIn], call: Call) -> Response[TimesTakenOut]:
        """Once it is closed; doing it again makes nothing new."""
        return call.act(lambda s: throughput.take_time(s, call.actor, round_id, data, when=when_of(s, call)))


class Items(Controller):
    path = "/api/v1/review-items/{review_item_id:str}"
    tags = ("Review",)

    @get(permission=Permission.VIEW_DATA, summary="One item with its answers, once they are all in")
    def show_item(self, review_item_id: FromPath[str], call: Call) -> ReviewedItemOut:
        return call.read(lambda s: adjudicating.reviewed_item(s, call.actor, review_item_id))

    @post("/answer", permission=Permission.REVIEW_DATA, summary="Answer it")
    def answer(self, review_item_id: FromPath[str], data: JSONBody[AnswerIn], call: Call) -> Response[ReviewOut]:
        """409 where the example was changed since, or is with somebody else."""
        return call.create(
            lambda s: adjudicating.review_out(reviewing.submit(s, call.actor, review_item_id, data, at=call.now))
        )

    @post("/adjudicate", permission=Permission.ADJUDICATE_DATA, summary="End a disagreement about it")
    def adjudicate(
        self, review_item_id: FromPath[str], data: JSONBody[AdjudicateIn], call: Call
    ) -> Response[AdjudicationOut]:
        """Not by somebody who answered it."""
        return call.create(
            lambda s: adjudicating.adjudication_out(
                adjudicating.adjudicate(s, call.actor, review_item_id, data, at=call.now)
            )
        )


ROUTES: Final[Sequence[ControllerRouterHandler]] = (RoundsOfEngagement, Rounds, Items)
