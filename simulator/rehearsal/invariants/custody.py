"""I3, I8, I9: every thing is in one place, and the books say which."""

from collections.abc import Iterator

from controller.entries import ItemState, Up
from simulator.rehearsal.events import Calm, Started, Took, Wrote
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.registry import invariant


@invariant("I3", "Each item is handed out once at most.", Took)
def taken_once(evidence: Evidence, event: Took) -> Iterator[str]:
    for thing in (event.thing, f"{event.where} {event.thing}"):
        if evidence.hands[thing] > 1:
            yield f"{thing} was taken {evidence.hands[thing]} times"


@invariant("I3", "Each item is counted as collected once at most.", Wrote)
def collected_once(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.ITEM_COLLECTED:
        return
    item = event.entry.data["item"]
    if evidence.collected[item] > 1:
        yield f"{item} is collected for the {evidence.collected[item]}. time"


@invariant("I8", "What is loaded lies where the book says.", Wrote)
def lies_there(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.ITEM_LOADED:
        return
    item = evidence.items[event.entry.data["item"]]
    lies_at = evidence.lies.get(item.thing)
    if (item.holder == "cabinet" or item.slotted) and lies_at != item.where:
        yield f"{item.item_id} is said to lie at {item.where}, and lies at {lies_at}"


@invariant("I8", "Nothing is counted as collected while it still lies there.", Wrote)
def really_gone(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.ITEM_COLLECTED:
        return
    item = evidence.items[data["item"]]
    if item.holder == "cabinet" or item.slotted:
        if item.thing in evidence.lies:
            yield f"{item.item_id} is counted as collected by {data['by']} and lies there still"
    elif evidence.papers_taken[data["where"]] < evidence.papers_told[data["where"]]:
        yield f"{item.item_id} is counted as taken at {data['where']}, where nothing was"


@invariant("I8", "Nothing is seen to be taken back while it still lies there.", Wrote)
def really_back(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.ITEM_RETURNED or data["by"] not in ("sensor", "machine"):
        return
    item = evidence.items[data["item"]]
    if (item.holder == "cabinet" or item.slotted) and item.thing in evidence.lies:
        yield f"{item.item_id} is told to be taken back, and lies there still"


@invariant("I8", "One compartment never holds two orders' items.", Wrote)
def one_order(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.ITEM_LOADED:
        return
    item = evidence.items[event.entry.data["item"]]
    if item.holder == "cabinet" and len(at := evidence.at(item.where)) > 1:
        yield f"{item.where} holds {' and '.join(each.item_id for each in at)}"


@invariant("I9", "The journal alone tells where every item is.", Started, Calm)
def replayed(evidence: Evidence, event: Started | Calm) -> Iterator[str]:
    told = (ItemState.LOADED, ItemState.COLLECTED, ItemState.RETURNED)
    for item_id, (state, where) in event.items.items():
        ours = evidence.items[item_id]
        if state in told and ours.state != state:
            yield f"{item_id} is {state} in the tables and {ours.state} in the journal"
        if state == ItemState.LOADED and ours.where != where:
            yield f"{item_id} is at {where} in the tables and at {ours.where} in the journal"


@invariant("I9", "What ends in the journal has begun there.", Wrote)
def begun_there(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind == Up.MOVEMENT_SETTLED and data["intent"] in evidence.unannounced:
        yield f"{data['intent']} ended as {data['outcome']}, and no entry had announced it"
