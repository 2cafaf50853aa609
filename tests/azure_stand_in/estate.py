"""What is there at the start: tenants, principals, subscriptions, roles, delegations, links.

Plain frozen data with Azure's own names. A test builds an `Estate` and starts a server with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Literal

PrincipalType = Literal["User", "Group", "ServicePrincipal", "ForeignGroup"]
SubscriptionState = Literal["Enabled", "Warned", "PastDue", "Disabled", "Deleted"]

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ROOT = "/"
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)


def guid(*names: object) -> str:
    """The same names always give the same GUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, names))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A directory of Microsoft Entra ID."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whom a role may be assigned to, as an object of one tenant's directory.

    Attributes:
        id: The object id.
        directory_roles: Template ids of Entra roles, which a token's `wids` claim carries.
    """

    id: str
    tenant_id: str
    name: str
    directory_roles: frozenset[str] = frozenset()
    type: ClassVar[PrincipalType]


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Principal):
    """A person.

    Attributes:
        home_tenant_id: Where a guest comes from; None for a member.
    """

    home_tenant_id: str | None = None
    type: ClassVar[PrincipalType] = "User"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal(Principal):
    """An application in a tenant.

    Attributes:
        application_id: Also called client id.
        secret: What it signs in with, where it may.
        federated_subject: The `sub` of another issuer's token with which it may sign in.
    """

    application_id: str
    secret: str | None = None
    federated_subject: str | None = None
    type: ClassVar[PrincipalType] = "ServicePrincipal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity(ServicePrincipal):
    """A service principal whose tokens its host hands out.

    Attributes:
        resource_id: The ARM id of a user-assigned identity; None if it is system-assigned.
    """

    resource_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Principal):
    """A security group; members may be groups."""

    members: frozenset[str] = frozenset()
    type: ClassVar[PrincipalType] = "Group"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementGroup:
    """A node above subscriptions; the tenant's root group has no parent."""

    name: str
    tenant_id: str
    display_name: str
    parent: str | None = None

    @property
    def scope(self) -> str:
        return f"/providers/Microsoft.Management/managementGroups/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription, with its tags and the management group that it is in."""

    id: str
    name: str
    tenant_id: str
    management_group: str | None = None
    state: SubscriptionState = "Enabled"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One entry of a role definition's permissions; `*` matches anything."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDefinition:
    """A built-in role, or a custom one of a tenant."""

    id: str
    name: str
    permissions: tuple[Permission, ...]
    description: str = ""
    assignable_scopes: tuple[str, ...] = (ROOT,)
    tenant_id: str | None = None

    @property
    def type(self) -> Literal["BuiltInRole", "CustomRole"]:
        return "CustomRole" if self.tenant_id else "BuiltInRole"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """A role that a principal holds at a scope and below.

    Attributes:
        name: The GUID that ends its id; unique in the tenant.
        role: The role definition's GUID.
        tenant_id: The tenant that the scope belongs to.
    """

    name: str
    scope: str
    role: str
    principal_id: str
    principal_type: PrincipalType
    tenant_id: str
    condition: str | None = None
    condition_version: str | None = None
    description: str | None = None
    created_by: str | None = None
    updated_by: str | None = None
    created_on: datetime = BEGINNING
    updated_on: datetime = BEGINNING

    @property
    def id(self) -> str:
        prefix = "" if self.scope == ROOT else self.scope
        return f"{prefix}/providers/Microsoft.Authorization/roleAssignments/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What a principal of the managing tenant may do in a delegated scope."""

    principal_id: str
    role: str
    display_name: str = ""
    delegated_roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationDefinition:
    """An offer of Azure Lighthouse, as it was accepted in a subscription.

    Attributes:
        eligible: Authorizations that somebody has to activate first.
    """

    name: str
    subscription_id: str
    offer: str
    managed_by_tenant_id: str
    authorizations: tuple[Authorization, ...]
    eligible: tuple[Authorization, ...] = ()
    description: str = ""

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription_id}"
            f"/providers/Microsoft.ManagedServices/registrationDefinitions/{self.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationAssignment:
    """A subscription or resource group that is delegated by a registration definition."""

    name: str
    scope: str
    definition_id: str

    @property
    def id(self) -> str:
        return (
            f"{self.scope}/providers/Microsoft.ManagedServices/registrationAssignments/{self.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A partner in Microsoft's directory, by location id.

    A global account id is not in it: to Microsoft.ManagementPartner it is unknown.
    """

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerLink:
    """The one Partner Admin Link of an identity."""

    tenant_id: str
    object_id: str
    partner_id: str
    version: int = 1
    state: Literal["Active", "Deleted"] = "Active"
    created: datetime = BEGINNING
    updated: datetime = BEGINNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """All that a server starts with."""

    tenants: tuple[Tenant, ...]
    principals: tuple[Principal, ...] = ()
    management_groups: tuple[ManagementGroup, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    role_definitions: tuple[RoleDefinition, ...] = ()
    role_assignments: tuple[RoleAssignment, ...] = ()
    registration_definitions: tuple[RegistrationDefinition, ...] = ()
    registration_assignments: tuple[RegistrationAssignment, ...] = ()
    partners: tuple[Partner, ...] = ()
    partner_links: tuple[PartnerLink, ...] = ()


def assignment(
    principal: Principal,
    role: RoleDefinition,
    scope: str,
    *,
    tenant_id: str | None = None,
    principal_type: PrincipalType | None = None,
    condition: str | None = None,
) -> RoleAssignment:
    """A role assignment, whose name follows from what it says.

    Args:
        tenant_id: The scope's tenant, where it is not the principal's.
        principal_type: `ForeignGroup` for a group of another tenant, as a CSP's is.
    """
    return RoleAssignment(
        name=guid(principal.id, role.id, scope),
        scope=scope,
        role=role.id,
        principal_id=principal.id,
        principal_type=principal_type or principal.type,
        tenant_id=tenant_id or principal.tenant_id,
        condition=condition,
        condition_version="2.0" if condition else None,
    )
