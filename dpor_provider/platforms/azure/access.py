"""How partners reach subscriptions: role assignments of their principals, and Lighthouse.

Not searched: what is eligible only (Privileged Identity Management), and a partner's people who are
members of groups of the customer's, unless the directory names the group among the partner's
principals.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from dpor_provider.errors import Invalid
from dpor_provider.model import Access, Directory, subscription_scope
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.credit import assign
from dpor_provider.platforms.azure.errors import azure_errors
from dpor_provider.platforms.azure.resource_graph import ResourceGraph, Row
from dpor_provider.platforms.azure.role_assignments import (
    UNKNOWN_TIME,
    RoleDefinitions,
    read_role_assignments,
)
from dpor_provider.printable import line

DELEGATIONS = """\
managedservicesresources
| where type =~ 'microsoft.managedservices/registrationassignments'
| project id, properties
| order by id asc"""

ROLE_ASSIGNMENT, DELEGATION = "/roleassignments/", "/registrationassignments/"
"""What the id of each kind contains."""

LIGHTHOUSE = "Azure Lighthouse"


@dataclass(frozen=True, slots=True)
class PartnerAccess:
    """Finds, removes and brings back partners' access."""

    connection: Connection
    graph: ResourceGraph
    definitions: RoleDefinitions

    def read(self, directory: Directory) -> Iterator[Access]:
        """The access of every partner of the directory, wherever the deployer may read it.

        Raises:
            Unavailable: it cannot be read.
        """
        principals = {
            principal.lower(): partner.id
            for partner in directory.partners.values()
            for principal in partner.principals
        }
        if principals:
            for item in read_role_assignments(self.graph, principals):
                yield Access(
                    id=item.id,
                    scope=item.scope,
                    principal=item.principal_id,
                    role=self.definitions.find(item.scope, item.role_id).name,
                    partner_id=principals[item.principal_id],
                    granted_by=item.created_by,
                    granted_at=item.created_on,
                    condition=item.condition,
                )
        tenants = {
            tenant.lower(): partner.id
            for partner in directory.partners.values()
            for tenant in partner.tenants
        }
        if tenants or principals:
            for row in self.graph.rows(DELEGATIONS, "reading Azure Lighthouse's delegations"):
                if access := _delegation(row, tenants, principals):
                    yield access

    def still_there(self, access: Access) -> bool:
        """Whether Azure itself still has it; Resource Graph may show what was removed a while ago.

        Raises:
            Refused: the right to read it is lacking.
            Unavailable: it cannot be read.
        """
        with azure_errors(f"reading {access.role} of {access.principal}"):
            try:
                if DELEGATION in access.id:
                    self._delegations.get(access.scope.strip("/"), _name(access))
                else:
                    self._roles.role_assignments.get_by_id(access.id.strip("/"))
            except ResourceNotFoundError:
                return False
        return True

    def remove(self, access: Access) -> None:
        """Remove one; what is gone already is fine.

        Raises:
            Refused: the right to remove it is lacking.
            Unavailable: Azure cannot be reached.
        """
        with (
            azure_errors(f"removing {access.role} of {access.principal} at {access.scope}"),
            contextlib.suppress(ResourceNotFoundError),
        ):
            if DELEGATION in access.id:
                self._delegations.begin_delete(access.scope.strip("/"), _name(access)).result()
            else:
                self._roles.role_assignments.delete_by_id(access.id.strip("/"))

    def restore(self, subscription_id: str, access: Access) -> None:
        """Bring one back that was removed at a subscription.

        Raises:
            Invalid: it is a delegation, which its partner's offer brings back alone, or its role is
                no longer there.
            Refused: the right to assign roles is lacking.
            Unavailable: Azure cannot be reached.
        """
        scope = subscription_scope(subscription_id)
        if access.role.startswith(LIGHTHOUSE):
            raise Invalid(
                f"{access.role} of tenant {access.principal} at {scope} cannot be brought back from"
                " here: accept the partner's offer again, in the portal under Service providers"
            )
        with azure_errors(f"restoring {access.role} of {access.principal} at {scope}"):
            role_name = access.role.replace("'", "''")
            found = self._roles.role_definitions.list(
                scope.strip("/"), filter=f"roleName eq '{role_name}'"
            )
            role = next(iter(found), None)
            if role is None:
                raise Invalid(
                    f"there is no role {access.role} at {scope} any more; nothing was restored of"
                    f" {access.principal}"
                )
            assign(
                self._roles,
                scope,
                str(role.name),
                access.principal,
                condition=access.condition,
                conditionVersion="2.0" if access.condition else None,
            )

    @property
    def _roles(self) -> Any:
        return self.connection.client(extra.authorization.AuthorizationManagementClient, "-")

    @property
    def _delegations(self) -> Any:
        client = self.connection.client(extra.managedservices.ManagedServicesClient)
        return client.registration_assignments


def _delegation(
    row: Row, tenants: Mapping[str, str], principals: Mapping[str, str]
) -> Access | None:
    definition = row["properties"].get("registrationDefinition") or {}
    properties = definition.get("properties") or {}
    tenant = str(properties.get("managedByTenantId") or "").lower()
    held = {str(one.get("principalId")).lower() for one in properties.get("authorizations") or ()}
    known = next((principals[one] for one in sorted(held) if one in principals), None)
    partner_id = tenants.get(tenant) or known
    if partner_id is None:
        return None
    identifier = str(row["id"]).lower()
    offer = line(str(properties.get("registrationDefinitionName") or "delegation"))
    return Access(
        id=identifier,
        scope=identifier.partition("/providers/")[0],
        principal=tenant,
        role=f"{LIGHTHOUSE} ({offer})",
        partner_id=partner_id,
        granted_by=LIGHTHOUSE,
        granted_at=UNKNOWN_TIME,
    )


def _name(access: Access) -> str:
    return access.id.rpartition("/")[2]
