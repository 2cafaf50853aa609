"""Who may do what: actions, exclusions, wildcards, scopes, groups, custom roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from azure.core.exceptions import HttpResponseError

from azure_stand_in import builtin_roles as roles
from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import (
    Permission,
    Principal,
    RoleDefinition,
    assignment,
)
from azure_stand_in.example import (
    CONSULTANT,
    CONSULTANTS,
    CUSTOMER,
    INNER,
    LABELLER,
    NOBODY,
    OUTER,
    PAYMENTS,
    PLATFORM,
    SHOP,
    TENANT_ROOT,
)
from azure_stand_in.rbac import grants
from azure_stand_in.scopes import within_subscription
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]
TAG = "Microsoft.Resources/tags/write"
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
REVOKE = "Microsoft.Authorization/roleAssignments/delete"
READ = "Microsoft.Authorization/roleAssignments/read"
UNDELEGATE = "Microsoft.ManagedServices/registrationAssignments/delete"


@pytest.mark.parametrize(
    ("role", "has", "has_not"),
    [
        (roles.OWNER, {TAG, ASSIGN, REVOKE, READ, UNDELEGATE}, set()),
        (roles.CONTRIBUTOR, {TAG, READ, UNDELEGATE}, {ASSIGN, REVOKE}),
        (roles.READER, {READ}, {TAG, ASSIGN, REVOKE, UNDELEGATE}),
        (roles.USER_ACCESS_ADMINISTRATOR, {ASSIGN, REVOKE, READ}, {TAG, UNDELEGATE}),
        (roles.RBAC_ADMINISTRATOR, {ASSIGN, REVOKE, READ}, {TAG, UNDELEGATE}),
        (roles.TAG_CONTRIBUTOR, {TAG, READ}, {ASSIGN, REVOKE, UNDELEGATE}),
        (roles.SUPPORT_REQUEST_CONTRIBUTOR, {READ}, {TAG, ASSIGN, REVOKE, UNDELEGATE}),
        (roles.BILLING_READER, {READ}, {TAG, ASSIGN, REVOKE}),
        (roles.STORAGE_BLOB_DATA_READER, set(), {READ, TAG}),
        (LABELLER, {TAG, READ}, {"Microsoft.Resources/tags/delete", ASSIGN}),
    ],
    ids=lambda value: value.name if isinstance(value, RoleDefinition) else "",
)
def test_roles(role: RoleDefinition, has: set[str], has_not: set[str]) -> None:
    assert {action for action in has if not grants(role, action.lower())} == set()
    assert {action for action in has_not if grants(role, action.upper())} == set()


def test_an_exclusion_counts_within_its_own_permission_only() -> None:
    role = RoleDefinition(
        id="x",
        name="two permissions",
        permissions=(
            Permission(actions=("*",), not_actions=("Microsoft.Resources/*",)),
            Permission(actions=("Microsoft.Resources/tags/*",)),
        ),
    )
    assert grants(role, TAG)
    assert not grants(role, "Microsoft.Resources/subscriptions/read")


def test_dots_in_actions_are_dots() -> None:
    role = RoleDefinition(id="x", name="x", permissions=(Permission(actions=("a.b/*",)),))
    assert grants(role, "A.B/c/d")
    assert not grants(role, "a-b/c")


def test_what_is_above_a_resource() -> None:
    resource = f"{PAYMENTS.scope}/resourceGroups/Rg/providers/Microsoft.X/servers/s/databases/d"
    assert list(within_subscription(resource)) == [
        resource.lower(),
        resource.lower().removesuffix("/databases/d"),
        f"{PAYMENTS.scope}/resourcegroups/rg",
        PAYMENTS.scope,
    ]


@pytest.mark.parametrize("scope", ["/", TENANT_ROOT.scope, PLATFORM.scope, PAYMENTS.scope])
def test_a_role_holds_below_its_scope(stand_in: StandIn, clients: Who, scope: str) -> None:
    assert not readable(clients(NOBODY), PAYMENTS.scope)
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(assignment(NOBODY, roles.READER, scope))
    assert readable(clients(NOBODY), PAYMENTS.scope)
    assert readable(clients(NOBODY), SHOP.scope) is (scope in ("/", TENANT_ROOT.scope))


def test_a_role_in_a_resource_group_does_not_hold_above(stand_in: StandIn, clients: Who) -> None:
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(
            assignment(NOBODY, roles.OWNER, f"{PAYMENTS.scope}/resourceGroups/rg")
        )
    assert not readable(clients(NOBODY), PAYMENTS.scope)
    assert list(clients(NOBODY).subscriptions().subscriptions.list(**LOOPBACK))


def test_groups_follow_their_members(stand_in: StandIn, clients: Who) -> None:
    """Also where they contain each other."""
    with stand_in.world.lock:
        stand_in.world.add_principal(replace(INNER, members=frozenset({NOBODY.id, OUTER.id})))
    assert readable(clients(NOBODY), PAYMENTS.scope)
    with stand_in.world.lock:
        stand_in.world.add_principal(replace(INNER, members=frozenset()))
    assert not readable(clients(NOBODY), PAYMENTS.scope)


def test_a_principal_of_another_tenant_has_no_role_by_its_id_alone(
    stand_in: StandIn, clients: Who
) -> None:
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(
            assignment(CONSULTANTS, roles.OWNER, SHOP.scope, tenant_id=CUSTOMER.id)
        )
    assert not readable(clients(CONSULTANT), SHOP.scope)
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(
            assignment(
                CONSULTANTS,
                roles.OWNER,
                SHOP.scope,
                tenant_id=CUSTOMER.id,
                principal_type="ForeignGroup",
            )
        )
    assert readable(clients(CONSULTANT), SHOP.scope)


def readable(clients: Clients, scope: str) -> bool:
    try:
        clients.resources(PAYMENTS.id).tags.get_at_scope(scope, **LOOPBACK)
    except HttpResponseError as error:
        if error.status_code in (401, 403):
            return False
        raise
    return True
