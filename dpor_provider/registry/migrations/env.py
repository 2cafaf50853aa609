"""Runs the migrations on the connection that the registry hands over."""

from alembic import context

from dpor_provider.registry.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
