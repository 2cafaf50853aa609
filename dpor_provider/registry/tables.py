"""The registry's tables, as SQLAlchemy Core; the migrations bring a database to this shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from dpor_provider.provenance.trust import DEMANDABLE

SCHEMA = "0004"
"""The newest migration; a registry at any other is not touched."""

OLDER = ("0001", "0002", "0003")
"""The migrations before it, from which a registry can be upgraded."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; a naive time is a mistake of the caller."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without its zone cannot be recorded")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time in UTC, also where the database dropped the zone."""
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _access_columns() -> tuple[Column[Any], ...]:
    return (
        Column("scope", Text, nullable=False),
        Column("principal", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("partner_id", String(32), nullable=False),
        Column("condition", Text),
        Column("granted_by", Text, nullable=False),
        Column("granted_at", UtcDateTime, nullable=False),
    )


registry = Table(
    "registry",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

partners = Table(
    "partners",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("former_ids", JSON, nullable=False),
    Column("former_names", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("replaced_by", String(32)),
    Column("principals", JSON, nullable=False),
    Column("tenants", JSON, nullable=False),
    Column("agreement", Text),
    Column("agreement_expires", Date),
)

designations = Table(
    "designations",
    metadata,
    Column("subscription_id", String(36), primary_key=True),
    Column("partner_id", String(32)),
    Column("partner_name", Text),
    Column("version", Integer, nullable=False),
    Column("managed_by", Text),
    Column("claim", String(64)),
    Column("written_partner_id", String(32)),
    Column("adopted", Boolean, nullable=False),
    Column("effective", Boolean, nullable=False),
    Column("designated_by", Text, nullable=False),
    Column("designated_at", UtcDateTime, nullable=False),
    Column("former_partner_id", String(32)),
)

observations = Table(
    "observations",
    metadata,
    Column("subscription_id", String(36), primary_key=True),
    Column("partner_id", String(32)),
    Column("partner_name", Text),
    Column("observed_by", Text, nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("role", String(64), primary_key=True),
    Column("scope", Text, primary_key=True),
)

demands = Table(
    "demands",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("audience", Text, nullable=False),
    *(Column(name, Text) for name in DEMANDABLE),
)

token_uses = Table(
    "token_uses",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("token_id", Text, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

access = Table(
    "access",
    metadata,
    Column("id", String(36), primary_key=True),
    *_access_columns(),
    UniqueConstraint("scope", "principal", "role"),
)

removed_access = Table(
    "removed_access",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("subscription_id", String(36), nullable=False),
    *_access_columns(),
    Column("removed_by", Text, nullable=False),
    Column("removed_at", UtcDateTime, nullable=False),
    Column("carried_out_at", UtcDateTime),
    Column("restored_at", UtcDateTime),
    Index(None, "subscription_id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subscription_id", String(36)),
    Column("partner_id", String(32)),
    Column("previous_partner_id", String(32)),
    Column("former_partner_id", String(32)),
    Column("version", Integer),
    Column("managed_by", Text),
    Column("detail", Text),
    Column("provenance", Text),
    Column("previous_hash", String(64), nullable=False, server_default=""),
    Column("hash", String(64), nullable=False, server_default=""),
    Index(None, "subscription_id", "sequence"),
    Index(None, "former_partner_id"),
    Index(None, "previous_hash", unique=True),
    sqlite_autoincrement=True,
)
