"""I32: what people do is written down with who did it, why, and how it ended."""

from collections.abc import Iterator
from typing import Final

from controller.entries import Up
from simulator.rehearsal.events import Calm, Wrote
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.registry import invariant

WHO: Final = ("badge", "code", "command", "case")
SAID: Final = (
    Up.ITEM_LOADED,
    Up.ITEM_COLLECTED,
    Up.ITEM_RETURNED,
    Up.ITEM_EXPECTED,
    Up.ITEM_MISSING,
)
BY_STAFF: Final = (Up.MACHINE_ADOPTED, Up.CLOCK_CONFIRMED)


@invariant("I32", "Whatever a person opens or says here has a name and a reason beside it.", Wrote)
def named(_evidence: Evidence, event: Wrote) -> Iterator[str]:
    kind, data = event.entry.kind, event.entry.data
    nobody = not any(data.get(each) for each in WHO)
    if kind == Up.MOVEMENT_INTENDED and data["kind"] != "retract":
        if nobody or not data["reason"]:
            yield f"{data['intent']} opens {data['where']}, and nobody is named or no reason"
    elif nobody and (kind in BY_STAFF or (kind in SAID and data.get("by") == "person")):
        yield f"entry {event.entry.seq}: {kind} is what nobody has said"


@invariant("I32", "At rest each thing that somebody opened has its end on record.", Calm)
def ended(evidence: Evidence, _event: Calm) -> Iterator[str]:
    for intent in evidence.intents.values():
        if not intent.ends:
            yield f"{intent.name} by {intent.by or 'nobody'} has no end"
