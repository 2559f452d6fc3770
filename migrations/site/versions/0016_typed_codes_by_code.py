"""Typed codes are looked up by the code they stand for, too.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_typed_codes_code", "typed_codes", ["code_id"])


def downgrade() -> None:
    op.drop_index("ix_typed_codes_code", table_name="typed_codes")
