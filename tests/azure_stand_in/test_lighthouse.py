"""Delegations, through azure-mgmt-managedservices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from azure_stand_in.builtin_roles import READER
from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import Principal, guid
from azure_stand_in.example import (
    CONSULTANT,
    CONSULTANTS,
    DELEGATION,
    DEPLOYER,
    NESTED,
    OFFER,
    OWNER_USER,
    PARTNER_TENANT,
    PAYMENTS,
    SHOP,
    TAGGER,
)
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]


def test_lists_and_gets(clients: Who) -> None:
    assignments = clients(OWNER_USER).managed_services().registration_assignments
    (found,) = assignments.list(PAYMENTS.scope, expand_registration_definition=True, **LOOPBACK)
    assert found.id == DELEGATION.id
    assert found.properties is not None
    assert found.properties.registration_definition_id == OFFER.id
    assert found.properties.registration_definition is not None
    expanded = found.properties.registration_definition.properties
    assert expanded is not None
    assert expanded.managed_by_tenant_id == PARTNER_TENANT.id
    assert expanded.managed_by_tenant_name == PARTNER_TENANT.name
    assert expanded.authorizations is not None
    assert [item.principal_id for item in expanded.authorizations] == [CONSULTANTS.id]
    assert [item.role_definition_id for item in expanded.authorizations] == [READER.id]
    short = assignments.get(PAYMENTS.scope, DELEGATION.name, **LOOPBACK)
    assert short.properties is not None
    assert short.properties.registration_definition is None


def test_filters_by_the_managing_tenant(clients: Who) -> None:
    """The client has no such parameter, which the published description has."""
    raw = clients(OWNER_USER).raw()
    path = f"{PAYMENTS.scope}/providers/Microsoft.ManagedServices/registrationAssignments"
    theirs, others = PARTNER_TENANT.id, guid("another tenant")
    for text, count in (
        (f"managedByTenantId eq '{theirs}'", 1),
        (f"managedByTenantId eq '{others}'", 0),
        (f"managedByTenantId in ('{others}', '{theirs}')", 1),
    ):
        answer = raw.send("GET", path, "2022-10-01", params={"$filter": text})
        assert len(answer.json()["value"]) == count
    assert raw.send("GET", path, "2022-10-01", params={"$filter": "x eq 'y'"}).status_code == 400


def test_deletes_and_so_ends_the_access(stand_in: StandIn, clients: Who) -> None:
    delegated = clients(CONSULTANT).resources(PAYMENTS.id).tags
    assert delegated.get_at_scope(PAYMENTS.scope, **LOOPBACK).properties.tags
    assignments = clients(OWNER_USER).managed_services().registration_assignments
    assignments.begin_delete(PAYMENTS.scope, DELEGATION.name, **LOOPBACK).result()
    assert list(assignments.list(PAYMENTS.scope, **LOOPBACK)) == []
    with pytest.raises(ResourceNotFoundError, match="RegistrationAssignmentNotFound"):
        assignments.get(PAYMENTS.scope, DELEGATION.name, **LOOPBACK)
    with pytest.raises(HttpResponseError, match="InvalidAuthenticationTokenTenant"):
        delegated.get_at_scope(PAYMENTS.scope, **LOOPBACK)
    assignments.begin_delete(PAYMENTS.scope, DELEGATION.name, **LOOPBACK).result()
    assert [write.method for write in stand_in.journal.writes] == ["DELETE"]


def test_definitions(clients: Who) -> None:
    definitions = clients(OWNER_USER).managed_services().registration_definitions
    (found,) = definitions.list(PAYMENTS.scope, **LOOPBACK)
    assert found.properties is not None
    assert found.properties.registration_definition_name == OFFER.offer
    assert definitions.get(PAYMENTS.scope, OFFER.name, **LOOPBACK).id == OFFER.id
    with pytest.raises(ResourceNotFoundError, match="RegistrationDefinitionNotFound"):
        definitions.get(PAYMENTS.scope, guid("no offer"), **LOOPBACK)


def test_who_may_delete(clients: Who) -> None:
    """Contributor may: delegations are not authorization. Tag Contributor may not even look."""
    tagger = clients(TAGGER).managed_services().registration_assignments
    with pytest.raises(HttpResponseError, match="registrationAssignments/read"):
        list(tagger.list(PAYMENTS.scope, **LOOPBACK))
    with pytest.raises(HttpResponseError, match="registrationAssignments/delete"):
        tagger.begin_delete(PAYMENTS.scope, DELEGATION.name, **LOOPBACK).result()
    contributor = clients(NESTED).managed_services().registration_assignments
    contributor.begin_delete(PAYMENTS.scope, DELEGATION.name, **LOOPBACK).result()


def test_a_subscription_without_any(clients: Who) -> None:
    assignments = clients(DEPLOYER).managed_services().registration_assignments
    assert list(assignments.list(SHOP.scope, **LOOPBACK)) == []
