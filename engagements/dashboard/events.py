"""One line of the audit trail in plain words: who did what, to what, and which fields it changed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engagements.core.models import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of a record before and after, as text."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the trail: who did what, and the fields it changed where the reader may see them."""

    seq: int
    at: datetime
    who: str
    role: str
    did: str
    subject: str
    reason: str
    ip: str
    entity: str
    entity_id: str
    changes: tuple[Change, ...] = ()


def event_of(row: AuditEvent, *, with_values: bool, subject: str = "", count: int = 1) -> Event:
    """`subject`: what the record is called today; `count` above 1 stands for so many alike at one moment."""
    return Event(
        seq=row.seq, at=row.at, who=row.actor_name, role=row.actor_role.replace("_", " "), did=did(row, count),
        subject="" if count > 1 else subject or _subject(row), reason=row.reason, ip=row.ip, entity=row.entity,
        entity_id=row.entity_id, changes=tuple(_changes(row)) if with_values else (),
    )  # fmt: skip


_SAID_OTHERWISE: Final[Mapping[str, str]] = {
    "alert.raised": "raised the alert",
    "baseline.made": "fixed the plan as agreed",
    "certificate.made": "made the certificate of acceptance",
    "decision.made": "decided about the proposal",
    "link.created": "made a private link to the proposal",
    "checklist.marked": "marked an item of the checklist",
    "condition.set": "set the condition",
    "cost.logged": "entered a cost",
    "criterion.bound": "sealed the set of the criterion",
    "gate.overridden": "overruled the gate",
    "gate.taken_back": "took back the gate",
    "phase.awaits_client": "asked the client to sign the gate of",
    "phase.held": "held the gate of",
    "phase.owner_set": "set the owner of",
    "phase.passed": "passed the gate of",
    "phase.ready": "made ready to begin:",
    "phase.recycled": "began another round of",
    "phase.refused": "refused the gate of",
    "phase.taken_back": "took back from its gate:",
    "rate.laid": "fixed the rates as agreed",
    "time.adjusted": "adjusted time that was invoiced",
    "time.logged": "logged time",
    "time.priced": "priced time that had no rate",
    "user.access_ended": "ended a person’s access",
    "user.access_restored": "restored a person’s access",
    "user.password_link_made": "made a link to a new password",
    "user.password_set": "set a new password",
    "user.role_set": "set a person’s role",
    "user.signed_in": "signed in",
    "user.signed_out": "signed out",
    "proposal.drafted": "began the proposal",
    "proposal.submitted": "handed the proposal in for approval",
    "webhook.secret_rotated": "changed the secret of the webhook",
}
_PLURALS: Final[Mapping[str, str]] = {
    "criterion": "criteria", "time": "entries of time", "cost": "costs", "evidence": "pieces of evidence",
    "invoice": "invoices",
}  # fmt: skip
_NOUNS: Final[Mapping[str, str]] = {
    "raid": "entry of the register", "change": "change request", "time": "entry of time", "report": "status report",
    "rate": "rate", "lock": "lock of the weeks", "feed": "calendar", "evidence": "evidence",
}  # fmt: skip


def did(row: AuditEvent, count: int) -> str:
    """`proposal.sent` reads "sent the proposal"; a move of state says from where to where."""
    noun, _, verb = row.action.replace("_", " ").partition(".")
    if count > 1:
        return f"{verb} {count} {_PLURALS.get(noun, f'{_NOUNS.get(noun, noun)}s')}"
    if row.action in _SAID_OTHERWISE:
        return _SAID_OTHERWISE[row.action]
    named, moved = _NOUNS.get(noun, noun), row.changes.get("state")
    if verb == "changed" and moved:
        return f"moved the {named} from {_words(moved[0])} to {_words(moved[1])}"
    return f"{verb} the {named}"


def _words(state: object) -> str:
    return str(state).replace("_", " ")


def _subject(row: AuditEvent) -> str:
    for field in ("name", "title", "email"):
        values = [value for value in row.changes.get(field, ()) if isinstance(value, str) and value]
        if values:
            return values[-1]
    return ""


def _changes(row: AuditEvent) -> Iterable[Change]:
    for field, (before, after) in row.changes.items():
        yield Change(field=field.replace("_", " "), before=_plain(before), after=_plain(after))


def _plain(value: object) -> str:
    match value:
        case None | "":
            return "nothing"
        case str():
            return value
        case {"sha256": str(digest)}:
            return f"not shown (sha256 {digest[:12]}…)"
        case _:
            return json.dumps(value, ensure_ascii=False)
