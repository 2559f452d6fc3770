"""I23, I27, I30: what is told to others: the truth, once, and nothing about anybody."""

from collections.abc import Iterator
from typing import Final

from simulator.rehearsal.events import Calm
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.registry import invariant
from simulator.rehearsal.link_events import Agreed, Leaked, Shown, Texted

FULL_OR_NOT: Final = ("free", "occupied")
NIGHT_S: Final = 16 * 3_600.0  # nobody is told at night


@invariant("I23", "No person, code, token or key is in a journal, message or log.", Leaked, Calm)
def nothing_leaks(_evidence: Evidence, event: Leaked | Calm) -> Iterator[str]:
    if isinstance(event, Leaked):
        yield f"{event.what} stands in {event.where}"


@invariant("I27", "A recipient is told once of one order, after it is ready for good.", Texted)
def told_once(evidence: Evidence, event: Texted) -> Iterator[str]:
    link = evidence.link
    if (texts := len(link.texts[event.order])) > 1:
        yield f"{event.order}'s recipient is told {texts} times"
    if event.order not in link.ready_at:
        yield f"{event.order}'s recipient is told before the district knew"
    if event.order in link.cancelled:
        yield f"{event.order}'s recipient is told, and it is cancelled"


@invariant("I27", "After calm the recipient of every order that waits has been told.", Calm)
def all_told(evidence: Evidence, _event: Calm) -> Iterator[str]:
    link = evidence.link
    for order, at in link.ready_at.items():
        waits = all(item.state == "loaded" for item in evidence.orders[order])
        if waits and evidence.now - at > NIGHT_S and not link.texts[order]:
            yield f"{order} was ready {evidence.now - at:.0f} s ago and nobody was told"


@invariant("I30", "A door's count of changes never goes back.", Shown)
def counts_on(evidence: Evidence, event: Shown) -> Iterator[str]:
    if event.n < (before := evidence.link.shown_before[event.where]):
        yield f"{event.where} was told as change {event.n}, after {before}"


@invariant("I30", "After calm everybody is told of doors and compartments what is so.", Agreed)
def truth(_evidence: Evidence, event: Agreed) -> Iterator[str]:
    for where, (door, inside) in event.true.items():
        told_door, told_inside = event.told[where]
        if told_door != door or (told_inside in FULL_OR_NOT and told_inside != inside):
            yield f"{where} is {door} and {inside}, and is told as {told_door} and {told_inside}"
