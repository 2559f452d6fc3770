"""When all is calm again: what is said is compared with where things really are."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from controller.entries import ItemState
from controller.journal import BrokenChain, Stream, verify
from controller.site import schema
from controller.site.texts import Screen
from simulator.devices.licence_registers import State
from simulator.rehearsal.cut_people import STAFF, VENDOR, Cast, Visitor
from simulator.rehearsal.cut_stage import CutStage
from simulator.rehearsal.cut_stories import Story
from simulator.rehearsal.events import Calm
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.custody import replayed
from simulator.rehearsal.tables import items_by_table

REST_MAX_S: Final = 900.0
SETTLES_S: Final = 3.0
DOUBTS: Final = ("unexplained", "item_left", "item_missing")
GONE: Final = ("collected", "returned")

UNDER_WAY: Final = {
    "something that the district wants has no end": select(schema.commands).where(
        schema.commands.c.ended.is_(None)
    ),
    "an intent has no end": select(schema.intents).where(schema.intents.c.outcome.is_(None)),
    "a compartment is still reserved or open": select(schema.compartments).where(
        schema.compartments.c.state.in_(("reserved", "open"))
    ),
}


class Restless(Exception):
    """Something never came to its end."""


async def at_rest(stage: CutStage) -> None:
    """Nobody is before the kiosk and nothing is under way; Restless if that never comes."""
    until = stage.clock.monotonic() + REST_MAX_S
    while (under_way := _under_way(stage)) is not None:
        if stage.clock.monotonic() > until:
            raise Restless(f"I4, I26: after {REST_MAX_S:.0f} s of calm {under_way}")
        await stage.clock.sleep(SETTLES_S)


def _under_way(stage: CutStage) -> str | None:
    site = stage.site
    if site is None or stage.store is None or site.problems():
        return f"the site is not ready: {site and site.problems()}"
    if site.kiosk_view().screen is not Screen.IDLE or stage.kiosks[0].view is None:
        return f"the kiosk shows {site.kiosk_view().text}"
    for door in stage.world.doors.values():
        if door.open or door.unlocked:
            return f"door {door.name} is {'open' if door.open else 'unlocked'}"
    for what, rows in UNDER_WAY.items():
        if stage.rows(rows):
            return what
    return None


def wants(story: Story, cast: Cast) -> Visitor | None:
    """Who has something left to do here."""
    stage = cast.stage
    states = {row.item_id: row.state for row in stage.rows(select(schema.items))}
    faulty = stage.rows(select(schema.compartments).where(schema.compartments.c.state == "fault"))
    broken = any(each.inside.state is State.FAULT for each in stage.world.machines.values())
    if faulty or broken or ItemState.RELEASING in states.values():
        return cast.clerk(STAFF)
    if story.brings and cast.boxes:
        return cast.loader()
    if story.returns and ItemState.RETURN_REQUESTED in states.values():
        return cast.clerk(VENDOR)
    if story.collects and set(states.values()) & {"loaded"}:
        return cast.recipient()
    return None


def audit(story: Story, cast: Cast, evidence: Evidence) -> Iterator[str]:
    """Every sentence is something that does not hold."""
    stage = cast.stage
    assert stage.store is not None
    with stage.store.read() as connection:
        for stream in Stream:
            try:
                verify(connection, schema.journal, stage.settings.site.id, stream)
            except BrokenChain as broken:
                yield f"I10: {broken}"
    yield from _custody(cast)
    for flaw in replayed(evidence, Calm(items_by_table(stage.rows), (), ())):
        yield f"I9: {flaw}"
    rows = stage.rows(select(schema.items).where(schema.items.c.order_no == "N1"))
    states = {row.state for row in rows}
    if story.collects and states != {"collected"}:
        yield f"I26: the order is not collected in the end: {sorted(states)}"
    if story.returns and states != {"returned"}:
        yield f"I26: the order is not taken back in the end: {sorted(states)}"
    if story.brings and states != {"loaded"}:
        yield f"I26: the boxes are not loaded in the end: {sorted(states)}"
    dead = not stage.rows(select(schema.codes).where(schema.codes.c.state.in_(("open", "claimed"))))
    if states == {"collected"} and not dead:
        yield "I3: all is collected and a code is still good"


def _custody(cast: Cast) -> Iterator[str]:
    """I8: each thing is where its item is said to be, and nowhere else."""
    stage = cast.stage
    lies = {thing: door.name for door in stage.world.doors.values() for thing in door.contents}
    hands = [held["took"] for held in stage.world.hands]
    doubted = stage.rows(
        select(schema.alarms).where(
            schema.alarms.c.cleared_at.is_(None), schema.alarms.c.kind.in_(DOUBTS)
        )
    )
    for thing in {thing for thing in hands if hands.count(thing) > 1}:
        yield f"I3: {thing} was taken {hands.count(thing)} times"
    for item in stage.rows(select(schema.items)):
        thing = item.label if item.holder == "cabinet" else f"JOB:{item.job}"
        at = lies.get(thing)
        said = f"{item.cabinet}/{item.no}" if item.cabinet else None
        if item.state in GONE and thing not in hands:
            yield f"I8: {item.item_id} is {item.state}, and in nobody's hands"
        if item.state in ("loaded", "return_requested"):
            if item.holder == "cabinet" and at != said:
                yield f"I8: {item.item_id} is {item.state} at {said}, and lies at {at}"
            if thing in hands:
                yield f"I8: {item.item_id} is {item.state}, and in somebody's hands"
        if item.state == "expected" and at is not None and not doubted:
            yield f"I8: {item.item_id} is expected, and lies at {at}"
        if item.state == "releasing" and not doubted:
            yield f"I4: nobody knows where {item.item_id} is, and no alarm says so"
