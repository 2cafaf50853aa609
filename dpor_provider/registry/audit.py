"""The audit log: one entry for each change, written in the transaction that makes it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Row, insert, select

from dpor_provider.model import Action, AuditEntry
from dpor_provider.registry.database import Database
from dpor_provider.registry.tables import audit_log


def record(
    connection: Connection,
    actor: str,
    action: Action,
    *,
    subscription_id: str | None = None,
    partner_id: str | None = None,
    previous_partner_id: str | None = None,
    former_partner_id: str | None = None,
    version: int | None = None,
    managed_by: str | None = None,
    detail: str | None = None,
) -> None:
    """Append an entry; it stands or falls with the caller's transaction."""
    connection.execute(
        insert(audit_log).values(
            at=datetime.now(UTC),
            actor=actor,
            action=action.value,
            subscription_id=subscription_id,
            partner_id=partner_id,
            previous_partner_id=previous_partner_id,
            former_partner_id=former_partner_id,
            version=version,
            managed_by=managed_by,
            detail=detail,
        )
    )


class AuditLog:
    """Reads the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, subscription_id: str | None = None) -> tuple[AuditEntry, ...]:
        """All entries in order, or those of one subscription.

        Raises:
            Unavailable: the registry cannot be read.
        """
        query = select(audit_log).order_by(audit_log.c.sequence)
        if subscription_id is not None:
            query = query.where(audit_log.c.subscription_id == subscription_id)
        with self._database.read() as connection:
            return tuple(_entry(row) for row in connection.execute(query))


def _entry(row: Row[tuple[object, ...]]) -> AuditEntry:
    fields = dict(row._mapping)
    return AuditEntry(**{**fields, "action": Action(fields["action"])})
