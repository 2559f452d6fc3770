"""What is known of a site's history: from its journal, and from things that really moved.

Kept event by event, at a cost that does not grow with the history. It knows nothing of the site's
tables: what they say is asked for only when all is calm.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, Final

from controller.entries import Down, Up
from controller.journal import Entry, Stream, parse_time
from controller.settings import PolicyTable
from controller.site.texts import Text
from simulator.rehearsal.events import (
    Answered,
    ClockSet,
    Driven,
    Event,
    Flipped,
    Held,
    Lies,
    Moved,
    Seeing,
    Started,
    Struck,
    Swung,
    Took,
    Wrote,
)
from simulator.rehearsal.known import Command, Intent, Item, Place
from simulator.rehearsal.link_evidence import LinkEvidence

DOOR_KINDS: Final = ("load", "collect", "reopen", "return", "open")
PROOFS: Final = ("badge", "card", "tail")
DEAD_CODE: Final = ("spent", "replaced", "cancelled")
CLOCKS_DIFFER_S: Final = 6 * 3_600.0
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(eq=False)
class Evidence:
    """Everything that invariants look at. `take` is called with each event, before them."""

    start: datetime = EPOCH  # true time when elapsed time was nought
    policy: PolicyTable = field(default_factory=PolicyTable)
    link: LinkEvidence = field(default_factory=LinkEvidence)
    now: float = 0.0
    starts: int = 0  # of the site's process
    clock_wrong_s: float = 0.0
    commands: dict[str, Command] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)  # compartments, by the district
    remote_moves: list[float] = field(
        default_factory=list
    )  # when a bolt moved at the district's word
    decided_at: datetime | None = None  # the site's time in its newest entry
    decided_before: datetime | None = None  # and in the one before that
    places: defaultdict[str, Place] = field(default_factory=lambda: defaultdict(Place))
    intents: dict[str, Intent] = field(default_factory=dict)
    open_intents: dict[str, Intent] = field(default_factory=dict)
    unannounced: set[str] = field(
        default_factory=set
    )  # movements that ended, and of which nothing was said
    items: dict[str, Item] = field(default_factory=dict)
    by_thing: dict[str, Item] = field(default_factory=dict)
    orders: dict[str, list[Item]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)  # code id: order, state
    revoked: set[str] = field(default_factory=set)
    badge_roles: dict[str, str] = field(default_factory=dict)
    badge_ends: dict[str, datetime] = field(default_factory=dict)
    proved: dict[tuple[str, str], float] = field(
        default_factory=dict
    )  # a card, a phone's tail, a badge: when whoever has it last showed it
    hands: Counter[str] = field(default_factory=Counter)
    lies: dict[str, str] = field(default_factory=dict)  # thing: where it is, as hands put it
    collected: Counter[str] = field(default_factory=Counter)
    ready: dict[str, float] = field(
        default_factory=dict
    )  # orders that were ready once, and since when
    wrong_tries: defaultdict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )  # typed codes that were looked up and not found, at each kiosk
    wrong_phones: defaultdict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )  # for the same digits
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict)  # open ones: order, code
    left_open: set[str] = field(default_factory=set)  # those that a restart has not ended yet
    alarms: dict[str, tuple[str, str]] = field(default_factory=dict)  # standing: kind, where
    forced_at: dict[str, float] = field(
        default_factory=dict
    )  # doors broken open that no entry tells of yet
    heads: dict[Stream, Entry] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)  # the newest code at each kiosk
    held_at: dict[str, float] = field(default_factory=dict)  # each code, when it was last
    papers_taken: Counter[str] = field(default_factory=Counter)  # at each machine
    papers_told: Counter[str] = field(default_factory=Counter)
    seeing_since: float | None = None  # the site runs and its boards answer
    frozen_at: float = -inf
    flipped: int | None = None  # an entry that is another than it was
    _codes_of: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _lying: defaultdict[str, dict[str, Item]] = field(
        default_factory=lambda: defaultdict(dict)
    )  # by place, as told

    def __post_init__(self) -> None:
        self._reads: dict[str, Callable[[dict[str, Any]], None]] = {
            Down.ORDER_PLACED: self._placed,
            Down.ORDER_CANCELLED: self._cancelled,
            Down.ORDER_UPDATED: self._updated,
            Down.CODE_REPLACED: self._replaced,
            Up.PICKUP_READY: self._is_ready,
            Down.BADGE_GRANTED: self._granted,
            Down.BADGE_REVOKED: self._revoked,
            Up.MOVEMENT_INTENDED: self._intended,
            Up.MOVEMENT_SETTLED: self._settled,
            Up.ITEM_LOADED: self._loaded,
            Up.ITEM_COLLECTED: self._collected,
            Up.ITEM_RETURNED: self._returned,
            Up.ITEM_EXPECTED: self._expected,
            Up.ITEM_MISSING: self._missing,
            Up.PICKUP_STARTED: self._started,
            Up.PICKUP_ENDED: self._ended,
            Up.PICKUP_COMPLETED: self._completed,
            Up.ALARM_RAISED: self._raised,
            Up.ALARM_CLEARED: self._cleared,
            Up.DOOR_FORCED: self._forced,
            Up.DOOR_OPENED: self._opened,
            Up.DOOR_CLOSED: self._closed,
            Up.DOORS_CLOSED: self._closed,
            Down.COMPARTMENT_OPEN: self._wanted,
            Down.COMPARTMENT_BLOCK: self._wanted,
            Down.COMPARTMENT_UNBLOCK: self._wanted,
            Up.COMMAND_DONE: self._command_ended,
            Up.COMMAND_FAILED: self._command_ended,
            Up.COMMAND_REFUSED: self._command_ended,
            Up.COMMAND_EXPIRED: self._command_ended,
            Up.COMMAND_UNKNOWN: self._command_ended,
        }

    @property
    def true_now(self) -> datetime:
        return self.start + timedelta(seconds=self.now)

    @property
    def wall(self) -> datetime:
        """What the site's own clock shows."""
        return self.true_now + timedelta(seconds=self.clock_wrong_s)

    def at(self, where: str) -> list[Item]:
        """What lies at a place, as the journal says."""
        return list(self._lying[where].values())

    def take(self, event: Event, now: float) -> None:
        self.now = now
        self.link.take(event, now)
        match event:
            case Wrote(entry):
                self._read(entry)
            case Driven() | Moved() | Swung():
                self._see(event)
            case Took() | Lies():
                self._handle(event)
            case Started(times, _):
                self.starts, self.left_open = times, set(self.sessions)
            case Held() | Answered():
                self._at_kiosk(event)
            case ClockSet(wrong_s):
                self.clock_wrong_s = wrong_s
            case Flipped(entry, so):
                self.flipped = entry if so else None
            case Seeing(so):
                self.seeing_since = now if so else None
            case Struck():
                self._suffer(event)
            case _:
                pass

    def _at_kiosk(self, event: Held | Answered) -> None:
        if isinstance(event, Held):
            if event.what in PROOFS:
                self.proved[event.what, event.of] = self.now
            elif event.what != "label":
                self.held[event.at] = event
                if event.what == "code":
                    self.held_at[event.of] = self.now
        elif event.how == "typed" and event.text == Text.CODE_UNKNOWN:
            self.wrong_tries[event.at].append(self.now)
            if event.what == "digits":
                self.wrong_phones[event.of].append(self.now)

    def is_good(self, code: str) -> bool:
        """Of an order that was ready not too long ago, and of which something still lies there."""
        order, state = self.codes.get(code, ("", ""))
        here = any(item.state == "loaded" for item in self.orders.get(order, ()))
        return state == "open" and here and self.now < self.ends(order) - CLOCKS_DIFFER_S

    def ends(self, order: str) -> float:
        """When its codes are good no longer, as the sun has it."""
        return self.ready.get(order, -inf) + self.policy.code_valid_s

    def _suffer(self, event: Struck) -> None:
        if event.fault == "stuck_switch":
            self.places[event.where.partition(" ")[0]].lies = True
        elif event.fault == "frozen":
            self.frozen_at = self.now
            self.seeing_since = self.seeing_since and self.now

    def _read(self, entry: Entry) -> None:
        self.heads[entry.stream] = entry
        if entry.stream is Stream.UP:
            self.decided_before, self.decided_at = self.decided_at, parse_time(entry.at)
        if (read := self._reads.get(entry.kind)) is not None:
            read(entry.data)

    def _see(self, event: Driven | Moved | Swung) -> None:
        place = self.places[event.where]
        if isinstance(event, Driven):
            if place.last is not None:
                place.last.drives += 1
            return
        if isinstance(event, Moved):
            place.moved = event.times
            if place.last is not None:
                place.last.moves += 1
                if place.last.command is not None:
                    self.remote_moves.append(self.now)
            return
        if event.forced > place.forced:
            self.forced_at[event.where] = self.now
        place.swings += place.is_open is not event.is_open
        if not event.is_open and self.seeing_since is None:
            self.forced_at.pop(event.where, None)  # and shut before anybody could see it
        place.is_open, place.forced = event.is_open, event.forced

    def _handle(self, event: Took | Lies) -> None:
        if isinstance(event, Took):
            paper = event.thing.startswith("JOB:")  # each machine counts its own
            self.hands[f"{event.where} {event.thing}" if paper else event.thing] += 1
            self.papers_taken[event.where] += paper
            self.lies.pop(event.thing, None)
        else:
            self.lies[event.thing] = event.where
            self.hands[event.thing] -= 1 if self.hands[event.thing] else 0

    # what entries say

    def _placed(self, data: dict[str, Any]) -> None:
        made = [
            Item(each["item_id"], data["order"], each["label"], each["holder"])
            for each in data["items"]
        ]
        self.orders[data["order"]] = made
        for item in made:
            self.items[item.item_id] = self.by_thing[item.thing] = item
        for code in data["codes"]:
            self._new_code(code["code_id"], data["order"])

    def _cancelled(self, data: dict[str, Any]) -> None:
        self.cancelled.add(data["order"])
        self._kill(data["order"], "cancelled")

    def _replaced(self, data: dict[str, Any]) -> None:
        order, _ = self.codes[data["replaces"]]
        self.codes[data["replaces"]] = (order, "replaced")
        self._new_code(data["code"]["code_id"], order)

    def _updated(self, data: dict[str, Any]) -> None:
        for code in data.get("codes", ()):
            self._new_code(code["code_id"], data["order"])

    def _is_ready(self, data: dict[str, Any]) -> None:
        self.ready.setdefault(data["order"], self.now)

    def _new_code(self, code: str, order: str) -> None:
        self.codes[code] = (order, "open")
        self._codes_of[order].append(code)

    def _kill(self, order: str, state: str) -> None:
        for code in self._codes_of[order]:
            if self.codes[code][1] == "open":
                self.codes[code] = (order, state)

    def _revoked(self, data: dict[str, Any]) -> None:
        self.revoked.add(data["badge"])

    def _granted(self, data: dict[str, Any]) -> None:
        self.revoked.discard(data["badge"])
        self.badge_roles[data["badge"]] = data["role"]
        self.badge_ends[data["badge"]] = parse_time(data["valid_until"])

    def _intended(self, data: dict[str, Any]) -> None:
        intent = Intent(
            data["intent"],
            data["kind"],
            data["where"],
            data.get("order"),
            data.get("badge"),
            self.now,
            data.get("command"),
            data.get("seq", 0),
            data.get("session") or data.get("badge") or data.get("command") or "",
            self.starts,
        )
        self.intents[intent.name] = self.open_intents[intent.name] = intent
        if intent.kind == "load" and "/" not in intent.where:
            self.items[data["item"]].slotted = True
        place = self.places[intent.where]
        place.announced += 1
        place.last = intent

    def _settled(self, data: dict[str, Any]) -> None:
        name = data["intent"]
        if name not in self.intents:
            self.unannounced.add(name)
            self.intents[name] = Intent(name, "none", "nowhere", None, None, self.now)
        intent = self.intents[name]
        intent.ends.append(data["outcome"])
        self.open_intents.pop(intent.name, None)

    def _loaded(self, data: dict[str, Any]) -> None:
        item = self.items[data["item"]]
        item.state, item.where = "loaded", data["where"]
        self._lying[item.where][item.item_id] = item

    def _collected(self, data: dict[str, Any]) -> None:
        item = self._leaves(data["item"], "collected")
        self.collected[item.item_id] += 1
        self.papers_told[data["where"]] += item.holder == "machine" and not item.slotted

    def _returned(self, data: dict[str, Any]) -> None:
        self._leaves(data["item"], "returned")

    def _expected(self, data: dict[str, Any]) -> None:
        self._leaves(data["item"], "expected")

    def _missing(self, data: dict[str, Any]) -> None:
        self._leaves(data["item"], "missing")

    def _leaves(self, item_id: str, state: str) -> Item:
        item = self.items[item_id]
        self._lying[item.where].pop(item_id, None)
        item.state, item.where = state, ""
        return item

    def _started(self, data: dict[str, Any]) -> None:
        self.sessions[data["session"]] = (data["order"], data["code"])

    def _ended(self, data: dict[str, Any]) -> None:
        self.sessions.pop(data["session"], None)

    def _completed(self, data: dict[str, Any]) -> None:
        self._kill(data["order"], "spent")
        self.sessions.pop(data["session"], None)

    def _raised(self, data: dict[str, Any]) -> None:
        self.alarms[data["alarm"]] = (data["kind"], data["where"])

    def _cleared(self, data: dict[str, Any]) -> None:
        self.alarms.pop(data["alarm"], None)

    def _forced(self, data: dict[str, Any]) -> None:
        self.forced_at.pop(data["where"], None)
        self._opened(data)

    def _opened(self, data: dict[str, Any]) -> None:
        self._told(data["where"], is_open=True)

    def _closed(self, data: dict[str, Any]) -> None:
        for door in data.get("doors", [data]):
            self._told(door["where"], is_open=False)

    def _told(self, where: str, *, is_open: bool) -> None:
        place = self.places[where]
        place.told_swings += place.told_open is (not is_open)
        place.told_open = is_open

    def _wanted(self, data: dict[str, Any]) -> None:
        entry = self.heads[Stream.DOWN]
        approved = data["approved_by"]
        self.commands[data["command"]] = Command(
            data["command"],
            entry.kind,
            f"{data['cabinet']}/{data['no']}",
            bool(approved) and approved != data["requested_by"],
            parse_time(data["expires_at"]),
            self.now,
        )

    def _command_ended(self, data: dict[str, Any]) -> None:
        command, end = self.commands[data["command"]], self.heads[Stream.UP].kind
        command.ends.append(end)
        if end == Up.COMMAND_DONE and command.kind == Down.COMPARTMENT_BLOCK:
            self.blocked.add(command.where)
        elif end == Up.COMMAND_DONE and command.kind == Down.COMPARTMENT_UNBLOCK:
            self.blocked.discard(command.where)
