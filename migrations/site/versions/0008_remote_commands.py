"""What the district wants of compartments; compartments that it blocked.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("compartments", sa.Column("blocked_for", sa.String(length=200), nullable=True))
    op.add_column("compartments", sa.Column("behind", sa.String(length=8), nullable=True))
    op.add_column("intents", sa.Column("command_id", sa.String(length=64), nullable=True))
    op.create_index("ix_intents_command", "intents", ["command_id"])
    op.create_table(
        "commands",
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("cabinet", sa.String(length=1), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("ended", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_commands")),
    )
    op.create_index("ix_commands_open", "commands", ["ended"])


def downgrade() -> None:
    op.drop_index("ix_commands_open", table_name="commands")
    op.drop_table("commands")
    op.drop_index("ix_intents_command", table_name="intents")
    op.drop_column("intents", "command_id")
    for column in ("behind", "blocked_for"):
        op.drop_column("compartments", column)
