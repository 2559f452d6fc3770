"""A badge may have a PIN.

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
    op.add_column("badges", sa.Column("pin", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("badges", "pin")
