"""Locks and switches that are not to be trusted; who looks after an alarm.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COUNTS = ("jams", "contradicted")


def upgrade() -> None:
    for count in COUNTS:
        op.add_column("doors", sa.Column(count, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("doors", sa.Column("distrust", sa.String(length=16), nullable=True))
    op.add_column("alarms", sa.Column("acknowledged_at", sa.String(length=24), nullable=True))
    op.add_column("alarms", sa.Column("acknowledged_by", sa.String(length=64), nullable=True))


def downgrade() -> None:
    for column in ("acknowledged_by", "acknowledged_at"):
        op.drop_column("alarms", column)
    for column in ("distrust", *COUNTS):
        op.drop_column("doors", column)
