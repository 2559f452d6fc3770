"""One compartment: its door, the lock's bolt, the switch that sees the door, what lies inside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal, TypedDict

from simulator.door_faults import NONE, RELATCHES_S, WEAK_FREE_AFTER_S, DoorFaults, DoorTrouble
from simulator.timeline import Appointment, Timeline

BOLT_FREE_AFTER_S: Final = 0.060  # of coil
COIL_BURNS_AFTER_S: Final = 10.0
FLANKS: Final = 5  # of a switch that bounces
SWITCH_AFTER_S: Final = (0.050, 0.150)  # after the door has moved
FITS: Final = 4  # things in one compartment


class Impossible(Exception):
    """Nobody can do that to this thing as it stands now."""


class Unknown(Exception):
    """There is no such thing here."""


Stuck = Literal["open", "closed"]


class DoorMemory(TypedDict):
    """What survives the end of the simulator."""

    open: bool
    unlocked: bool
    released: int
    jammed: bool
    contents: list[str]
    burnt: bool
    forced: int
    broken_open: bool
    stuck: Stuck | None


@dataclass(frozen=True, slots=True)
class LockKind:
    """How all locks of a cabinet are built."""

    relatch_s: float = 10.0  # until a bolt falls in again when nobody pulls; never made faster
    spring: bool = False  # a free door springs ajar by itself


@dataclass(slots=True)
class Door:
    cabinet: str
    no: int
    kind: LockKind
    timeline: Timeline
    dice: Random
    changed: Callable[[], None]
    open: bool = False
    unlocked: bool = False  # the bolt is back
    released: int = 0  # how often the bolt really moved
    jammed: bool = False
    burnt: bool = False
    forced: int = 0
    broken_open: bool = False  # by force, and not shut since
    stuck: Stuck | None = None
    contents: list[str] = field(default_factory=list)
    coil: bool = False
    powered: int = 0  # how often the coil was given power
    faults: DoorFaults = field(init=False)
    crossed: "Door | None" = None  # the door whose switch answers here
    wrong: "Door | None" = None  # the door whose lock hangs on this one's contact
    _bounces_until: float = float("-inf")
    _flanks: int = 0  # of its switch while it bounced, so far
    _switch: bool = False  # what the switch sees: True is open
    _bolt: Appointment | None = None
    _burning: Appointment | None = None
    _relatch: Appointment | None = None
    _swing: Appointment | None = None

    def __post_init__(self) -> None:
        self.faults = DoorFaults(Random(self.dice.getrandbits(64)))

    @property
    def name(self) -> str:
        return f"{self.cabinet}/{self.no}"

    def energise(self) -> None:
        """The lock's coil gets power: the bolt is free 60 ms later."""
        if self.faults.strikes("dead_relay"):
            return
        if self.wrong:
            self.faults.strikes("wrong_lock")
        (self.wrong or self).power(for_ever=False)

    def drop(self) -> None:
        """The contact opens: the lock on it has no power any more."""
        if not self.faults.strikes("welded"):
            (self.wrong or self).let_go()

    def let_go(self) -> None:
        """The coil's power ends: a free bolt waits for the door to be pulled, for a while."""
        if self.coil and not self.unlocked:
            self.faults.strikes("weak")
        self.coil = False
        self._call_off(self._bolt, self._burning)
        self._bolt_waits()
        self.changed()

    def set_trouble(self, trouble: DoorTrouble) -> None:
        """A contact that welds powers the lock at once; one that is replaced lets go."""
        before = self.faults.trouble
        self.faults.trouble = NONE if trouble == NONE else trouble
        if trouble.welded and not before.welded:
            self.faults.strikes("welded")
            (self.wrong or self).power(for_ever=True)
        elif before.welded and not trouble.welded:
            self.drop()
        self.changed()

    def pull(self) -> None:
        if self.open:
            raise Impossible(f"Door {self.name} is open already.")
        if not self.unlocked:
            raise Impossible(f"Door {self.name} is locked.")
        if self.jammed:
            raise Impossible(f"Door {self.name} is stuck.")
        if self.faults.strikes("jammed"):
            raise Impossible(f"Door {self.name} is held by its load.")
        self._opens()
        self.changed()

    def force(self) -> None:
        """Somebody breaks the door open; the bolt did not move."""
        if self.open:
            raise Impossible(f"Door {self.name} is open already.")
        self.forced += 1
        self.broken_open = True
        self._opens()
        self.changed()

    def close(self) -> None:
        """Closing latches by itself, unless the coil holds the bolt back."""
        if not self.open:
            raise Impossible(f"Door {self.name} is shut already.")
        self.open = self.broken_open = False
        self._door_moved()
        self.changed()

    def jam(self) -> None:
        """From now on the bolt does not move, whatever the coil does."""
        if self.jammed:
            raise Impossible(f"Door {self.name} is jammed already.")
        self.jammed = True
        self.changed()

    def free(self) -> None:
        """Somebody repairs the lock: neither jammed nor burnt, and its switch tells the truth."""
        if not (self.jammed or self.burnt or self.stuck):
            raise Impossible(f"Nothing is wrong with door {self.name}.")
        self.jammed = self.burnt = False
        self.stuck = None
        self._bolt_waits()
        self.changed()

    def stick(self, at: Stuck) -> None:
        """The switch says the same for ever."""
        self.stuck = at
        self.changed()

    def put(self, label: str) -> None:
        if not self.open:
            raise Impossible(f"Door {self.name} is shut: nothing can be put in.")
        if len(self.contents) >= FITS:
            raise Impossible(f"Compartment {self.name} is full.")
        self.contents.append(label)
        self.changed()

    def take(self) -> str:
        """What lies on top."""
        if not self.open:
            raise Impossible(f"Door {self.name} is shut: nothing can be taken out.")
        if not self.contents:
            raise Impossible(f"Compartment {self.name} is empty.")
        taken = self.contents.pop()
        self.changed()
        return taken

    def reads_closed(self) -> bool:
        """The door input: current flows while the switch sees the door shut."""
        now, well = self.timeline.now, self.faults.trouble is NONE
        if well and not (self.crossed or self.stuck) and now >= self._bounces_until:
            return not self._switch
        answering = self.crossed or self
        return self.faults.closed(answering.switch_closed(), now)

    def switch_closed(self) -> bool:
        """The switch itself, wherever it is wired to."""
        if self.timeline.now < self._bounces_until:
            return self.dice.random() < 1 / 2
        return self.stuck == "closed" if self.stuck else not self._switch

    def looks(self) -> tuple[bool, bool, int, Stuck | None]:
        """What its inputs depend on: while this is the same, so is what is read."""
        return self._switch, bool(self.contents), self._flanks, self.stuck

    def reads_present(self) -> bool:
        """The item input."""
        return bool(self.contents) != self.faults.strikes("ghost_item")

    def memory(self) -> DoorMemory:
        return {
            "open": self.open,
            "unlocked": self.unlocked,
            "released": self.released,
            "jammed": self.jammed,
            "contents": list(self.contents),
            "burnt": self.burnt,
            "forced": self.forced,
            "broken_open": self.broken_open,
            "stuck": self.stuck,
        }

    def recall(self, memory: DoorMemory) -> None:
        """As it stood when the simulator ended; a coil has no power then."""
        self.open = self._switch = memory["open"]
        self.unlocked = memory["unlocked"]
        self.released = memory["released"]
        self.jammed = memory["jammed"]
        self.burnt = memory["burnt"]
        self.forced = memory["forced"]
        self.broken_open = memory["broken_open"]
        self.stuck = memory["stuck"]
        self.contents = list(memory["contents"])
        self._bolt_waits()

    def power(self, *, for_ever: bool) -> None:
        """The coil has power; by a contact that welded it never burns."""
        self.coil = True
        self.powered += 1
        if not for_ever:
            self._burning = self.timeline.after(COIL_BURNS_AFTER_S, self._burns)
        self._call_off(self._relatch)
        if self.faults.trouble.weak:
            self._bolt = self.timeline.after(WEAK_FREE_AFTER_S, self._bolt_moves)
        else:
            self._bolt = self.timeline.quickly(BOLT_FREE_AFTER_S, self._bolt_moves)
        self.changed()

    def _bolt_moves(self) -> None:
        if self.jammed or self.burnt or self.unlocked:
            return
        self.unlocked = True
        self.released += 1
        self.faults.strikes("crosswired")
        trouble = self.faults.trouble
        if self.kind.spring and not self.open and not (trouble.jammed or trouble.relatch):
            self._opens()
        self.changed()

    def _bolt_waits(self) -> None:
        if not self.unlocked or self.coil:
            return
        if self.open:
            self.unlocked = False
        else:
            self._call_off(self._relatch)
            waits_s = self.kind.relatch_s
            if self.faults.trouble.relatch:
                waits_s = min(waits_s, self.dice.uniform(*RELATCHES_S))
            self._relatch = self.timeline.after(waits_s, self._relatches)

    def _relatches(self) -> None:
        if self.coil or self.jammed:
            return
        self.faults.strikes("relatch")
        self.unlocked = False
        self.changed()

    def _burns(self) -> None:
        self.burnt = True
        self.changed()

    def _opens(self) -> None:
        self.open = True
        self._call_off(self._relatch)
        self.unlocked = self.unlocked and self.coil
        self._door_moved()

    def _door_moved(self) -> None:
        self._call_off(self._swing)
        self._swing = self.timeline.quickly(self.dice.uniform(*SWITCH_AFTER_S), self._switch_sees)

    def _switch_sees(self) -> None:
        self._switch = self.open
        bounces_s = self.faults.bounces_s(opening=self.open)
        if bounces_s:
            self._bounces_until = self.timeline.now + bounces_s
            for flank in range(1, FLANKS + 1):
                self.timeline.after(bounces_s * flank / FLANKS, self._flips)
        self.changed()

    def _flips(self) -> None:
        self._flanks += 1
        self.changed()

    @staticmethod
    def _call_off(*appointments: Appointment | None) -> None:
        for appointment in appointments:
            if appointment:
                appointment.cancel()
