"""I10 to I14: two journals, each copied whole, in order and once, and by nobody else."""

from collections.abc import Iterator
from typing import Final

from controller.entries import AlarmKind, Up
from controller.journal import Stream
from simulator.rehearsal.events import Moved, Wrote
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.registry import invariant
from simulator.rehearsal.link_events import Agreed, Kept, Recalled, Sent
from simulator.rehearsal.link_evidence import OTHER

WRITER: Final = {Stream.UP: "site", Stream.DOWN: "district"}


@invariant("I10", "A journal's numbers have no gap, and each entry names the one before.", Wrote)
def chained(evidence: Evidence, event: Wrote) -> Iterator[str]:
    entry = event.entry
    if entry.stream is Stream.UP and evidence.link.flaw:
        yield f"{entry.stream.value} {entry.seq} {evidence.link.flaw}"


@invariant("I10", "What once stood under a number stands there for ever.", Recalled, Agreed)
def unchanged(evidence: Evidence, event: Recalled | Agreed) -> Iterator[str]:
    if isinstance(event, Recalled):
        if evidence.link.flaw:
            yield f"{event.entry.stream.value} {event.entry.seq} {evidence.link.flaw}"
        return
    for name, stored in event.stored.items():
        stream = Stream(name.split()[1])
        if list(stored) != evidence.link.written[stream][: len(stored)]:
            yield f"what is stored as {name} is not what was written"


@invariant("I11", "A copy is a beginning of its journal.", Kept, Wrote)
def prefix(evidence: Evidence, event: Kept | Wrote) -> Iterator[str]:
    end = "district" if isinstance(event, Kept) else "site"
    entry = event.entry
    if evidence.link.linked and WRITER[entry.stream] != end and evidence.link.flaw:
        yield f"{entry.stream.value} {entry.seq} came to the {end} and {evidence.link.flaw}"


@invariant("I11", "After calm both copies are whole.", Agreed)
def equal(evidence: Evidence, event: Agreed) -> Iterator[str]:
    for stream in Stream:
        ends = [len(event.stored[f"{end} {stream.value}"]) for end in ("site", "district")]
        if len(set(ends)) > 1:
            yield f"{stream.value} ends at {ends[0]} at the site and at {ends[1]} at the district"
        if event.acked[stream.value] != len(evidence.link.written[stream]):
            yield f"{stream.value} is confirmed up to {event.acked[stream.value]} only"


@invariant("I12", "After calm the district's items are where the site's are.", Agreed)
def done_once(evidence: Evidence, event: Agreed) -> Iterator[str]:
    for item_id, (state, where) in event.items.items():
        item = evidence.items.get(item_id)
        if item is None or item.order in evidence.cancelled:
            continue  # what becomes of a cancelled order is its vendor's matter
        if (state, where or "") != (item.state, item.where if item.holder == "cabinet" else ""):
            yield f"{item_id} is {state} at {where} for the district, {item.state} at {item.where}"


@invariant("I13", "No entry is passed over that the other end has not confirmed.", Sent)
def not_forgotten(evidence: Evidence, event: Sent) -> Iterator[str]:
    confirmed = evidence.link.sealed[OTHER[event.by]]
    if event.first > confirmed + 1:
        yield f"{event.by} sends {event.first} on; {confirmed} is the last one confirmed"


@invariant("I14", "What the other end did not write is copied by nobody.", Kept, Wrote)
def sealed(evidence: Evidence, event: Kept | Wrote) -> Iterator[str]:
    end = "district" if isinstance(event, Kept) else "site"
    entry, written = event.entry, evidence.link.written[event.entry.stream]
    if (
        evidence.link.linked
        and WRITER[entry.stream] != end
        and (entry.seq > len(written) or written[entry.seq - 1] != entry.hash)
    ):
        yield f"{entry.stream.value} {entry.seq} ({entry.kind}) was taken and never written"


@invariant("I14", "Of messages that nobody sealed one alarm stands at most.", Wrote)
def one_alarm(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.ALARM_RAISED or event.entry.data["kind"] != AlarmKind.JOURNAL_BROKEN:
        return
    if [kind for kind, _ in evidence.alarms.values()].count(AlarmKind.JOURNAL_BROKEN) > 1:
        yield f"{event.entry.data['alarm']} is raised beside another one"


@invariant("I20", "A site that knows less of its past than its district moves nothing.", Moved)
def not_behind(evidence: Evidence, event: Moved) -> Iterator[str]:
    ours, theirs = (evidence.link.head(end, Stream.UP) for end in ("site", "district"))
    if ours < theirs:
        yield f"{event.where} moved at entry {ours}, while the district has {theirs}"
