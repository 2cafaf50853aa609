"""Role assignments and what their roles permit.

Azure Resource Graph shows them as they were made: no membership of a group is followed, and what
is eligible only (Privileged Identity Management) is not there. Sources: Microsoft's "List Azure
role assignments using the REST API", "Azure built-in roles", "Understand Azure role definitions".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dpor_provider.model import ROOT_SCOPE, Permission, subscription_scope
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.errors import azure_errors
from dpor_provider.platforms.azure.resource_graph import ResourceGraph, Row
from dpor_provider.printable import line

QUERY = """\
authorizationresources
| where type =~ 'microsoft.authorization/roleassignments'
| where tostring(properties.principalId) in~ ({principals})
| project id, properties
| order by id asc"""

AT_ONCE = 200
"""Principals in one query."""

UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """One role assignment; ids and scopes in lower case, since Azure's case varies."""

    id: str
    scope: str
    role_id: str
    """The last part of the role definition's id."""
    principal_id: str
    condition: str | None
    created_by: str
    created_on: datetime


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A built-in or custom role."""

    id: str
    name: str
    custom: bool
    permissions: tuple[Permission, ...]
    data_actions: bool
    """Whether it reaches data, not only the management of resources."""


def read_role_assignments(
    graph: ResourceGraph, principals: Collection[str]
) -> Iterator[RoleAssignment]:
    """The direct role assignments of these principals, wherever the caller may read them.

    Raises:
        Unavailable: they cannot be read.
    """
    ids = sorted(principals)
    for start in range(0, len(ids), AT_ONCE):
        listed = ", ".join(f"'{_quoted(item)}'" for item in ids[start : start + AT_ONCE])
        rows = graph.rows(
            QUERY.format(principals=listed),
            "reading role assignments",
            scope="AtScopeAboveAndBelow",
        )
        yield from map(_assignment, rows)


class RoleDefinitions:
    """Looks roles up by id, each once.

    Args:
        connection: To Azure.
        above: The management groups above each subscription that can be seen.
    """

    def __init__(self, connection: Connection, above: Mapping[str, tuple[str, ...]]) -> None:
        self._connection = connection
        self._seen_at = {
            scope: subscription_scope(subscription_id)
            for subscription_id, scopes in above.items()
            for scope in (ROOT_SCOPE, *scopes)
        }
        self._found: dict[str, RoleDefinition] = {}

    def find(self, scope: str, role_id: str) -> RoleDefinition:
        """A role that is assigned at a scope.

        Raises:
            Refused: the right to read roles is lacking.
            Unavailable: it cannot be read.
        """
        if role_id not in self._found:
            # Who reads at a subscription may read nothing above it, where a role may be assigned.
            self._found[role_id] = self._read(self._seen_at.get(scope, scope), role_id)
        return self._found[role_id]

    def _read(self, scope: str, role_id: str) -> RoleDefinition:
        with azure_errors(f"reading the role {role_id} at {scope}"):
            found = self._client.role_definitions.get(scope.strip("/"), role_id)
            permissions = found.permissions or []
            return RoleDefinition(
                role_id,
                line(found.role_name or role_id),
                found.role_type == "CustomRole",
                tuple(
                    Permission(tuple(one.actions or ()), tuple(one.not_actions or ()))
                    for one in permissions
                ),
                any(getattr(one, "data_actions", None) for one in permissions),
            )

    @property
    def _client(self) -> Any:
        return self._connection.client(extra.authorization.AuthorizationManagementClient, "-")


def assigned_to(connection: Connection, scope: str, principal_id: str) -> Iterator[RoleAssignment]:
    """What a principal holds at a scope and above it, also by way of groups.

    Raises:
        Refused: the right to read role assignments is lacking.
        Unavailable: they cannot be read.
    """
    client = connection.client(extra.authorization.AuthorizationManagementClient, "-")
    with azure_errors(f"reading the roles of {principal_id} at {scope}"):
        found = client.role_assignments.list_for_scope(
            scope.strip("/"), filter=f"assignedTo('{_quoted(principal_id)}')"
        )
        for item in found:
            yield RoleAssignment(
                str(item.id).lower(),
                str(item.scope).lower(),
                _last(item.role_definition_id),
                str(item.principal_id).lower(),
                item.condition,
                str(item.created_by or "unknown"),
                item.created_on or UNKNOWN_TIME,
            )


def _assignment(row: Row) -> RoleAssignment:
    properties = row["properties"]
    return RoleAssignment(
        id=str(row["id"]).lower(),
        scope=str(properties["scope"]).lower(),
        role_id=_last(properties["roleDefinitionId"]),
        principal_id=str(properties["principalId"]).lower(),
        condition=properties.get("condition") or None,
        created_by=line(str(properties.get("createdBy") or "unknown")),
        created_on=_time(properties.get("createdOn")),
    )


def _last(identifier: object) -> str:
    return str(identifier).rpartition("/")[2].lower()


def _time(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return UNKNOWN_TIME
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _quoted(text: str) -> str:
    """Within single quotes of a query or a filter; ids are, and nothing else goes in."""
    return "".join(char for char in text if char.isalnum() or char in "-_.@")
