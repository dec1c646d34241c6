"""The client's second engagement, a small one: which queue takes a ticket. From its brief to its first day."""

from collections.abc import Mapping
from typing import Any, Final

from engagements.client import Sixfold
from engagements.client.models import Engagement
from engagements.demo.house import DELIVERY, LEAD, REVIEWER, House
from engagements.demo.routing import queues
from engagements.demo.story import Story
from engagements.demo.words import minor, note

_PHASE: Final = "data_preparation"


def agree(url: str, house: House, story: Story, first: Engagement, brief: Mapping[str, Any]) -> Engagement:
    """`brief`: of the first engagement, whose client, prices and terms hold for this one as well."""
    asks = brief["client"]
    who = asks["contact_name"]
    with (
        Sixfold(url, house.keys[LEAD]) as lead,
        Sixfold(url, house.keys[REVIEWER]) as reviewer,
        Sixfold(url) as anybody,
    ):
        engagement = lead.engagements.open(
            client_id=first.client_id, name="Which queue takes this ticket?", owner_id=house.people[LEAD]
        )
        written = lead.briefs.add(engagement.id, _brief(brief))
        estimate = lead.estimates.add(engagement.id, brief_id=written.id, day=story.today)
        draft = lead.proposals.draft(engagement.id, estimate_id=estimate.id)
        lead.proposals.request_approval(draft.id)
        reviewer.proposals.approve(draft.id)
        sent = lead.proposals.send(draft.id, [{"name": who, "email": asks["contact_email"]}])
        token = sent.links[0].token
        assert token is not None, "the first answer tells the link"
        seen = anybody.portal.look(token)
        chosen = seen.view["price"]["options"][0]
        decision = anybody.portal.accept(
            token, option=chosen["id"], sha256=seen.pdf_sha256, name=who, role=asks["contact_role"],
            email=asks["contact_email"],
        )  # fmt: skip
    note(LEAD, f"opens “{engagement.name}” for the same client, has {sent.proposal.number} approved and sends it")
    note(who, f"accepts {chosen['name']}, {minor(decision.net_minor)} {decision.currency} net")
    return engagement


def begin(delivery: Sixfold, house: House, engagement_id: str, client_name: str) -> None:
    """Its first phase, with what the client owes for it."""
    for phase in delivery.plans.phases(engagement_id):
        delivery.plans.set_owner(phase, house.people[DELIVERY])
    delivery.plans.start(engagement_id, _PHASE)
    owed = [
        each for each in delivery.milestones.list(engagement_id) if (each.kind, each.phase) == ("client_input", _PHASE)
    ]
    for each in owed:
        delivery.milestones.reach(each.id)
    note(DELIVERY, f"starts {_PHASE.replace('_', ' ')}; {client_name} has sent what was owed")


def _brief(first: Mapping[str, Any]) -> dict[str, Any]:
    """The first brief with another task and far less data; what it says of the first task alone is left out."""
    kept = {
        name: value for name, value in first.items() if name not in {"criteria", "assumptions", "exclusions", "risks"}
    }
    project = first["project"] | {
        "title": "Tickets in the right queue",
        "problem": "Every English ticket is read once only to be passed on, and one in nine lands with the wrong team.",
    }
    task = {
        "kind": "classification", "summary": f"Name the queue that takes an English ticket: {', '.join(queues())}.",
        "metric": "tickets in the right queue", "baseline_percent": 40, "baseline_source": "estimated",
        "target_percent": 85, "stop_at_percent": 80, "languages": ["en"],
    }  # fmt: skip
    data = first["data"] | {"examples": 108, "prompt_tokens": 50, "answer_tokens": 3, "personal_data": False}
    data["labelling"] = first["data"]["labelling"] | {"examples": 108, "new": 0, "guideline_hours": 2}
    return {**kept, "project": project, "task": task, "data": data}


def overrule(
    lead: Sixfold, client: Sixfold, delivery: Sixfold, engagement_id: str, phase: str, *, next_one: str
) -> None:
    """A pilot is smaller than what a gate asks for; an account lead may say so, and the client reads it."""
    delivery.plans.hand_in(engagement_id, phase)
    blockers = lead.gates.get(engagement_id, phase).blockers
    sitting = lead.gates.decide(
        engagement_id, phase, "go", reason="A pilot: what it learns is shown on tickets that are held out.",
        overridden=[each.requirement for each in blockers],
        override_reason="It is too small for what this gate asks of a whole engagement.",
    )  # fmt: skip
    codes = ", ".join(each.code for each in blockers)
    note(LEAD, f"overrules the gate of {phase.replace('_', ' ')} with a reason that the client reads: {codes}")
    if sitting.state == "awaiting_client":
        client.gates.sign(sitting.id)
    delivery.plans.start(engagement_id, next_one)
