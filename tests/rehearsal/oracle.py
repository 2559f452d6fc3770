"""What must hold, asked of the things themselves and then of the journal."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from controller.entries import ItemState
from controller.journal import Stream, verify
from controller.site import schema
from onewindow.layout import SITE_ID
from tests.rehearsal.rig import Rig

DOORS = ("load", "collect", "reopen")


def flaws(rig: Rig) -> list[str]:
    """Every promise that was broken, as a sentence; asked when all is calm."""
    return [
        *_bolts(rig),
        *_paper(rig),
        *_ends(rig),
        *_custody(rig),
        *_hands(rig),
        *_calm(rig),
    ]


def head_hash(rig: Rig) -> str:
    """Of the up journal, checked whole; so is the other."""
    with rig.store.read() as connection:
        verify(connection, schema.journal, SITE_ID, Stream.DOWN)
        return verify(connection, schema.journal, SITE_ID, Stream.UP).hash


def _outcomes(rig: Rig, *kinds: str) -> Counter[tuple[str, str]]:
    """How many intents of these kinds ended how, at each place."""
    table = schema.intents
    return Counter(
        (row.machine or f"{row.cabinet}/{row.no}", row.outcome)
        for row in rig.rows(select(table).where(table.c.kind.in_(kinds)))
    )


def _bolts(rig: Rig) -> Iterator[str]:
    """A bolt moved once for each release that is known to have, and at most for each doubt."""
    ends = _outcomes(rig, *DOORS)
    for door in rig.world.doors.values():
        moved, unknown = ends[door.name, "moved"], ends[door.name, "unknown"]
        if not moved <= door.released <= moved + unknown:
            yield f"{door.name}: bolt {door.released}, moved {moved}, unknown {unknown}"


def _paper(rig: Rig) -> Iterator[str]:
    for name, machine in rig.world.machines.items():
        ends = _outcomes(rig, "present")
        moved, unknown = ends[name, "moved"], ends[name, "unknown"]
        if not moved <= machine.inside.moved <= moved + unknown:
            yield f"{name}: paper {machine.inside.moved}, moved {moved}, unknown {unknown}"


def _ends(rig: Rig) -> Iterator[str]:
    """Each intent of the journal has an end there; an unknown one may have got a better one."""
    intended = [each["intent"] for each in rig.up("movement.intended")]
    settled: dict[str, list[str]] = {intent: [] for intent in intended}
    for each in rig.up("movement.settled"):
        settled[each["intent"]].append(each["outcome"])
    for intent, ends in settled.items():
        if not ends or (len(ends) > 1 and (ends[0] != "unknown" or len(ends) > 2)):
            yield f"{intent}: ended {ends}"


def _custody(rig: Rig) -> Iterator[str]:
    """Each item is in its place, in hands, or doubtful by name."""
    alarms = {(row.kind, row.place) for row in rig.rows(_standing())}
    hands = Counter(each["took"] for each in rig.world.hands)
    faults = {
        f"{row.cabinet}/{row.no}"
        for row in rig.rows(select(schema.compartments))
        if row.state == "fault"
    }
    for item in rig.rows(select(schema.items)):
        where = item.machine or (f"{item.cabinet}/{item.no}" if item.cabinet else None)
        thing = f"JOB:{item.job}" if item.holder == "machine" else item.label
        lies_in = _where(rig, thing)
        match item.state:
            case ItemState.EXPECTED:
                fits = not lies_in and not hands[thing] and where is None
            case ItemState.LOADED:
                fits = not hands[thing] and lies_in == ([where] if item.holder == "cabinet" else [])
            case ItemState.COLLECTED:
                fits = hands[thing] == 1 and not lies_in
            case ItemState.RELEASING:
                fits = ("unexplained", where) in alarms or ("item_left", where) in alarms
                fits = fits and (item.holder == "machine" or where in faults)
            case _:
                fits = False
        if not fits:
            told = f"{item.item_id} is {item.state} at {where}"
            yield f"{told}: lies in {lies_in}, {hands[thing]} in hands"


def _where(rig: Rig, thing: str) -> list[str]:
    found = [door.name for door in rig.world.doors.values() if thing in door.contents]
    for name, machine in rig.world.machines.items():
        inside = machine.inside
        found += [name] * (thing in [*inside.outlet, *inside.transport, *inside.rejects])
    return found


def _hands(rig: Rig) -> Iterator[str]:
    """Nobody holds a thing twice, and nobody one that no journal tells of."""
    items = rig.rows(select(schema.items))
    told = {f"JOB:{row.job}" if row.holder == "machine" else row.label for row in items}
    for thing, times in Counter(each["took"] for each in rig.world.hands).items():
        if times > 1 or thing not in told:
            yield f"{thing} was taken {times} times"


def _calm(rig: Rig) -> Iterator[str]:
    """With the trouble over only what a person must look at is left."""
    for row in rig.rows(_standing()):
        if row.kind not in ("unexplained", "item_left", "lock_jammed", "blanks_low"):
            yield f"alarm {row.kind} stands at {row.place} since {row.since}"
    for row in rig.rows(select(schema.compartments)):
        if row.state in ("reserved", "open"):
            yield f"{row.cabinet}/{row.no} is still {row.state}"
    for door in rig.world.doors.values():
        if door.burnt:
            yield f"{door.name}: its coil was burnt"
    for session in rig.rows(select(schema.sessions).where(schema.sessions.c.ended_at.is_(None))):
        yield f"session {session.session} never ended"
    if problems := rig.site.problems():
        yield f"not ready: {problems}"


def _standing() -> Any:
    return select(schema.alarms).where(schema.alarms.c.cleared_at.is_(None))
