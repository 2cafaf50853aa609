"""The registry's tables, as SQLAlchemy Core; the migrations bring a database to this shape."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, cast

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

from dpor_provider.model import Action, Role, Status
from dpor_provider.provenance.trust import DEMANDABLE

SCHEMA = "0004"
"""The newest migration; a registry at any other is not touched."""

OLDER = ("0001", "0002", "0003")
"""The migrations before it, from which a registry can be upgraded."""


class Damaged(Exception):
    """A database holds what no version of this package writes."""


class _Kept(TypeDecorator[Any]):
    """A column that is compared with its type when it is read: SQLite keeps anything anywhere."""

    cache_ok = True
    kind: type

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Read a value as the type says.

        Raises:
            Damaged: it is none of the type.
        """
        process = super().result_processor(dialect, coltype)
        kind = self.kind

        def read(value: Any) -> Any:
            if value is None:
                return None
            try:
                found = process(value) if process else value
            except (ValueError, TypeError, RecursionError) as error:
                raise Damaged from error
            if not isinstance(found, kind):
                raise Damaged
            return found

        return read


class Short(_Kept):
    """Text up to a length, which only a server enforces."""

    impl = String
    cache_ok = True
    kind = str


class Words(_Kept):
    """Text."""

    impl = Text
    cache_ok = True
    kind = str


class Texts(_Kept):
    """A list of texts, as JSON."""

    impl = JSON
    cache_ok = True
    kind = list

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Give the list, if all of it is text."""
        del dialect
        if not all(isinstance(item, str) for item in value):
            raise ValueError("a list of texts holds something else")
        return value


class Whole(_Kept):
    """A whole number."""

    impl = Integer
    cache_ok = True
    kind = int


class Flag(_Kept):
    """Yes or no."""

    impl = Boolean
    cache_ok = True
    kind = bool

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Read what was stored as it is: SQLAlchemy takes any text for yes."""
        del dialect, coltype

        def read(value: Any) -> bool:
            if value not in (0, 1):
                raise Damaged
            return bool(value)

        return read


class Day(_Kept):
    """A day."""

    impl = Date
    cache_ok = True
    kind = date


class OneOf(_Kept):
    """A word of a vocabulary."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.kind = kind

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum:
        """Give the word as the vocabulary's."""
        del dialect
        return cast("StrEnum", self.kind(value))


class UtcDateTime(_Kept):
    """An aware time in UTC, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True
    kind = datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; a naive time is a mistake of the caller."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without its zone cannot be recorded")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the time in UTC, also where the database dropped the zone."""
        del dialect
        if value is None:
            return None
        time: datetime = value
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _access_columns() -> tuple[Column[Any], ...]:
    return (
        Column("scope", Words, nullable=False),
        Column("principal", Words, nullable=False),
        Column("role", Words, nullable=False),
        Column("partner_id", Short(32), nullable=False),
        Column("condition", Words),
        Column("granted_by", Words, nullable=False),
        Column("granted_at", UtcDateTime, nullable=False),
    )


registry = Table(
    "registry",
    metadata,
    Column("id", Short(36), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

partners = Table(
    "partners",
    metadata,
    Column("id", Short(32), primary_key=True),
    Column("name", Words, nullable=False),
    Column("former_ids", Texts, nullable=False),
    Column("former_names", Texts, nullable=False),
    Column("status", OneOf(Status, 16), nullable=False),
    Column("replaced_by", Short(32)),
    Column("principals", Texts, nullable=False),
    Column("tenants", Texts, nullable=False),
    Column("agreement", Words),
    Column("agreement_expires", Day),
)

designations = Table(
    "designations",
    metadata,
    Column("subscription_id", Short(36), primary_key=True),
    Column("partner_id", Short(32)),
    Column("partner_name", Words),
    Column("version", Whole, nullable=False),
    Column("managed_by", Words),
    Column("claim", Short(64)),
    Column("written_partner_id", Short(32)),
    Column("adopted", Flag, nullable=False),
    Column("effective", Flag, nullable=False),
    Column("designated_by", Words, nullable=False),
    Column("designated_at", UtcDateTime, nullable=False),
    Column("former_partner_id", Short(32)),
)

observations = Table(
    "observations",
    metadata,
    Column("subscription_id", Short(36), primary_key=True),
    Column("partner_id", Short(32)),
    Column("partner_name", Words),
    Column("observed_by", Words, nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("principal", Words, primary_key=True),
    Column("role", OneOf(Role, 64), primary_key=True),
    Column("scope", Words, primary_key=True),
)

demands = Table(
    "demands",
    metadata,
    Column("scope", Words, primary_key=True),
    Column("issuer", Words, nullable=False),
    Column("audience", Words, nullable=False),
    *(Column(name, Words) for name in DEMANDABLE),
)

token_uses = Table(
    "token_uses",
    metadata,
    Column("issuer", Words, primary_key=True),
    Column("token_id", Words, primary_key=True),
    Column("principal", Words, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

access = Table(
    "access",
    metadata,
    Column("id", Short(36), primary_key=True),
    *_access_columns(),
    UniqueConstraint("scope", "principal", "role"),
)

removed_access = Table(
    "removed_access",
    metadata,
    Column("id", Short(36), primary_key=True),
    Column("subscription_id", Short(36), nullable=False),
    *_access_columns(),
    Column("removed_by", Words, nullable=False),
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
    Column("actor", Words, nullable=False),
    Column("action", OneOf(Action, 32), nullable=False),
    Column("subscription_id", Short(36)),
    Column("partner_id", Short(32)),
    Column("previous_partner_id", Short(32)),
    Column("former_partner_id", Short(32)),
    Column("version", Whole),
    Column("managed_by", Words),
    Column("detail", Words),
    Column("provenance", Words),
    Column("previous_hash", Short(64), nullable=False, server_default=""),
    Column("hash", Short(64), nullable=False, server_default=""),
    Index(None, "subscription_id", "sequence"),
    Index(None, "former_partner_id"),
    Index(None, "previous_hash", unique=True),
    sqlite_autoincrement=True,
)
