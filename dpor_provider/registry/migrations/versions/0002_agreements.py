"""The data-sharing agreements with partners."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give every partner room for an agreement; none has one yet."""
    op.add_column("partners", sa.Column("agreement", sa.Text(), nullable=True))
    op.add_column("partners", sa.Column("agreement_expires", sa.Date(), nullable=True))
