"""A copy of a registry, from wherever it is into a SQLite file of one moment."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, insert, select

from dpor_provider.registry import tables
from dpor_provider.registry.create import new_file
from dpor_provider.registry.database import Database

ROWS = 1000
"""How many rows are held in memory at a time."""


def backup(database: Database, file: Path) -> None:
    """Copy everything, the audit log with its hashes too; the file appears whole or not at all.

    Raises:
        Invalid: there is something at that place already.
        Unavailable: the registry cannot be read, or the file cannot be written.
    """
    place = URL.create("sqlite+pysqlite", database=str(file.absolute()))
    with database.read() as source:
        new_file(place, lambda copy: _copy(source, copy))


def _copy(source: Connection, copy: Connection) -> None:
    for table in tables.metadata.sorted_tables:
        rows = source.execution_options(yield_per=ROWS).execute(select(table))
        for part in rows.mappings().partitions(ROWS):
            copy.execute(insert(table), [dict(row) for row in part])
