"""What two people said of a doubt, and who looks after an alarm.

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
    op.add_column("site_movements", sa.Column("item_id", sa.String(length=64), nullable=True))
    op.create_index("ix_site_movements_item", "site_movements", ["item_id"])
    op.create_index("ix_site_movements_place", "site_movements", ["site_id", "place"])
    op.add_column("site_alarms", sa.Column("acknowledged_at", sa.String(length=24), nullable=True))
    op.add_column("site_alarms", sa.Column("acknowledged_by", sa.String(length=64), nullable=True))
    op.create_table(
        "commands",
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("intent", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("ended", sa.String(length=8), nullable=True),
        sa.Column("why", sa.String(length=40), nullable=True),
        sa.Column("ended_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_commands")),
    )
    op.create_index("ix_commands_intent", "commands", ["site_id", "intent"])


def downgrade() -> None:
    op.drop_index("ix_commands_intent", table_name="commands")
    op.drop_table("commands")
    for column in ("acknowledged_by", "acknowledged_at"):
        op.drop_column("site_alarms", column)
    op.drop_index("ix_site_movements_place", table_name="site_movements")
    op.drop_index("ix_site_movements_item", table_name="site_movements")
    op.drop_column("site_movements", "item_id")
