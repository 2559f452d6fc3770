"""A site's tables. Times are RFC 3339 texts in UTC, ids are opaque texts, hashes are hex."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    text,
)

from controller.journal import journal_table
from controller.tables import HASH, ID, NAMING, TIME

metadata = MetaData(naming_convention=NAMING)

journal = journal_table(metadata)

acked = Table(  # how far the district has confirmed our journal: the sender's cursor, one row
    "acked",
    metadata,
    Column("stream", String(4), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", HASH, nullable=False),
    Column("at", TIME, nullable=False),
)

marks = Table(  # the latest moment that is on record besides the journal's, one row
    "marks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", TIME, nullable=False),
)

holds = Table(  # why nothing may be handed out at all, one row or none
    "holds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", TIME, nullable=False),
    Column("why", String(16), nullable=False),  # restored, behind, parted, cloned
)

recalls = Table(  # while lost entries are fetched: how far the district's were played, one row
    "recalls",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("down", Integer, nullable=False),
)

compartments = Table(
    "compartments",
    metadata,
    Column("cabinet", String(1), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("size", String(1), nullable=False),
    Column("height_cm", Integer, nullable=False),
    Column("reach", String(4), nullable=False),
    Column("state", String(8), nullable=False),  # entries.CompartmentState
    Column("reason", String(40)),  # of a fault
    Column("idle_since", TIME),
    Column("blocked_for", String(200)),  # the district's reason; in use until it is at rest
    Column("behind", String(8)),  # what it would be if it were not blocked
)

doors = Table(
    "doors",
    metadata,
    Column("cabinet", String(1), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("door", String(16), nullable=False),  # the grid's row: doors.Door
    Column("state", String(8), nullable=False),  # open, closed, unknown: what others are told
    Column("n", Integer, nullable=False),  # counts changes of `state`; never goes back
    Column("at", TIME, nullable=False),
    # pulses in a row after which it was seen to stay shut; movements in a row that it did not show
    Column("jams", Integer, nullable=False, server_default="0"),
    Column("contradicted", Integer, nullable=False, server_default="0"),
    Column("distrust", String(16)),  # why its compartment goes out of use once it is at rest
    ForeignKeyConstraint(["cabinet", "no"], ["compartments.cabinet", "compartments.no"]),
)

orders = Table(
    "orders",
    metadata,
    Column("order_no", ID, primary_key=True),
    Column("company", String(200), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("reach", String(4)),
    Column("retention_s", Integer, nullable=False),
    Column("ready_at", TIME),
    Column("expires_at", TIME),
    Column("lost_days", Integer, nullable=False, server_default="0"),  # that are in expires_at
)

hindrances = Table(  # when an order that waits could not have been handed over
    "hindrances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_no", ID, nullable=False, index=True),
    Column("since", TIME, nullable=False),
    Column("until", TIME),  # NULL while it lasts
    ForeignKeyConstraint(["order_no"], ["orders.order_no"]),
)

items = Table(
    "items",
    metadata,
    Column("item_id", ID, primary_key=True),
    Column("order_no", ID, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("holder", String(8), nullable=False),
    Column("vendor_id", ID),
    Column("label", String(80), nullable=False, unique=True),
    Column("size", String(1), nullable=False),
    Column("state", String(16), nullable=False),  # entries.ItemState
    Column("cabinet", String(1)),
    Column("no", Integer),
    Column("machine", String(16)),
    Column("job", Integer),  # the print job's number, made when the order is accepted
    Column("slot", Integer),  # of a machine that stores, while it lies there or is to
    Column("return_reason", String(40)),  # why it is to be taken back
    Column("missed_at", String(32)),  # where nobody found it
    Column("filed", Boolean, nullable=False, server_default=text("0")),  # its seals' codes are told
    ForeignKeyConstraint(["order_no"], ["orders.order_no"]),
)
Index(  # one item in a compartment: unique while it lies there
    "ix_items_place",
    items.c.cabinet,
    items.c.no,
    unique=True,
    sqlite_where=text("cabinet IS NOT NULL"),
    postgresql_where=text("cabinet IS NOT NULL"),
)
Index(  # and one in a slot
    "ix_items_slot",
    items.c.machine,
    items.c.slot,
    unique=True,
    sqlite_where=text("slot IS NOT NULL"),
    postgresql_where=text("slot IS NOT NULL"),
)
Index("ix_items_state", items.c.state, items.c.holder)

codes = Table(
    "codes",
    metadata,
    Column("code_id", ID, primary_key=True),
    Column("order_no", ID, nullable=False, index=True),
    Column("qr", HASH, nullable=False, unique=True),
    Column("state", String(8), nullable=False),  # open, claimed, spent, replaced, cancelled
    ForeignKeyConstraint(["order_no"], ["orders.order_no"]),
)

typed_codes = Table(
    "typed_codes",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("code_id", ID, nullable=False),
    ForeignKeyConstraint(["code_id"], ["codes.code_id"]),
)
Index("ix_typed_codes_code", typed_codes.c.code_id)

proofs = Table(  # what else a code's owner can show, as keyed hashes
    "proofs",
    metadata,
    Column("code_id", ID, primary_key=True),
    # tail: QR's secret and phone's end; id: a card; no_card: a tail or typed code without one
    Column("kind", String(8), primary_key=True),
    Column("hash", HASH, primary_key=True),
    ForeignKeyConstraint(["code_id"], ["codes.code_id"]),
)

badges = Table(
    "badges",
    metadata,
    Column("badge_id", ID, primary_key=True),
    Column("hash", HASH, nullable=False, unique=True),
    Column("role", String(8), nullable=False),
    Column("vendor_id", ID),
    Column("valid_until", TIME, nullable=False),
    Column("revoked", Boolean, nullable=False),
    Column("pin", HASH),  # NULL: none is asked for
)

intents = Table(
    "intents",
    metadata,
    Column("intent_id", ID, primary_key=True),
    Column("number", Integer, nullable=False),  # of the journal entry that tells of it
    Column("kind", String(16), nullable=False),
    Column("cabinet", String(1)),
    Column("no", Integer),
    Column("machine", String(16)),
    Column("seq", Integer),
    Column("order_no", ID),
    Column("item_id", ID),
    Column("badge_id", ID),
    Column("code_id", ID),
    Column("command_id", ID),
    Column("session", ID),
    Column("at", TIME, nullable=False),
    Column("outcome", String(10)),  # NULL while open; moved, not_moved, unknown
    Column("seen_by", String(8)),
    Column("settled_at", TIME),
)
Index("ix_intents_open", intents.c.outcome)
Index("ix_intents_item", intents.c.item_id)
Index("ix_intents_place", intents.c.cabinet, intents.c.no, intents.c.number)
Index("ix_intents_command", intents.c.command_id)

commands = Table(  # what the district wants of a compartment or doubt; each is tried once
    "commands",
    metadata,
    Column("command_id", ID, primary_key=True),
    Column("kind", String(24), nullable=False),  # entries.Down
    Column("cabinet", String(1)),
    Column("no", Integer),
    Column("item_id", ID),  # these three: of a doubt
    Column("intent_id", ID),
    Column("outcome", String(16)),  # entries.Verdict
    Column("reason", String(200), nullable=False),
    Column("requested_by", ID, nullable=False),
    Column("approved_by", ID),
    Column("expires_at", TIME, nullable=False),
    Column("received_at", TIME, nullable=False),
    Column("ended", String(8)),  # NULL while open; done, failed, refused, expired, unknown
)
Index("ix_commands_open", commands.c.ended)

sessions = Table(  # pickups at the kiosk; at most one open for each order
    "sessions",
    metadata,
    Column("session", ID, primary_key=True),
    Column("order_no", ID, nullable=False),
    Column("code_id", ID, nullable=False),
    Column("started_at", TIME, nullable=False),
    Column("ended_at", TIME),
)
Index(
    "ix_sessions_open",
    sessions.c.order_no,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

machines = Table(
    "machines",
    metadata,
    Column("machine", String(16), primary_key=True),
    Column("next_seq", Integer, nullable=False),
    Column("next_job", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("blanks", Integer),
    Column("faults", String(200), nullable=False),  # names joined by commas
    Column("at", TIME, nullable=False),
)

maintenance = Table(  # cabinets in the hands of staff
    "maintenance",
    metadata,
    Column("cabinet", String(1), primary_key=True),
    Column("until", TIME, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("alarm_id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("place", String(32), nullable=False),  # `where` in entries
    Column("severity", String(8), nullable=False),
    Column("since", TIME, nullable=False),
    Column("cleared_at", TIME),
    Column("acknowledged_at", TIME),
    Column("acknowledged_by", ID),  # a badge, or whoever the district names
)
Index(
    "ix_alarms_standing",
    alarms.c.kind,
    alarms.c.place,
    unique=True,
    sqlite_where=text("cleared_at IS NULL"),
    postgresql_where=text("cleared_at IS NULL"),
)

tries = Table(  # wrong typed codes, counted durably
    "tries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", TIME, nullable=False),
    Column("digits", HASH, nullable=False),  # keyed hash of the eight digits
    Column("kiosk", String(32), nullable=False, server_default="kiosk"),
)

cases = Table(  # something is wrong, and somebody takes it
    "cases",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("order_no", ID, index=True),
    Column("place", String(32)),  # `where` in entries
    Column("what", String(40), nullable=False),
    Column("opened_at", TIME, nullable=False),
    Column("closed_at", TIME),
)

changed_settings = Table(  # policies that the district has changed, over those of the site's file
    "changed_settings",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", String(40), nullable=False),  # JSON
)
