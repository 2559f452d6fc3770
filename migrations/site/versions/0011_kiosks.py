"""Wrong tries are counted for each kiosk by itself.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kiosk = sa.Column("kiosk", sa.String(length=32), nullable=False, server_default="kiosk")
    op.add_column("tries", kiosk)


def downgrade() -> None:
    op.drop_column("tries", "kiosk")
