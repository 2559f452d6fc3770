"""I7, I16, I21: what the district wants opens no door too late, too often or for one alone."""

from collections.abc import Iterator
from typing import Final

from controller.entries import Down, Up
from controller.settings import PolicyTable
from simulator.rehearsal.events import Calm, Moved, Wrote
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.registry import invariant
from simulator.rehearsal.known import Command

POLICY: Final = PolicyTable()
HOUR_S: Final = 3_600.0
BY_STAFF: Final = ("inspect", "emergency")
BY_BADGE: Final = ("load", "undo", "return", *BY_STAFF)


def _command(evidence: Evidence, where: str) -> Command | None:
    """At whose word the bolt there moved, if it was the district's."""
    last = evidence.places[where].last
    return evidence.commands.get(last.command or "") if last is not None else None


@invariant("I7", "No door moves for a command at or after its end.", Moved)
def in_time(evidence: Evidence, event: Moved) -> Iterator[str]:
    command = _command(evidence, event.where)
    if command is None:
        return
    late_s = (evidence.true_now - command.expires_at).total_seconds()
    if late_s >= max(0.0, -evidence.clock_wrong_s):  # a clock that is a little behind is believed
        yield f"{event.where} moved for {command.name} {late_s:.1f} s after its end"


@invariant("I7", "No door moves for a command that came too long ago.", Moved)
def while_fresh(evidence: Evidence, event: Moved) -> Iterator[str]:
    command = _command(evidence, event.where)
    if command is None:
        return
    age_s = evidence.now - command.heard_at
    if age_s > POLICY.remote_age_s:
        yield f"{event.where} moved for {command.name}, which had come {age_s:.1f} s before"


@invariant(
    "I7", "A command has one end at most, and a door that moved for it is not denied.", Wrote
)
def one_end(evidence: Evidence, event: Wrote) -> Iterator[str]:
    name = event.entry.data.get("command")
    if name not in evidence.commands or not event.entry.kind.startswith("command."):
        return
    command = evidence.commands[name]
    if len(command.ends) > 1:
        yield f"{name} ended as {', then '.join(command.ends)}"
    last = evidence.places[command.where].last
    moved = last is not None and last.command == name and last.moves
    if moved and event.entry.kind in (Up.COMMAND_REFUSED, Up.COMMAND_EXPIRED):
        yield f"{name} ended as {event.entry.kind}, and {command.where} had moved for it"


@invariant("I7", "At rest every command has an end.", Calm)
def all_ended(evidence: Evidence, _event: Calm) -> Iterator[str]:
    for command in evidence.commands.values():
        if not command.ends:
            yield f"{command.name} ({command.kind} of {command.where}) never ended"


@invariant(
    "I16", "Nothing is released but for a visit, a badge or a command for that place.", Wrote
)
def with_cause(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.MOVEMENT_INTENDED:
        return
    kind, where = data["kind"], data["where"]
    if kind in BY_BADGE:
        role = evidence.badge_roles.get(data.get("badge", ""))
        if role is None or (kind in BY_STAFF and role != "staff"):
            yield f"{data['intent']} ({kind} at {where}) is by {role} {data.get('badge')}"
    elif kind == "remote":
        command = evidence.commands.get(data.get("command", ""))
        if command is None or (command.kind, command.where) != (Down.COMPARTMENT_OPEN, where):
            yield f"{data['intent']} opens {where} for {command or data.get('command')}"
        elif command.ends:
            yield f"{data['intent']} opens {where} for {command.name}, which ended before"
    elif kind != "retract" and data.get("order") not in evidence.orders:
        yield f"{data['intent']} ({kind} at {where}) is for {data.get('order')}, no order of ours"


@invariant("I21", "The district opens no more doors in an hour than the site allows.", Moved)
def capped(evidence: Evidence, event: Moved) -> Iterator[str]:
    command = _command(evidence, event.where)
    if command is None:
        return
    moves = evidence.remote_moves
    lately = [at for at in moves[-1 - POLICY.remote_opens_an_hour :] if at > moves[-1] - HOUR_S]
    if len(lately) > POLICY.remote_opens_an_hour:
        yield f"{event.where} is door {len(lately)} within an hour that a command opens"


@invariant("I21", "The district opens no door before something that one person alone wants.", Moved)
def by_two(evidence: Evidence, event: Moved) -> Iterator[str]:
    command = _command(evidence, event.where)
    if command is None or command.by_two:
        return
    for item in evidence.at(event.where):
        if evidence.lies.get(item.thing) == event.where:
            yield f"{event.where} with {item.item_id} moved for {command.name} by one person"
