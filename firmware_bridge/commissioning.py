"""What an installer asks of one lock board: open a door and see which one it was, or watch all.

Works on anything that fits LockBoard, whatever wire it hangs on.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from controller.faults import BadReply, LineDown, NoReply, OutcomeUnknown
from controller.ports import BoardSight, Clock, DoorSight, LockBoard, Presence

MOVES_WITHIN_S: Final = 12.0  # a released bolt that nobody pulls falls back after 10 s
OTHERS_WITHIN_S: Final = 1.0  # after the first door: two locks on one pulse move together
ASK_AGAIN_S: Final = 1.0  # a board that went silent while it was watched


@dataclass(frozen=True, slots=True)
class DoorMove:
    """One switch that changed."""

    door: int
    was: DoorSight
    now: DoorSight


class Verdict(StrEnum):
    """What came of one release."""

    OPENED = "opened"  # the door that was asked for, and no other
    REVERSED = "reversed"  # that door alone, but its switch went from open to closed
    ELSEWHERE = "elsewhere"  # another door, and not the one that was asked for
    SEVERAL = "several"  # that door and others: two doors on one pulse
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Opened:
    """One release and every switch that changed after it."""

    asked: int
    was: DoorSight
    moves: tuple[DoorMove, ...]
    accepted: bool  # the board took the order; else its answer is missing

    @property
    def verdict(self) -> Verdict:
        doors = {move.door for move in self.moves}
        if not doors:
            return Verdict.NOTHING
        if self.asked not in doors:
            return Verdict.ELSEWHERE
        if len(doors) > 1:
            return Verdict.SEVERAL
        reversed_ = self.moves[0].now is DoorSight.CLOSED
        return Verdict.REVERSED if reversed_ else Verdict.OPENED


async def open_door(
    board: LockBoard, door: int, clock: Clock, *, within_s: float = MOVES_WITHIN_S
) -> Opened:
    """Release one door once and wait for switches to change; NotMoved when it was not released."""
    before = await board.look()
    accepted = True
    try:
        await board.release(door)
    except OutcomeUnknown:
        accepted = False
    moves = await _moves(board, before, door, clock, within_s)
    return Opened(door, before.doors[door - 1], moves, accepted)


async def _moves(
    board: LockBoard, before: BoardSight, asked: int, clock: Clock, within_s: float
) -> tuple[DoorMove, ...]:
    """The first change of each door, the one that was asked for first."""
    moves: dict[int, DoorMove] = {}
    until = clock.monotonic() + within_s
    while clock.monotonic() < until:
        try:
            async with aclosing(_sights(board)) as sights:
                async for sight in sights:
                    for door, (was, now) in enumerate(
                        zip(before.doors, sight.doors, strict=True), 1
                    ):
                        if was is not now and now is not DoorSight.UNKNOWN and door not in moves:
                            until = min(until, clock.monotonic() + OTHERS_WITHIN_S)
                            moves[door] = DoorMove(door, was, now)
                    if clock.monotonic() >= until:
                        break
        except (NoReply, BadReply):
            continue  # deaf while it pulses; the switches tell as soon as it hears again
    return tuple(sorted(moves.values(), key=lambda move: (move.door != asked, move.door)))


async def _sights(board: LockBoard) -> AsyncGenerator[BoardSight, None]:
    """What the board shows; its watching ends when this is closed."""
    watching = board.watch()
    try:
        async for sight in watching:
            yield sight
    finally:
        if isinstance(watching, AsyncGenerator):
            await watching.aclose()


@dataclass(frozen=True, slots=True)
class Change:
    """A switch or an item sensor that reads otherwise than before; `was` is empty at first."""

    door: int
    what: str  # door or item
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Watched:
    """What a board shows now, with what changed; or why it shows nothing."""

    sight: BoardSight | None
    changes: tuple[Change, ...] = ()
    silent: str = ""


async def watch_board(board: LockBoard, clock: Clock) -> AsyncGenerator[Watched, None]:
    """Every sight until closed. A board that goes silent later is waited for: it may be restarted.

    DeviceFault when it cannot even be read once.
    """
    shown: BoardSight | None = None
    sight = await board.look()
    while True:
        yield Watched(sight, changes(shown, sight))
        shown = sight
        try:
            async with aclosing(_sights(board)) as sights:
                async for sight in sights:
                    yield Watched(sight, changes(shown, sight))
                    shown = sight
        except (NoReply, BadReply, LineDown) as fault:
            yield Watched(None, silent=fault.what)
        sight = await _back(board, clock)


async def _back(board: LockBoard, clock: Clock) -> BoardSight:
    while True:
        await clock.sleep(ASK_AGAIN_S)
        try:
            return await board.look()
        except (NoReply, BadReply, LineDown):
            continue


def changes(before: BoardSight | None, sight: BoardSight) -> tuple[Change, ...]:
    """Every door and item that differs; all of them the first time."""
    found: list[Change] = []
    for door, now in enumerate(sight.doors, 1):
        was = before.doors[door - 1] if before else None
        if was is not now:
            found.append(Change(door, "door", was or "", now))
    for door, there in enumerate(sight.items, 1):
        had = before.items[door - 1] if before else None
        if had is not there and not (had is None and there is Presence.UNKNOWN):
            found.append(Change(door, "item", had or "", there))
    return tuple(found)
