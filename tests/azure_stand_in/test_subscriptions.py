"""Subscriptions, through azure-mgmt-resource."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)

from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import Principal, guid
from azure_stand_in.example import (
    CLOSED,
    CONSULTANT,
    CUSTOMER,
    DEPLOYER,
    ELSEWHERE,
    GONE,
    GUEST,
    NESTED,
    NOBODY,
    OWNER_USER,
    PARTNER_TENANT,
    PAYMENTS,
    SHOP,
)
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]


def listed(clients: Clients) -> dict[str, str]:
    found = clients.subscriptions().subscriptions.list(**LOOPBACK)
    return {item["subscriptionId"]: item["state"] for item in found}


def test_lists_what_the_caller_has_any_role_in(clients: Who) -> None:
    assert set(listed(clients(OWNER_USER))) == {PAYMENTS.id}
    assert set(listed(clients(GUEST))) == {PAYMENTS.id}
    assert listed(clients(NOBODY)) == {}


def test_lists_what_roles_above_reach_through_groups_in_groups(clients: Who) -> None:
    assert listed(clients(NESTED)) == {
        PAYMENTS.id: "Enabled",
        CLOSED.id: "Disabled",
        GONE.id: "Deleted",
    }


def test_lists_what_another_tenant_was_delegated(clients: Who) -> None:
    assert set(listed(clients(CONSULTANT))) == {PAYMENTS.id}


def test_pages(stand_in: StandIn, clients: Who) -> None:
    stand_in.paging.size = 2
    assert set(listed(clients(DEPLOYER))) == {PAYMENTS.id, SHOP.id, CLOSED.id, GONE.id}
    assert stand_in.journal.requests("GET /subscriptions") == 2


def test_gets_one(clients: Who) -> None:
    found = clients(OWNER_USER).subscriptions().subscriptions.get(PAYMENTS.id, **LOOPBACK)
    assert found.display_name == "Payments"
    assert found.tenant_id == CUSTOMER.id
    assert found.tags == dict(PAYMENTS.tags)
    assert found.managed_by_tenants is not None
    assert [item.tenant_id for item in found.managed_by_tenants] == [PARTNER_TENANT.id]


def test_refuses_who_may_not_read(clients: Who) -> None:
    """Billing Reader shows a subscription in lists, and has no permission to read it."""
    with pytest.raises(HttpResponseError) as caught:
        clients(GUEST).subscriptions().subscriptions.get(PAYMENTS.id, **LOOPBACK)
    assert caught.value.status_code == 403
    assert caught.value.error is not None
    assert caught.value.error.code == "AuthorizationFailed"
    message = str(caught.value.error.message)
    assert GUEST.id in message
    assert "'Microsoft.Resources/subscriptions/read'" in message
    assert f"over scope '/subscriptions/{PAYMENTS.id}'" in message


def test_there_is_no_such_subscription(clients: Who) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        clients(OWNER_USER).subscriptions().subscriptions.get(guid("none"), **LOOPBACK)
    assert caught.value.error is not None
    assert caught.value.error.code == "SubscriptionNotFound"


def test_a_subscription_that_moved_to_another_tenant(stand_in: StandIn, clients: Who) -> None:
    with stand_in.world.lock:
        stand_in.world.change_subscription(
            SHOP.id, tenant_id=PARTNER_TENANT.id, management_group=None
        )
    with pytest.raises(ClientAuthenticationError) as caught:
        clients(DEPLOYER).subscriptions().subscriptions.get(SHOP.id, **LOOPBACK)
    assert "InvalidAuthenticationTokenTenant" in str(caught.value)
    assert PARTNER_TENANT.id in str(caught.value)
    with pytest.raises(ClientAuthenticationError):
        clients(DEPLOYER).subscriptions().subscriptions.get(ELSEWHERE.id, **LOOPBACK)


def test_tenants(clients: Who) -> None:
    found = list(clients(OWNER_USER).subscriptions().tenants.list(**LOOPBACK))
    assert [item.tenant_id for item in found] == [CUSTOMER.id]
