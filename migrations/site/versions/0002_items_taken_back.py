"""Why an item is to be taken back, and where nobody found it.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("items", sa.Column("return_reason", sa.String(length=40), nullable=True))
    op.add_column("items", sa.Column("missed_at", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("items", "missed_at")
    op.drop_column("items", "return_reason")
