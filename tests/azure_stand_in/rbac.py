"""Who may do what where: role assignments at and above a scope, groups, Lighthouse.

Conditions of assignments and deny assignments are not evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .errors import ArmError, authorization_failed
from .estate import RoleDefinition, Subscription
from .scopes import SUBSCRIPTIONS
from .world import World


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the token says: an object in a tenant's directory."""

    object_id: str
    tenant_id: str
    name: str


@lru_cache(maxsize=4096)
def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, action.split("*"))), re.IGNORECASE)


def grants(role: RoleDefinition, action: str) -> bool:
    """Whether a role has an action, in one of its permissions and not excluded there."""
    return any(
        any(_pattern(entry).fullmatch(action) for entry in permission.actions)
        and not any(_pattern(entry).fullmatch(action) for entry in permission.not_actions)
        for permission in role.permissions
    )


class Authorizer:
    """Decides what a caller may do."""

    def __init__(self, world: World) -> None:
        self._world = world

    def roles(self, caller: Caller) -> Iterator[tuple[str, RoleDefinition]]:
        """Each role that a caller holds anywhere, with its scope in lower case."""
        world = self._world
        principals = {caller.object_id, *world.groups_of(caller.object_id)}
        seen = world.role_assignments_seen.current()
        for principal in principals:
            for assignment in seen.where("principal", principal):
                foreign = assignment.principal_type == "ForeignGroup"
                if assignment.tenant_id != caller.tenant_id and not foreign:
                    continue
                if role := world.role_definitions.get(assignment.role):
                    yield assignment.scope.lower(), role
        for _, delegation in world.registration_assignments.where("tenant", caller.tenant_id):
            definition = world.registration_definitions.get(delegation.definition_id)
            for authorization in definition.authorizations if definition else ():
                role = world.role_definitions.get(authorization.role)
                if role and authorization.principal_id in principals:
                    yield delegation.scope.lower(), role

    def scopes(self, caller: Caller, action: str | None = None) -> frozenset[str]:
        """Where a caller holds a role, or one with this action; it holds below as well."""
        return frozenset(
            scope for scope, role in self.roles(caller) if action is None or grants(role, action)
        )

    def allows(self, caller: Caller, action: str, scope: str) -> bool:
        """Whether a caller may do this at a scope."""
        return not self.scopes(caller, action).isdisjoint(self._world.hierarchy.chain(scope))

    def require(self, caller: Caller, action: str, scope: str, resource: str) -> None:
        """Refuse what a caller may not do.

        Raises:
            ArmError: 403, which names client, action and resource.
        """
        if not self.allows(caller, action, scope):
            raise authorization_failed(caller.name, caller.object_id, action, resource)

    def visible(self, caller: Caller) -> Iterator[Subscription]:
        """The subscriptions that a caller finds: those with a role of its at, above or below."""
        held = self.scopes(caller)
        inside = {
            scope.removeprefix(SUBSCRIPTIONS).partition("/")[0]
            for scope in held
            if scope.startswith(SUBSCRIPTIONS)
        }
        for key, subscription in self._world.subscriptions.items():
            if key in inside or (
                subscription.tenant_id == caller.tenant_id
                and not held.isdisjoint(self._world.hierarchy.chain(subscription.scope))
            ):
                yield subscription

    def refuse_wrong_tenant(self, caller: Caller, subscription: Subscription) -> None:
        """Refuse a token of another tenant, unless that tenant has access from outside.

        Raises:
            ArmError: 401, which names both tenants.
        """
        if caller.tenant_id == subscription.tenant_id:
            return
        if not self.scopes(caller).isdisjoint(self._world.hierarchy.chain(subscription.scope)):
            return
        issuer = "https://sts.windows.net"
        raise ArmError(
            401,
            "InvalidAuthenticationTokenTenant",
            f"The access token is from the wrong issuer '{issuer}/{caller.tenant_id}/'. It must "
            f"match the tenant '{issuer}/{subscription.tenant_id}/' associated with this "
            "subscription. Please use the authority (URL) "
            f"'https://login.windows.net/{subscription.tenant_id}' to get the token. Note, if the "
            "subscription is transferred to another tenant there is no impact to the services, but "
            "information about new tenant could take time to propagate (up to an hour). If you "
            "just transferred your subscription and see this error message, please try back later.",
        )
