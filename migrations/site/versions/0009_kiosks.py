"""Wrong tries are counted for each kiosk by itself.

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
    kiosk = sa.Column("kiosk", sa.String(length=32), nullable=False, server_default="kiosk")
    op.add_column("tries", kiosk)


def downgrade() -> None:
    op.drop_column("tries", "kiosk")
