"""SQLite as the registry's database: one file on one machine, and what must be set for safety.

Sources: SQLite's "Write-Ahead Logging" (the WAL-reset bug, fixed in 3.51.3), "PRAGMA Statements"
and "Transaction"; SQLAlchemy's "pysqlite: Controlling BEGIN".
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from dpor_provider.errors import Unavailable
from dpor_provider.printable import line
from dpor_provider.registry.batch import Batches
from dpor_provider.registry.migrate import migrate

APPLICATION_ID = 0x44504F52
"""`DPOR` in ASCII: marks a SQLite file as a registry."""

BUSY_TIMEOUT_S = 30
MOUNTS = Path("/proc/self/mounts")
NETWORK = {
    *("afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gpfs", "lustre"),
    *("nfs", "nfs4", "smb3", "smbfs"),
}
"""File systems of other machines (SQLite, "How To Corrupt An SQLite Database File", 2.1)."""

WAL_SAFE = (3, 51, 3)
WRITE = "dpor_write"


class Sqlite:
    """A registry in a SQLite file."""

    def __init__(self, url: URL, before_commit: Callable[[], None] | None = None) -> None:
        self.name = shown(url)
        self._file = Path(str(url.database))
        self._engine = connect(url)
        if before_commit:

            @event.listens_for(self._engine, "commit")
            def _ask(connection: Connection) -> None:
                if connection.get_execution_options().get(WRITE, False):
                    before_commit()

        self._batches = Batches(self._begin)

    @contextlib.contextmanager
    def transaction(self, *, write: bool) -> Iterator[Connection]:
        """A transaction; one that writes holds the write lock from its start."""
        self._require_file()
        if write and (remote := self._remote):
            raise Unavailable(
                f"registry {self.name} is on a network file system ({remote}), where SQLite's locks"
                " cannot be relied on; nothing was written: move it to a local disk, or use a"
                " PostgreSQL server"
            )
        if write:
            with self._batches.write() as connection:
                yield connection
        else:
            with self._engine.connect() as connection, connection.begin():
                yield connection

    def schema(self, connection: Connection) -> str:
        """The newest migration that the file has had."""
        found = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        if found != APPLICATION_ID:
            raise Unavailable(
                f"{self.name} is a SQLite file, but no registry; check the path, or make a"
                " registry elsewhere with: dpor registry init"
            )
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())

    def migrate(self, connection: Connection) -> bool:
        """Bring the tables to this version's; whether that changed them."""
        before = self.schema(connection)
        migrate(connection)
        return self.schema(connection) != before

    def exposed(self) -> str | None:
        """The file with its mode, if others than its owner may read, write or replace it."""
        folder = self._file.absolute().parent
        mode = stat.S_IMODE(folder.stat().st_mode)
        if os.name == "posix" and mode & 0o022 and not mode & stat.S_ISVTX:
            return (
                f"{folder} can be written by others than its owner (mode {mode:04o}), who can put"
                " another file in the registry's place: chmod go-w"
            )
        if not shared(self._file):
            return None
        mode = stat.S_IMODE(self._file.stat().st_mode)
        return f"{self._file} is open to others than its owner (mode {mode:04o}): chmod 600"

    def cause(self, error: DBAPIError) -> str:
        """What SQLite said, in one line, with what to do about it."""
        return cause(error)

    @functools.cached_property
    def _remote(self) -> str | None:
        return network_file_system(self._file)

    def _begin(self) -> Connection:
        connection = self._engine.connect().execution_options(**{WRITE: True})
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def _require_file(self) -> None:
        try:
            found = self._file.is_file()
        except OSError as error:
            raise Unavailable(f"registry {self.name}: {error.strerror}") from error
        if not found:
            raise Unavailable(f"no registry at {self.name}; make one with: dpor registry init")


def network_file_system(file: Path) -> str | None:
    """The kind of the network file system that a file would be on; None where it is on none.

    Only Linux says so, in proc(5).
    """
    kinds: dict[Path, str] = {}
    with contextlib.suppress(OSError):
        for line in MOUNTS.read_text("utf-8", "surrogateescape").splitlines():
            _, folder, kind, *_ = line.split(" ")
            kinds[Path(folder.replace("\\040", " "))] = kind
    mounted = next((kinds[one] for one in file.absolute().parents if one in kinds), "")
    return mounted if mounted in NETWORK else None


def shown(url: URL) -> str:
    """The URL for messages, without the driver."""
    return url.set(drivername="sqlite").render_as_string()


def connect(url: URL, journal_mode: str | None = None) -> Engine:
    """An engine whose every connection is set up for safety.

    Where SQLite's write-ahead log is safe, a write begins it if it can, but not in a file that
    others may read: they could not without writing to its folder. EXTRA is as safe without the log.
    """
    # No pool: a connection belongs to one short transaction.
    # Threads that write together hand a connection on (`batch`); one at a time uses it.
    engine = create_engine(url, poolclass=NullPool, connect_args={"check_same_thread": False})
    wal_is_safe = sqlite3.sqlite_version_info >= WAL_SAFE

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for statement in (
            f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
            *(() if wal_is_safe else ("journal_mode = DELETE",)),
            "synchronous = EXTRA",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {statement}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE, False)
        if write and wal_is_safe:
            mode = journal_mode or ("DELETE" if shared(Path(str(url.database))) else "WAL")
            with contextlib.suppress(OperationalError):
                connection.exec_driver_sql(f"PRAGMA journal_mode = {mode}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def shared(file: Path) -> bool:
    """Whether others than its owner may read or write a file."""
    return os.name == "posix" and bool(file.stat().st_mode & 0o077)


def cause(error: DBAPIError) -> str:
    """What the database said, in one line, with what to do about it."""
    said = line(str(error.orig).strip().partition("\n")[0] or "failed")
    if "locked" in said:
        return f"{said}: another process has held it for {BUSY_TIMEOUT_S} s; try again"
    name = getattr(error.orig, "sqlite_errorname", "")
    if name in {"SQLITE_FULL", "SQLITE_IOERR_WRITE"}:
        return f"{said}: the disk is full, or cannot be written; make room there and run it again"
    if name == "SQLITE_IOERR_LOCK" and sqlite3.sqlite_version_info < WAL_SAFE:
        return (
            f"{said}: it cannot be locked for this user, as SQLite {sqlite3.sqlite_version} must to"
            " read what a newer one has left with a write-ahead log; to read it, let who may write"
            " here make a copy: dpor registry backup FILE"
        )
    if name == "SQLITE_READONLY_DIRECTORY":
        return (
            f"{said}: this user may not write its folder, as SQLite must to write, and to read what"
            " has a write-ahead log; to read it, let who may write here make a copy: dpor registry"
            " backup FILE"
        )
    if "readonly" in said or "read-only" in said:
        return f"{said}: this user may not write the file or its folder"
    if "malformed" in said or "not a database" in said:
        return f"{said}: the file is damaged or something else; restore it from a backup"
    return said
