"""The estate as it is now: what a server has, changes and shows."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from .builtin_roles import BUILT_IN_ROLES
from .estate import (
    Estate,
    Group,
    PartnerLink,
    Principal,
    RegistrationAssignment,
    RegistrationDefinition,
    RoleAssignment,
    RoleDefinition,
    Subscription,
)
from .records import Lag, Lagging, Records
from .scopes import Hierarchy, subscription_of


@dataclass(slots=True)
class Consistency:
    """How far reads are behind writes; nowhere, unless a test says so.

    Attributes:
        role_assignments: What ARM shows of role assignments, and what permissions follow from.
        resource_graph: What Resource Graph shows, of anything.
    """

    role_assignments: Lag = field(default_factory=Lag)
    resource_graph: Lag = field(default_factory=Lag)


class GraphViews:
    """What Resource Graph sees."""

    def __init__(self, world: World, lag: Lag, clock: Callable[[], float]) -> None:
        self.subscriptions = Lagging(world.subscriptions, lag, clock)
        self.role_assignments = Lagging(world.role_assignments, lag, clock)
        self.role_definitions = Lagging(world.role_definitions, lag, clock)
        self.registration_definitions = Lagging(world.registration_definitions, lag, clock)
        self.registration_assignments = Lagging(world.registration_assignments, lag, clock)

    def read(self) -> tuple[tuple[int, int], ...]:
        """Begin one read of everything; returns what changes when anything may have changed."""
        views: Iterable[Lagging[object]] = (  # type: ignore[assignment]
            self.subscriptions,
            self.role_assignments,
            self.role_definitions,
            self.registration_definitions,
            self.registration_assignments,
        )
        return tuple(view.read().version for view in views)


class World:
    """Everything that a server knows. Hold `lock` to change it while the server runs.

    Args:
        estate: What is there at the start.
        clock: Seconds that never go back, for lags.
    """

    def __init__(self, estate: Estate, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        self.tenants = {tenant.id: tenant for tenant in estate.tenants}
        self.partners = {partner.id: partner for partner in estate.partners}
        self.management_groups = {group.name.lower(): group for group in estate.management_groups}
        self.principals: dict[str, Principal] = {}
        self.directory_version = 0
        self._groups_of: dict[str, set[str]] = defaultdict(set)
        self.subscriptions: Records[Subscription] = Records(lambda item: item.id)
        self.role_definitions: Records[RoleDefinition] = Records(lambda item: item.id)
        self.role_assignments: Records[RoleAssignment] = Records(
            lambda item: f"{item.tenant_id}/{item.name}",
            scope=lambda item: item.scope,
            principal=lambda item: item.principal_id,
            subscription=lambda item: subscription_of(item.scope),
        )
        self.registration_definitions: Records[RegistrationDefinition] = Records(
            lambda item: item.id
        )
        self.registration_assignments: Records[RegistrationAssignment] = Records(
            lambda item: item.id,
            subscription=lambda item: subscription_of(item.scope),
            tenant=self._managing_tenant,
        )
        self.partner_links: Records[PartnerLink] = Records(
            lambda item: f"{item.tenant_id}/{item.object_id}"
        )
        self.hierarchy = Hierarchy(self.management_groups, self._placed)
        self.consistency = Consistency()
        self.role_assignments_seen = Lagging(
            self.role_assignments, self.consistency.role_assignments, clock
        )
        self.graph = GraphViews(self, self.consistency.resource_graph, clock)
        self._fill(estate)

    def add_principal(self, principal: Principal) -> None:
        """Add a principal to its tenant's directory, or replace it."""
        self.directory_version += 1
        if isinstance(before := self.principals.get(principal.id), Group):
            for member in before.members:
                self._groups_of[member].discard(before.id)
        self.principals[principal.id] = principal
        if isinstance(principal, Group):
            for member in principal.members:
                self._groups_of[member].add(principal.id)

    def remove_principal(self, principal_id: str) -> None:
        """Remove a principal; its role assignments stay, as they do in Azure."""
        self.directory_version += 1
        if isinstance(before := self.principals.pop(principal_id, None), Group):
            for member in before.members:
                self._groups_of[member].discard(before.id)

    def groups_of(self, principal_id: str) -> set[str]:
        """The groups that a principal is in, directly or through other groups."""
        found: set[str] = set()
        waiting = [principal_id]
        while waiting:
            new = self._groups_of.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    def change_subscription(self, subscription_id: str, **changes: object) -> Subscription:
        """Change a subscription's fields, as its tags, state, tenant or management group."""
        before = self.subscriptions.get(subscription_id)
        if before is None:
            raise KeyError(subscription_id)
        after = replace(before, **changes)  # type: ignore[arg-type]
        self.subscriptions.put(after)
        return after

    def tags(self, subscription_id: str) -> dict[str, str]:
        """A subscription's tags as they are, with no lag."""
        found = self.subscriptions.get(subscription_id)
        if found is None:
            raise KeyError(subscription_id)
        return dict(found.tags)

    def assignments_at(self, scope: str) -> list[RoleAssignment]:
        """The role assignments at exactly this scope as they are, with no lag."""
        return [item for _, item in self.role_assignments.where("scope", scope)]

    def _placed(self, subscription_id: str) -> str | None:
        found = self.subscriptions.get(subscription_id)
        return found.management_group if found else None

    def _managing_tenant(self, item: RegistrationAssignment) -> str:
        definition = self.registration_definitions.get(item.definition_id)
        return definition.managed_by_tenant_id if definition else ""

    def _fill(self, estate: Estate) -> None:
        refuse_dangling(estate)
        for principal in estate.principals:
            self.add_principal(principal)
        for subscription in estate.subscriptions:
            self.subscriptions.put(subscription)
        for role in (*BUILT_IN_ROLES, *estate.role_definitions):
            self.role_definitions.put(role)
        for assignment in estate.role_assignments:
            self.role_assignments.put(assignment)
        for definition in estate.registration_definitions:
            self.registration_definitions.put(definition)
        for delegation in estate.registration_assignments:
            self.registration_assignments.put(delegation)
        for link in estate.partner_links:
            self.partner_links.put(link)


