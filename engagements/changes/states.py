"""The life of a change request: which move leads where, and what says no (agency reference, section 6).

draft -assess-> assessed -approve-> approved -send-> sent -agree-> agreed, which makes the next baseline
assessed -reject-> draft; assessed | approved -edit-> draft; sent -decline-> declined
anything that is not decided -withdraw-> withdrawn
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from engagements.changes.models import ChangeRequest, ChangeState
from engagements.core.errors import Conflict, EngagementError
from engagements.delivery.models import Baseline


class ChangeConflict(Conflict):
    code = "change_conflict"


class ChangeStale(Conflict):
    """It was assessed against a baseline that is no longer the last one."""

    code = "change_stale"


class ChangeFrozen(EngagementError):
    """What was sent to a client is never edited."""

    code, status = "change_frozen", 423


class Move(StrEnum):
    EDIT = "edit"
    ASSESS = "assess"
    APPROVE = "approve"
    REJECT = "reject"
    SEND = "send"
    AGREE = "agree to"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


_S: Final = ChangeState
MOVES: Final[Mapping[Move, Mapping[ChangeState, ChangeState]]] = {
    Move.EDIT: dict.fromkeys((_S.DRAFT, _S.ASSESSED, _S.APPROVED), _S.DRAFT),
    Move.ASSESS: dict.fromkeys((_S.DRAFT, _S.ASSESSED, _S.APPROVED), _S.ASSESSED),
    Move.APPROVE: {_S.ASSESSED: _S.APPROVED},
    Move.REJECT: {_S.ASSESSED: _S.DRAFT},
    Move.SEND: {_S.APPROVED: _S.SENT},
    Move.AGREE: {_S.SENT: _S.AGREED},
    Move.DECLINE: {_S.SENT: _S.DECLINED},
    Move.WITHDRAW: dict.fromkeys((_S.DRAFT, _S.ASSESSED, _S.APPROVED, _S.SENT), _S.WITHDRAWN),
}
"""By move: from which state, into which."""

INSIDE: Final = frozenset({_S.DRAFT, _S.ASSESSED, _S.APPROVED})
"""States that no client ever sees."""
PENDING: Final = INSIDE | {_S.SENT}
"""Neither agreed nor out of the world: counted apart from what is agreed."""
_NEXT: Final = {
    _S.DRAFT: "assess it first",
    _S.ASSESSED: "approve it, or send it back to its author",
    _S.APPROVED: "send it, or edit it",
    _S.SENT: "wait for the client, or withdraw it and draft another",
    _S.AGREED: "draft another change",
    _S.DECLINED: "draft another change",
    _S.WITHDRAWN: "draft another change",
}


def moved(change: ChangeRequest, move: Move) -> ChangeState:
    """The state a move leads into. Raises `ChangeFrozen` for an edit after the sending, else `ChangeConflict`."""
    if change.state in MOVES[move]:
        return MOVES[move][change.state]
    if move in {Move.EDIT, Move.ASSESS} and change.state not in INSIDE:
        raise ChangeFrozen(f"change {change.number} is {change.state}, and stays as it is", remedy=_NEXT[change.state])
    raise ChangeConflict(f"you cannot {move} a change that is {change.state}", remedy=_NEXT[change.state])


def require_fresh(change: ChangeRequest, latest: Baseline) -> None:
    """Raises `ChangeStale` where the baseline has moved on since the assessment."""
    if change.on_baseline != latest.number:
        message = f"it was assessed against baseline {change.on_baseline}, and baseline {latest.number} holds now"
        sent = change.state is ChangeState.SENT
        remedy = "withdraw it, and draft and assess it again" if sent else "assess it again"
        raise ChangeStale(message, remedy=remedy)
