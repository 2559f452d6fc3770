"""What is looked up at every door is found as fast after years as on the first day.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_intents_place", "intents", ["cabinet", "no", "number"])
    op.create_index("ix_items_state", "items", ["state", "holder"])


def downgrade() -> None:
    op.drop_index("ix_items_state", "items")
    op.drop_index("ix_intents_place", "intents")
