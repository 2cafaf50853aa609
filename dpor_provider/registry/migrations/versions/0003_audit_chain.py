"""The chain of hashes through the audit log, and where a deployment came from."""

from dataclasses import replace

import sqlalchemy as sa
from alembic import op

from dpor_provider.model import AuditEntry
from dpor_provider.registry import chain
from dpor_provider.registry.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = {
    "provenance": sa.Column("provenance", sa.Text(), nullable=True),
    "previous_hash": sa.Column(
        "previous_hash", sa.String(length=64), nullable=False, server_default=""
    ),
    "hash": sa.Column("hash", sa.String(length=64), nullable=False, server_default=""),
}
INDEX = "ix_audit_log_previous_hash"

log = sa.table(
    "audit_log",
    sa.column("sequence", sa.Integer()),
    sa.column("at", UtcDateTime()),
    *(
        sa.column(name, sa.Text())
        for name in (
            "actor",
            "action",
            "subscription_id",
            "partner_id",
            "previous_partner_id",
            "former_partner_id",
            "managed_by",
            "detail",
            "provenance",
            "previous_hash",
            "hash",
        )
    ),
    sa.column("version", sa.Integer()),
)


def upgrade() -> None:
    """Chain the entries that there are, as they are."""
    for column in COLUMNS.values():
        op.add_column("audit_log", column)
    _chain(op.get_bind())
    op.create_index(INDEX, "audit_log", ["previous_hash"], unique=True)


def _chain(connection: sa.Connection) -> None:
    registry_id = connection.execute(sa.text("SELECT id FROM registry")).scalar()
    previous = chain.genesis(str(registry_id))
    rows = connection.execute(sa.select(log).order_by(log.c.sequence)).all()
    for row in rows:
        entry = replace(AuditEntry(**row._mapping), previous_hash=previous)
        previous = chain.digest(entry)
        connection.execute(
            log.update()
            .where(log.c.sequence == row.sequence)
            .values(previous_hash=entry.previous_hash, hash=previous)
        )
