"""The district's tables. Times are RFC 3339 texts in UTC, ids are opaque texts, hashes are hex.

`sealed` columns hold what names a person or opens a door; see `seal`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)

from controller.journal import journal_table
from controller.tables import HASH, ID, NAMING, TIME

metadata = MetaData(naming_convention=NAMING)
SITE = String(32)

journal = journal_table(metadata)

acked = Table(  # how far a site has confirmed the journal that we send it: the sender's cursor
    "acked",
    metadata,
    Column("site", SITE, primary_key=True),
    Column("stream", String(4), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", HASH, nullable=False),
    Column("at", TIME, nullable=False),
)

seal_checks = Table(  # one known text, sealed: tells at start whether the key fits the database
    "seal_checks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

sites = Table(
    "sites",
    metadata,
    Column("site_id", SITE, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("address", String(200), nullable=False),
    Column("how_to_find", String(400), nullable=False),
    Column("kiosk_url", String(200), nullable=False),
)

vendors = Table(
    "vendors",
    metadata,
    Column("vendor_id", ID, primary_key=True),
    Column("name", String(100), nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("client", String(100), primary_key=True),
    Column("sha256", HASH, nullable=False, unique=True),
    Column("scopes", String(200), nullable=False),  # names joined by blanks
)

login_sessions = Table(
    "login_sessions",
    metadata,
    Column("token", HASH, primary_key=True),  # SHA-256 of what the browser holds
    Column("username", String(100), nullable=False),
    Column("made_at", TIME, nullable=False),
    Column("seen_at", TIME, nullable=False),
)

login_tries = Table(  # wrong passwords, counted durably
    "login_tries",
    metadata,
    Column("key", HASH, primary_key=True),  # of a name, or of a name and an address
    Column("wrong", Integer, nullable=False),
    Column("at", TIME, nullable=False),
)

badges = Table(  # what each site was told of each badge
    "badges",
    metadata,
    Column("badge_id", ID, primary_key=True),
    Column("site_id", SITE, primary_key=True),
    Column("hash", HASH, nullable=False),
    Column("role", String(8), nullable=False),
    Column("vendor_id", ID),
    Column("valid_until", TIME, nullable=False),
    Column("revoked", Boolean, nullable=False),
    Column("pin", HASH),  # NULL: none is asked for
)

orders = Table(
    "orders",
    metadata,
    Column("order_no", ID, primary_key=True),
    Column("client", String(100), nullable=False),  # whose API key placed it
    Column("site_id", ForeignKey("sites.site_id"), nullable=False),
    Column("company", String(200), nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("body", HASH, nullable=False),  # keyed hash of the order as placed
    Column("state", String(16), nullable=False),  # entries.OrderState
    Column("reach", String(4)),
    Column("retention_s", Integer, nullable=False),
    Column("placed_at", TIME, nullable=False),
    Column("ready_at", TIME),
    Column("expires_at", TIME),
)
Index("ix_orders_page", orders.c.client, orders.c.placed_at, orders.c.order_no)

items = Table(
    "items",
    metadata,
    Column("item_id", ID, primary_key=True),
    Column("order_no", ForeignKey("orders.order_no"), nullable=False, index=True),
    Column("position", Integer, nullable=False),  # in the order as placed
    Column("kind", String(32), nullable=False),
    Column("holder", String(8), nullable=False),
    Column("vendor_id", ForeignKey("vendors.vendor_id"), index=True),
    Column("seals", String(200), nullable=False),  # names joined by blanks
    Column("label", String(80), nullable=False, unique=True),
    Column("size", String(1), nullable=False),
    Column("state", String(16), nullable=False),  # entries.ItemState
    Column("cabinet", String(1)),
    Column("no", Integer),
    Column("machine", String(32)),
)

recipients = Table(
    "recipients",
    metadata,
    Column("recipient_id", ID, primary_key=True),
    Column("order_no", ForeignKey("orders.order_no"), nullable=False, index=True),
    Column("role", String(32), nullable=False),
    Column("name", LargeBinary, nullable=False),  # sealed
    Column("phone", LargeBinary, nullable=False),  # sealed
    Column("id_number", LargeBinary),  # sealed
    Column("phone_key", HASH, nullable=False, index=True),  # keyed hash, to find a phone by
)

codes = Table(
    "codes",
    metadata,
    Column("code_id", ID, primary_key=True),
    Column("order_no", ForeignKey("orders.order_no"), nullable=False, index=True),
    Column("site_id", SITE, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # sealed; the QR's
    Column("typed", LargeBinary, nullable=False),  # sealed; eight digits
    Column("typed_key", HASH, nullable=False),  # keyed hash, to keep open ones apart
    Column("token", LargeBinary, nullable=False),  # sealed; the pickup page's
    Column("token_key", HASH, nullable=False, unique=True),  # keyed hash, to find the page by
    Column("state", String(8), nullable=False),  # open, spent
)
Index(
    "ix_codes_typed",
    codes.c.site_id,
    codes.c.typed_key,
    unique=True,
    sqlite_where=text("state = 'open'"),
    postgresql_where=text("state = 'open'"),
)

messages = Table(  # each of them once for an order, an event and a recipient
    "messages",
    metadata,
    Column("message_id", ID, primary_key=True),
    Column("order_no", ForeignKey("orders.order_no"), nullable=False),
    Column("recipient_id", ForeignKey("recipients.recipient_id"), nullable=False),
    Column("event", String(16), nullable=False),
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("state", String(8), nullable=False, index=True),  # queued, sent, dropped
    Column("due_at", TIME, nullable=False),
    Column("sent_at", TIME),
)
Index(
    "ix_messages_once",
    messages.c.order_no,
    messages.c.event,
    messages.c.recipient_id,
    unique=True,
)

phone_texts = Table(  # the demo's phone: what reached it
    "phone_texts",
    metadata,
    Column("message_id", ID, primary_key=True),
    Column("phone_key", HASH, nullable=False, index=True),
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("at", TIME, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("client", String(100), nullable=False),
    Column("key", String(255), nullable=False),
    Column("request", HASH, nullable=False),  # keyed hash of what was asked
    Column("order_no", ForeignKey("orders.order_no"), nullable=False),
    Column("at", TIME, nullable=False),
    PrimaryKeyConstraint("client", "key"),
)

# What is known of a site, from its journal.

site_status = Table(
    "site_status",
    metadata,
    Column("site_id", SITE, primary_key=True),
    Column("version", String(40)),  # NULL until the site has started once
    Column("started_at", TIME),
    Column("entry_at", TIME),  # of the newest entry
    Column("online", Boolean),  # what the broker says; NULL until it has said so
    Column("online_at", TIME),
)

site_compartments = Table(
    "site_compartments",
    metadata,
    Column("site_id", SITE, primary_key=True),
    Column("cabinet", String(1), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("size", String(1), nullable=False),
    Column("height_cm", Integer, nullable=False),
    Column("reach", String(4), nullable=False),
    Column("fault", String(40)),  # why it is out of use; NULL: it is not
)

site_doors = Table(
    "site_doors",
    metadata,
    Column("site_id", SITE, primary_key=True),
    Column("cabinet", String(1), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),  # open, closed, unknown
    Column("n", Integer, nullable=False),
    Column("at", TIME, nullable=False),
)

site_machines = Table(
    "site_machines",
    metadata,
    Column("site_id", SITE, primary_key=True),
    Column("machine", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("blanks", Integer),
    Column("faults", String(200), nullable=False),  # names joined by blanks
    Column("at", TIME, nullable=False),
)

site_alarms = Table(
    "site_alarms",
    metadata,
    Column("site_id", SITE, primary_key=True),
    Column("alarm_id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("place", String(32), nullable=False),  # `where` in entries
    Column("severity", String(8), nullable=False),
    Column("since", TIME, nullable=False),
    Column("cleared_at", TIME),
    Column("acknowledged_at", TIME),
    Column("acknowledged_by", ID),  # a badge, or somebody at a district's desk
)

site_movements = Table(
    "site_movements",
    metadata,
    Column("site_id", SITE, primary_key=True),
    Column("intent", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("place", String(32), nullable=False),
    Column("order_no", ID),
    Column("item_id", ID),
    Column("at", TIME, nullable=False),
    Column("outcome", String(10)),  # NULL while open; moved, not_moved, unknown
    Column("settled_at", TIME),
)
Index("ix_site_movements_item", site_movements.c.item_id)
Index("ix_site_movements_place", site_movements.c.site_id, site_movements.c.place)

commands = Table(  # what a site was told to do, who wanted it, and what the site made of it
    "commands",
    metadata,
    Column("command_id", ID, primary_key=True),
    Column("site_id", SITE, nullable=False),
    Column("kind", String(24), nullable=False),  # entries.Down
    Column("item_id", ID, nullable=False),
    Column("intent", ID, nullable=False),  # that brought the item into doubt
    Column("outcome", String(16), nullable=False),  # entries.Verdict
    Column("reason", String(40), nullable=False),
    Column("requested_by", ID, nullable=False),
    Column("approved_by", ID, nullable=False),
    Column("client", String(100), nullable=False),  # whose API key; `ops` for our own pages
    Column("request", HASH, nullable=False),  # keyed hash of what was asked
    Column("seq", Integer, nullable=False),  # of the entry that tells it
    Column("at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Column("ended", String(8)),  # NULL until the site answered; done, refused, expired ...
    Column("why", String(40)),
    Column("ended_at", TIME),
)
Index("ix_commands_intent", commands.c.site_id, commands.c.intent)
