"""Who deploys, and what its roles permit where.

Microsoft's rule is by role: only a Global Administrator, or an Owner or Contributor of the
subscription, designates. Built-in roles count by their ids; a custom role counts as Contributor
where it permits to write tags, and as Owner where it permits role assignments, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dpor_provider.errors import DporError
from dpor_provider.model import (
    ROOT_SCOPE,
    Deployer,
    Grant,
    Permission,
    Role,
    subscription_scope,
    subscription_uuid,
)
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.identity import Identity
from dpor_provider.platforms.azure.resource_graph import ResourceGraph
from dpor_provider.platforms.azure.role_assignments import (
    RoleAssignment,
    RoleDefinition,
    RoleDefinitions,
    assigned_to,
    read_role_assignments,
)

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""The template id of the Entra role."""

BUILT_IN = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": Role.OWNER,
    "b24988ac-6180-42a0-ab88-20f7382dd24c": Role.CONTRIBUTOR,
}
READ_TAGS = "Microsoft.Resources/tags/read"
WRITE_TAGS = "Microsoft.Resources/tags/write"
ASSIGN_ROLES = "Microsoft.Authorization/roleAssignments/write"
REMOVE_ROLES = "Microsoft.Authorization/roleAssignments/delete"
READ_DELEGATIONS = "Microsoft.ManagedServices/registrationAssignments/read"
END_DELEGATIONS = "Microsoft.ManagedServices/registrationAssignments/delete"

AT_ONCE, MOST = 8, 500
"""How many subscriptions are asked one by one for roles that come by way of groups: at a time, and
in all."""


@dataclass(frozen=True, slots=True)
class Deployers:
    """Finds out who deploys."""

    connection: Connection
    graph: ResourceGraph
    definitions: RoleDefinitions

    def find(
        self,
        principal: str | None,
        above: Mapping[str, tuple[str, ...]],
        concerned: Mapping[str, Collection[str]],
    ) -> Deployer:
        """The deployer with its roles.

        Args:
            principal: The object id of another one than who runs this; None for that.
            above: The management groups above each subscription that can be seen.
            concerned: By subscription, the actions that it may have to carry out there.
        """
        try:
            who = self.connection.identity()
            if principal is None or principal.lower() == who.object_id:
                return self._deployer(who.object_id, who, above, concerned)
            if subscription_uuid(principal) is None:
                return Deployer(
                    principal,
                    (),
                    f"{principal} is no object id of the tenant, as the platform azure knows"
                    " principals by; see: az ad sp show --id APPLICATION_ID --query id",
                )
            return self._deployer(principal.lower(), None, above, concerned)
        except DporError as error:
            return Deployer(principal or "the deployer", (), str(error))

    def _deployer(
        self,
        object_id: str,
        identity: Identity | None,
        above: Mapping[str, tuple[str, ...]],
        concerned: Mapping[str, Collection[str]],
    ) -> Deployer:
        groups = identity.groups if identity else None
        held = list(read_role_assignments(self.graph, {object_id, *(groups or ())}))
        made = self._made(object_id, identity, held, above)
        lacking = [one for one in concerned if one in above and not _enough(made, one, concerned)]
        # What comes by way of a group is shown at each scope only, with all that is above it: one
        # subscription of each management group tells for many.
        first = {above[one]: one for one in reversed(lacking)}.values()
        for part in (list(first), lacking):
            asked = [one for one in part if not _enough(made, one, concerned)][:MOST]
            held += self._by_groups(object_id, asked)
            made = self._made(object_id, identity, held, above)
        return made

    def _by_groups(self, object_id: str, ids: Sequence[str]) -> list[RoleAssignment]:
        def ask(subscription_id: str) -> list[RoleAssignment]:
            return list(
                assigned_to(self.connection, subscription_scope(subscription_id), object_id)
            )

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [item for found in pool.map(ask, ids) for item in found]

    def _made(
        self,
        object_id: str,
        identity: Identity | None,
        held: Iterable[RoleAssignment],
        above: Mapping[str, tuple[str, ...]],
    ) -> Deployer:
        name = f"{identity.name} ({object_id})" if identity else object_id
        grants: set[tuple[Role, str]] = set()
        permissions: dict[str, dict[str, tuple[Permission, ...]]] = defaultdict(dict)
        if identity and GLOBAL_ADMINISTRATOR in identity.directory_roles:
            grants.add((Role.GLOBAL_ADMINISTRATOR, ROOT_SCOPE))
        for item in held:
            role = self.definitions.find(item.scope, item.role_id)
            permissions[item.scope][role.id] = role.permissions
            if counts_as := _counts_as(role):
                grants.add((counts_as, item.scope))
        return Deployer(
            name,
            tuple(Grant(name, role, scope) for role, scope in sorted(grants)),
            object_id=object_id,
            above=above,
            permissions={
                scope: tuple(one for each in roles.values() for one in each)
                for scope, roles in permissions.items()
            },
        )


def _enough(
    deployer: Deployer, subscription_id: str, concerned: Mapping[str, Collection[str]]
) -> bool:
    return deployer.may_designate(subscription_id) and not deployer.lacks(
        subscription_id, concerned[subscription_id]
    )


def _counts_as(role: RoleDefinition) -> Role | None:
    if not role.custom:
        return BUILT_IN.get(role.id)

    def permits(action: str) -> bool:
        return any(one.permits(action) for one in role.permissions)

    if not permits(WRITE_TAGS):
        return None
    return Role.OWNER if permits(ASSIGN_ROLES) and permits(REMOVE_ROLES) else Role.CONTRIBUTOR