def refuse_dangling(estate: Estate) -> None:
    """Refuse an estate that names what is not in it.

    A role assignment's principal may be missing: in Azure it stays when its principal is removed.

    Raises:
        ValueError: says what is missing.
    """
    tenants = {tenant.id for tenant in estate.tenants}
    groups = {group.name for group in estate.management_groups} | {None}
    roles = {role.id for role in (*BUILT_IN_ROLES, *estate.role_definitions)}
    subscriptions = {subscription.id for subscription in estate.subscriptions}
    offers = {definition.id for definition in estate.registration_definitions}
    named: list[tuple[str, set[str | None], Iterable[str | None]]] = [
        ("tenant", {*tenants}, (each.tenant_id for each in estate.principals)),
        ("tenant", {*tenants}, (each.tenant_id for each in estate.subscriptions)),
        ("tenant", {*tenants}, (each.tenant_id for each in estate.role_assignments)),
        ("management group", {*groups}, (each.management_group for each in estate.subscriptions)),
        ("management group", {*groups}, (each.parent for each in estate.management_groups)),
        ("role definition", {*roles}, (each.role for each in estate.role_assignments)),
        (
            "subscription",
            {*subscriptions, ""},
            (subscription_of(each.scope) for each in estate.role_assignments),
        ),
        (
            "registration definition",
            {*offers},
            (each.definition_id for each in estate.registration_assignments),
        ),
    ]
    for what, known, used in named:
        if missing := set(used) - known:
            raise ValueError(f"the estate names a {what} that it has not: {missing.pop()}")
