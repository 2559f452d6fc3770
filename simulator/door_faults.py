"""What can be wrong with one door: its switch, its lock, their wires. Each counts itself."""

from dataclasses import asdict, dataclass, field, fields
from random import Random
from typing import Any, Final

WEAK_FREE_AFTER_S: Final = 0.700  # of coil
RELATCHES_S: Final = (0.3, 3.0)  # after the pulse
BOUNCE_OPENING_S: Final = (0.005, 0.030)
BOUNCE_SLAM_S: Final = (0.005, 0.080)
FORGOTTEN_AFTER_S: Final = 10.0  # nobody asked: what an input did meanwhile does not matter


@dataclass(frozen=True, slots=True)
class DoorTrouble:
    bounce: bool = False
    floating: float = 0.0  # flips a second
    stuck_open: bool = False
    stuck_closed: bool = False
    reversed: bool = False
    welded: bool = False
    dead_relay: bool = False
    jammed: bool = False  # the bolt is back, and the load holds the door
    weak: bool = False
    relatch: bool = False
    crosswired: int = 0  # number of the door whose switch is wired here, and this one's there
    wrong_lock: int = 0  # number of the door whose lock is wired here, and this one's there
    ghost_item: float = 0.0  # share of looks


NONE: Final = DoorTrouble()
NAMES: Final = tuple(each.name for each in fields(DoorTrouble))


@dataclass(slots=True)
class DoorFaults:
    dice: Random
    trouble: DoorTrouble = NONE
    counted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    _floats_closed: bool = True
    _flips_at: float = 0.0

    def strikes(self, name: str) -> bool:
        """Whether this trouble comes now; it is counted."""
        asked = getattr(self.trouble, name)
        struck = self.dice.random() < asked if isinstance(asked, float) else bool(asked)
        self.counted[name] += struck
        return struck

    def closed(self, truth: bool, now: float) -> bool:  # noqa: FBT001 - what a switch says
        """What the input makes of what the switch says."""
        trouble = self.trouble
        if trouble.floating:
            truth = self._floating(trouble.floating, now)
        if trouble.stuck_open or trouble.stuck_closed:
            name = "stuck_open" if trouble.stuck_open else "stuck_closed"
            self.counted[name] += truth != trouble.stuck_closed
            truth = trouble.stuck_closed
        return not truth if self.strikes("reversed") else truth

    def bounces_s(self, *, opening: bool) -> float:
        if not self.strikes("bounce"):
            return 0.0
        return self.dice.uniform(*(BOUNCE_OPENING_S if opening else BOUNCE_SLAM_S))

    def state(self) -> dict[str, Any]:
        return {"faults": asdict(self.trouble), "counted": dict(self.counted)}

    def worth_telling(self) -> bool:
        return self.trouble != NONE or any(self.counted.values())

    def _floating(self, rate: float, now: float) -> bool:
        if now - self._flips_at > FORGOTTEN_AFTER_S:
            self._flips_at = now
        while self._flips_at <= now:
            self._floats_closed = not self._floats_closed
            self.counted["floating"] += 1
            self._flips_at += self.dice.expovariate(rate)
        return self._floats_closed
