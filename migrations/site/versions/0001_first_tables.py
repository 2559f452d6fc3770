"""A site's first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "journal",
    "acked",
    "compartments",
    "doors",
    "machines",
    "orders",
    "items",
    "codes",
    "typed_codes",
    "badges",
    "tries",
    "intents",
    "sessions",
    "alarms",
)


def upgrade() -> None:
    _journal()
    _cabinets()
    _orders()
    _codes()
    _movements()
    _alarms()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("stream", sa.String(length=4), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "stream", "seq", name=op.f("pk_journal")),
    )
    op.create_table(
        "acked",
        sa.Column("stream", sa.String(length=4), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_acked")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER journal_no_{act.lower()} BEFORE {act} ON journal "
                f"BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )


def _cabinets() -> None:
    op.create_table(
        "compartments",
        sa.Column("cabinet", sa.String(length=1), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.String(length=1), nullable=False),
        sa.Column("height_cm", sa.Integer(), nullable=False),
        sa.Column("reach", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("idle_since", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("cabinet", "no", name=op.f("pk_compartments")),
    )
    op.create_table(
        "doors",
        sa.Column("cabinet", sa.String(length=1), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("door", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["cabinet", "no"],
            ["compartments.cabinet", "compartments.no"],
            name=op.f("fk_doors_cabinet"),
        ),
        sa.PrimaryKeyConstraint("cabinet", "no", name=op.f("pk_doors")),
    )
    op.create_table(
        "machines",
        sa.Column("machine", sa.String(length=16), nullable=False),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.Column("next_job", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("blanks", sa.Integer(), nullable=True),
        sa.Column("faults", sa.String(length=200), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("machine", name=op.f("pk_machines")),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reach", sa.String(length=4), nullable=True),
        sa.Column("retention_s", sa.Integer(), nullable=False),
        sa.Column("ready_at", sa.String(length=24), nullable=True),
        sa.Column("expires_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("order_no", name=op.f("pk_orders")),
    )
    op.create_table(
        "items",
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=8), nullable=False),
        sa.Column("vendor_id", sa.String(length=64), nullable=True),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("size", sa.String(length=1), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cabinet", sa.String(length=1), nullable=True),
        sa.Column("no", sa.Integer(), nullable=True),
        sa.Column("machine", sa.String(length=16), nullable=True),
        sa.Column("job", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["order_no"], ["orders.order_no"], name=op.f("fk_items_order_no")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_items")),
        sa.UniqueConstraint("label", name=op.f("uq_items_label")),
    )
    op.create_index(op.f("ix_items_order_no"), "items", ["order_no"], unique=False)
    op.create_index(
        "ix_items_place",
        "items",
        ["cabinet", "no"],
        unique=True,
        sqlite_where=sa.text("cabinet IS NOT NULL"),
        postgresql_where=sa.text("cabinet IS NOT NULL"),
    )


def _codes() -> None:
    op.create_table(
        "codes",
        sa.Column("code_id", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("qr", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["order_no"], ["orders.order_no"], name=op.f("fk_codes_order_no")),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_codes")),
        sa.UniqueConstraint("qr", name=op.f("uq_codes_qr")),
    )
    op.create_index(op.f("ix_codes_order_no"), "codes", ["order_no"], unique=False)
    op.create_table(
        "typed_codes",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("code_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["code_id"], ["codes.code_id"], name=op.f("fk_typed_codes_code_id")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_typed_codes")),
    )
    op.create_table(
        "badges",
        sa.Column("badge_id", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("vendor_id", sa.String(length=64), nullable=True),
        sa.Column("valid_until", sa.String(length=24), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("badge_id", name=op.f("pk_badges")),
        sa.UniqueConstraint("hash", name=op.f("uq_badges_hash")),
    )
    op.create_table(
        "tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("digits", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tries")),
    )


def _movements() -> None:
    op.create_table(
        "intents",
        sa.Column("intent_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cabinet", sa.String(length=1), nullable=True),
        sa.Column("no", sa.Integer(), nullable=True),
        sa.Column("machine", sa.String(length=16), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("order_no", sa.String(length=64), nullable=True),
        sa.Column("item_id", sa.String(length=64), nullable=True),
        sa.Column("badge_id", sa.String(length=64), nullable=True),
        sa.Column("code_id", sa.String(length=64), nullable=True),
        sa.Column("session", sa.String(length=64), nullable=True),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("seen_by", sa.String(length=8), nullable=True),
        sa.Column("settled_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_intents")),
    )
    op.create_index("ix_intents_item", "intents", ["item_id"], unique=False)
    op.create_index("ix_intents_open", "intents", ["outcome"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("code_id", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.String(length=24), nullable=False),
        sa.Column("ended_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_sessions")),
    )
    op.create_index(
        "ix_sessions_open",
        "sessions",
        ["order_no"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("since", sa.String(length=24), nullable=False),
        sa.Column("cleared_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_alarms")),
    )
    op.create_index(
        "ix_alarms_standing",
        "alarms",
        ["kind", "place"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
