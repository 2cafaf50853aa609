"""Scopes that demand an OIDC token, and by whom a token was used."""

import sqlalchemy as sa
from alembic import op

from dpor_provider.registry.tables import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DEMANDABLE = (
    "repository_id",
    "owner_id",
    "repository",
    "workflow",
    "ref",
    "ref_protected",
    "environment",
    "environment_protected",
)


def upgrade() -> None:
    """Add the tables, empty: nothing is demanded."""
    op.create_table(
        "demands",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in DEMANDABLE),
        sa.PrimaryKeyConstraint("scope", name="pk_demands"),
    )
    op.create_table(
        "token_uses",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "token_id", name="pk_token_uses"),
    )
