"""Whether an order names its seals' codes.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "items", sa.Column("filed", sa.Boolean(), server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("items", "filed")
