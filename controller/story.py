"""What happened to an order, or at a door: told from journal entries alone, each by its number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from controller.entries import Down, ItemState, Up
from controller.journal import Entry, Stream, parse_time
from controller.local_time import LOCAL
from controller.story_words import LANGS, SENTENCES, STATES, WORDS, Lang

OF_A_PLACE: Final = ("door.", "compartment.", "alarm.")  # told in whosever story the place is now
DOORS_SIGHTS: Final[dict[str, str]] = {
    Up.DOORS_UNKNOWN: Up.DOOR_UNKNOWN,
    Up.DOORS_CLOSED: Up.DOOR_CLOSED,
}
DOOR_SIGHTS: Final = (Up.DOOR_OPENED, Up.DOOR_CLOSED, Up.DOOR_FORCED, Up.DOOR_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Sentence:
    """`number` is `up 12`, the entry that says so; empty for what all of them come to."""

    number: str
    at: str  # local time
    words: str


@dataclass(slots=True)
class _Item:
    kind: str
    order: str
    state: ItemState = ItemState.EXPECTED
    where: str = ""


def merged(up: Iterable[Entry], down: Iterable[Entry]) -> Iterator[Entry]:
    """Both directions by time, each in its own order. At one moment the district spoke first."""
    ours, theirs = iter(up), iter(down)
    mine, told = next(ours, None), next(theirs, None)
    while mine is not None or told is not None:
        if mine is None or (told is not None and told.at <= mine.at):
            assert told is not None
            yield told
            told = next(theirs, None)
        else:
            yield mine
            mine = next(ours, None)


def story_of_order(entries: Iterable[Entry], order: str, lang: Lang) -> list[Sentence]:
    """Everything about one order and the places where its items lie; then where they are."""
    teller = _Teller(lang)
    told = [teller.sentence(entry) for entry in entries if order in teller.read(entry)]
    ends = [teller.whereabouts(item) for item in teller.items.values() if item.order == order]
    return told + ends if told else []


def story_of_door(entries: Iterable[Entry], where: str, lang: Lang) -> list[Sentence]:
    """Everything about one door, whosever order it was; then how it stands."""
    teller = _Teller(lang)
    told = [teller.sentence(entry) for entry in entries if where in teller.read(entry)]
    return [*told, teller.standing(where)] if told else []


def whole_story(entries: Iterable[Entry], lang: Lang) -> Iterator[Sentence]:
    """One sentence for each entry; of what no rule has words for, what it says."""
    teller = _Teller(lang)
    for entry in entries:
        teller.read(entry)
        yield teller.sentence(entry)


class _Teller:
    """Reads entries in order, and keeps what later ones refer to."""

    def __init__(self, lang: Lang) -> None:
        self._lang = LANGS.index(lang)
        self.items: dict[str, _Item] = {}
        self._intents: dict[str, dict[str, Any]] = {}
        self._alarms: dict[str, dict[str, Any]] = {}
        self._commands: dict[str, dict[str, Any]] = {}
        self._holds: dict[str, str] = {}  # place: the order whose item is there or on its way
        self._doors: dict[str, str] = {}  # place: the last thing that was seen of its door

    def read(self, entry: Entry) -> set[str]:
        """The orders and places that an entry is about."""
        facts = self._facts(entry.data)
        if entry.kind == Down.ORDER_PLACED:
            for item in entry.data["items"]:
                self.items[item["item_id"]] = _Item(item["kind"], facts["order"])
        elif entry.kind == Up.MOVEMENT_INTENDED:
            self._intend(facts)
        elif entry.kind == Up.ALARM_RAISED:
            self._alarms[facts["alarm"]] = facts
        elif entry.stream is Stream.DOWN and "command" in facts:
            self._commands[facts["command"]] = facts
        elif entry.kind in DOOR_SIGHTS:
            self._doors[facts["where"]] = entry.kind
        about = {facts[key] for key in ("order", "where") if facts.get(key)}
        if entry.kind in DOORS_SIGHTS:
            about = self._sight(DOORS_SIGHTS[entry.kind], facts)
        if entry.kind.startswith(OF_A_PLACE):
            about |= {self._holds.get(facts.get("where", ""), "")}
        self._follow(entry.kind, facts)
        return about

    def _facts(self, said: dict[str, Any]) -> dict[str, Any]:
        """What an entry says, and what those before it said of the same thing."""
        for key, known in (
            ("intent", self._intents),
            ("alarm", self._alarms),
            ("command", self._commands),
        ):
            said = known.get(said.get(key, ""), {}) | said
        if "where" not in said and {"cabinet", "no"} <= said.keys():
            said = said | {"where": f"{said['cabinet']}/{said['no']}"}
        item = self.items.get(said.get("item", ""))
        return said if item is None or "order" in said else said | {"order": item.order}

    def _sight(self, kind: str, facts: dict[str, Any]) -> set[str]:
        """Many doors in one entry; it is about each of them, and what is behind it."""
        places = {each["where"] for each in facts["doors"]}
        self._doors |= dict.fromkeys(places, kind)
        return places | {self._holds[place] for place in places if place in self._holds}

    def _intend(self, facts: dict[str, Any]) -> None:
        self._intents[facts["intent"]] = facts
        if order := facts.get("order"):
            self._holds[facts["where"]] = order

    def _follow(self, kind: str, facts: dict[str, Any]) -> None:
        item = self.items.get(facts.get("item", ""))
        if kind == Up.ITEM_LOADED and item:
            item.state, item.where = ItemState.LOADED, facts["where"]
            self._holds[facts["where"]] = item.order
        elif kind in ("item.collected", "item.returned") and item:
            item.state = ItemState(kind.removeprefix("item."))
            item.where = ""
            self._holds.pop(facts["where"], None)
        elif kind in (Up.ITEM_EXPECTED, Up.ITEM_MISSING) and item:
            is_missing = kind == Up.ITEM_MISSING
            item.state = ItemState.RELEASING if is_missing else ItemState.EXPECTED
            item.where = facts["where"] if is_missing else ""
            self._holds.pop(facts["where"], None)
        elif kind == Up.MOVEMENT_SETTLED:
            self._settle(item, facts)
        elif kind == Down.ORDER_CANCELLED:
            for each in self.items.values():
                if each.order == facts["order"] and each.state is ItemState.EXPECTED:
                    each.state = ItemState.CANCELLED
                elif each.order == facts["order"] and each.state is ItemState.LOADED:
                    each.state = ItemState.RETURN_REQUESTED

    def _settle(self, item: _Item | None, facts: dict[str, Any]) -> None:
        if item is not None and facts["outcome"] == "unknown" and facts["kind"] != "load":
            item.state, item.where = ItemState.RELEASING, facts["where"]

    # into words

    def sentence(self, entry: Entry) -> Sentence:
        facts = self._facts(entry.data)
        variants = [facts[key] for key in ("outcome", "kind") if key in facts]
        if entry.kind == Up.MOVEMENT_INTENDED and "seq" in facts:
            variants = [f"{facts['kind']}/machine", *variants]
        if entry.kind == Up.COMMAND_DONE and "reason" in facts:
            variants = [facts["reason"]]
        if entry.kind == Up.DOOR_FORCED and facts.get("maintenance"):
            variants = ["maintenance"]
        keys = [*(f"{entry.kind}/{each}" for each in variants), entry.kind]
        words = next((SENTENCES[key] for key in keys if key in SENTENCES), None)
        number = f"{entry.stream.value} {entry.seq}"
        if words is None:  # a kind that a later release made
            said = " ".join(f"{key}={value}" for key, value in sorted(entry.data.items()))
            return Sentence(number, _local(entry.at), f"{entry.kind} {said}".rstrip())
        filled = words[self._lang].format_map(_Values(self._value, facts))
        return Sentence(number, _local(entry.at), filled)

    def whereabouts(self, item: _Item) -> Sentence:
        facts = {"item": item.kind, "where": item.where}
        words = STATES[item.state.value][self._lang].format_map(_Values(self._value, facts))
        return Sentence("", "", words[:1].upper() + words[1:])

    def standing(self, where: str) -> Sentence:
        state = STATES[self._doors.get(where, "door.never")][self._lang]
        facts = {"where": where, "state": state}
        return Sentence("", "", STATES["door"][self._lang].format_map(_Values(self._value, facts)))

    def _value(self, key: str, facts: dict[str, Any]) -> str:
        value = facts.get(key)
        if key == "items":
            words = [self._word(each["kind"]) for each in value or []]
            return ("、", ", ")[self._lang].join(words)
        if key == "doors":
            return ("、", ", ")[self._lang].join(_sign(each["where"]) for each in value or [])
        if key == "item":
            return self._thing(value)
        if key == "left":
            return str(len(value or []))
        shown = {"where": _sign, "expires_at": _local, "until": _local, "code": _code}.get(
            key, self._word
        )
        return "-" if value is None else shown(value)

    def _thing(self, item: str | None) -> str:
        """An item by its kind; `item` may be a kind already."""
        known = self.items.get(item or "")
        return self._word(known.kind if known else item or "something")

    def _word(self, key: str) -> str:
        return WORDS[key][self._lang] if key in WORDS else key


class _Values:
    """What stands in a sentence's braces."""

    def __init__(self, value: Any, facts: dict[str, Any]) -> None:
        self._value = value
        self._facts = facts

    def __getitem__(self, key: str) -> str:
        return str(self._value(key, self._facts))


def _local(at: str) -> str:
    return parse_time(at).astimezone(LOCAL).strftime("%Y-%m-%d %H:%M:%S")


def _code(code: Any) -> str:
    """A code is told by its id, which opens nothing."""
    return str(code["code_id"] if isinstance(code, dict) else code)


def _sign(where: str) -> str:
    """A/7 as it stands on the door: A07. A machine's name stays."""
    cabinet, slash, no = where.partition("/")
    return f"{cabinet}{int(no):02d}" if slash and no.isdigit() else where
