"""The connection to a PostgreSQL server, and how a registry is made and upgraded on one.

The registry is the schema `dpor` of a database. Its owner makes and upgrades it; everybody else
reads the tables and calls one function (`calls.py`, `functions/perform.sql`).

Sources: PostgreSQL's documentation, "Transaction Isolation", "Schemas", "Writing SECURITY DEFINER
Functions Safely", "libpq: Parameter Key Words".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.resources import files

import psycopg
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError

from dpor_provider.errors import Invalid, Refused, Unavailable
from dpor_provider.model import ROOT_SCOPE, Grant, Role
from dpor_provider.printable import line
from dpor_provider.registry.create import begin
from dpor_provider.registry.migrate import migrate

SCHEMA_NAME = "dpor"
FUNCTIONS = (
    "log",
    "wording",
    "roles",
    "demands",
    "partners",
    "designations",
    "observations",
    "access",
    "perform",
)
"""The files of functions, in the order in which they need each other."""

CONNECT = {
    "application_name": "dpor",
    "connect_timeout": "10",
    "tcp_user_timeout": "30000",
}
"""libpq's parameters, unless the URL says otherwise: seconds, and milliseconds."""

LOCK_TIMEOUT_S = 30
"""How long an upgrade waits for whoever reads or writes; `perform` waits as long."""

NO_REGISTRY = {"3F000", "42P01", "42883"}
"""invalid_schema_name, undefined_table, undefined_function."""

ADVICE = {
    "42501": "ask the registry's Global Administrator for a role, or its owner to let you read it",
    "25006": "this server is a standby; name the primary in the URL",
    "53100": "the server's disk is full; nothing was written",
    "55P03": "another session has held it for 30 s; try again",
    "40P01": "others were in the way; try again",
}


