"""A district's first tables.

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
    "seal_checks",
    "sites",
    "vendors",
    "api_keys",
    "badges",
    "login_sessions",
    "login_tries",
    "phone_texts",
    "orders",
    "items",
    "recipients",
    "codes",
    "messages",
    "idempotency",
    "site_status",
    "site_machines",
    "site_alarms",
    "site_compartments",
    "site_doors",
    "site_movements",
)


def upgrade() -> None:
    _journals()
    _keys()
    _people()
    _orders()
    _recipients()
    _messages()
    _status()
    _doors()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _journals() -> None:
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
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("stream", sa.String(length=4), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("site", "stream", name=op.f("pk_acked")),
    )
    op.create_table(
        "seal_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_checks")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER journal_no_{act.lower()} BEFORE {act} ON journal "
                f"BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )


def _keys() -> None:
    op.create_table(
        "sites",
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("how_to_find", sa.String(length=400), nullable=False),
        sa.Column("kiosk_url", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_sites")),
    )
    op.create_table(
        "vendors",
        sa.Column("vendor_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("vendor_id", name=op.f("pk_vendors")),
    )
    op.create_table(
        "api_keys",
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("client", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_keys_sha256")),
    )
    op.create_table(
        "badges",
        sa.Column("badge_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("vendor_id", sa.String(length=64), nullable=True),
        sa.Column("valid_until", sa.String(length=24), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("badge_id", "site_id", name=op.f("pk_badges")),
    )


def _people() -> None:
    op.create_table(
        "login_sessions",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.String(length=24), nullable=False),
        sa.Column("seen_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_login_sessions")),
    )
    op.create_table(
        "login_tries",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_tries")),
    )
    op.create_table(
        "phone_texts",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("phone_key", sa.String(length=64), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_phone_texts")),
    )
    op.create_index(op.f("ix_phone_texts_phone_key"), "phone_texts", ["phone_key"], unique=False)


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reach", sa.String(length=4), nullable=True),
        sa.Column("retention_s", sa.Integer(), nullable=False),
        sa.Column("placed_at", sa.String(length=24), nullable=False),
        sa.Column("ready_at", sa.String(length=24), nullable=True),
        sa.Column("expires_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_orders_site_id")),
        sa.PrimaryKeyConstraint("order_no", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_page", "orders", ["client", "placed_at", "order_no"], unique=False)
    op.create_table(
        "items",
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=8), nullable=False),
        sa.Column("vendor_id", sa.String(length=64), nullable=True),
        sa.Column("seals", sa.String(length=200), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("size", sa.String(length=1), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cabinet", sa.String(length=1), nullable=True),
        sa.Column("no", sa.Integer(), nullable=True),
        sa.Column("machine", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["order_no"], ["orders.order_no"], name=op.f("fk_items_order_no")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.vendor_id"], name=op.f("fk_items_vendor_id")
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_items")),
        sa.UniqueConstraint("label", name=op.f("uq_items_label")),
    )
    op.create_index(op.f("ix_items_order_no"), "items", ["order_no"], unique=False)
    op.create_index(op.f("ix_items_vendor_id"), "items", ["vendor_id"], unique=False)


def _recipients() -> None:
    op.create_table(
        "recipients",
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("phone_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_no"], ["orders.order_no"], name=op.f("fk_recipients_order_no")
        ),
        sa.PrimaryKeyConstraint("recipient_id", name=op.f("pk_recipients")),
    )
    op.create_index(op.f("ix_recipients_order_no"), "recipients", ["order_no"], unique=False)
    op.create_index(op.f("ix_recipients_phone_key"), "recipients", ["phone_key"], unique=False)
    op.create_table(
        "codes",
        sa.Column("code_id", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("typed", sa.LargeBinary(), nullable=False),
        sa.Column("typed_key", sa.String(length=64), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("token_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["order_no"], ["orders.order_no"], name=op.f("fk_codes_order_no")),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_codes")),
        sa.UniqueConstraint("token_key", name=op.f("uq_codes_token_key")),
    )
    op.create_index(op.f("ix_codes_order_no"), "codes", ["order_no"], unique=False)
    op.create_index(
        "ix_codes_typed",
        "codes",
        ["site_id", "typed_key"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("sent_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_no"], ["orders.order_no"], name=op.f("fk_messages_order_no")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipients.recipient_id"], name=op.f("fk_messages_recipient_id")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_messages")),
    )
    op.create_index(
        "ix_messages_once", "messages", ["order_no", "event", "recipient_id"], unique=True
    )
    op.create_index(op.f("ix_messages_state"), "messages", ["state"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_no"], ["orders.order_no"], name=op.f("fk_idempotency_order_no")
        ),
        sa.PrimaryKeyConstraint("client", "key", name=op.f("pk_idempotency")),
    )


def _status() -> None:
    op.create_table(
        "site_status",
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=True),
        sa.Column("started_at", sa.String(length=24), nullable=True),
        sa.Column("entry_at", sa.String(length=24), nullable=True),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("online_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_status")),
    )
    op.create_table(
        "site_machines",
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("machine", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("blanks", sa.Integer(), nullable=True),
        sa.Column("faults", sa.String(length=200), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "machine", name=op.f("pk_site_machines")),
    )
    op.create_table(
        "site_alarms",
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("alarm_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("since", sa.String(length=24), nullable=False),
        sa.Column("cleared_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "alarm_id", name=op.f("pk_site_alarms")),
    )


def _doors() -> None:
    op.create_table(
        "site_compartments",
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("cabinet", sa.String(length=1), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.String(length=1), nullable=False),
        sa.Column("height_cm", sa.Integer(), nullable=False),
        sa.Column("reach", sa.String(length=4), nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "cabinet", "no", name=op.f("pk_site_compartments")),
    )
    op.create_table(
        "site_doors",
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("cabinet", sa.String(length=1), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "cabinet", "no", name=op.f("pk_site_doors")),
    )
    op.create_table(
        "site_movements",
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("intent", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=32), nullable=False),
        sa.Column("order_no", sa.String(length=64), nullable=True),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("settled_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "intent", name=op.f("pk_site_movements")),
    )
