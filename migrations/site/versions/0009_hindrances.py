"""When an order that waits could not have been handed over, and the days that this cost.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("lost_days", sa.Integer(), nullable=False, server_default="0")
    )
    op.create_table(
        "hindrances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("since", sa.String(length=24), nullable=False),
        sa.Column("until", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_no"], ["orders.order_no"], name=op.f("fk_hindrances_order_no")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hindrances")),
    )
    op.create_index("ix_hindrances_order_no", "hindrances", ["order_no"])


def downgrade() -> None:
    op.drop_index("ix_hindrances_order_no", table_name="hindrances")
    op.drop_table("hindrances")
    op.drop_column("orders", "lost_days")