class Postgresql:
    """A registry on a PostgreSQL server."""

    def __init__(self, url: URL) -> None:
        self.name = url.set(drivername="postgresql", query={}).render_as_string()
        self._engine = create_engine(
            url.update_query_dict({**CONNECT, **url.query}),
            pool_pre_ping=True,
            pool_recycle=300,
            execution_options={"schema_translate_map": {None: SCHEMA_NAME}},
        )
        event.listen(self._engine, "connect", _set_up)

    @contextlib.contextmanager
    def transaction(self, *, write: bool) -> Iterator[Connection]:
        """One consistent view; or, for the registry's owner, a transaction that nobody else shares.

        Others write by `calls.Calls`.
        """
        mode = (
            {"isolation_level": "READ COMMITTED"}
            if write
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with (
            self._engine.connect().execution_options(**mode) as connection,
            connection.begin(),
        ):
            if write:
                self._require_owner(connection)
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
                # In the order in which `perform` takes them.
                connection.exec_driver_sql("SELECT FROM dpor.registry FOR UPDATE")
                connection.exec_driver_sql("LOCK TABLE dpor.alembic_version")
            yield connection

    def _require_owner(self, connection: Connection) -> None:
        query = (
            "SELECT pg_get_userbyid(nspowner), session_user, pg_has_role(nspowner, 'USAGE')"
            " FROM pg_namespace WHERE nspname = 'dpor'"
        )
        row = connection.exec_driver_sql(query).one_or_none()
        if row is not None and not row[2]:
            raise Refused(
                f"{row[1]} may not upgrade the registry: only {row[0]} may, who owns its schema;"
                " nothing was changed"
            )

    def schema(self, connection: Connection) -> str:
        """The newest migration that the schema has had."""
        query = "SELECT version_num FROM dpor.alembic_version"
        return str(connection.exec_driver_sql(query).scalar())

    def migrate(self, connection: Connection) -> bool:
        """Bring tables and functions to this version's; whether that changed any."""
        before = self.schema(connection), _functions(connection)
        install(connection)
        return before != (self.schema(connection), _functions(connection))

    def exposed(self) -> str | None:
        """None: a server has no file that others could reach."""
        return None

    def cause(self, error: DBAPIError) -> str:
        """What the server said, in one line, with what to do about it."""
        state = sqlstate(error)
        if state in NO_REGISTRY:
            return "there is no registry in this database; make one with: dpor registry init"
        said = line(str(error.orig).strip().partition("\n")[0] or "failed")
        return f"{said}; {ADVICE[state]}" if state in ADVICE else said

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that commits each statement."""
        options = {"isolation_level": "AUTOCOMMIT"}
        with self._engine.connect().execution_options(**options) as connection:
            yield connection

    def session_user(self) -> str:
        """The login that the server knows this process by.

        Raises:
            Unavailable: the server cannot be reached.
        """
        try:
            with self.connection() as connection:
                return str(connection.exec_driver_sql("SELECT session_user").scalar_one())
        except DBAPIError as error:
            raise Unavailable(f"registry {self.name}: {self.cause(error)}") from error

    def create(self) -> None:
        """Make the schema of a registry, whole or not at all; its maker is its first administrator.

        Raises:
            Invalid: there is one already, or the database is not in UTF-8.
            Unavailable: the server cannot be reached, or the login may not make a schema.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                self._build(connection)
        except DBAPIError as error:
            if sqlstate(error) in {"42P06", "23505"}:
                raise Invalid(
                    f"{self.name} has a schema {SCHEMA_NAME} already, which was left as it is; look"
                    " at it with: dpor registry show"
                ) from None
            raise Unavailable(
                f"cannot make a registry at {self.name}: {self.cause(error)}"
            ) from error

    def _build(self, connection: Connection) -> None:
        run = connection.exec_driver_sql
        if run("SHOW server_encoding").scalar_one() != "UTF8":
            raise Invalid(
                f"the database of {self.name} is not in UTF-8; make one with: ENCODING UTF8"
            )
        run(f"CREATE SCHEMA {SCHEMA_NAME}")
        maker = str(run("SELECT session_user").scalar_one())
        install(connection)
        begin(connection, Grant(maker, Role.GLOBAL_ADMINISTRATOR, ROOT_SCOPE))


def _set_up(connection: psycopg.Connection[object], _record: object) -> None:
    """Let nothing answer for the server's own, and nothing be written for who is gone.

    An operator that somebody left in a schema of the search path could answer (PostgreSQL's
    "Operators: Operator Type Resolution", and CVE-2018-1058). A call that waits for its turn would
    be carried out for a client that was killed meanwhile, if the server did not look.
    """
    connection.execute("SET search_path = pg_catalog, pg_temp")
    connection.commit()
    # Servers before version 14, and on some systems, cannot look.
    with contextlib.suppress(psycopg.Error):
        connection.execute("SET client_connection_check_interval = '1s'")
    connection.commit()


def install(connection: Connection) -> None:
    """Bring tables and functions to this version's."""
    connection.exec_driver_sql(f"SET LOCAL search_path = {SCHEMA_NAME}")
    migrate(connection)
    for name in FUNCTIONS:
        source = files(__package__).joinpath("functions", f"{name}.sql").read_text("utf-8")
        connection.exec_driver_sql(source, execution_options={"no_parameters": True})


def _functions(connection: Connection) -> object:
    """All functions, in one hash."""
    # Types are named as the search path finds them.
    connection.exec_driver_sql(f"SET LOCAL search_path = {SCHEMA_NAME}")
    query = (
        "SELECT md5(string_agg(pg_get_functiondef(oid), '' ORDER BY oid)) FROM pg_proc"
        " WHERE pronamespace = 'dpor'::regnamespace"
    )
    return connection.exec_driver_sql(query).scalar_one()


def sqlstate(error: DBAPIError) -> str | None:
    """The code of what the server said; None where the connection itself failed."""
    return getattr(error.orig, "sqlstate", None)
