"""Bringing a registry of an older version to this version's schema."""

from __future__ import annotations

from dpor_provider.errors import Invalid, Refused
from dpor_provider.model import Action, Role
from dpor_provider.registry import audit, roles, tables
from dpor_provider.registry.database import Database


def upgrade(database: Database, principal: str) -> tuple[str, str]:
    """Upgrade a registry, whole or not at all.

    Returns:
        The schema that it had, and the one that it has.

    Raises:
        Invalid: it has this version's schema already.
        Refused: the principal is no Global Administrator.
        Unavailable: it cannot be written, or a newer version made it.
    """
    with database.upgrade() as connection:
        found = database.schema(connection)
        if found == tables.SCHEMA:
            raise Invalid(f"registry {database.name} has schema {found}, which is the newest")
        held = roles.grants(connection, principal)
        if not any(grant.role is Role.GLOBAL_ADMINISTRATOR for grant in held):
            raise Refused(
                f"{principal} may not upgrade the registry: only a Global Administrator may;"
                " nothing was changed"
            )
        database.migrate(connection)
        detail = f"schema {found} to {tables.SCHEMA}"
        audit.record(connection, principal, Action.UPGRADE, detail=detail)
        return found, tables.SCHEMA
