"""The stand-in's bodies against the official models, which are made from the OpenAPI descriptions.

A member that a model does not know would be one that the stand-in has invented. What the models do
not know though Azure sends it is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.mgmt.authorization.v2022_04_01 import models as authorization
from azure.mgmt.managedservices import models as managed_services
from azure.mgmt.managementpartner import models as management_partner
from azure.mgmt.resource.resources import models as resources
from azure.mgmt.resource.subscriptions import models as subscriptions
from azure.mgmt.resourcegraph import models as resource_graph

from azure_stand_in.builtin_roles import OWNER
from azure_stand_in.clients import Clients
from azure_stand_in.estate import Principal, assignment
from azure_stand_in.example import (
    CONTOSO,
    DELEGATION,
    OFFER,
    OWNER_USER,
    PARTNER_SP,
    PAYMENTS,
)

Who = Callable[[Principal], Clients]
AUTHORIZATION = f"{PAYMENTS.scope}/providers/Microsoft.Authorization"


def unknown(item: Any, at: str = "") -> Iterator[str]:
    """The members of a body that its model, of the newer kind, does not know."""
    if isinstance(item, list):
        for each in item:
            yield from unknown(each, at)
    elif hasattr(item, "_attr_to_rest_field"):
        fields = item._attr_to_rest_field
        known = {field._rest_name for field in fields.values()}
        yield from (f"{at}/{name}" for name in item if name not in known)
        for attribute, field in fields.items():
            yield from unknown(getattr(item, attribute, None), f"{at}/{field._rest_name}")


def paths(body: Any, at: str = "") -> Iterator[str]:
    """Where a body has values, with lists taken together."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from paths(value, f"{at}/{name}")
    elif isinstance(body, list):
        for each in body:
            yield from paths(each, at)
    elif body is not None:
        yield at


def lost(model: Any, body: Any) -> set[str]:
    """The values of a body that a model of the older kind does not keep."""
    kept = model.deserialize(body).serialize(keep_readonly=True)
    return set(paths(body)) - set(paths(kept))


def get(clients: Clients, path: str, version: str, **params: str) -> Any:
    answer = clients.raw().send("GET", path, version, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_subscriptions(clients: Who) -> None:
    body = get(clients(OWNER_USER), PAYMENTS.scope, "2022-12-01")
    assert set(unknown(subscriptions.Subscription(body))) == set()


def test_tags(clients: Who) -> None:
    path = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    body = get(clients(OWNER_USER), path, "2025-04-01")
    assert set(unknown(resources.TagsResource(body))) == set()


def test_role_assignments(clients: Who) -> None:
    name = assignment(OWNER_USER, OWNER, PAYMENTS.scope).name
    body = get(clients(OWNER_USER), f"{AUTHORIZATION}/roleAssignments/{name}", "2022-04-01")
    assert lost(authorization.RoleAssignment, body) == set()


def test_role_definitions(clients: Who) -> None:
    body = get(clients(OWNER_USER), f"{AUTHORIZATION}/roleDefinitions/{OWNER.id}", "2022-04-01")
    assert lost(authorization.RoleDefinition, body) == set()


@pytest.mark.parametrize("expand", ["true", "false"])
def test_delegations(clients: Who, expand: str) -> None:
    body = get(
        clients(OWNER_USER),
        DELEGATION.id,
        "2022-10-01",
        **{"$expandRegistrationDefinition": expand},
    )
    assert lost(managed_services.RegistrationAssignment, body) == set()


def test_offers(clients: Who) -> None:
    body = get(clients(OWNER_USER), OFFER.id, "2022-10-01")
    assert lost(managed_services.RegistrationDefinition, body) == set()


def test_partner_links(clients: Who) -> None:
    path = f"/providers/Microsoft.ManagementPartner/partners/{CONTOSO.id}"
    clients(PARTNER_SP).raw().send("PUT", path, "2018-02-01")
    body = get(clients(PARTNER_SP), path, "2018-02-01")
    assert lost(management_partner.PartnerResponse, body) == set()
    operations = get(
        clients(PARTNER_SP), "/providers/Microsoft.ManagementPartner/operations", "2018-02-01"
    )
    assert lost(management_partner.OperationList, operations) == set()


def test_resource_graph(clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    answer = raw.query("resourcecontainers | project id, properties").json()
    assert lost(resource_graph.QueryResponse, answer) == set()
    refused = raw.query("resources").json()
    assert lost(resource_graph.ErrorResponse, refused) == set()


def test_an_invented_member_would_be_found(clients: Who) -> None:
    body = get(clients(OWNER_USER), PAYMENTS.scope, "2022-12-01")
    invented = subscriptions.Subscription({**body, "invented": 1})
    assert set(unknown(invented)) == {"/invented"}
    link = {"id": "x", "properties": {"partnerId": "1", "invented": 1}}
    assert lost(management_partner.PartnerResponse, link) == {"/properties/invented"}
