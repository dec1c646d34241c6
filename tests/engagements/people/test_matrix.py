"""Who may do what: every cell, written down a second time so that no change of it goes unseen."""

import pytest

from engagements.core.errors import CannotGrant
from engagements.core.roles import MATRIX, Actor, ActorKind, Permission, Role, require_grantable, system_actor

# adm administrator, acc account lead, lea delivery lead, mem delivery member, rev reviewer, fin finance,
# app client approver, vie client viewer
TABLE = """
permission           adm  acc  lea  mem  rev  fin  app  vie
signed_in            y    y    y    y    y    y    y    y
view_clients         y    y    y    y    y    y    -    -
edit_clients         y    y    -    -    -    -    -    -
view_engagements     y    y    y    y    y    y    y    y
edit_engagements     y    y    y    -    -    -    -    -
view_briefs          y    y    y    y    y    y    -    -
edit_briefs          y    y    y    -    -    -    -    -
view_cost            y    y    -    -    y    y    -    -
edit_estimates       y    y    -    -    -    -    -    -
view_proposals       y    y    -    -    y    y    y    y
approve_proposals    y    y    -    -    y    y    -    -
send_proposals       y    y    -    -    -    -    -    -
decide_proposals     -    -    -    -    -    -    y    -
decide_on_behalf     y    y    -    -    -    -    -    -
view_delivery        y    y    y    y    y    y    y    y
view_actuals         y    y    y    y    y    y    -    -
edit_plan            y    y    y    -    -    -    -    -
work_on_phases       y    y    y    y    -    -    -    -
decide_gates         y    y    y    -    -    -    -    -
override_gates       y    y    -    -    -    -    -    -
sign_delivery        -    -    -    -    -    -    y    -
log_time             y    y    y    y    -    y    -    -
approve_time         y    y    y    -    -    y    -    -
edit_changes         y    y    y    -    -    -    -    -
approve_changes      y    y    -    -    -    y    -    -
send_changes         y    y    -    -    -    -    -    -
export_invoices      y    y    -    -    -    y    -    -
issue_reports        y    y    y    -    -    -    -    -
view_data            y    y    y    y    y    y    -    -
prepare_data         y    y    y    y    -    -    -    -
review_data          y    y    y    y    y    -    y    y
adjudicate_data      y    y    y    -    -    -    -    -
seal_data            y    y    y    -    -    -    -    -
erase_data           y    y    y    -    -    -    -    -
view_training        y    y    y    y    y    y    -    -
run_training         y    y    y    y    -    -    -    -
view_people          y    y    y    y    y    y    -    -
manage_people        y    -    -    -    -    -    -    -
invite_colleagues    y    -    -    -    -    -    y    -
manage_keys          y    -    -    -    -    -    -    -
manage_webhooks      y    -    -    -    -    -    -    -
view_audit           y    -    -    -    y    -    -    -
view_client_audit    y    y    y    y    y    y    y    y
operate              y    y    y    y    y    y    -    -
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()][1:]


@pytest.mark.parametrize(("name", "cells"), [(name, cells) for name, *cells in ROWS])
def test_every_cell_is_what_is_written_here(name, cells):
    permission = Permission[name.upper()]
    assert [permission in MATRIX[role] for role in Role] == [cell == "y" for cell in cells]


def test_every_permission_and_every_role_has_its_place():
    assert [row[0] for row in ROWS] == [permission.name.lower() for permission in Permission]
    assert set(MATRIX) == set(Role)


def test_no_client_sees_cost_and_no_administrator_decides_for_one():
    for role in Role:
        assert not (role.is_client and Permission.VIEW_COST in MATRIX[role])
        assert (Permission.DECIDE_PROPOSALS in MATRIX[role]) == (role is Role.CLIENT_APPROVER)


def actor(role: Role) -> Actor:
    client_id = "cli_1" if role.is_client else None
    return Actor(kind=ActorKind.USER, id="usr_1", name="", organisation_id="org_1", role=role, client_id=client_id)


def granted(maker: Actor, through: Permission) -> set[Role]:
    def may(role: Role) -> bool:
        try:
            require_grantable(maker, role, through)
        except CannotGrant:
            return False
        return True

    return {role for role in Role if may(role)}


def test_who_makes_people_and_keys_of_which_role():
    invites, keys = Permission.INVITE_COLLEAGUES, Permission.MANAGE_KEYS
    clients = {Role.CLIENT_APPROVER, Role.CLIENT_VIEWER}
    people = {role: granted(actor(role), invites) for role in Role}
    assert people.pop(Role.ADMINISTRATOR) == set(Role)
    assert people.pop(Role.CLIENT_APPROVER) == clients
    assert set().union(*people.values()) == set()
    doors = {role: granted(actor(role), keys) for role in Role}
    assert doors.pop(Role.ADMINISTRATOR) == set(Role) - {Role.CLIENT_APPROVER}
    assert set().union(*doors.values()) == set()
    assert granted(system_actor("org_1"), keys) == set(Role)


def test_nobody_is_of_a_client_by_halves():
    for role, client_id in ((Role.CLIENT_VIEWER, None), (Role.FINANCE, "cli_1")):
        with pytest.raises(AssertionError):
            Actor(kind=ActorKind.KEY, id="key_1", name="", organisation_id="org_1", role=role, client_id=client_id)
