"""The rows of each table, as far as a caller may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from ..arm import timestamp
from ..estate import ManagementGroup, RoleAssignment, RoleDefinition, Subscription
from ..lighthouse import registration_assignment_body, registration_definition_body
from ..rbac import Authorizer, Caller
from ..role_definitions import role_definition_body
from ..scopes import MANAGEMENT_GROUPS, subscription_of
from ..subscriptions import POLICIES, managed_by
from ..world import World
from .language import Columns, Row

COLUMNS: Columns = {
    "id": "string",
    "name": "string",
    "type": "string",
    "tenantId": "string",
    "kind": "string",
    "location": "string",
    "resourceGroup": "string",
    "subscriptionId": "string",
    "managedBy": "string",
    "sku": "dynamic",
    "plan": "dynamic",
    "properties": "dynamic",
    "tags": "dynamic",
    "identity": "dynamic",
    "zones": "dynamic",
    "extendedLocation": "dynamic",
}
_EMPTY: Row = {name: "" if kind == "string" else None for name, kind in COLUMNS.items()}

AuthorizationScope = Literal[
    "AtScopeAndBelow", "AtScopeAndAbove", "AtScopeAboveAndBelow", "AtScopeExact"
]


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a tenant a query is about.

    Attributes:
        subscriptions: The ids asked for; None for all of the tenant.
        management_groups: The names asked for; None where none is named.
        scope: Which assignments of roles belong to what is asked for.
    """

    subscriptions: frozenset[str] | None = None
    management_groups: frozenset[str] | None = None
    scope: AuthorizationScope = "AtScopeAndBelow"

    @property
    def everything(self) -> bool:
        return self.subscriptions is None and self.management_groups is None


class Tables:
    """Reads tables for one caller; what it may not read is left out, and nothing says so.

    Args:
        most: How many subscriptions a query that names none reaches at most.
    """

    def __init__(
        self, world: World, authorizer: Authorizer, caller: Caller, selection: Selection, most: int
    ) -> None:
        self._world = world
        self._authorizer = authorizer
        self._caller = caller
        self._selection = selection
        reachable = [item for item in self._reachable() if self._is_selected(item)]
        self.limit_hit = selection.subscriptions is None and len(reachable) > most
        reachable.sort(key=lambda item: item.id)
        del reachable[most if self.limit_hit else len(reachable) :]
        self.subscriptions: Mapping[str, Subscription] = {item.id: item for item in reachable}

    def rows(self, table: str) -> Iterator[Row]:
        """A table's rows."""
        return TABLES[table](self)

    def resource_containers(self) -> Iterator[Row]:
        """Subscriptions, and management groups of a query that is about the whole tenant."""
        readable = self._readable("Microsoft.Resources/subscriptions/read")
        for item in self.subscriptions.values():
            if readable(item.scope):
                yield self._subscription(item)
        readable = self._readable("Microsoft.Management/managementGroups/read")
        for group in self._world.management_groups.values():
            own = group.tenant_id == self._caller.tenant_id
            if self._selection.everything and own and readable(group.scope):
                yield self._management_group(group)

    def authorization_resources(self) -> Iterator[Row]:
        """Role assignments as they were made, with no groups followed, and role definitions."""
        readable = self._readable("Microsoft.Authorization/roleAssignments/read")
        inherited = self._above(readable)
        for item in self._world.graph.role_assignments:
            scope = item.scope.lower()
            if subscription := subscription_of(scope):
                seen = subscription in self.subscriptions and self._at_or_below(scope)
            else:
                seen = item.tenant_id == self._caller.tenant_id and self._is_asked_for(scope)
            if (seen and readable(scope)) or scope in inherited:
                yield _assignment_row(item)
        readable = self._readable("Microsoft.Authorization/roleDefinitions/read")
        anywhere = any(readable(item.scope) for item in self.subscriptions.values())
        for role in self._world.graph.role_definitions:
            own = role.tenant_id in (None, self._caller.tenant_id)
            if own and (anywhere or any(map(readable, role.assignable_scopes))):
                yield _definition_row(role, self._caller.tenant_id)

    def managed_services_resources(self) -> Iterator[Row]:
        """Delegations to other tenants, and what is delegated in them."""
        world = self._world
        readable = self._readable("Microsoft.ManagedServices/registrationAssignments/read")
        for item in world.graph.registration_assignments:
            subscription = self.subscriptions.get(subscription_of(item.scope))
            if subscription and readable(item.scope):
                body = registration_assignment_body(world, item, expand=True)
                yield _managed_row(body, subscription)
        readable = self._readable("Microsoft.ManagedServices/registrationDefinitions/read")
        for definition in world.graph.registration_definitions:
            subscription = self.subscriptions.get(definition.subscription_id)
            if subscription and readable(subscription.scope):
                yield _managed_row(registration_definition_body(world, definition), subscription)

    def _reachable(self) -> Iterator[Subscription]:
        """The subscriptions with any role of the caller's at, above or in them."""
        held = self._authorizer.scopes(self._caller)
        inside = {subscription_of(scope) for scope in held}
        chain = self._world.hierarchy.chain
        for item in self._world.graph.subscriptions:
            own = item.tenant_id == self._caller.tenant_id
            if item.state != "Deleted" and (
                item.id in inside or (own and not held.isdisjoint(chain(item.scope)))
            ):
                yield item

    def _is_selected(self, item: Subscription) -> bool:
        if self._selection.subscriptions is not None:
            return item.id in self._selection.subscriptions
        return self._selection.everything or self._is_asked_for(item.scope)

    def _is_asked_for(self, scope: str) -> bool:
        """Whether a scope is, or is below, one that the query names."""
        asked = self._selection
        if asked.management_groups is None:
            return asked.everything
        chain = self._world.hierarchy.chain(scope)
        return any(f"{MANAGEMENT_GROUPS}{name}" in chain for name in asked.management_groups)

    def _at_or_below(self, scope: str) -> bool:
        """Whether an assignment in a subscription counts, for the query's authorization scope."""
        at_subscription = scope.count("/") == 2
        return at_subscription or "Below" in self._selection.scope

    def _above(self, readable: Callable[[str], bool]) -> set[str]:
        """What readable subscriptions inherit from, where the query is about that as well."""
        if "Above" not in self._selection.scope:
            return set()
        scopes = (item.scope for item in self.subscriptions.values())
        chains = (self._world.hierarchy.chain(scope)[1:] for scope in scopes if readable(scope))
        return {scope for chain in chains for scope in chain}

    def _readable(self, action: str) -> Callable[[str], bool]:
        granting = self._authorizer.scopes(self._caller, action)
        chain = self._world.hierarchy.chain
        return cache(lambda scope: not granting.isdisjoint(chain(scope)))

    def _subscription(self, item: Subscription) -> Row:
        above = self._world.hierarchy.groups_above(item.id)
        managers = managed_by(self._world, item.id)
        return _row(
            item.scope,
            item.name,
            "microsoft.resources/subscriptions",
            item.tenant_id,
            {
                "managedByTenants": [{"tenantId": each} for each in managers],
                "managementGroupAncestorsChain": [_named(group) for group in above],
                "state": item.state,
                "subscriptionPolicies": POLICIES,
            },
            tags=dict(item.tags) or None,
        )

    def _management_group(self, group: ManagementGroup) -> Row:
        names = [scope.rpartition("/")[2] for scope in self._world.hierarchy.chain(group.scope)[1:]]
        above = (self._world.management_groups.get(name) for name in names)
        return _row(
            group.scope,
            group.name,
            "microsoft.management/managementgroups",
            group.tenant_id,
            {
                "displayName": group.display_name,
                "tenantId": group.tenant_id,
                "details": {
                    "managementGroupAncestorsChain": [_named(each) for each in above if each]
                },
            },
        )


