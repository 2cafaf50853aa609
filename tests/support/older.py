"""Registries as an older version made them."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from dpor_provider.registry.sqlite import WRITE, connect
from dpor_provider.registry.url import resolve


def downgrade(connection: Connection, schema: str) -> None:
    """Take the migrations back to a schema, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", "dpor_provider:registry/migrations")
    config.attributes["connection"] = connection
    command.downgrade(config, schema)


def downgrade_file(url: str, schema: str) -> None:
    """Take an embedded registry back to a schema."""
    opened = connect(resolve(url)).connect().execution_options(**{WRITE: True})
    with opened as connection, connection.begin():
        downgrade(connection, schema)
