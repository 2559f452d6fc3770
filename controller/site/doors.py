"""Doors: what each one is, what we see of it, and what follows.

The switch of a door may lie. What is kept is both: the row of the grid (with what we did ourselves
in it) and the state that others are told.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, Self

from sqlalchemy import Connection

from controller.entries import Up
from controller.entries_doors import DoorChanged, DoorsChanged, LockRested
from controller.ports import Clock, DoorSight, Presence
from controller.rows import change_rows, rows
from controller.site.book import Act
from controller.site.schema import doors as table


class Place(NamedTuple):
    """One compartment and its door."""

    cabinet: str
    no: int

    def __str__(self) -> str:
        return f"{self.cabinet}/{self.no}"

    @property
    def sign(self) -> str:
        """As it stands on the door: A07."""
        return f"{self.cabinet}{self.no:02d}"

    @classmethod
    def parse(cls, where: str) -> Self:
        cabinet, _, no = where.partition("/")
        return cls(cabinet, int(no))


class Door(StrEnum):
    SHUT = "shut"
    RELEASED = "released"
    OPEN = "open"
    FORCED = "forced"


class Sight(StrEnum):
    BOLT_RELEASED = "bolt_released"
    BOLT_RESTED = "bolt_rested"  # long enough after a pulse that nobody used
    SEEN_OPEN = "seen_open"
    SEEN_SHUT = "seen_shut"
    UNSEEN = "unseen"


# fmt: off
GRID: Final = {
    #               bolt released   bolt rested  seen open    seen shut      unseen
    Door.SHUT:     (Door.RELEASED, Door.SHUT,   Door.FORCED, Door.SHUT,     Door.SHUT),
    Door.RELEASED: (Door.RELEASED, Door.SHUT,   Door.OPEN,   Door.RELEASED, Door.RELEASED),
    Door.OPEN:     (Door.OPEN,     Door.OPEN,   Door.OPEN,   Door.SHUT,     Door.OPEN),
    Door.FORCED:   (Door.FORCED,   Door.FORCED, Door.FORCED, Door.SHUT,     Door.FORCED),
}
# fmt: on
NEXT: Final = {
    (door, sight): after
    for door, row in GRID.items()
    for sight, after in zip(Sight, row, strict=True)
}
SIGHTS: Final = {
    DoorSight.OPEN: Sight.SEEN_OPEN,
    DoorSight.CLOSED: Sight.SEEN_SHUT,
    DoorSight.UNKNOWN: Sight.UNSEEN,
}


TOLD: Final = {sight: state for state, sight in SIGHTS.items()}


def follow(door: Door, sight: Sight) -> Door:
    return NEXT[door, sight]


@dataclass(frozen=True, slots=True)
class Standing:
    """One door now."""

    door: Door
    state: DoorSight  # what others are told
    n: int
    since: float  # Clock.monotonic() of the last change of `state` or start
    item: Presence = Presence.UNKNOWN
    seen: bool = False  # looked at since the site was started


class Doors:
    """Every door of the site; changes are written and said in the caller's act."""

    def __init__(self, places: Iterable[Place], clock: Clock) -> None:
        self._clock = clock
        self._together: dict[Up, list[DoorChanged]] | None = None
        unseen = Standing(Door.SHUT, DoorSight.UNKNOWN, 0, clock.monotonic())
        self._now = dict.fromkeys(sorted(places), unseen)
        self._restless: set[Place] = set()
        self._calm: dict[Place, tuple[DoorSight, Presence]] = {}  # looks that tell nothing new
        self._followers: list[set[Place]] = []

    def __getitem__(self, place: Place) -> Standing:
        return self._now[place]

    def __contains__(self, place: Place) -> bool:
        return place in self._now

    def __iter__(self) -> Iterator[Place]:
        return iter(self._now)

    def touched(self) -> set[Place]:
        """A set of its own for who asks: all doors; from now on those that stand otherwise."""
        follower = set(self._now)
        self._followers.append(follower)
        return follower

    def restless(self) -> list[Place]:
        """Those that are not known to stand shut and unreleased."""
        return sorted(self._restless)

    def load(self, connection: Connection) -> None:
        """Take over what is recorded; none of it counts as seen yet."""
        for row in rows(connection, table):
            place = Place(row.cabinet, row.no)
            if place in self._now:
                self._keep(
                    place,
                    replace(
                        self._now[place], door=Door(row.door), state=DoorSight(row.state), n=row.n
                    ),
                )

    def _keep(self, place: Place, now: Standing) -> None:
        self._now[place] = now
        for follower in self._followers:
            follower.add(place)
        (self._restless.discard if now.door is Door.SHUT else self._restless.add)(place)
        self._calm.pop(place, None)
        is_known = now.seen and now.state is not DoorSight.UNKNOWN
        if is_known and follow(now.door, SIGHTS[now.state]) is now.door:
            self._calm[place] = now.state, now.item

    def is_calm(self, place: Place, state: DoorSight, item: Presence) -> bool:
        """Whether that is what was seen there last, and nothing follows from it."""
        return self._calm.get(place) == (state, item)

    def is_shut(self, place: Place) -> bool:
        """Seen shut, and nobody has released it."""
        now = self._now[place]
        return now.seen and now.state is DoorSight.CLOSED and now.door is Door.SHUT

    def is_open(self, place: Place) -> bool:
        now = self._now[place]
        return now.seen and now.state is DoorSight.OPEN

    def is_seen(self, place: Place) -> bool:
        now = self._now[place]
        return now.seen and now.state is not DoorSight.UNKNOWN

    def notice_item(self, place: Place, item: Presence) -> bool:
        """Take over what the item sensor says; True if that is new."""
        now = self._now[place]
        if now.item is item:
            return False
        self._keep(place, replace(now, item=item))
        return True

    def changes(self, place: Place, sight: Sight) -> bool:
        """Whether `feed` would have anything to write."""
        now = self._now[place]
        return self._fed(now, sight) != (now.door, now.state)

    def glance(self, place: Place, sight: Sight) -> None:
        """Nothing new was seen."""
        now, seen = self._now[place], sight is not Sight.UNSEEN
        if now.seen is not seen:
            self._keep(place, replace(now, seen=seen))

    def feed(self, act: Act, place: Place, sight: Sight, *, maintenance: bool = False) -> Standing:
        """Follow the grid; write and say what changed."""
        now = self._now[place]
        door, state = self._fed(now, sight)
        seen = sight is not Sight.UNSEEN and (now.seen or sight in SIGHTS.values())
        after = replace(now, door=door, seen=seen)
        if state is not now.state:
            after = replace(after, state=state, n=now.n + 1, since=self._clock.monotonic())
        self._keep(place, after)
        if (door, state) != (now.door, now.state):
            change_rows(
                act.db,
                table,
                {"cabinet": place.cabinet, "no": place.no},
                door=door.value,
                state=state.value,
                n=after.n,
                at=act.now,
            )
        if state is not now.state:
            told = DoorChanged(where=str(place), n=after.n)
            if maintenance and after.door is Door.FORCED and state is DoorSight.OPEN:
                told["maintenance"] = True
            self._say(act, now, after, told)
        if sight is Sight.BOLT_RESTED and door is not now.door:
            act.say(Up.LOCK_RESTED, LockRested(where=str(place)))
        return after

    @contextmanager
    def in_one_entry(self, act: Act) -> Iterator[None]:
        """Doors that are lost from sight, or found as they were, are told together."""
        self._together = {Up.DOORS_UNKNOWN: [], Up.DOORS_CLOSED: []}
        try:
            yield
            for kind, told in self._together.items():
                if told:
                    act.say(kind, DoorsChanged(doors=told))
        finally:
            self._together = None

    def _say(self, act: Act, before: Standing, after: Standing, told: DoorChanged) -> None:
        together = self._together or {}
        if after.state is DoorSight.UNKNOWN and Up.DOORS_UNKNOWN in together:
            together[Up.DOORS_UNKNOWN].append(told)
        elif (
            before.state is DoorSight.UNKNOWN
            and after.state is DoorSight.CLOSED
            and before.door is Door.SHUT
            and Up.DOORS_CLOSED in together
        ):
            together[Up.DOORS_CLOSED].append(told)
        else:
            act.say(_kind(after), told)

    @staticmethod
    def _fed(now: Standing, sight: Sight) -> tuple[Door, DoorSight]:
        return follow(now.door, sight), TOLD.get(sight, now.state)


def _kind(after: Standing) -> Up:
    if after.state is DoorSight.UNKNOWN:
        return Up.DOOR_UNKNOWN
    if after.state is DoorSight.CLOSED:
        return Up.DOOR_CLOSED
    return Up.DOOR_FORCED if after.door is Door.FORCED else Up.DOOR_OPENED
