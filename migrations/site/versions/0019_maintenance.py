"""Cabinets that are in the hands of staff for a while.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "maintenance",
        sa.Column("cabinet", sa.String(1), nullable=False),
        sa.Column("until", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("cabinet", name=op.f("pk_maintenance")),
    )


def downgrade() -> None:
    op.drop_table("maintenance")
