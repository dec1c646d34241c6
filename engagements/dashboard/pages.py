"""Pages of clients and their contacts, forms of engagements, and the audit trail."""

from typing import Annotated, Any

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter

from engagements.core import service
from engagements.core.models import Client, Contact, Engagement
from engagements.core.roles import Permission
from engagements.core.schemas import (
    ClientIn,
    ClientOut,
    ClientPatch,
    ContactIn,
    ContactOut,
    ContactPatch,
    EngagementIn,
    EngagementOut,
    EngagementPatch,
)
from engagements.dashboard import records
from engagements.dashboard.clients import client_list
from engagements.dashboard.day import day_of
from engagements.dashboard.portfolio import ROWS
from engagements.dashboard.trail import EVENTS, TrailFilter, trail_of
from engagements.dashboard.views import countries, numbered_pages, sample_phases, state_choices
from engagements.web.call import Call
from engagements.web.pages import go, page, submit, version_typed
from engagements.web.routes import get, post
from engagements.web.templates import EMPTY_FORM, Form
from estimator.errors import Problem

Word = Annotated[str, QueryParameter(max_length=200)]
PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=100_000)]


class ClientPages(Controller):
    path = "/clients"
    include_in_schema = False

    @get(permission=Permission.VIEW_CLIENTS)
    def show_clients(self, call: Call, search: Word = "", archived: Word = "", number: PageNumber = 1) -> Response[str]:
        wanted = search.strip()
        listed = call.read(lambda s: client_list(s, call.actor, wanted, archived=bool(archived), page=number))
        filters = {"search": wanted, "archived": archived}
        pages = numbered_pages("/clients", filters, page=number, size=ROWS, total=listed.total)
        return page(
            call, "pages/clients/clients.html", clients=listed, search=wanted, archived=archived, pages=pages,
            country_names=dict(countries("en_GB")),
        )  # fmt: skip

    @get("/new", permission=Permission.EDIT_CLIENTS)
    def new_client(self, call: Call) -> Response[str]:
        return self._client_form(call, None)

    @post("/new", permission=Permission.EDIT_CLIENTS)
    def add_client(self, call: Call) -> Response[Any]:
        return submit(
            call, ClientIn, lambda s, data: service.create_client(s, call.actor, data, at=call.now).id,
            then=lambda made: go(f"/clients/{made}", said="Client added"),
            show=lambda form, status: self._client_form(call, None, form, status),
        )  # fmt: skip

    @get("/{client_id:str}", permission=Permission.VIEW_CLIENTS)
    def show_client(self, client_id: FromPath[str], call: Call) -> Response[str]:
        found = call.read(
            lambda s: records.client_record(s, call.actor, client_id, now=call.now, today=day_of(s, call))
        )
        return page(call, "pages/clients/client.html", record=found, country_names=dict(countries("en_GB")))

    @get("/{client_id:str}/edit", permission=Permission.EDIT_CLIENTS)
    def edit_client(self, client_id: FromPath[str], call: Call) -> Response[str]:
        return self._client_form(call, _client(call, client_id))

    @post("/{client_id:str}/edit", permission=Permission.EDIT_CLIENTS)
    def change_client(self, client_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, ClientPatch,
            lambda s, data: service.change_client(
                s, call.actor, client_id, data, version=version_typed(call), at=call.now
            ),
            then=lambda _: go(f"/clients/{client_id}", said="Changes saved"),
            show=lambda form, status: self._client_form(call, _client(call, client_id), form, status),
        )  # fmt: skip

    @post("/{client_id:str}/archive", permission=Permission.EDIT_CLIENTS)
    def archive_client(self, client_id: FromPath[str], call: Call) -> Response[Any]:
        return self._put_away(call, client_id, archived=True)

    @post("/{client_id:str}/restore", permission=Permission.EDIT_CLIENTS)
    def restore_client(self, client_id: FromPath[str], call: Call) -> Response[Any]:
        return self._put_away(call, client_id, archived=False)

    @get("/{client_id:str}/contacts/new", permission=Permission.EDIT_CLIENTS)
    def new_contact(self, client_id: FromPath[str], call: Call) -> Response[str]:
        return _contact_form(call, _client(call, client_id), None)

    @post("/{client_id:str}/contacts/new", permission=Permission.EDIT_CLIENTS)
    def add_contact(self, client_id: FromPath[str], call: Call) -> Response[Any]:
        return submit(
            call, ContactIn, lambda s, data: service.create_contact(s, call.actor, client_id, data, at=call.now).name,
            then=lambda name: go(f"/clients/{client_id}", said=f"{name} added"),
            show=lambda form, status: _contact_form(call, _client(call, client_id), None, form, status),
        )  # fmt: skip

    def _put_away(self, call: Call, client_id: str, *, archived: bool) -> Response[Any]:
        change, version = ClientPatch(archived=archived), version_typed(call)
        call.write(lambda s: service.change_client(s, call.actor, client_id, change, version=version, at=call.now).id)
        return go(f"/clients/{client_id}", said="Client archived" if archived else "Client is back")

    def _client_form(
        self, call: Call, client: ClientOut | None, form: Form = EMPTY_FORM, status: int = 200
    ) -> Response[str]:
        return page(
            call, "pages/clients/client_form.html", client=client, countries=countries("en_GB"), form=form,
            status=status,
        )  # fmt: skip


