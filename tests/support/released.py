"""Registries as earlier releases made them, from the dumps that their own code left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from support import postgres

DUMPS = Path(__file__).parent.parent / "registry" / "released"

ADMIN = postgres.OWNER
"""Who made the registries, and administers them."""

DEPLOYER = "bob"
"""Owner of `ONE`."""

READER = "reader"

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
CONTOSO, FABRIKAM, NORTHWIND = "4567890", "5127255", "2345678"


def schemas(kind: str) -> list[str]:
    """The schemas of which there is a dump, oldest first."""
    return sorted(path.stem.removeprefix(f"{kind}-") for path in DUMPS.glob(f"{kind}-*.sql"))


def dump(kind: str, schema: str) -> str:
    """The SQL that makes a registry of a schema anew."""
    return (DUMPS / f"{kind}-{schema}.sql").read_text("utf-8")


def load_file(file: Path, schema: str) -> str:
    """Make a registry's file as a release made it; its URL."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(dump("sqlite", schema))
    file.chmod(0o600)
    return f"sqlite:///{file}"


def load_database(schema: str) -> str:
    """Make a registry on the server as a release made it; the database's name."""
    server = postgres.server()
    database = server.database()
    for login in (DEPLOYER, READER):
        server.login(login)
    server.run(dump("postgresql", schema), database)
    return database


Rows = dict[str, list[dict[str, Any]]]
"""Each table's rows, in no order."""


def rows_of_file(file: Path) -> Rows:
    """All that a registry's file holds, past this version's code."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
            for (name,) in found
            if not name.startswith("sqlite_")
        }


def rows_of_database(database: str) -> Rows:
    """All that a registry on the server holds, past this version's code."""
    tables = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'dpor'"
    with (
        postgres.server().connect(ADMIN, database) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        names = [row["name"] for row in cursor.execute(tables).fetchall()]
        return {
            name: cursor.execute(f"SELECT * FROM dpor.{name}".encode()).fetchall() for name in names
        }


def lost(before: Rows, after: Rows) -> Rows:
    """What an upgrade did not keep, but for the number of the schema itself."""
    return {
        name: missing
        for name, rows in before.items()
        if name != "alembic_version"
        and (
            missing := [
                row for row in rows if not any(row.items() <= one.items() for one in after[name])
            ]
        )
    }


def shape_of_file(file: Path) -> list[str]:
    """The SQL that makes a registry's empty tables."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        return sorted(sql for (sql,) in found)
