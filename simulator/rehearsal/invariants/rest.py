"""I22, I26, I30: what happens is seen once, and when the trouble is over all comes to rest."""

from collections.abc import Iterator
from typing import Final

from controller.entries import Up
from simulator.rehearsal.events import Calm, Grown, Swung, Wrote
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.registry import invariant

FILES_MORE: Final = 2  # SQLite shuts late what a backup beside it had open
KEPT_MORE: Final = 150  # what is kept of the newest few, whatever happens
SEEN_WITHIN_S: Final = 3.0
STANDS_LONG: Final = (
    "item_missing",  # until somebody finds it
    "blanks_low",
    "remote_cap",  # for an hour
)


@invariant("I22", "A door that opens without an intent is told of once it is seen.", Wrote, Swung)
def forced_is_seen(evidence: Evidence, _event: Wrote | Swung) -> Iterator[str]:
    for where, at in evidence.forced_at.items():
        if evidence.seeing_since is None:
            continue
        late_s = evidence.now - max(at, evidence.seeing_since)
        if late_s > SEEN_WITHIN_S:
            yield f"{where} was broken open {late_s:.1f} s ago and no entry says so"


@invariant("I30", "A door that moves once is told of once, however its switch bounces.", Wrote)
def told_once(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind not in (Up.DOOR_OPENED, Up.DOOR_CLOSED):
        return
    where = event.entry.data["where"]
    place = evidence.places[where]
    if place.told_swings > place.swings and not place.lies:
        yield f"{where} swung {place.swings} times and is told to have {place.told_swings} times"


@invariant("I26", "At rest every ready order can be collected.", Calm)
def all_collected(_evidence: Evidence, event: Calm) -> Iterator[str]:
    for order in event.waiting:
        yield f"{order} is ready and could not be collected"


@invariant("I26", "At rest nothing is half done, and what stands needs a person.", Calm)
def nothing_stuck(evidence: Evidence, event: Calm) -> Iterator[str]:
    yield from event.stuck
    for kind, where in evidence.alarms.values():
        if kind not in STANDS_LONG:
            yield f"alarm {kind} stands at {where}"
    for session, (order, _) in evidence.sessions.items():
        yield f"visit {session} of {order} never ended"


@invariant("I29", "After calm a process holds no more than one that has just started.", Grown)
def bounded(_evidence: Evidence, event: Grown) -> Iterator[str]:
    if event.tasks > 0 or event.files > FILES_MORE:
        yield f"it has {event.tasks} tasks and {event.files} files more"
    if event.kept > KEPT_MORE:
        yield f"it keeps {event.kept} things more in mind"
