"""I1, I2, I4, I5, I6, I19: nothing moves that was not decided, only once, and in time."""

from collections.abc import Iterator
from math import inf
from typing import Final

from controller.entries import Up
from controller.journal import parse_time
from simulator.rehearsal.events import Answered, Calm, Driven, Moved, Wrote
from simulator.rehearsal.evidence import CLOCKS_DIFFER_S, Evidence
from simulator.rehearsal.invariants.registry import invariant

BY_CODE: Final = ("collect", "reopen", "present")
BY_BADGE: Final = ("load", "return", "undo", "inspect", "emergency")
ONE_BY_ONE: Final = ("collect", "reopen", *BY_BADGE)
PROOF: Final = {"phone4": "tail", "id_card": "card", "clerk": "badge"}
VISIT_MAX_S: Final = 3_600.0  # from a code that is held until its last movement
OLD_S: Final = 2.0 + 0.5  # of a decision: two seconds until it is sent, and the time on the wire


@invariant("I1", "Nothing moves without a durable intent for that very place.", Moved)
def moved_by_intent(evidence: Evidence, event: Moved) -> Iterator[str]:
    place = evidence.places[event.where]
    if place.last is None:
        yield f"{event.where} moved and no entry had announced it"
    elif "not_moved" in place.last.ends:
        yield f"{event.where} moved after {place.last.name} had ended as not moved"


@invariant("I2", "One intent causes one movement at most.", Moved)
def moved_once(evidence: Evidence, event: Moved) -> Iterator[str]:
    place = evidence.places[event.where]
    if place.last is not None and place.last.moves > 1:
        yield f"{event.where} moved {place.last.moves} times for {place.last.name}"


@invariant("I1", "No lock gets power and no machine an order before its intent is durable.", Driven)
def driven_by_intent(evidence: Evidence, event: Driven) -> Iterator[str]:
    last = evidence.places[event.where].last
    if last is None:
        yield f"{event.where} was driven and no entry had announced it"
    elif last.ends:
        yield f"{event.where} was driven after {last.name} had ended as {last.ends[-1]}"
    elif last.seq not in (0, event.number):
        yield f"{event.where} took order {event.number}, and {last.name} announced {last.seq}"


@invariant("I2", "One intent drives its lock or machine once at most.", Driven)
def driven_once(evidence: Evidence, event: Driven) -> Iterator[str]:
    last = evidence.places[event.where].last
    if last is not None and last.drives > 1:
        yield f"{event.where} was driven {last.drives} times for {last.name}"


@invariant("I19", "Nothing is driven for a decision that has grown old.", Driven)
def driven_in_time(evidence: Evidence, event: Driven) -> Iterator[str]:
    last = evidence.places[event.where].last
    if last is not None and (age_s := evidence.now - last.at) > OLD_S:
        yield f"{event.where} was driven {age_s:.1f} s after {last.name} was decided"


@invariant("I19", "Nobody is served while an entry is another than it was.", Driven, Answered)
def unbroken(evidence: Evidence, event: Driven | Answered) -> Iterator[str]:
    if evidence.flipped is not None:
        what = event.where if isinstance(event, Driven) else event.of
        yield f"{what} was served, and entry {evidence.flipped} is another than it was"


