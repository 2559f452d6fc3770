"""What the district says of a doubt is a command as well.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("commands") as commands:
        commands.alter_column("cabinet", existing_type=sa.String(length=1), nullable=True)
        commands.alter_column("no", existing_type=sa.Integer(), nullable=True)
        commands.add_column(sa.Column("item_id", sa.String(length=64), nullable=True))
        commands.add_column(sa.Column("intent_id", sa.String(length=64), nullable=True))
        commands.add_column(sa.Column("outcome", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM commands WHERE kind = 'doubt.settle'")
    with op.batch_alter_table("commands") as commands:
        for column in ("outcome", "intent_id", "item_id"):
            commands.drop_column(column)
        commands.alter_column("no", existing_type=sa.Integer(), nullable=False)
        commands.alter_column("cabinet", existing_type=sa.String(length=1), nullable=False)
