"""What is known of both journals and of what was told: kept event by event, at both ends."""

from collections import Counter, defaultdict
from typing import Final

from controller.entries import Down, Up
from controller.journal import Entry, Stream
from simulator.rehearsal.events import Event, Wrote
from simulator.rehearsal.link_events import (
    Forged,
    Kept,
    Recalled,
    Rewound,
    Sealed,
    Shown,
    Texted,
)

OTHER: Final = {"site": "district", "district": "site"}


class LinkEvidence:
    """`written` is what each journal's writer made durable, by number, once for all."""

    def __init__(self) -> None:
        self.linked = False
        self.written: dict[Stream, list[str]] = {stream: [] for stream in Stream}
        self.heads: dict[tuple[str, Stream], int] = {}  # how far each end has each journal
        self.sealed: Counter[str] = Counter()  # the furthest that each end confirmed
        self.forged: Counter[str] = Counter()  # by the end they went to
        self.texts: defaultdict[str, set[str]] = defaultdict(set)  # of an order
        self.ready_at: dict[str, float] = {}  # when the district first knew
        self.cancelled: set[str] = set()  # at the district
        self.shown: dict[str, tuple[str, int]] = {}
        self.shown_before: dict[str, int] = {}
        self.flaw = ""  # of the newest entry: what is wrong with its number or its link

    def head(self, end: str, stream: Stream) -> int:
        return self.heads.get((end, stream), 0)

    def take(self, event: Event, now: float) -> None:
        match event:
            case Wrote(entry) | Recalled(entry):
                self._arrived("site", entry)
            case Kept(entry):
                self.linked = True
                self._arrived("district", entry)
                self._knows(entry, now)
            case Rewound(end, up, down):
                self.heads[end, Stream.UP], self.heads[end, Stream.DOWN] = up, down
            case Sealed(by, seq):
                self.sealed[by] = max(self.sealed[by], seq)
            case Forged(to, _):
                self.forged[to] += 1
            case Texted(order, message):
                self.texts[order].add(message)
            case Shown(where, state, n):
                self.shown_before[where] = self.shown.get(where, ("", 0))[1]
                self.shown[where] = (state, n)
            case _:
                pass

    def _arrived(self, end: str, entry: Entry) -> None:
        written, head = self.written[entry.stream], self.head(end, entry.stream)
        self.flaw = ""
        if entry.seq != head + 1:
            self.flaw = f"follows entry {head} there"
        elif entry.seq <= len(written):
            if written[entry.seq - 1] != entry.hash:
                self.flaw = "was another one under this number"
        elif self._writes(end, entry.stream):
            if entry.prev != (written[-1] if written else "0" * 64):
                self.flaw = "does not follow the one before"
            written.append(entry.hash)
        else:
            self.flaw = "was never written at the other end"
        self.heads[end, entry.stream] = entry.seq

    def _writes(self, end: str, stream: Stream) -> bool:
        """Without a link the site is heard alone."""
        return not self.linked or (end == "site") is (stream is Stream.UP)

    def _knows(self, entry: Entry, now: float) -> None:
        if entry.kind == Up.PICKUP_READY:
            self.ready_at.setdefault(entry.data["order"], now)
        elif entry.kind == Down.ORDER_CANCELLED:
            self.cancelled.add(entry.data["order"])