def _named(group: ManagementGroup) -> Mapping[str, str]:
    return {"displayName": group.display_name, "name": group.name}


def _row(
    identifier: str,
    name: str,
    kind: str,
    tenant_id: str,
    properties: Mapping[str, Any],
    **more: Any,
) -> Row:
    return {
        **_EMPTY,
        "id": identifier,
        "name": name,
        "type": kind,
        "tenantId": tenant_id,
        "subscriptionId": subscription_of(identifier),
        "properties": properties,
        **more,
    }


def _assignment_row(item: RoleAssignment) -> Row:
    return _row(
        item.id.replace("/roleAssignments/", "/RoleAssignments/"),
        item.name,
        "microsoft.authorization/roleassignments",
        item.tenant_id,
        {
            "scope": item.scope,
            "roleDefinitionId": f"/providers/Microsoft.Authorization/RoleDefinitions/{item.role}",
            "principalId": item.principal_id,
            "principalType": item.principal_type,
            "condition": item.condition,
            "conditionVersion": item.condition_version,
            "description": item.description,
            "createdOn": timestamp(item.created_on),
            "updatedOn": timestamp(item.updated_on),
            "createdBy": item.created_by,
            "updatedBy": item.updated_by,
        },
    )


def _definition_row(role: RoleDefinition, tenant_id: str) -> Row:
    body = role_definition_body(role)
    return _row(
        body["id"].replace("/roleDefinitions/", "/RoleDefinitions/"),
        role.id,
        "microsoft.authorization/roledefinitions",
        tenant_id,
        body["properties"] | {"isServiceRole": False},
    )


def _managed_row(body: Mapping[str, Any], subscription: Subscription) -> Row:
    return _row(
        body["id"],
        body["name"],
        body["type"].lower(),
        subscription.tenant_id,
        body["properties"],
    )


TABLES: Mapping[str, Callable[[Tables], Iterator[Row]]] = {
    "resourcecontainers": Tables.resource_containers,
    "authorizationresources": Tables.authorization_resources,
    "managedservicesresources": Tables.managed_services_resources,
}
TABLE_COLUMNS: Mapping[str, Columns] = dict.fromkeys(TABLES, COLUMNS)
