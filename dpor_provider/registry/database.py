"""The registry's database, whichever it is: every access is a transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.printable import line
from dpor_provider.registry import tables

DAMAGED = (tables.Damaged, NoResultFound, MultipleResultsFound, UnicodeDecodeError)
"""What reading a database raises that holds what no version of this package writes."""

CONTEXT = 20
"""How many characters are shown before and after one that cannot be recorded."""

_IDENTITY = select(tables.registry.c.id)


class Backend(Protocol):
    """What one kind of database needs of its own."""

    name: str
    """The URL without a password, for messages."""

    def transaction(self, *, write: bool) -> contextlib.AbstractContextManager[Connection]:
        """A transaction: one consistent view, or one that is ready to write; it commits at the end.

        Raises:
            Unavailable: there is no registry.
        """

    def schema(self, connection: Connection) -> str:
        """The newest migration that the database has had.

        Raises:
            Unavailable: it is no registry.
        """

    def migrate(self, connection: Connection) -> bool:
        """Bring it to this version's, in the connection's transaction; whether that changed it."""

    def exposed(self) -> str | None:
        """Who else than its owner may reach the registry's file; None where that is nobody."""

    def cause(self, error: DBAPIError) -> str:
        """What the database said, in one line, with what to do about it."""


class Database:
    """One registry's database; every access is a transaction of `read` or `write`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name = backend.name
        self.schema = backend.schema
        self.migrate = backend.migrate
        self.exposed = backend.exposed

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
            Invalid: a value cannot be recorded as text.
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
        try:
            with self._backend.transaction(write=write) as connection:
                self.require_schema(self._backend.schema(connection), older=older)
                yield connection
        except DBAPIError as error:
            raise Unavailable(f"registry {self.name}: {self._backend.cause(error)}") from error
        except UnicodeEncodeError as error:
            near = error.object[max(0, error.start - CONTEXT) : error.end + CONTEXT]
            raise Invalid(
                f"registry {self.name}: {near!r} cannot be recorded: half a character (a lone"
                " surrogate, U+D800 to U+DFFF) is no text; nothing was written"
            ) from error
        except DAMAGED as error:
            raise Unavailable(
                f"registry {self.name}: it holds what cannot be read; restore it from a backup"
            ) from error

    def require_schema(self, schema: str, *, older: bool = False) -> None:
        """Go on only with the schema that this version knows, or one that it can upgrade.

        Raises:
            Unavailable: it is another.
        """
        if schema == tables.SCHEMA or (older and schema in tables.OLDER):
            return
        mend = (
            "a Global Administrator runs: dpor registry upgrade"
            if schema in tables.OLDER
            else "upgrade dpor-provider"
        )
        raise Unavailable(
            f"registry {self.name} has schema {line(schema)}, this version of"
            f" dpor-provider knows {tables.SCHEMA}; {mend}"
        )


def identity(connection: Connection) -> str:
    """The registry's identity, which no other registry has."""
    return str(connection.execute(_IDENTITY).scalar_one())
