"""Resource Graph, through azure-mgmt-resourcegraph: pages, limits, and what is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from azure_stand_in.builtin_roles import READER
from azure_stand_in.clients import LOOPBACK, ONCE, Clients
from azure_stand_in.estate import Principal, assignment, guid
from azure_stand_in.example import (
    ADMIN,
    CLOSED,
    CONSULTANT,
    CONSULTANTS,
    CUSTOMER,
    DEPLOYER,
    ELSEWHERE,
    GONE,
    INNER,
    NESTED,
    NOBODY,
    OUTER,
    OWNER_USER,
    PARTNER_TENANT,
    PAYMENTS,
    PLATFORM,
    SHOP,
    TAGGER,
    TENANT_ROOT,
)
from azure_stand_in.server import StandIn
from azure_stand_in.throttling import QueryQuota

Who = Callable[[Principal], Clients]
SUBSCRIPTIONS = "resourcecontainers | where type == 'microsoft.resources/subscriptions'"
ASSIGNMENTS = "authorizationresources | where type == 'microsoft.authorization/roleassignments'"


def ask(clients: Clients, query: str, options: dict[str, Any] | None = None, **more: Any) -> Any:
    request = QueryRequest(
        query=query, options=QueryRequestOptions(**options) if options else None, **more
    )
    return clients.resource_graph().resources(request, **LOOPBACK)


def rows(clients: Clients, query: str, **more: Any) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = ask(clients, query, **more).data
    return data


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {row["subscriptionId"] for row in found}


def test_subscriptions_with_tags_and_management_groups(clients: Who) -> None:
    (row,) = rows(clients(OWNER_USER), SUBSCRIPTIONS)
    assert row["id"] == PAYMENTS.scope
    assert row["subscriptionId"] == PAYMENTS.id
    assert row["tenantId"] == CUSTOMER.id
    assert row["name"] == "Payments"
    assert row["tags"] == dict(PAYMENTS.tags)
    assert row["properties"]["state"] == "Enabled"
    assert row["properties"]["managedByTenants"] == [{"tenantId": PARTNER_TENANT.id}]
    assert row["properties"]["managementGroupAncestorsChain"] == [
        {"displayName": "Platform", "name": "platform"},
        {"displayName": "Tenant Root Group", "name": CUSTOMER.id},
    ]


def test_what_may_not_be_read_is_left_out(clients: Who) -> None:
    """Nothing says that it is: neither a count nor an error."""
    assert ids(rows(clients(DEPLOYER), SUBSCRIPTIONS)) == {PAYMENTS.id, SHOP.id, CLOSED.id}
    assert ids(rows(clients(CONSULTANT), SUBSCRIPTIONS)) == {PAYMENTS.id}
    assert rows(clients(TAGGER), SUBSCRIPTIONS) == []
    assert rows(clients(NOBODY), SUBSCRIPTIONS) == []
    some = ask(clients(OWNER_USER), SUBSCRIPTIONS, subscriptions=[PAYMENTS.id, SHOP.id, GONE.id])
    assert (ids(some.data), some.total_records) == ({PAYMENTS.id}, 1)
    assert ELSEWHERE.id not in ids(rows(clients(DEPLOYER), SUBSCRIPTIONS))


def test_no_subscription_that_the_caller_has(clients: Who) -> None:
    with pytest.raises(HttpResponseError) as caught:
        ask(clients(OWNER_USER), SUBSCRIPTIONS, subscriptions=[SHOP.id])
    assert caught.value.status_code == 400
    assert "NoValidSubscriptionsInQueryRequest" in str(caught.value)


def test_by_management_group(clients: Who) -> None:
    found = rows(clients(DEPLOYER), SUBSCRIPTIONS, management_groups=["platform"])
    assert ids(found) == {PAYMENTS.id, CLOSED.id}
    found = rows(clients(DEPLOYER), SUBSCRIPTIONS, management_groups=[CUSTOMER.id])
    assert ids(found) == {PAYMENTS.id, SHOP.id, CLOSED.id}


def principals(found: list[dict[str, Any]]) -> set[str]:
    return {row["properties"]["principalId"] for row in found}


def test_role_assignments_are_direct(clients: Who) -> None:
    found = rows(clients(DEPLOYER), ASSIGNMENTS)
    assert {OUTER.id, OWNER_USER.id, TAGGER.id} <= principals(found)
    assert not {NESTED.id, CONSULTANTS.id} & principals(found)
    (platform,) = [row for row in found if row["properties"]["principalId"] == OUTER.id]
    assert platform["properties"]["scope"] == PLATFORM.scope
    assert platform["properties"]["principalType"] == "Group"
    assert "/RoleAssignments/" in platform["id"]


def filtered(clients: Clients, scope: str, version: str = "2022-10-01") -> set[str]:
    """Whose assignments a query is about that names an authorization scope.

    The client's own model is that of 2021-03-01, which has no such option.
    """
    client = ResourceGraphClient(
        clients.credential, base_url=clients.stand_in.url, api_version=version
    )
    body = {
        "query": ASSIGNMENTS,
        "subscriptions": [PAYMENTS.id],
        "options": {"authorizationScopeFilter": scope},
    }
    data: Any = client.resources(BytesIO(json.dumps(body).encode()), **LOOPBACK).data
    return principals(data)


def test_what_is_above_and_below_belongs_to_a_query_that_says_so(
    stand_in: StandIn, clients: Who
) -> None:
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(
            assignment(NOBODY, READER, f"{PAYMENTS.scope}/resourceGroups/rg")
        )
    who = clients(OWNER_USER)
    at, below, above = {OWNER_USER.id}, {NOBODY.id}, {ADMIN.id, DEPLOYER.id, OUTER.id}
    around = at | below | above
    assert filtered(who, "AtScopeExact") & around == at
    assert filtered(who, "AtScopeAndBelow") & around == at | below
    assert filtered(who, "AtScopeAndAbove") & around == at | above
    assert filtered(who, "AtScopeAboveAndBelow") & around == around
    assert filtered(who, "AtScopeAboveAndBelow", "2021-03-01") & around == at | below
    with pytest.raises(HttpResponseError, match="authorizationScopeFilter"):
        filtered(who, "Everything")


def test_role_definitions(clients: Who) -> None:
    query = (
        "authorizationresources | where type =~ 'Microsoft.Authorization/roleDefinitions'"
        " | where properties.type == 'CustomRole' | project id, properties"
    )
    (row,) = rows(clients(OWNER_USER), query)
    assert row["properties"]["roleName"] == "Partner labeller"
    assert row["properties"]["permissions"][0]["notActions"] == ["Microsoft.Resources/tags/delete"]


def test_delegations(clients: Who) -> None:
    query = (
        "managedservicesresources"
        " | where type == 'microsoft.managedservices/registrationassignments'"
        " | mv-expand authorization = properties.registrationDefinition.properties.authorizations"
        " | project id, subscriptionId, principal = tostring(authorization.principalId),"
        " tenant = tostring(properties.registrationDefinition.properties.managedByTenantId)"
    )
    (row,) = rows(clients(OWNER_USER), query)
    assert row["subscriptionId"] == PAYMENTS.id
    assert (row["principal"], row["tenant"]) == (CONSULTANTS.id, PARTNER_TENANT.id)


def test_management_groups(clients: Who) -> None:
    query = "resourcecontainers | where type == 'microsoft.management/managementgroups'"
    assert {row["id"] for row in rows(clients(ADMIN), query)} == {TENANT_ROOT.scope, PLATFORM.scope}
    assert rows(clients(OWNER_USER), query) == []


def test_pages_where_the_id_is_projected(stand_in: StandIn, clients: Who) -> None:
    query = f"{SUBSCRIPTIONS} | project id, subscriptionId | order by id asc"
    first = ask(clients(DEPLOYER), query, {"top": 2})
    assert (first.count, first.total_records, first.result_truncated) == (2, 3, "false")
    assert first.skip_token
    second = ask(clients(DEPLOYER), query, {"top": 2, "skip_token": first.skip_token})
    assert (second.count, second.skip_token) == (1, None)
    assert ids([*first.data, *second.data]) == {PAYMENTS.id, SHOP.id, CLOSED.id}


def test_truncates_where_it_cannot_page(clients: Who) -> None:
    for query in (
        f"{SUBSCRIPTIONS} | project subscriptionId",
        f"{SUBSCRIPTIONS} | project id | take 3",
    ):
        page = ask(clients(DEPLOYER), query, {"top": 2})
        assert (page.count, page.result_truncated, page.skip_token) == (2, "true", None)


def test_bounds(clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    for options in (
        {"$top": 1001},
        {"$top": 0},
        {"$top": "many"},
        {"$skipToken": "x"},
        {"$skip": -1},
        {"resultFormat": "table"},
    ):
        answer = raw.query(SUBSCRIPTIONS, options=options)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "BadRequest"


def test_a_tenant_with_too_many_subscriptions_says_so(stand_in: StandIn, clients: Who) -> None:
    raw = clients(DEPLOYER).raw()
    header = "x-ms-tenant-subscription-limit-hit"
    assert header not in raw.query(SUBSCRIPTIONS).headers
    stand_in.resource_graph.max_subscriptions = 2
    answer = raw.query(SUBSCRIPTIONS)
    assert (answer.headers[header], answer.json()["count"]) == ("true", 2)
    named = raw.query(SUBSCRIPTIONS, subscriptions=[PAYMENTS.id, SHOP.id, CLOSED.id])
    assert header not in named.headers
    assert named.json()["count"] == 3


def test_the_quota(stand_in: StandIn, clients: Who) -> None:
    stand_in.throttle.quota = QueryQuota(queries=2, seconds=3600)
    raw = clients(OWNER_USER).raw()
    assert raw.query(SUBSCRIPTIONS).headers["x-ms-user-quota-remaining"] == "1"
    assert raw.query(SUBSCRIPTIONS).headers["x-ms-user-quota-remaining"] == "0"
    refused = raw.query(SUBSCRIPTIONS)
    assert refused.status_code == 429
    assert refused.headers["x-ms-user-quota-remaining"] == "0"
    assert re.fullmatch(r"\d\d:\d\d:\d\d", refused.headers["x-ms-user-quota-resets-after"])
    assert int(refused.headers["retry-after"]) > 0
    assert clients(DEPLOYER).raw().query(SUBSCRIPTIONS).status_code == 200
    with pytest.raises(HttpResponseError) as caught:
        clients(OWNER_USER).resource_graph().resources(QueryRequest(query=SUBSCRIPTIONS), **ONCE)
    assert caught.value.status_code == 429


def test_sees_a_change_between_pages(stand_in: StandIn, clients: Who) -> None:
    raw = clients(DEPLOYER).raw()
    query = f"{SUBSCRIPTIONS} | project id, tags | order by id asc"
    token = raw.query(query, options={"$top": 1}).json()["$skipToken"]
    with stand_in.world.lock:
        for subscription in (PAYMENTS, SHOP, CLOSED):
            stand_in.world.change_subscription(subscription.id, tags={"new": guid()})
    rest = raw.query(query, options={"$skipToken": token}).json()["data"]
    assert [row["tags"] for row in rest] == [{"new": guid()}] * 2


def test_sees_that_somebody_left_a_group(stand_in: StandIn, clients: Who) -> None:
    raw = clients(NESTED).raw()
    assert ids(raw.rows(SUBSCRIPTIONS)) == {PAYMENTS.id, CLOSED.id}
    with stand_in.world.lock:
        stand_in.world.add_principal(replace(INNER, members=frozenset()))
    assert raw.rows(SUBSCRIPTIONS) == []
