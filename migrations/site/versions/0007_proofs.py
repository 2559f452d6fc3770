"""What else a code's owner can show: a phone's last digits, an identity card.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proofs",
        sa.Column("code_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["code_id"], ["codes.code_id"], name=op.f("fk_proofs_code_id")),
        sa.PrimaryKeyConstraint("code_id", "kind", "hash", name=op.f("pk_proofs")),
    )


def downgrade() -> None:
    op.drop_table("proofs")
