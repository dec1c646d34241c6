"""What a client's people are told of each state of an offer: what is done, in flight, and theirs to do."""

from datetime import UTC, datetime

import pytest

from engagements.core.models import Engagement, EngagementState
from engagements.core.roles import Actor, ActorKind, Role
from engagements.dashboard.standing import Delivery, Waits, standing_of
from engagements.dashboard.work import WorkItem, WorkKind
from engagements.proposals.models import Proposal, ProposalState

AT = datetime(2026, 11, 23, tzinfo=UTC)


def reader(role: Role) -> Actor:
    return Actor(kind=ActorKind.USER, id="usr_1", name="Petra", organisation_id="org_1", role=role, client_id="cli_1")


def standing(state: ProposalState | None, role: Role = Role.CLIENT_APPROVER, engagement=EngagementState.PROPOSED):
    row = Engagement(
        id="eng_1", organisation_id="org_1", client_id="cli_1", name="Replies", state=engagement,
        state_reason="the data is late", created_at=AT, changed_at=AT,
    )  # fmt: skip
    offer = None
    if state is not None:
        offer = Proposal(id="pro_1", engagement_id="eng_1", client_id="cli_1", state=state, number="P-2026-0007")
    decides = state is ProposalState.SENT and role is Role.CLIENT_APPROVER
    item = WorkItem(kind=WorkKind.PROPOSAL_TO_DECIDE, title="Decide proposal P-2026-0007", address="/proposals/pro_1")
    waits = Waits(mine=[item] if decides else [])
    return standing_of(row, offer, Delivery(), waits, reader(role), contact=None)


def said(things):
    return [thing.text for thing in things]


def test_a_sent_proposal_waits_for_who_decides_and_for_nobody_else():
    assert [item.title for item in standing(ProposalState.SENT).needs_you] == ["Decide proposal P-2026-0007"]
    watching = standing(ProposalState.SENT, Role.CLIENT_VIEWER)
    assert watching.needs_you == []
    assert said(watching.in_flight) == ["Proposal P-2026-0007 is being decided by your approver"]


@pytest.mark.parametrize("state", [None, ProposalState.DRAFT, ProposalState.IN_REVIEW, ProposalState.APPROVED])
def test_what_is_not_sent_is_only_being_prepared(state):
    assert standing(state).done == []
    assert said(standing(state).in_flight) == ["The proposal is being prepared"]


def test_every_state_of_an_offer_says_something():
    for state in ProposalState:
        told = standing(state)
        assert told.done or told.in_flight or told.needs_you, state


def test_what_rests_says_why_and_what_has_ended_asks_for_nothing():
    resting = standing(ProposalState.ACCEPTED, engagement=EngagementState.ON_HOLD)
    assert said(resting.in_flight) == ["On hold: the data is late"]
    ended = standing(ProposalState.SENT, engagement=EngagementState.TERMINATED)
    assert (ended.in_flight, ended.needs_you) == ([], [])
    assert {phase.said for phase in ended.phases} == {"Not begun"}
