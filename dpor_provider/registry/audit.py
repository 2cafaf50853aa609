"""The audit log: one entry for each change, written in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, String, insert, select, type_coerce

from dpor_provider.errors import Unavailable
from dpor_provider.model import Action, AuditEntry
from dpor_provider.registry import chain
from dpor_provider.registry.chain import Head, Unreadable
from dpor_provider.registry.database import Database, identity
from dpor_provider.registry.tables import Damaged, audit_log

# Made once: making a statement takes as long as SQLite takes to carry it out.
_APPEND = insert(audit_log)
_LAST = (
    select(audit_log.c.sequence, audit_log.c.hash).order_by(audit_log.c.sequence.desc()).limit(1)
)


def record(
    connection: Connection,
    actor: str,
    action: Action,
    *,
    at: datetime | None = None,
    subscription_id: str | None = None,
    partner_id: str | None = None,
    previous_partner_id: str | None = None,
    former_partner_id: str | None = None,
    version: int | None = None,
    managed_by: str | None = None,
    detail: str | None = None,
    provenance: str | None = None,
) -> None:
    """Append an entry as of `at`, or of now; it stands or falls with the caller's transaction."""
    sequence, previous_hash = _end(connection)
    entry = AuditEntry(
        sequence=sequence + 1,
        at=at or datetime.now(UTC),
        actor=actor,
        action=action,
        subscription_id=subscription_id,
        partner_id=partner_id,
        previous_partner_id=previous_partner_id,
        former_partner_id=former_partner_id,
        version=version,
        managed_by=managed_by,
        detail=detail,
        provenance=provenance,
        previous_hash=previous_hash,
    )
    whole = replace(entry, hash=chain.digest(entry))
    connection.execute(_APPEND, {one.name: getattr(whole, one.name) for one in audit_log.c})


def head(connection: Connection) -> Head:
    """The end of the log: its last entry, or what the first one will follow."""
    sequence, last_hash = _end(connection)
    return Head(identity(connection), sequence, last_hash)


def _end(connection: Connection) -> tuple[int, str]:
    last = connection.execute(_LAST).one_or_none()
    return (last.sequence, last.hash) if last else (0, chain.genesis(identity(connection)))


class AuditLog:
    """Reads the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, subscription_id: str | None = None) -> tuple[AuditEntry, ...]:
        """All entries in order, or those of one subscription.

        Raises:
            Unavailable: the registry cannot be read.
        """
        with self._database.read() as connection:
            return tuple(entries(connection, subscription_id))

    def head(self) -> Head:
        """The end of the log, to be kept where the registry's keepers cannot alter it."""
        with self._database.read() as connection:
            return head(connection)


def entries(connection: Connection, subscription_id: str | None = None) -> Iterator[AuditEntry]:
    """All entries in order, or those of one subscription.

    Raises:
        Unavailable: one cannot be read.
    """
    for entry in each(connection, subscription_id):
        if isinstance(entry, Unreadable):
            raise Unavailable(
                f"entry {entry.sequence} of the audit log cannot be read, since it was altered;"
                " see all that was, with: dpor registry verify"
            )
        yield entry


def each(
    connection: Connection, subscription_id: str | None = None
) -> Iterator[AuditEntry | Unreadable]:
    """As `entries`, with its place in place of an entry that cannot be read."""
    log = audit_log.c
    as_they_are = (type_coerce(column, String) for column in (log.previous_hash, log.hash))
    places = select(log.sequence, *as_they_are).order_by(log.sequence)
    query = select(audit_log).order_by(log.sequence)
    if subscription_id is not None:
        places = places.where(log.subscription_id == subscription_id)
        query = query.where(log.subscription_id == subscription_id)
    rows = iter(connection.execute(query).fetchone, None)
    for place in connection.execute(places):
        try:
            row = next(rows)
        except Damaged:
            yield Unreadable(place[0], str(place[1]), str(place[2]))
        else:
            yield AuditEntry(**row._mapping)
