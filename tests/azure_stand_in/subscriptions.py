"""Subscriptions and tenants: Microsoft.Resources, 2016-06-01 to 2022-12-01."""

from __future__ import annotations

from typing import Any

from .arm import Answer, Call, Operation
from .errors import subscription_not_found
from .estate import Subscription, Tenant
from .world import World

VERSIONS = (
    "2016-06-01",
    "2018-06-01",
    "2019-06-01",
    "2019-11-01",
    "2020-01-01",
    "2021-01-01",
    "2022-12-01",
)


def list_subscriptions(call: Call) -> Answer:
    """Those with any role of the caller's; none is an empty list, not an error."""
    found = sorted(call.service.authorizer.visible(call.caller), key=lambda item: item.id)
    return Answer(call.page(found, lambda item: subscription_body(call.world, item)))


def get_subscription(call: Call) -> Answer:
    """One; a deleted one is shown with its state for as long as it is kept."""
    subscription_id = call.path["subscription"]
    found = call.world.subscriptions.get(subscription_id)
    if found is None:
        raise subscription_not_found(subscription_id)
    call.service.authorizer.refuse_wrong_tenant(call.caller, found)
    call.require("Microsoft.Resources/subscriptions/read", found.scope)
    return Answer(subscription_body(call.world, found))


def list_tenants(call: Call) -> Answer:
    """The tenant of the token: which others the same person is in, the stand-in does not know."""
    tenant = call.world.tenants[call.caller.tenant_id]
    return Answer(call.page([tenant], _tenant_body))


def subscription_body(world: World, subscription: Subscription) -> dict[str, Any]:
    """A subscription, with the tenants that manage it through Lighthouse."""
    body: dict[str, Any] = {
        "id": subscription.scope,
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": each} for each in managed_by(world, subscription.id)],
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant_id,
        "displayName": subscription.name,
        "state": subscription.state,
        "subscriptionPolicies": dict(POLICIES),
    }
    if subscription.tags:
        body["tags"] = dict(subscription.tags)
    return body


POLICIES = {
    "locationPlacementId": "Public_2014-09-01",
    "quotaId": "EnterpriseAgreement_2014-09-01",
    "spendingLimit": "Off",
}


def managed_by(world: World, subscription_id: str) -> list[str]:
    """The tenants that manage a subscription, or something in it, through Lighthouse."""
    return sorted(
        {
            definition.managed_by_tenant_id
            for _, delegation in world.registration_assignments.where(
                "subscription", subscription_id
            )
            if (definition := world.registration_definitions.get(delegation.definition_id))
        }
    )


def _tenant_body(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": f"/tenants/{tenant.id}",
        "tenantId": tenant.id,
        "displayName": tenant.name,
        "tenantCategory": "Home",
    }


OPERATIONS = (
    Operation("GET", "/subscriptions", list_subscriptions, VERSIONS),
    Operation("GET", "/subscriptions/{subscription}", get_subscription, VERSIONS),
    Operation("GET", "/tenants", list_tenants, VERSIONS),
)
