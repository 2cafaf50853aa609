"""Role assignments, through azure-mgmt-authorization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

from azure_stand_in.builtin_roles import (
    CONTRIBUTOR,
    OWNER,
    READER,
    STORAGE_BLOB_DATA_READER,
    SUPPORT_REQUEST_CONTRIBUTOR,
)
from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import Principal, RoleAssignment, assignment, guid
from azure_stand_in.example import (
    ADMIN,
    CLOSED,
    CONSULTANTS,
    CUSTOMER,
    DEPLOYER,
    GONE,
    LABELLER,
    NESTED,
    NOBODY,
    OUTER,
    OWNER_USER,
    PARTNER_SP,
    PARTNER_TENANT,
    PAYMENTS,
    PLATFORM,
    SHOP,
    TAGGER,
    TENANT_ROOT,
)
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]
NAME = guid("a role assignment")


def authorization(clients: Clients) -> AuthorizationManagementClient:
    return clients.authorization(PAYMENTS.id)


def wanted(
    principal: str = PARTNER_SP.id,
    role: str = READER.id,
    principal_type: str | None = "ServicePrincipal",
    **more: Any,
) -> RoleAssignmentCreateParameters:
    """What is sent; the client itself would say that every principal is a user."""
    prefix = f"{PAYMENTS.scope}/providers/Microsoft.Authorization/roleDefinitions"
    return RoleAssignmentCreateParameters(
        role_definition_id=f"{prefix}/{role}",
        principal_id=principal,
        **{"principal_type": principal_type, **more},
    )


def create(clients: Clients, name: str = NAME, scope: str = PAYMENTS.scope, **more: Any) -> Any:
    return authorization(clients).role_assignments.create(scope, name, wanted(**more), **LOOPBACK)


def found(clients: Clients, scope: str, filter: str | None = None) -> set[tuple[str, str]]:  # noqa: A002
    items = authorization(clients).role_assignments.list_for_scope(scope, filter=filter, **LOOPBACK)
    return {(str(item.scope), str(item.principal_id)) for item in items}


ABOVE = {
    ("/", ADMIN.id),
    (TENANT_ROOT.scope, DEPLOYER.id),
    (PLATFORM.scope, OUTER.id),
}


def test_lists_above_at_and_below(stand_in: StandIn, clients: Who) -> None:
    group = f"{PAYMENTS.scope}/resourceGroups/rg"
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/v"
    with stand_in.world.lock:
        for scope in (group, vault):
            stand_in.world.role_assignments.put(assignment(NOBODY, READER, scope))
    everything = found(clients(OWNER_USER), PAYMENTS.scope)
    assert everything >= {*ABOVE, (PAYMENTS.scope, OWNER_USER.id), (vault, NOBODY.id)}
    at_or_above = found(clients(OWNER_USER), PAYMENTS.scope, "atScope()")
    assert everything - at_or_above == {(group, NOBODY.id), (vault, NOBODY.id)}
    above_group = found(clients(OWNER_USER), group, "atScope()")
    assert above_group == at_or_above | {(group, NOBODY.id)}


def test_follows_groups_in_groups(clients: Who) -> None:
    who = clients(OWNER_USER)
    assert found(who, PAYMENTS.scope, f"assignedTo('{NESTED.id}')") == {(PLATFORM.scope, OUTER.id)}
    assert found(who, PAYMENTS.scope, f"principalId eq '{NESTED.id}'") == set()
    assert found(who, PAYMENTS.scope, f"principalId eq '{OUTER.id}'") == {
        (PLATFORM.scope, OUTER.id)
    }
    assert found(who, PAYMENTS.scope, f"principalId eq {OUTER.id}") == {(PLATFORM.scope, OUTER.id)}
    both = f"atScope() and assignedTo('{OWNER_USER.id}')"
    assert found(who, PAYMENTS.scope, both) == {(PAYMENTS.scope, OWNER_USER.id)}


@pytest.mark.parametrize(
    "text",
    [f"assignedTo('{OUTER.id}')", "below()", "principalId", "roleName eq 'x'", "atScope('x')"],
)
def test_refuses_filters(clients: Who, text: str) -> None:
    with pytest.raises(HttpResponseError, match="InvalidFilterInQueryString"):
        found(clients(OWNER_USER), PAYMENTS.scope, text)


def test_lists_at_management_groups_and_the_root(clients: Who) -> None:
    assert found(clients(ADMIN), TENANT_ROOT.scope) == ABOVE - {(PLATFORM.scope, OUTER.id)}
    raw = clients(ADMIN).raw()
    at_root = raw.send(
        "GET", "/providers/Microsoft.Authorization/roleAssignments", "2022-04-01"
    ).json()["value"]
    assert [item["properties"]["principalId"] for item in at_root] == [ADMIN.id]


def test_delegations_are_not_role_assignments(clients: Who) -> None:
    assert CONSULTANTS.id not in {who for _, who in found(clients(OWNER_USER), PAYMENTS.scope)}


def test_pages(stand_in: StandIn, clients: Who) -> None:
    before = found(clients(OWNER_USER), PAYMENTS.scope)
    stand_in.journal.clear()
    stand_in.paging.size = 3
    assert found(clients(OWNER_USER), PAYMENTS.scope) == before
    assert stand_in.journal.requests("roleAssignments") == -(-len(before) // 3)


def test_creates_reads_and_deletes(stand_in: StandIn, clients: Who) -> None:
    made = create(clients(OWNER_USER), condition="@Resource[x] StringEquals 'y'", description="d")
    assert made.name == NAME
    assert made.scope == PAYMENTS.scope
    assert made.principal_type == "ServicePrincipal"
    assert made.created_by == OWNER_USER.id
    assert made.role_definition_id.endswith(READER.id)
    operations = authorization(clients(OWNER_USER)).role_assignments
    read = operations.get(PAYMENTS.scope, NAME, **LOOPBACK)
    assert read.as_dict() == made.as_dict()
    assert operations.get_by_id(made.id, **LOOPBACK).condition == made.condition
    gone = operations.delete(PAYMENTS.scope, NAME, **LOOPBACK)
    assert gone is not None
    assert gone.id == made.id
    assert operations.delete(PAYMENTS.scope, NAME, **LOOPBACK) is None
    with pytest.raises(ResourceNotFoundError, match="RoleAssignmentNotFound"):
        operations.get(PAYMENTS.scope, NAME, **LOOPBACK)
    assert [write.method for write in stand_in.journal.writes] == ["PUT", "DELETE"]


def test_a_repeat_is_harmless(stand_in: StandIn, clients: Who) -> None:
    first = create(clients(OWNER_USER))
    second = create(clients(OWNER_USER), description="and now with a text")
    assert second.id == first.id
    assert second.created_on == first.created_on
    same = [item for item in stand_in.world.assignments_at(PAYMENTS.scope) if item.name == NAME]
    assert [item.description for item in same] == ["and now with a text"]


def test_the_same_under_another_name_exists(clients: Who) -> None:
    create(clients(OWNER_USER))
    with pytest.raises(ResourceExistsError, match="RoleAssignmentExists"):
        create(clients(OWNER_USER), name=guid("another name"))


@pytest.mark.parametrize(
    "changed", [{"role": OWNER.id}, {"principal": TAGGER.id}, {"scope": SHOP.scope}]
)
def test_the_same_name_for_something_else(clients: Who, changed: dict[str, str]) -> None:
    create(clients(DEPLOYER))
    wanted = {"role": READER.id, **changed}
    prefix = f"{wanted.get('scope', PAYMENTS.scope)}/providers/Microsoft.Authorization"
    parameters = RoleAssignmentCreateParameters(
        role_definition_id=f"{prefix}/roleDefinitions/{wanted['role']}",
        principal_id=wanted.get("principal", PARTNER_SP.id),
        principal_type="ServicePrincipal",
    )
    with pytest.raises(HttpResponseError) as caught:
        authorization(clients(DEPLOYER)).role_assignments.create(
            wanted.get("scope", PAYMENTS.scope), NAME, parameters, **LOOPBACK
        )
    assert caught.value.status_code == 400
    assert "RoleAssignmentUpdateNotPermitted" in str(caught.value)


def test_a_principal_that_is_not_there(clients: Who) -> None:
    with pytest.raises(HttpResponseError, match="PrincipalNotFound"):
        create(clients(OWNER_USER), principal=guid("nobody"), principal_type=None)
    made = create(clients(OWNER_USER), principal=guid("nobody"))
    assert made.principal_id == guid("nobody")
    with pytest.raises(HttpResponseError, match="UnmatchedPrincipalType"):
        create(clients(OWNER_USER), principal=PARTNER_SP.id, principal_type="User")


def test_roles_that_are_not_there(clients: Who) -> None:
    with pytest.raises(ResourceNotFoundError, match="RoleDefinitionDoesNotExist"):
        create(clients(OWNER_USER), role=guid("no role"))
    with pytest.raises(ResourceNotFoundError, match="RoleDefinitionDoesNotExist"):
        create(clients(DEPLOYER), scope=SHOP.scope, role=LABELLER.id)
    assert create(clients(OWNER_USER), role=LABELLER.id).role_definition_id.endswith(LABELLER.id)


def test_a_name_is_a_guid(clients: Who) -> None:
    with pytest.raises(HttpResponseError, match="InvalidGuid"):
        create(clients(OWNER_USER), name="support")


def test_contributors_may_not_assign_roles(stand_in: StandIn, clients: Who) -> None:
    with pytest.raises(HttpResponseError) as caught:
        create(clients(NESTED))
    assert caught.value.status_code == 403
    assert "'Microsoft.Authorization/roleAssignments/write'" in str(caught.value)
    assert f"roleAssignments/{NAME}'" in str(caught.value)
    with pytest.raises(HttpResponseError, match="roleAssignments/delete"):
        authorization(clients(NESTED)).role_assignments.delete(PAYMENTS.scope, NAME, **LOOPBACK)
    assert not stand_in.journal.writes


def test_subscriptions_that_are_closed(clients: Who) -> None:
    """A disabled one refuses writes and lets access be removed; a deleted one is not there."""
    with pytest.raises(ResourceExistsError, match="ReadOnlyDisabledSubscription"):
        create(clients(DEPLOYER), scope=CLOSED.scope)
    operations = authorization(clients(DEPLOYER)).role_assignments
    assert operations.delete(CLOSED.scope, NAME, **LOOPBACK) is None
    with pytest.raises(ResourceNotFoundError, match="SubscriptionNotFound"):
        list(operations.list_for_scope(GONE.scope, **LOOPBACK))


def test_a_csp_foreign_group(stand_in: StandIn, clients: Who) -> None:
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(
            assignment(
                CONSULTANTS,
                OWNER,
                SHOP.scope,
                tenant_id=CUSTOMER.id,
                principal_type="ForeignGroup",
            )
        )
    items = authorization(clients(DEPLOYER)).role_assignments.list_for_scope(
        SHOP.scope, filter="atScope()", **LOOPBACK
    )
    kinds = {str(item.principal_id): str(item.principal_type) for item in items}
    assert kinds[CONSULTANTS.id] == "ForeignGroup"
    assert PARTNER_TENANT.id != CUSTOMER.id


def test_role_definitions(clients: Who) -> None:
    definitions = authorization(clients(OWNER_USER)).role_definitions
    names = {item.role_name: item for item in definitions.list(PAYMENTS.scope, **LOOPBACK)}
    assert names["Owner"].permissions[0].actions == ["*"]
    assert names["Partner labeller"].role_type == "CustomRole"
    contributor = definitions.get(PAYMENTS.scope, CONTRIBUTOR.id, **LOOPBACK)
    assert "Microsoft.Authorization/*/Write" in contributor.permissions[0].not_actions
    blobs = definitions.get_by_id(
        f"{PAYMENTS.scope}/providers/Microsoft.Authorization/roleDefinitions/"
        f"{STORAGE_BLOB_DATA_READER.id}",
        **LOOPBACK,
    )
    assert blobs.permissions[0].data_actions
    only = list(
        definitions.list(
            PAYMENTS.scope, filter="roleName eq 'Support Request Contributor'", **LOOPBACK
        )
    )
    assert [item.name for item in only] == [SUPPORT_REQUEST_CONTRIBUTOR.id]


def test_a_custom_role_is_known_where_it_may_be_assigned(clients: Who) -> None:
    definitions = authorization(clients(DEPLOYER)).role_definitions
    custom = "type eq 'CustomRole'"
    there = list(definitions.list(PAYMENTS.scope, filter=custom, **LOOPBACK))
    assert [item.name for item in there] == [LABELLER.id]
    assert list(definitions.list(SHOP.scope, filter=custom, **LOOPBACK)) == []
    with pytest.raises(ResourceNotFoundError, match="RoleDefinitionDoesNotExist"):
        definitions.get(SHOP.scope, LABELLER.id, **LOOPBACK)


def test_four_thousand_is_the_limit(stand_in: StandIn, clients: Who) -> None:
    with stand_in.world.lock:
        held = sum(1 for _ in stand_in.world.role_assignments.where("subscription", PAYMENTS.id))
        for number in range(4000 - held):
            stand_in.world.role_assignments.put(
                RoleAssignment(
                    name=guid(number),
                    scope=PAYMENTS.scope,
                    role=READER.id,
                    principal_id=guid("many", number),
                    principal_type="User",
                    tenant_id=CUSTOMER.id,
                )
            )
    with pytest.raises(HttpResponseError, match="RoleAssignmentLimitExceeded"):
        create(clients(OWNER_USER))