class ContactPages(Controller):
    path = "/contacts"
    include_in_schema = False

    @get("/{contact_id:str}/edit", permission=Permission.EDIT_CLIENTS)
    def edit_contact(self, contact_id: FromPath[str], call: Call) -> Response[str]:
        contact = _contact(call, contact_id)
        return _contact_form(call, _client(call, contact.client_id), contact)

    @post("/{contact_id:str}/edit", permission=Permission.EDIT_CLIENTS)
    def change_contact(self, contact_id: FromPath[str], call: Call) -> Response[Any]:
        contact = _contact(call, contact_id)
        return submit(
            call, ContactPatch,
            lambda s, data: service.change_contact(
                s, call.actor, contact_id, data, version=version_typed(call), at=call.now
            ),
            then=lambda _: go(f"/clients/{contact.client_id}", said="Changes saved"),
            show=lambda form, status: _contact_form(call, _client(call, contact.client_id), contact, form, status),
        )  # fmt: skip

    @post("/{contact_id:str}/remove", permission=Permission.EDIT_CLIENTS)
    def remove_contact(self, contact_id: FromPath[str], call: Call) -> Response[Any]:
        contact, version = _contact(call, contact_id), version_typed(call)
        call.write(lambda s: service.remove_contact(s, call.actor, contact_id, version=version, at=call.now))
        return go(f"/clients/{contact.client_id}", said=f"{contact.name} removed")


class EngagementPages(Controller):
    path = "/engagements"
    include_in_schema = False

    @get("/new", permission=Permission.EDIT_ENGAGEMENTS)
    def new_engagement(self, call: Call, client: Word = "") -> Response[str]:
        return self._opening_form(call, client)

    @post("/new", permission=Permission.EDIT_ENGAGEMENTS)
    def open_engagement(self, call: Call) -> Response[Any]:
        return submit(
            call, EngagementIn, lambda s, data: service.open_engagement(s, call.actor, data, at=call.now).id,
            then=lambda made: go(f"/engagements/{made}", said="Engagement opened"),
            show=lambda form, status: self._opening_form(call, form.value("client_id"), form, status),
        )  # fmt: skip

    @get("/{engagement_id:str}/edit", permission=Permission.EDIT_ENGAGEMENTS)
    def edit_engagement(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return self._editing_form(call, "edit", engagement_id)

    @get("/{engagement_id:str}/state", permission=Permission.EDIT_ENGAGEMENTS)
    def edit_state(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        return self._editing_form(call, "state", engagement_id)

    @post("/{engagement_id:str}/edit", permission=Permission.EDIT_ENGAGEMENTS)
    def change_engagement(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return self._changed(call, "edit", engagement_id)

    @post("/{engagement_id:str}/state", permission=Permission.EDIT_ENGAGEMENTS)
    def change_state(self, engagement_id: FromPath[str], call: Call) -> Response[Any]:
        return self._changed(call, "state", engagement_id)

    def _changed(self, call: Call, what: str, engagement_id: str) -> Response[Any]:
        return submit(
            call, EngagementPatch,
            lambda s, data: service.change_engagement(
                s, call.actor, engagement_id, data, version=version_typed(call), at=call.now
            ),
            then=lambda _: go(f"/engagements/{engagement_id}", said="Changes saved"),
            show=lambda form, status: self._editing_form(call, what, engagement_id, form, status),
        )  # fmt: skip

    def _opening_form(self, call: Call, client: str, form: Form = EMPTY_FORM, status: int = 200) -> Response[str]:
        clients, owners = call.read(lambda s: (records.open_clients(s, call.actor), records.colleagues(s, call.actor)))
        return page(
            call, "pages/engagements/new.html", clients=clients, owners=owners, client=client, form=form, status=status
        )

    def _editing_form(
        self, call: Call, what: str, engagement_id: str, form: Form = EMPTY_FORM, status: int = 200
    ) -> Response[str]:
        record, owners = call.read(
            lambda s: (
                EngagementOut.of(service.find(s, call.actor, Engagement, engagement_id)),
                records.colleagues(s, call.actor),
            )
        )
        moves = state_choices(record.state)
        return page(
            call, f"pages/engagements/{what}.html", engagement=record, owners=owners, moves=moves, form=form,
            status=status,
        )  # fmt: skip


class AuditPages(Controller):
    path = "/audit"
    include_in_schema = False

    @get(permission=Permission.VIEW_CLIENT_AUDIT)
    def show_trail(
        self, call: Call, entity: Word = "", record: Word = "", who: Word = "",
        before: Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)] = None,
    ) -> Response[str]:  # fmt: skip
        chosen = TrailFilter(entity=entity, entity_id=record.strip(), who=who.strip(), before=before)
        trail = call.read(lambda s: trail_of(s, call.actor, chosen, limit=EVENTS))
        return page(call, "pages/audit/audit.html", trail=trail, chosen=chosen)


@get("/styleguide", permission=Permission.MANAGE_PEOPLE, include_in_schema=False)
def styleguide(call: Call) -> Response[str]:
    """Every component once, with things to mend in its form."""
    wrong = Problem(code="field_missing", where="name", message="no name is given", remedy="write one")
    return page(
        call,
        "pages/styleguide.html",
        phases=sample_phases(),
        form=Form(values={"margin": "35"}, faults={"name": wrong}),
    )


def _client(call: Call, client_id: str) -> ClientOut:
    return call.read(lambda s: ClientOut.of(service.find(s, call.actor, Client, client_id)))


def _contact(call: Call, contact_id: str) -> ContactOut:
    return call.read(lambda s: ContactOut.of(service.find(s, call.actor, Contact, contact_id)))


def _contact_form(
    call: Call, client: ClientOut, contact: ContactOut | None, form: Form = EMPTY_FORM, status: int = 200
) -> Response[str]:
    return page(call, "pages/clients/contact_form.html", client=client, contact=contact, form=form, status=status)


PAGES = (ClientPages, ContactPages, EngagementPages, AuditPages, styleguide)