@invariant("I4", "An intent ends as moved, not moved or unknown; only unknown gets better.", Wrote)
def one_end(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.MOVEMENT_SETTLED:
        return
    intent = evidence.intents[event.entry.data["intent"]]
    if intent.ends not in (["moved"], ["not_moved"], ["unknown"]) and not (
        len(intent.ends) == 2 and intent.ends[0] == "unknown" != intent.ends[1]  # noqa: PLR2004 - a doubt and its end
    ):
        yield f"{intent.name} ended as {', then '.join(intent.ends)}"


@invariant("I4", "Nobody is served before what a restart left open is settled.", Wrote)
def settled_first(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind not in (Up.PICKUP_STARTED, Up.MOVEMENT_INTENDED):
        return
    for session in sorted(evidence.left_open & evidence.sessions.keys()):
        yield f"visit {session} of before the restart is not over yet"
    for intent in evidence.open_intents.values():
        if intent.start < evidence.starts and "/" in intent.where and not intent.ends:
            yield f"{intent.name} of before the restart has no end yet"


@invariant("I4", "What ended as moved did move, what ended as not moved did not.", Wrote)
def true_end(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.MOVEMENT_SETTLED:
        return
    intent = evidence.intents[event.entry.data["intent"]]
    if intent.ends[-1] == "not_moved" and intent.moves:
        yield f"{intent.name} is said not to have moved {intent.where}, which it did"
    by_sight = event.entry.data["seen_by"] == "door"  # paper may move and stick on its way
    forced = evidence.places[intent.where].forced
    if intent.ends[-1] == "moved" and by_sight and not intent.moves and not forced:
        yield f"{intent.name} is said to have moved {intent.where}, which never moved"


@invariant("I4", "At rest no intent is without an end.", Calm)
def none_open(evidence: Evidence, _event: Calm) -> Iterator[str]:
    for intent in evidence.open_intents.values():
        yield f"{intent.name} at {intent.where} never ended"


@invariant("I5", "A visit opens only what holds its order's items, or empty places to load.", Wrote)
def right_door(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.MOVEMENT_INTENDED:
        return
    at = [each for each in evidence.at(data["where"]) if each.holder == "cabinet"]
    if data["kind"] == "collect" and data.get("order") not in {each.order for each in at}:
        yield f"{data['intent']}: nothing of {data.get('order')} lies at {data['where']}"
    if data["kind"] == "load" and at:
        yield f"{data['intent']}: {at[0].item_id} lies at {data['where']} already"


@invariant("I5", "One place at a time is released for one visit.", Wrote)
def one_at_a_time(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.MOVEMENT_INTENDED:
        return
    data = event.entry.data
    by = data.get("session") or data.get("badge") or data.get("command") or ""
    waiting = [
        each.name
        for each in evidence.open_intents.values()
        if each.kind in ONE_BY_ONE and each.by == by
    ]
    if len(waiting) > 1:
        yield f"{' and '.join(waiting)} are released at once"


@invariant("I6", "No pulse follows a wrong, spent, replaced, cancelled or foreign code.", Wrote)
def good_code(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.MOVEMENT_INTENDED or data["kind"] not in ("collect", "present"):
        return
    claims = [code for order, code in evidence.sessions.values() if order == data.get("order")]
    if len(claims) != 1:
        yield f"{data['intent']}: {len(claims)} visits are open for {data.get('order')}"
        return
    order, state = evidence.codes[claims[0]]
    if (order, state) != (data["order"], "open"):
        yield f"{data['intent']}: {claims[0]} is {state} and of {order}"
    if evidence.now > evidence.ends(order) + CLOCKS_DIFFER_S:
        yield f"{data['intent']}: {order} was ready too long ago for {claims[0]}"
    if evidence.now - evidence.held_at.get(claims[0], -inf) > VISIT_MAX_S:
        yield f"{data['intent']}: nobody held {claims[0]} lately"


@invariant("I6", "No visit begins without the proof that the policy asks for.", Wrote)
def proved(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind != Up.PICKUP_STARTED:
        return
    data = event.entry.data
    factor = data.get("factor", "none")
    if factor == "none":
        if evidence.policy.second_factor != "none":
            yield f"{data['session']}: {data['code']} was taken without any proof"
        return
    of = data.get("badge", "") if factor == "clerk" else data["code"]
    if evidence.now - evidence.proved.get((PROOF[factor], of), -inf) > VISIT_MAX_S:
        yield f"{data['session']}: {data['code']} was taken, and nobody showed its {PROOF[factor]}"


@invariant("I6", "A code is claimed together with the movement that it is claimed for.", Wrote)
def claimed_together(_evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.kind == Up.PICKUP_STARTED and event.ends:
        data = event.entry.data
        yield f"{data['session']}: {data['code']} was claimed, and nothing intended with it"


@invariant("I6", "No pulse follows a badge that is revoked or out of date, or none.", Wrote)
def good_badge(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.MOVEMENT_INTENDED or data["kind"] not in BY_BADGE:
        return
    badge = data.get("badge")
    until = evidence.badge_ends.get(badge or "")
    if until is None or badge in evidence.revoked or parse_time(event.entry.at) >= until:
        yield f"{data['intent']}: badge {badge} is not good, or was until {until}"


@invariant("I6", "Where two badges are asked for, no emergency begins with one.", Wrote)
def two_badges(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.MOVEMENT_INTENDED or data["kind"] != "emergency":
        return
    if not evidence.policy.emergency_two_badges:
        return
    badge, second = data.get("badge"), data.get("approved_by")
    if second in (None, badge) or evidence.badge_roles.get(second) != "staff":
        yield f"{data['intent']}: {badge} opens {data['where']} with {second or 'nobody else'}"
    elif ("badge", second) not in evidence.proved:
        yield f"{data['intent']}: nobody held {second}"


@invariant("I6", "Nothing is loaded into a blocked compartment, nor collected there.", Wrote)
def not_blocked(evidence: Evidence, event: Wrote) -> Iterator[str]:
    data = event.entry.data
    if event.entry.kind != Up.MOVEMENT_INTENDED or data["kind"] not in ("load", "collect"):
        return
    if data["where"] in evidence.blocked:
        yield f"{data['intent']}: {data['where']} is blocked"
