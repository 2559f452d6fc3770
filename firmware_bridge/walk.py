"""Every door of a site opened once: which one really moved, and how its switch reads.

Doors are named as on the cabinet: counted on from board to board.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from controller.faults import BadReply, NoReply, NotMoved
from controller.ports import BoardSight, Clock, DoorSight
from firmware_bridge.commissioning import MOVES_WITHIN_S, Verdict, open_door
from firmware_bridge.lock_board import DoorRow
from firmware_bridge.profiles import Profile, Source
from firmware_bridge.urls import STATIONS, DeviceUrl, parse

LOOK_AGAIN_S: Final = 0.2  # somebody shuts a door: the next question is asked at once


@dataclass(frozen=True, slots=True)
class Place:
    """A door on its cabinet."""

    cabinet: str
    door: int

    def __str__(self) -> str:
        return f"{self.cabinet}/{self.door}"


@dataclass(frozen=True, slots=True)
class CabinetBoard:
    """One board, and the cabinet's doors that it has: `first` and those after it."""

    cabinet: str
    first: int
    row: DoorRow

    def place(self, door: int) -> Place:
        return Place(self.cabinet, self.first + door - 1)


@dataclass(frozen=True, slots=True)
class Walked:
    """One door that was asked for, and what moved; `note` says why nothing was asked.

    Polarity is proven by both: a switch that changed when the door opened, and back when it shut.
    """

    place: Place
    verdict: str
    moved: tuple[Place, ...] = ()
    polarity: str = "unknown"  # right, reversed or unknown
    note: str = ""
    shut: bool = False  # what moved was seen to be shut again


class Walk:
    """Releases one door at a time and looks at all boards of the site."""

    def __init__(
        self, boards: Sequence[CabinetBoard], clock: Clock, within_s: float = MOVES_WITHIN_S
    ) -> None:
        self._boards = boards
        self._clock = clock
        self._within_s = within_s
        self.walked: dict[Place, Walked] = {}
        self._before: dict[int, BoardSight | None] = {}  # the last release, by boards

    async def release(self, place: Place) -> Walked:
        """Release it once; the last word on a door counts. LineDown when its line is gone."""
        self.walked[place] = walked = await self._release(place)
        return walked

    async def sees_shut(self, place: Place) -> bool:
        """Wait until all that moved reads as before it did; False where it does not in time.

        LineDown when a line is gone.
        """
        walked = self.walked[place]
        until = self._clock.monotonic() + self._within_s
        while not (shut := await self._is_as_before(walked.moved)):
            if self._clock.monotonic() >= until:
                break
            await self._clock.sleep(LOOK_AGAIN_S)
        self.walked[place] = replace(walked, shut=shut)
        return shut

    async def _is_as_before(self, doors: Sequence[Place]) -> bool:
        for board in self._boards:
            here = [place.door - board.first for place in doors if place in _places(board)]
            if not here:
                continue
            before, now = self._before[id(board)], await _look(board)
            if now is None or before is None:
                return False
            if any(before.doors[n] is not now.doors[n] for n in here):
                return False
        return True

    def skip(self, place: Place) -> None:
        self.walked[place] = Walked(place, "skipped")

    async def _release(self, place: Place) -> Walked:
        board = next((each for each in self._boards if place in _places(each)), None)
        if board is None:
            return Walked(place, Verdict.NOTHING, note="no board has this door")
        self._before = before = {id(each): await _look(each) for each in self._boards}
        try:
            door = place.door - board.first + 1
            opened = await open_door(board.row, door, self._clock, within_s=self._within_s)
        except (NotMoved, NoReply, BadReply) as fault:
            return Walked(place, Verdict.NOTHING, note=fault.what)
        moved = [board.place(move.door) for move in opened.moves]
        for each in self._boards:
            if each is not board:
                moved += _moved(each, before[id(each)], await _look(each))
        polarity = "unknown"
        for move in opened.moves:
            if move.door == opened.asked and DoorSight.UNKNOWN not in (move.was, move.now):
                polarity = "right" if move.now is DoorSight.OPEN else "reversed"
        return Walked(place, _verdict(place, moved, opened.verdict), tuple(moved), polarity)

    def problems(self) -> Iterator[str]:
        """Why the site may not go into service yet; nothing when it may."""
        by_moved: defaultdict[Place, list[Place]] = defaultdict(list)
        for walked in self.walked.values():
            for moved in walked.moved:
                by_moved[moved].append(walked.place)
            if why := _problem(walked):
                yield why
        for moved, asked in by_moved.items():
            if len(asked) > 1:
                pulses = " and ".join(map(str, asked))
                yield f"door {moved} is moved by the pulses of {pulses}"


def _places(board: CabinetBoard) -> tuple[Place, ...]:
    return tuple(board.place(door) for door in range(1, board.row.doors + 1))


async def _look(board: CabinetBoard) -> BoardSight | None:
    try:
        return await board.row.look()
    except (NoReply, BadReply):
        return None


def _moved(board: CabinetBoard, before: BoardSight | None, now: BoardSight | None) -> list[Place]:
    if before is None or now is None:
        return []
    pairs = enumerate(zip(before.doors, now.doors, strict=True), 1)
    return [
        board.place(door)
        for door, pair in pairs
        if pair[0] is not pair[1] and DoorSight.UNKNOWN not in pair
    ]


def _verdict(place: Place, moved: Sequence[Place], usual: Verdict) -> Verdict:
    if not moved:
        return Verdict.NOTHING
    if place not in moved:
        return Verdict.ELSEWHERE
    return Verdict.SEVERAL if len(moved) > 1 else usual


def _problem(walked: Walked) -> str:
    place, others = walked.place, [each for each in walked.moved if each != walked.place]
    there = ", ".join(map(str, others))
    match walked.verdict:
        case Verdict.OPENED:
            why = f"door {place} was not seen to be shut again: its switch shows only one side"
            return "" if walked.shut else why
        case Verdict.SEVERAL:
            return f"door {place} and door {there} are on one pulse"
        case Verdict.ELSEWHERE:
            return f"door {there} moved when door {place} was asked for"
        case Verdict.REVERSED:
            return f"the switch of door {place} is reversed"
        case Verdict.NOTHING:
            return f"door {place} did not move" + (f": {walked.note}" if walked.note else "")
        case _:
            return f"door {place} was skipped"


def clashes(boards: Mapping[str, str], profiles: Mapping[str, Source]) -> list[str]:
    """What the URLs alone show: boards that share an address, doors that share a pulse."""
    found: list[str] = []
    taken: dict[tuple[str, int], str] = {}
    for name, text in boards.items():
        url = parse(text)
        source = profiles.get(url.profile)
        for station in sorted(_stations(url, source.profile if source else None)):
            other = taken.setdefault((url.place.key, station), name)
            if other != name:
                found.append(f"{other} and {name} are both at {station} of {url.place.key}")
        if source is not None and _one_pulse(source.profile):
            found.append(f"all doors of {name} are on one pulse (profile {url.profile})")
    return found


def _stations(url: DeviceUrl, profile: Profile | None) -> set[int]:
    """Every address that a board answers at, those of its input boards too."""
    first = next((url.numbers[name] for name in STATIONS if name in url.numbers), 0)
    if profile is None:
        return {first}
    behind = {profile.pulse.unit, *profile.door.units}
    if profile.item is not None:
        behind |= set(profile.item.units)
    return {first + unit for unit in behind}


def _one_pulse(profile: Profile) -> bool:
    pulse = profile.pulse
    return profile.doors > 1 and pulse.per_door == 0 and pulse.value != "door"
