"""Connections and transactions: what must be set for a SQLite registry to be safe.

Sources: SQLite's "Write-Ahead Logging" (the WAL-reset bug, fixed in 3.51.3), "PRAGMA Statements"
and "Transaction"; SQLAlchemy's "pysqlite: Controlling BEGIN".
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from dpor_provider.errors import Unavailable
from dpor_provider.registry import tables

APPLICATION_ID = 0x44504F52
"""`DPOR` in ASCII: marks a SQLite file as a registry."""

BUSY_TIMEOUT_S = 30
WAL_SAFE = (3, 51, 3)
WRITE = "dpor_write"


class Database:
    """One registry's database; every access is a transaction of `read` or `write`."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = connect(url)

    @property
    def name(self) -> str:
        """The URL without a password, for messages."""
        return self._url.set(drivername=self._url.get_backend_name()).render_as_string(
            hide_password=True
        )

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the registry.

        Raises:
            Unavailable: it cannot be read, is no registry, or of another schema.
        """
        with self._transaction(write=False) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; it commits at the end.

        Raises:
            Unavailable: it cannot be written; nothing of the transaction remains.
        """
        with self._transaction(write=True) as connection:
            yield connection

    @contextlib.contextmanager
    def upgrade(self) -> Iterator[Connection]:
        """A transaction of `write` on a registry of an older schema, too.

        Raises:
            Unavailable: it cannot be written, is no registry, or a newer version made it.
        """
        with self._transaction(write=True, older=True) as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self, *, write: bool, older: bool = False) -> Iterator[Connection]:
        self._require_file()
        try:
            with (
                self._engine.connect().execution_options(**{WRITE: write}) as connection,
                connection.begin(),
            ):
                self._require_schema(connection, older)
                yield connection
        except DBAPIError as error:
            raise Unavailable(f"registry {self.name}: {cause(error)}") from error
        except (ValueError, InvalidRequestError) as error:
            raise Unavailable(
                f"registry {self.name}: it holds what cannot be read; restore it from a backup"
            ) from error

    def _require_file(self) -> None:
        try:
            found = Path(str(self._url.database)).is_file()
        except OSError as error:
            raise Unavailable(f"registry {self.name}: {error.strerror}") from error
        if not found:
            raise Unavailable(f"no registry at {self.name}; make one with: dpor registry init")

    def _require_schema(self, connection: Connection, older: bool) -> None:
        found = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        if found != APPLICATION_ID:
            raise Unavailable(
                f"{self.name} is a SQLite file, but no registry; check the path, or make a"
                " registry elsewhere with: dpor registry init"
            )
        schema = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if schema == tables.SCHEMA or (older and schema in tables.OLDER):
            return
        mend = (
            "a Global Administrator runs: dpor registry upgrade"
            if schema in tables.OLDER
            else "upgrade dpor-provider"
        )
        raise Unavailable(
            f"registry {self.name} has schema {_printable(str(schema))}, this version of"
            f" dpor-provider knows {tables.SCHEMA}; {mend}"
        )


def identity(connection: Connection) -> str:
    """The registry's identity, which no other registry has."""
    return str(connection.execute(select(tables.registry.c.id)).scalar_one())


def connect(url: URL, journal_mode: str | None = None) -> Engine:
    """An engine whose every connection is set up for safety; a running WAL needs no mode."""
    # No pool: a connection belongs to one thread and one short transaction.
    engine = create_engine(url, poolclass=NullPool)
    wal_is_safe = sqlite3.sqlite_version_info >= WAL_SAFE
    mode, synchronous = ("WAL", "FULL") if wal_is_safe else ("DELETE", "EXTRA")

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for statement in (
            f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
            f"journal_mode = {journal_mode or mode}",
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {statement}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def cause(error: DBAPIError) -> str:
    """What the database said, in one line, with what to do about it."""
    said = _printable(str(error.orig).strip() or "failed")
    if "locked" in said:
        return f"{said}: another process has held it for {BUSY_TIMEOUT_S} s; try again"
    if "readonly" in said or "read-only" in said:
        return f"{said}: this user may not write the file or its folder"
    if "malformed" in said or "not a database" in said:
        return f"{said}: the file is damaged or something else; restore it from a backup"
    return said


def _printable(text: str) -> str:
    # A damaged file puts anything into SQLite's messages.
    return "".join(char if char.isprintable() else "?" for char in text.partition("\n")[0])
