"""Credit: Support Request Contributor for the partner's linked service principal.

A partner is credited for what its principal, which is linked to its Partner ID, may reach with a
role that earns credit; this one lets it open requests for support and nothing else. The name of an
assignment follows from what it is, so that making it twice makes it once.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from dpor_provider.model import Partner, subscription_scope
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.errors import azure_errors

SUPPORT_REQUEST_CONTRIBUTOR = "cfd33db0-3dd1-45e3-aa9d-cdbdf3b6f24e"
NAMESPACE = uuid.UUID("5d0b9f0e-5f1c-4b53-9f3e-6a2d1c7e8b40")
"""This project's own, for names that follow from what they name (RFC 9562, UUID version 5)."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Credits partners."""

    connection: Connection

    def give(self, subscription_id: str, partner: Partner) -> None:
        """Let a partner's first principal open requests for support at a subscription.

        Raises:
            Refused: the right to assign roles is lacking.
            Unavailable: Azure cannot be reached.
        """
        scope, principal = subscription_scope(subscription_id), partner.principals[0].lower()
        with azure_errors(f"crediting {partner.name} ({partner.id}) at {scope}"):
            assign(
                self._client,
                scope,
                SUPPORT_REQUEST_CONTRIBUTOR,
                principal,
                principalType="ServicePrincipal",
            )

    def take(self, subscription_id: str, partner: Partner) -> None:
        """Take away what `give` gave; what is gone already is fine.

        Raises:
            Refused: the right to remove role assignments is lacking.
            Unavailable: Azure cannot be reached.
        """
        scope = subscription_scope(subscription_id)
        for principal in partner.principals:
            name = assignment_name(scope, SUPPORT_REQUEST_CONTRIBUTOR, principal.lower())
            with (
                azure_errors(f"ending the credit of {partner.name} ({partner.id}) at {scope}"),
                contextlib.suppress(ResourceNotFoundError),
            ):
                self._client.role_assignments.delete(scope.strip("/"), name)

    @property
    def _client(self) -> Any:
        return self.connection.client(extra.authorization.AuthorizationManagementClient, "-")


def assignment_name(scope: str, role_id: str, principal: str) -> str:
    """The name of a role assignment of ours, which is unique in a tenant."""
    return str(uuid.uuid5(NAMESPACE, f"{scope}|{role_id}|{principal}".lower()))


def assign(client: Any, scope: str, role_id: str, principal: str, **more: str | None) -> None:
    """Assign a role, unless it is assigned already.

    Args:
        client: The official client for authorization.
        scope: A subscription's.
        role_id: The last part of the role definition's id.
        principal: An object id.
        more: Further properties: `principalType`, which is else found out, `condition`.
    """
    definition = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
    properties = {"principalId": principal, "roleDefinitionId": definition}
    properties |= {key: value for key, value in more.items() if value is not None}
    # The client's own model says that every principal is a user, unless it is told what it is.
    body = BytesIO(json.dumps({"properties": properties}).encode())
    name = assignment_name(scope, role_id, principal)
    try:
        client.role_assignments.create(scope.strip("/"), name, body)
    except ResourceExistsError as error:
        if getattr(error.error, "code", None) != "RoleAssignmentExists":
            raise
