"""Licences that a machine stores lie in slots.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("items", sa.Column("slot", sa.Integer(), nullable=True))
    op.create_index(
        "ix_items_slot",
        "items",
        ["machine", "slot"],
        unique=True,
        sqlite_where=sa.text("slot IS NOT NULL"),
        postgresql_where=sa.text("slot IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_items_slot", "items")
    op.drop_column("items", "slot")
