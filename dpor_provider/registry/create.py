"""Making a registry in a SQLite file: on demand only, and whole or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, insert
from sqlalchemy.exc import DBAPIError

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.model import Action, Grant
from dpor_provider.registry import audit, tables
from dpor_provider.registry.migrate import migrate
from dpor_provider.registry.sqlite import APPLICATION_ID, WRITE, cause, connect, network_file_system


def create(url: URL, maker: Grant) -> None:
    """Make an empty registry with an identity of its own; the file appears whole or not at all.

    Args:
        url: A resolved URL.
        maker: The first grant, without which nobody could write anything.

    Raises:
        Invalid: there is something at that place already.
        Unavailable: the place cannot be written.
    """
    new_file(url, lambda connection: begin(connection, maker))


def new_file(url: URL, fill: Callable[[Connection], None]) -> None:
    """Make a registry's file with empty tables, and fill them; it appears whole or not at all.

    Only its owner may read it.

    Raises:
        Invalid: there is something at that place already.
        Unavailable: the place cannot be written.
    """
    final = Path(str(url.database))
    if remote := network_file_system(final):
        raise Invalid(
            f"{final} is on a network file system ({remote}), where SQLite's locks cannot be relied"
            " on; name a local folder, or a PostgreSQL server"
        )
    new = final.parent / f".{final.name}.{uuid.uuid4().hex}.new"
    try:
        _make_folder(final.parent)
        if final.exists():
            raise FileExistsError
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _build(url.set(database=str(new)), fill)
            os.link(new, final)
        finally:
            for leftover in (new, new.with_name(new.name + "-journal")):
                leftover.unlink(missing_ok=True)
    except FileExistsError:
        raise Invalid(
            f"{final} exists already and was left as it is; look at it with: dpor registry show"
        ) from None
    except (OSError, DBAPIError) as error:
        said = error.strerror if isinstance(error, OSError) else cause(error)
        raise Unavailable(f"cannot make a registry at {final}: {said}") from error


def begin(connection: Connection, maker: Grant) -> None:
    """Enter into empty tables what every registry has from its start."""
    connection.execute(
        insert(tables.registry).values(id=str(uuid.uuid4()), created_at=datetime.now(UTC))
    )
    connection.execute(insert(tables.grants).values(asdict(maker)))
    audit.record(connection, maker.principal, Action.INIT)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error


def _build(url: URL, fill: Callable[[Connection], None]) -> None:
    engine = connect(url, journal_mode="DELETE")
    with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
        migrate(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        fill(connection)
    engine.dispose()
