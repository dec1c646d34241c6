"""The catalogue of webhooks: what can be told, and what each message carries.

Ids and states, never names, texts, amounts or personal data: a message passes through logs and queues of others. Who
is told asks for the rest with a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engagements.core.outbox import EventType

TEST: Final = "webhook.test"
"""Told to one endpoint that asks for it, whatever it listens to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """`when` it is told, and an example of its data."""

    when: str
    data: Mapping[str, str | int | None]


_ID: Final = "01kb0000000000000000000000"
Data = dict[str, str | int | None]
_ENGAGEMENT: Final[Data] = {"engagement": f"eng_{_ID}"}
_PROPOSAL: Final[Data] = {"proposal": f"pro_{_ID}", **_ENGAGEMENT}
_DELIVERABLE: Final[Data] = _ENGAGEMENT | {"deliverable": f"dlv_{_ID}", "edition": 1}
_CHANGE: Final[Data] = {"change": f"chg_{_ID}", **_ENGAGEMENT}

CATALOGUE: Final[Mapping[EventType, EventKind]] = {
    EventType.PROPOSAL_SENT: EventKind(when="A proposal got its number and was sent.", data=_PROPOSAL),
    EventType.PROPOSAL_VIEWED: EventKind(when="The client opened it for the first time.", data=_PROPOSAL),
    EventType.PROPOSAL_ACCEPTED: EventKind(when="The client accepted an option.", data=_PROPOSAL),
    EventType.PROPOSAL_DECLINED: EventKind(when="The client declined.", data=_PROPOSAL),
    EventType.PROPOSAL_WITHDRAWN: EventKind(when="The agency took it back.", data=_PROPOSAL),
    EventType.PROPOSAL_EXPIRED: EventKind(when="Its last day passed without an answer.", data=_PROPOSAL),
    EventType.ENGAGEMENT_CHANGED: EventKind(
        when="An engagement moved to another state.",
        data={"engagement": _PROPOSAL["engagement"], "state": "active"},
    ),
    EventType.PHASE_CHANGED: EventKind(
        when="A phase moved to another state, or to another round.",
        data=_ENGAGEMENT | {"phase": "training", "state": "in_progress", "round": 1},
    ),
    EventType.PLAN_CHANGED: EventKind(
        when="Planned days were moved, for a reason.",
        data=_ENGAGEMENT | {"phase": "training", "change": f"mov_{_ID}"},
    ),
    EventType.EVIDENCE_RECORDED: EventKind(
        when="A measurement was recorded.",
        data=_ENGAGEMENT | {"evidence": f"evi_{_ID}", "kind": "training_run", "phase": "training"},
    ),
    EventType.GATE_DECIDED: EventKind(
        when="A gate was decided, or the client has answered it.",
        data=_ENGAGEMENT | {"phase": "evaluation", "gate": f"gat_{_ID}", "verdict": "go", "state": "awaiting_client"},
    ),
    EventType.DELIVERABLE_SUBMITTED: EventKind(
        when="A deliverable was handed to the client.", data=_DELIVERABLE | {"state": "submitted"}
    ),
    EventType.DELIVERABLE_DECIDED: EventKind(
        when="The client accepted a deliverable or returned it.", data=_DELIVERABLE | {"state": "accepted"}
    ),
    EventType.BUDGET_ALERT: EventKind(
        when="A threshold of a budget, of the forecast or of a gate's day was passed.",
        data=_ENGAGEMENT | {"alert": f"alr_{_ID}", "kind": "hours", "threshold": 80, "phase": "training"},
    ),
    EventType.INVOICE_EXPORTED: EventKind(
        when="Lines were handed over for invoicing.", data=_ENGAGEMENT | {"invoice": f"inv_{_ID}", "number": 1}
    ),
    EventType.CHANGE_SENT: EventKind(when="A change request was sent to the client.", data=_CHANGE | {"state": "sent"}),
    EventType.CHANGE_DECIDED: EventKind(
        when="The client agreed or declined, or it was withdrawn.", data=_CHANGE | {"state": "agreed"}
    ),
    EventType.REPORT_ISSUED: EventKind(when="A status report was issued.", data=_ENGAGEMENT | {"report": f"rep_{_ID}"}),
    EventType.DATA_JOB_ENDED: EventKind(
        when="Long work on data is done, has failed, or was cancelled.",
        data=_ENGAGEMENT | {"job": f"job_{_ID}", "kind": "import", "state": "done"},
    ),
    EventType.REVIEW_ROUND_CLOSED: EventKind(
        when="A round of review was closed.", data=_ENGAGEMENT | {"round": f"rnd_{_ID}"}
    ),
    EventType.DATASET_SEALED: EventKind(
        when="A dataset version was sealed.", data=_ENGAGEMENT | {"version": f"dsv_{_ID}", "number": 1}
    ),
    EventType.ERASURE_OPENED: EventKind(
        when="Somebody asked to be erased from data, and it is under way.", data=_ENGAGEMENT | {"erasure": f"era_{_ID}"}
    ),
    EventType.TRAINING_RUN_ENDED: EventKind(
        when="A training run has succeeded, failed or was cancelled, or its provider does not know it any more.",
        data=_ENGAGEMENT | {"experiment": f"exp_{_ID}", "run": f"trn_{_ID}", "state": "succeeded"},
    ),
    EventType.EXPERIMENT_ENDED: EventKind(
        when="All runs of an experiment have ended, and one was chosen, or none gave a model.",
        data=_ENGAGEMENT | {"experiment": f"exp_{_ID}", "state": "done", "chosen": f"trn_{_ID}"},
    ),
    EventType.MODEL_RETIRING: EventKind(
        when="The last day of a model that was trained on, or serves, is 60, 30 or 7 days away.",
        data=_ENGAGEMENT | {"days": 30, "model_version": f"mdl_{_ID}"},
    ),
}
