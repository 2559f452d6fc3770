"""I17, I18: the time that a site decides by, as its entries have it, against the sun's."""

from collections.abc import Iterator
from typing import Final

from controller.entries import Down, Up
from controller.journal import Stream
from controller.steady import FOLLOW_S
from simulator.rehearsal.events import Wrote
from simulator.rehearsal.evidence import Evidence
from simulator.rehearsal.invariants.registry import invariant

BLOCKS: Final = (Down.COMPARTMENT_BLOCK, Down.COMPARTMENT_UNBLOCK)
ROUNDING_S: Final = 0.01  # of times in entries


@invariant("I17", "The site's time never goes back, over no restart and with no clock.", Wrote)
def forward(evidence: Evidence, event: Wrote) -> Iterator[str]:
    before, now = evidence.decided_before, evidence.decided_at
    if event.entry.stream is Stream.UP and before is not None and now is not None and now < before:
        yield f"entry {event.entry.seq} is of {now}, the one before of {before}"


@invariant(
    "I17", "The site's time runs ahead of the sun by no more than it follows a clock.", Wrote
)
def not_ahead(evidence: Evidence, event: Wrote) -> Iterator[str]:
    if event.entry.stream is not Stream.UP or evidence.decided_at is None:
        return
    ahead_s = (evidence.decided_at - evidence.true_now).total_seconds()
    if ahead_s > FOLLOW_S + ROUNDING_S:
        yield f"entry {event.entry.seq} is {ahead_s:.0f} s ahead of its time"


@invariant(
    "I18", "While its clock is doubted the site does nothing that the district wants.", Wrote
)
def not_in_doubt(evidence: Evidence, event: Wrote) -> Iterator[str]:
    entry = event.entry
    if entry.kind == Up.COMMAND_DONE:
        done = evidence.commands[entry.data["command"]].kind in BLOCKS
    else:
        done = entry.kind == Up.MOVEMENT_INTENDED and "command" in entry.data
    if not done or evidence.decided_at is None:
        return
    off_s = abs((evidence.wall - evidence.decided_at).total_seconds())
    if off_s > FOLLOW_S + ROUNDING_S:
        yield f"{entry.data['command']} is done while the clock is {off_s:.0f} s off"
