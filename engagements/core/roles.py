"""Who may do what: the one permission matrix, and the actor that every request and job carries.

The matrix follows the agency reference, section 7. A client's people see their own company only, and never cost,
margin or rates; nobody grants what is wider than their own role.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engagements.core.errors import CannotGrant, Forbidden


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    ACCOUNT_LEAD = "account_lead"
    DELIVERY_LEAD = "delivery_lead"
    DELIVERY_MEMBER = "delivery_member"
    REVIEWER = "reviewer"
    FINANCE = "finance"
    CLIENT_APPROVER = "client_approver"
    CLIENT_VIEWER = "client_viewer"

    @property
    def is_client(self) -> bool:
        """Whether people of this role belong to a client and see that client only."""
        return self in {Role.CLIENT_APPROVER, Role.CLIENT_VIEWER}

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


class Permission(StrEnum):
    """One entry per thing that can be allowed; routes declare one each."""

    SIGNED_IN = "be signed in"
    VIEW_CLIENTS = "see clients and contacts"
    EDIT_CLIENTS = "edit clients and contacts"
    VIEW_ENGAGEMENTS = "see engagements"
    EDIT_ENGAGEMENTS = "open and change engagements"
    VIEW_BRIEFS = "see briefs"
    EDIT_BRIEFS = "write briefs"
    VIEW_COST = "see cost, margin and rates"
    EDIT_ESTIMATES = "make estimates and edit proposal drafts"
    VIEW_PROPOSALS = "see proposals"
    APPROVE_PROPOSALS = "approve a proposal for sending"
    SEND_PROPOSALS = "send, withdraw and revise proposals"
    DECIDE_PROPOSALS = "accept or decline a proposal"
    DECIDE_ON_BEHALF = "record a client's decision with evidence"
    VIEW_DELIVERY = "see phases, gates and progress"
    VIEW_ACTUALS = "see hours, registers and changes inside the agency"
    EDIT_PLAN = "change plan, owners, dates and deliverables"
    WORK_ON_PHASES = "tick checklists, record evidence and keep the register"
    DECIDE_GATES = "decide a gate"
    OVERRIDE_GATES = "overrule what a gate must have"
    SIGN_DELIVERY = "sign gates, deliverables and changes for the client"
    LOG_TIME = "log time and costs"
    APPROVE_TIME = "approve, reject and lock time and costs"
    EDIT_CHANGES = "draft and assess change requests"
    APPROVE_CHANGES = "approve a change request for the client"
    SEND_CHANGES = "send change requests"
    EXPORT_INVOICES = "hand lines over for invoicing"
    ISSUE_REPORTS = "issue status reports"
    VIEW_DATA = "see sources, examples and datasets inside the agency"
    PREPARE_DATA = "collect, check, generate and split data"
    REVIEW_DATA = "review examples that are handed to one"
    ADJUDICATE_DATA = "open review rounds and end disagreements"
    SEAL_DATA = "seal a dataset, and open a sealed test split to an evaluation"
    ERASE_DATA = "erase a person from data"
    VIEW_TRAINING = "see experiments, runs and models inside the agency"
    RUN_TRAINING = "plan, start and stop training"
    VIEW_PEOPLE = "see people"
    MANAGE_PEOPLE = "set roles, end access and make links to a new password"
    INVITE_COLLEAGUES = "invite people"
    MANAGE_KEYS = "make, rotate and revoke API keys"
    MANAGE_WEBHOOKS = "set up webhooks"
    VIEW_AUDIT = "read the audit trail"
    VIEW_CLIENT_AUDIT = "read the client's part of the audit trail"
    OPERATE = "read metrics and the state of the installation"


_P = Permission
_ANYBODY: Final = {_P.SIGNED_IN, _P.VIEW_ENGAGEMENTS, _P.VIEW_CLIENT_AUDIT, _P.VIEW_DELIVERY}
_STAFF: Final = _ANYBODY | {
    _P.VIEW_DATA, _P.VIEW_TRAINING, _P.VIEW_CLIENTS, _P.VIEW_BRIEFS, _P.VIEW_PEOPLE, _P.VIEW_ACTUALS, _P.OPERATE,
}  # fmt: skip
_WORKS: Final = {_P.WORK_ON_PHASES, _P.LOG_TIME, _P.PREPARE_DATA, _P.REVIEW_DATA, _P.RUN_TRAINING}
_DATA_LEADS: Final = {_P.ADJUDICATE_DATA, _P.SEAL_DATA, _P.ERASE_DATA}
_LEADS: Final = (
    _WORKS | _DATA_LEADS | {_P.EDIT_PLAN, _P.DECIDE_GATES, _P.APPROVE_TIME, _P.EDIT_CHANGES, _P.ISSUE_REPORTS}
)
_COMMERCIAL: Final = _STAFF | {_P.VIEW_COST, _P.VIEW_PROPOSALS}

MATRIX: Final[Mapping[Role, frozenset[Permission]]] = {
    # "on behalf + evidence", never as the client: no administrator decides in a client's name unseen.
    Role.ADMINISTRATOR: frozenset(_P) - {_P.DECIDE_PROPOSALS, _P.SIGN_DELIVERY},
    Role.ACCOUNT_LEAD: frozenset(
        _COMMERCIAL
        | _LEADS
        | {
            _P.EDIT_CLIENTS,
            _P.EDIT_ENGAGEMENTS,
            _P.EDIT_BRIEFS,
            _P.EDIT_ESTIMATES,
            _P.APPROVE_PROPOSALS,
            _P.SEND_PROPOSALS,
            _P.DECIDE_ON_BEHALF,
            _P.OVERRIDE_GATES,
            _P.APPROVE_CHANGES,
            _P.SEND_CHANGES,
            _P.EXPORT_INVOICES,
        }
    ),
    Role.DELIVERY_LEAD: frozenset(_STAFF | _LEADS | {_P.EDIT_ENGAGEMENTS, _P.EDIT_BRIEFS}),
    Role.DELIVERY_MEMBER: frozenset(_STAFF | _WORKS),
    Role.REVIEWER: frozenset(_COMMERCIAL | {_P.APPROVE_PROPOSALS, _P.VIEW_AUDIT, _P.REVIEW_DATA}),
    Role.FINANCE: frozenset(
        _COMMERCIAL | {_P.APPROVE_PROPOSALS, _P.LOG_TIME, _P.APPROVE_TIME, _P.APPROVE_CHANGES, _P.EXPORT_INVOICES}
    ),
    Role.CLIENT_APPROVER: frozenset(
        _ANYBODY | {_P.VIEW_PROPOSALS, _P.DECIDE_PROPOSALS, _P.SIGN_DELIVERY, _P.INVITE_COLLEAGUES, _P.REVIEW_DATA}
    ),
    Role.CLIENT_VIEWER: frozenset(_ANYBODY | {_P.VIEW_PROPOSALS, _P.REVIEW_DATA}),
}


class ActorKind(StrEnum):
    USER = "user"
    KEY = "key"
    LINK = "link"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from; empty for work of our own."""

    ip: str = ""
    agent: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, for whom. `client_id` is set for a client's people and narrows all they see to that client."""

    kind: ActorKind
    id: str
    name: str
    organisation_id: str
    role: Role | None = None
    client_id: str | None = None
    origin: Origin = field(default_factory=Origin)

    def __post_init__(self) -> None:
        belongs = self.client_id is not None
        assert self.role is None or self.role.is_client == belongs, "who is of a client sees that client only"

    @property
    def permissions(self) -> frozenset[Permission]:
        return MATRIX[self.role] if self.role else frozenset()

    @property
    def is_staff(self) -> bool:
        return self.role is not None and not self.role.is_client

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises `Forbidden`."""
        if not self.may(permission):
            whom = self.role.label if self.role else "This link"
            remedy = "ask an administrator of your agency"
            raise Forbidden(f"{whom} may not {permission.value}", remedy=remedy)


def require_grantable(maker: Actor, role: Role, through: Permission) -> None:
    """Nobody makes a person or a key that may do more than they may. `through`: the permission to make one.

    The one exception: who may invite at all may invite a client's approver, a person who then decides for the client;
    a key that decides for a client is made on the machine itself only. Raises `CannotGrant`.
    """
    if maker.kind is ActorKind.SYSTEM:
        return
    if not maker.may(through):
        whom = maker.role.label if maker.role else "This link"
        raise CannotGrant(f"{whom} may not {through.value}", remedy="ask an administrator of your agency")
    theirs = (
        {Permission.DECIDE_PROPOSALS, Permission.SIGN_DELIVERY}
        if through is Permission.INVITE_COLLEAGUES
        else set[Permission]()
    )
    if not MATRIX[role] <= maker.permissions | theirs:
        raise CannotGrant(f"{role.label} is wider than what you may do", remedy="choose a role within your own")


def system_actor(organisation_id: str, name: str = "Sixfold") -> Actor:
    """Work of our own: sweeps, reminders, the command line on the machine itself."""
    return Actor(kind=ActorKind.SYSTEM, id="system", name=name, organisation_id=organisation_id)
