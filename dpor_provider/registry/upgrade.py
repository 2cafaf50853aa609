"""Bringing a registry of an older version to this version's schema, and its functions."""

from __future__ import annotations

from dpor_provider.errors import Invalid, Refused
from dpor_provider.model import Action, Role
from dpor_provider.registry import audit, roles, tables
from dpor_provider.registry.database import Database


def upgrade(database: Database, principal: str) -> tuple[str, str]:
    """Upgrade a registry, whole or not at all.

    Returns:
        The schema that it had, and the one that it has: the same where an older version made what
        has no number of its own (a server's functions).

    Raises:
        Invalid: it is this version's already.
        Refused: the principal is no Global Administrator.
        Unavailable: it cannot be written, or a newer version made it.
    """
    with database.upgrade() as connection:
        found = database.schema(connection)
        held = roles.grants(connection, principal)
        if not any(grant.role is Role.GLOBAL_ADMINISTRATOR for grant in held):
            raise Refused(
                f"{principal} may not upgrade the registry: only a Global Administrator may;"
                " nothing was changed"
            )
        if not database.migrate(connection):
            raise Invalid(f"registry {database.name} has schema {found}, which is the newest")
        detail = (
            f"functions of schema {found}"
            if found == tables.SCHEMA
            else f"schema {found} to {tables.SCHEMA}"
        )
        audit.record(connection, principal, Action.UPGRADE, detail=detail)
        return found, tables.SCHEMA
