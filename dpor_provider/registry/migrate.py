"""Running the migrations; only what makes or changes a schema pays for Alembic's import."""

from __future__ import annotations

from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Run all migrations that the database has not had yet, in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "dpor_provider:registry/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
